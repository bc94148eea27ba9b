"""What logins to the self-care portal need: policies, one-time passwords, second factors, throttles."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SIGNATURE_LENGTH = 73
DEMANDS = {
    "minimum_length": (sa.Integer(), "1"),
    "needs_lower": (sa.Boolean(), sa.false()),
    "needs_upper": (sa.Boolean(), sa.false()),
    "needs_digit": (sa.Boolean(), sa.false()),
    "needs_symbol": (sa.Boolean(), sa.false()),
    "differs_from_login": (sa.Boolean(), sa.false()),
    "minimum_score": (sa.Integer(), "0"),
}
LOGIN_COLUMNS = {
    "email": sa.String(length=255),
    "description": sa.String(length=1024),
    "foreign_password": sa.String(length=255),
    "one_time_password": sa.String(length=SIGNATURE_LENGTH),
    "one_time_expires": sa.DateTime(timezone=True),
    "one_time_used": sa.DateTime(timezone=True),
    "totp_seed": sa.Text(),
    "totp_step": sa.BigInteger(),
}
POLICIES = sa.table(
    "password_policies",
    sa.column("i_password_policy", sa.Integer()),
    sa.column("name", sa.String()),
    *(sa.column(name, kind) for name, (kind, _) in DEMANDS.items()),
)
STRONG = {
    "i_password_policy": 2,
    "name": "Strong",
    "minimum_length": 10,
    "needs_lower": True,
    "needs_upper": True,
    "needs_digit": True,
    "differs_from_login": True,
    "minimum_score": 3,
}


def upgrade() -> None:
    for name, (kind, default) in DEMANDS.items():
        op.add_column("password_policies", sa.Column(name, kind, nullable=False, server_default=default))
    default = POLICIES.c.i_password_policy == 1
    op.execute(sa.update(POLICIES).where(default).values(minimum_length=6, differs_from_login=True))
    op.bulk_insert(POLICIES, [STRONG])

    op.add_column("web_users", sa.Column("second_factor", sa.Boolean(), nullable=False, server_default=sa.false()))
    for name, kind in LOGIN_COLUMNS.items():
        op.add_column("web_users", sa.Column(name, kind, nullable=True))

    op.create_table(
        "recovery_codes",
        sa.Column("i_web_user", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=SIGNATURE_LENGTH), nullable=False),
        sa.ForeignKeyConstraint(
            ["i_web_user"], ["web_users.i_web_user"], name=op.f("fk_recovery_codes_i_web_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("i_web_user", "code", name=op.f("pk_recovery_codes")),
    )
    op.create_table(
        "throttles",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last", sa.DateTime(timezone=True), nullable=False),
        sa.Column("locks", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_throttles")),
    )
    op.create_index(op.f("ix_throttles_last"), "throttles", ["last"])


def downgrade() -> None:
    op.drop_table("throttles")
    op.drop_table("recovery_codes")
    for name in ["second_factor", *LOGIN_COLUMNS]:
        op.drop_column("web_users", name)
    op.execute(sa.delete(POLICIES).where(POLICIES.c.i_password_policy == STRONG["i_password_policy"]))
    for name in DEMANDS:
        op.drop_column("password_policies", name)
