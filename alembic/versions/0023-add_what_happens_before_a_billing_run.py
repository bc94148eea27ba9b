"""What accounts ask for before a billing run, and vouchers page by page."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

AMOUNT = """
    ALTER TABLE balances ADD COLUMN br_charge_amount BIGINT CONSTRAINT ck_balances_br_charge_amount
    CHECK (br_charge_amount >= 0 AND br_charge_amount <= 1000000000000000000)
"""


def upgrade() -> None:
    op.add_column("balances", sa.Column("br_charge_card", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute(AMOUNT)
    op.create_index(op.f("ix_vouchers_i_customer_vouchers_i_voucher"), "vouchers", ["i_customer", "i_voucher"])


def downgrade() -> None:
    op.drop_index(op.f("ix_vouchers_i_customer_vouchers_i_voucher"), "vouchers")
    op.drop_column("balances", "br_charge_amount")
    op.drop_column("balances", "br_charge_card")
