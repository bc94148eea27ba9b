"""Who has blocked or limited something: he, and those above him, lift it."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ADDED = (
    ("customers", "blocked_by"),
    ("web_users", "blocked_by"),
    ("accounts", "blocked_by"),
    ("accounts", "quota_by"),
    ("account_groups", "put_by"),
)


def upgrade() -> None:
    for table, name in ADDED:
        op.add_column(table, sa.Column(name, sa.Integer(), nullable=True))


def downgrade() -> None:
    for table, name in reversed(ADDED):
        op.drop_column(table, name)
