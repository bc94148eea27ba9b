"""SIP aliases, and vouchers."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sip_aliases",
        sa.Column("i_alias", sa.Integer(), nullable=False),
        sa.Column("i_domain", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(length=128), nullable=False),
        sa.Column("alias_key", sa.String(length=638), nullable=False),
        sa.Column("target_username", sa.String(length=128), nullable=False),
        sa.Column("target_domain", sa.String(length=253), nullable=False),
        sa.Column("owner", sa.Integer(), nullable=True),
        sa.Column("changed", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["i_domain"], ["sip_domains.i_domain"], name=op.f("fk_sip_aliases_i_domain")),
        sa.ForeignKeyConstraint(["owner"], ["customers.i_customer"], name=op.f("fk_sip_aliases_owner")),
        sa.PrimaryKeyConstraint("i_alias", name=op.f("pk_sip_aliases")),
        sa.UniqueConstraint("alias_key", name=op.f("uq_sip_aliases_alias_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_sip_aliases_i_domain"), "sip_aliases", ["i_domain"])
    op.create_index(op.f("ix_sip_aliases_owner"), "sip_aliases", ["owner"])
    op.create_index(op.f("ix_sip_aliases_target_domain"), "sip_aliases", ["target_domain"])
    op.create_table(
        "vouchers",
        sa.Column("i_voucher", sa.Integer(), nullable=False),
        sa.Column("i_customer", sa.Integer(), nullable=False),
        sa.Column("series", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("pin", sa.String(length=73), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used", sa.DateTime(timezone=True), nullable=True),
        sa.Column("i_account", sa.Integer(), nullable=True),
        sa.CheckConstraint("value > 0", name=op.f("ck_vouchers_value")),
        sa.ForeignKeyConstraint(["currency"], ["currencies.code"], name=op.f("fk_vouchers_currency")),
        sa.ForeignKeyConstraint(["i_customer"], ["customers.i_customer"], name=op.f("fk_vouchers_i_customer")),
        sa.PrimaryKeyConstraint("i_voucher", name=op.f("pk_vouchers")),
        sa.UniqueConstraint("i_customer", "series", "number", name=op.f("uq_vouchers_i_customer_series_number")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_vouchers_i_customer"), "vouchers", ["i_customer"])


def downgrade() -> None:
    op.drop_table("vouchers")
    op.drop_table("sip_aliases")
