"""What was paid into a balance from above and may go back there."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

LARGEST_FUNDED = 8 * 10**18


def upgrade() -> None:
    for name in ("funded", "funded_opening"):
        bounds = f"CONSTRAINT ck_balances_{name} CHECK ({name} >= 0 AND {name} <= {LARGEST_FUNDED})"
        op.execute(f"ALTER TABLE balances ADD COLUMN {name} BIGINT NOT NULL DEFAULT 0 {bounds}")
    op.add_column("ledger", sa.Column("funded_change", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("ledger", "funded_change")
    op.drop_column("balances", "funded_opening")
    op.drop_column("balances", "funded")
