"""The change history, append-only by the database's own rule."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLE = "audit_log"
REFUSAL = "the audit log is append-only"
SEAL = ("seq", "hash")
PATH_LENGTH = 363


def big_integer() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def make_append_only(columns: list[str]) -> None:
    """Let the database refuse to remove a row, or to change more of it than its seal, once."""
    if op.get_bind().dialect.name == "sqlite":
        fixed = ", ".join(f'"{name}"' for name in columns if name not in SEAL)
        for name, when in (
            ("no_delete", f"BEFORE DELETE ON {TABLE}"),
            ("no_update", f"BEFORE UPDATE OF {fixed} ON {TABLE}"),
            ("sealed_once", f"BEFORE UPDATE OF {', '.join(SEAL)} ON {TABLE} WHEN OLD.seq IS NOT NULL"),
        ):
            op.execute(f"CREATE TRIGGER {TABLE}_{name} {when} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END")
        return
    unsealed = " - ".join(["to_jsonb({row})", *(f"'{name}'" for name in SEAL)])
    op.execute(
        "CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF TG_OP = 'UPDATE' THEN IF OLD.seq IS NULL AND "
        f"{unsealed.format(row='OLD')} = {unsealed.format(row='NEW')} THEN RETURN NEW; END IF; END IF; "
        f"RAISE EXCEPTION '{REFUSAL}'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {TABLE}_append_only BEFORE UPDATE OR DELETE ON {TABLE} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()"
    )
    op.execute(
        f"CREATE TRIGGER {TABLE}_no_truncate BEFORE TRUNCATE ON {TABLE} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()"
    )


def upgrade() -> None:
    scope = sa.String(length=PATH_LENGTH).with_variant(sa.String(length=PATH_LENGTH, collation="C"), "postgresql")
    log = op.create_table(
        TABLE,
        sa.Column("i_audit", big_integer(), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("i_customer", sa.Integer(), nullable=False),
        sa.Column("scope", scope, nullable=False),
        sa.Column("i_customer_actor", sa.Integer(), nullable=False),
        sa.Column("trusted", sa.Boolean(), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("dialect", sa.String(length=16), nullable=False),
        sa.Column("request_id", sa.String(length=16), nullable=False),
        sa.Column("method", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("object_type", sa.String(length=32), nullable=False),
        sa.Column("object_id", big_integer(), nullable=True),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("mac", sa.String(length=73), nullable=False),
        sa.Column("seq", big_integer(), nullable=True),
        sa.Column("hash", sa.String(length=73), nullable=True),
        sa.PrimaryKeyConstraint("i_audit", name=op.f("pk_audit_log")),
        sa.UniqueConstraint("seq", name=op.f("uq_audit_log_seq")),
        sa.UniqueConstraint("uid", name=op.f("uq_audit_log_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_audit_log_scope_audit_log_i_audit"), TABLE, ["scope", "i_audit"])
    op.create_index(
        op.f("ix_audit_log_object_type_audit_log_object_id_audit_log_i_audit"),
        TABLE,
        ["object_type", "object_id", "i_audit"],
    )
    op.create_index(
        "ix_audit_log_unsealed",
        TABLE,
        ["i_audit"],
        sqlite_where=sa.text("seq IS NULL"),
        postgresql_where=sa.text("seq IS NULL"),
    )
    head = op.create_table(
        "audit_head",
        sa.Column("i_audit_head", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", big_integer(), nullable=False),
        sa.Column("hash", sa.String(length=73), nullable=False),
        sa.PrimaryKeyConstraint("i_audit_head", name=op.f("pk_audit_head")),
    )
    op.bulk_insert(head, [{"i_audit_head": 1, "seq": 0, "hash": ""}])
    make_append_only([column.name for column in log.columns])


def downgrade() -> None:
    op.drop_table("audit_head")
    op.drop_table(TABLE)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_audit_change()")
