"""Events, exchange rates, and the calls that may be sent again."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

PATH_LENGTH = 363


def upgrade() -> None:
    scope = sa.String(length=PATH_LENGTH).with_variant(sa.String(length=PATH_LENGTH, collation="C"), "postgresql")
    op.create_table(
        "events",
        sa.Column("i_event", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("i_customer", sa.Integer(), nullable=False),
        sa.Column("scope", scope, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("i_event", name=op.f("pk_events")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_events_scope_events_i_event"), "events", ["scope", "i_event"])
    op.create_table(
        "exchange_rates",
        sa.Column("from_currency", sa.String(length=3), nullable=False),
        sa.Column("to_currency", sa.String(length=3), nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["from_currency"], ["currencies.code"], name=op.f("fk_exchange_rates_from_currency")),
        sa.ForeignKeyConstraint(["to_currency"], ["currencies.code"], name=op.f("fk_exchange_rates_to_currency")),
        sa.PrimaryKeyConstraint("from_currency", "to_currency", name=op.f("pk_exchange_rates")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("i_customer", sa.Integer(), nullable=False),
        sa.Column("idempotency_key", sa.String(length=255), nullable=False),
        sa.Column("content", sa.String(length=73), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["i_customer"],
            ["customers.i_customer"],
            name=op.f("fk_idempotency_keys_i_customer"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("i_customer", "idempotency_key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(op.f("ix_idempotency_keys_created"), "idempotency_keys", ["created"])


def downgrade() -> None:
    op.drop_table("idempotency_keys")
    op.drop_table("exchange_rates")
    op.drop_table("events")
