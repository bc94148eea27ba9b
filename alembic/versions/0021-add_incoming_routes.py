"""How calls come to the account that is called at a DID."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

NEVER_REUSED = {"sqlite_autoincrement": True}  # which SQLite's copy of a table would forget
MODE = "ck_did_uses_i_forward_did_mode"


def upgrade() -> None:
    mode = sa.Column("i_forward_did_mode", sa.Integer(), nullable=False, server_default="1")
    is_self_managed = sa.Column("self_managed", sa.Boolean(), nullable=False, server_default=sa.false())
    with op.batch_alter_table("did_uses", table_kwargs=NEVER_REUSED) as batch:
        batch.add_column(mode)
        batch.add_column(is_self_managed)
        batch.create_check_constraint(op.f(MODE), "i_forward_did_mode >= 1 AND i_forward_did_mode <= 3")
        batch.drop_index(op.f("ix_did_uses_i_account"))
        batch.create_index(op.f("ix_did_uses_i_account_did_uses_i_did_use"), ["i_account", "i_did_use"])


def downgrade() -> None:
    with op.batch_alter_table("did_uses", table_kwargs=NEVER_REUSED) as batch:
        batch.drop_index(op.f("ix_did_uses_i_account_did_uses_i_did_use"))
        batch.create_index(op.f("ix_did_uses_i_account"), ["i_account"])
        batch.drop_constraint(op.f(MODE), type_="check")
        batch.drop_column("self_managed")
        batch.drop_column("i_forward_did_mode")
