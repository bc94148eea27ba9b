"""Rates; and what tariffs say of the price of a call."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

LARGEST = 10**18  # price, in units of its last decimal
ADDED = (  # name, type and default; lowest and highest value
    ("i_tariff_type", "INTEGER NOT NULL DEFAULT 1", (1, 2)),
    ("connect_fee", "BIGINT NOT NULL DEFAULT 0", (0, LARGEST)),
    ("free_seconds", "INTEGER NOT NULL DEFAULT 0", (0, 10**6)),
    ("post_call_surcharge", "BIGINT NOT NULL DEFAULT 0", (0, 10**12)),
    ("grace_period", "INTEGER NOT NULL DEFAULT 0", (0, 10**6)),
    ("loss_protection", "BOOLEAN NOT NULL DEFAULT FALSE", None),
    ("max_loss", "BIGINT", (0, 10**14)),
    ("cost_round_up", "BOOLEAN NOT NULL DEFAULT FALSE", None),
    ("decimal_precision", "INTEGER NOT NULL DEFAULT 20", (0, 20)),
    ("average_duration", "INTEGER NOT NULL DEFAULT 200", (1, 10**6)),
    ("local_calling", "BOOLEAN NOT NULL DEFAULT FALSE", None),
    ("local_calling_cli_validation_rule", "VARCHAR(255) NOT NULL DEFAULT ''", None),
)


def upgrade() -> None:
    op.create_table(
        "rates",
        sa.Column("i_rate", sa.Integer(), nullable=False),
        sa.Column("i_tariff", sa.Integer(), nullable=False),
        sa.Column(
            "prefix",
            sa.String(length=32).with_variant(sa.String(length=32, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("price_1", sa.BigInteger(), nullable=False),
        sa.Column("price_n", sa.BigInteger(), nullable=False),
        sa.Column("interval_1", sa.Integer(), nullable=False),
        sa.Column("interval_n", sa.Integer(), nullable=False),
        sa.Column("forbidden", sa.Boolean(), nullable=False),
        sa.Column("grace_period_enable", sa.Boolean(), nullable=False),
        sa.Column("activation_date", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expiration_date", sa.DateTime(timezone=True), nullable=True),
        sa.Column("local_price_1", sa.BigInteger(), nullable=True),
        sa.Column("local_price_n", sa.BigInteger(), nullable=True),
        sa.Column("local_interval_1", sa.Integer(), nullable=True),
        sa.Column("local_interval_n", sa.Integer(), nullable=True),
        sa.Column("area_name", sa.String(length=128), nullable=False),
        sa.Column("i_upload", sa.Integer(), nullable=True),
        sa.CheckConstraint("expiration_date > activation_date", name=op.f("ck_rates_life")),
        sa.CheckConstraint("interval_1 >= 1 AND interval_1 <= 86400", name=op.f("ck_rates_interval_1")),
        sa.CheckConstraint("interval_n >= 1 AND interval_n <= 86400", name=op.f("ck_rates_interval_n")),
        sa.CheckConstraint(
            "local_interval_1 >= 1 AND local_interval_1 <= 86400", name=op.f("ck_rates_local_interval_1")
        ),
        sa.CheckConstraint(
            "local_interval_n >= 1 AND local_interval_n <= 86400", name=op.f("ck_rates_local_interval_n")
        ),
        sa.CheckConstraint(
            "local_price_1 >= 0 AND local_price_1 <= 1000000000000000000", name=op.f("ck_rates_local_price_1")
        ),
        sa.CheckConstraint(
            "local_price_n >= 0 AND local_price_n <= 1000000000000000000", name=op.f("ck_rates_local_price_n")
        ),
        sa.CheckConstraint("price_1 >= 0 AND price_1 <= 1000000000000000000", name=op.f("ck_rates_price_1")),
        sa.CheckConstraint("price_n >= 0 AND price_n <= 1000000000000000000", name=op.f("ck_rates_price_n")),
        sa.ForeignKeyConstraint(["i_tariff"], ["tariffs.i_tariff"], name=op.f("fk_rates_i_tariff"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("i_rate", name=op.f("pk_rates")),
        sa.UniqueConstraint(
            "i_tariff", "prefix", "activation_date", name=op.f("uq_rates_i_tariff_prefix_activation_date")
        ),
        sqlite_autoincrement=True,
    )
    for name, kind, bounds in ADDED:
        check = (
            f" CONSTRAINT ck_tariffs_{name} CHECK ({name} >= {bounds[0]} AND {name} <= {bounds[1]})" if bounds else ""
        )
        op.execute(f"ALTER TABLE tariffs ADD COLUMN {name} {kind}{check}")
    op.create_index(op.f("ix_tariffs_i_customer_tariffs_i_tariff"), "tariffs", ["i_customer", "i_tariff"])


def downgrade() -> None:
    op.drop_index(op.f("ix_tariffs_i_customer_tariffs_i_tariff"), "tariffs")
    for name, _, _ in reversed(ADDED):
        op.drop_column("tariffs", name)
    op.drop_table("rates")
