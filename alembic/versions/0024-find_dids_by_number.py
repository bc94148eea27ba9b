"""DIDs are found by their numbers alone."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_dids_did_key_dids_end_key"), "dids", ["did_key", "end_key"])


def downgrade() -> None:
    op.drop_index(op.f("ix_dids_did_key_dids_end_key"), "dids")
