"""Names and logins are unique as they were sent, too: what is unique whatever its case is their key."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

LENGTH = 384
ID_KEY = 638
NEVER_REUSED = {"sqlite_autoincrement": True}  # which SQLite's copy of a table would forget


def upgrade() -> None:
    """`name_key` is the name as it stands, which is unique, until `xmlrpc-api migrate` gives each row its key."""
    op.add_column("customers", sa.Column("name_key", sa.String(LENGTH), nullable=True))
    op.execute("UPDATE customers SET name_key = name")
    with op.batch_alter_table("customers", table_kwargs=NEVER_REUSED) as batch:
        batch.alter_column("name_key", existing_type=sa.String(LENGTH), nullable=False)
        batch.create_unique_constraint(op.f("uq_customers_name_key"), ["name_key"])
    with op.batch_alter_table("web_users", table_kwargs=NEVER_REUSED) as batch:
        batch.create_unique_constraint(op.f("uq_web_users_web_login"), ["web_login"])
    with op.batch_alter_table("accounts", table_kwargs=NEVER_REUSED) as batch:
        batch.alter_column("username_key", existing_type=sa.String(LENGTH), type_=sa.String(ID_KEY))
        batch.create_unique_constraint(op.f("uq_accounts_username"), ["username"])


def downgrade() -> None:
    with op.batch_alter_table("accounts", table_kwargs=NEVER_REUSED) as batch:
        batch.drop_constraint(op.f("uq_accounts_username"), type_="unique")
        batch.alter_column("username_key", existing_type=sa.String(ID_KEY), type_=sa.String(LENGTH))
    with op.batch_alter_table("web_users", table_kwargs=NEVER_REUSED) as batch:
        batch.drop_constraint(op.f("uq_web_users_web_login"), type_="unique")
    with op.batch_alter_table("customers", table_kwargs=NEVER_REUSED) as batch:
        batch.drop_constraint(op.f("uq_customers_name_key"), type_="unique")
        batch.drop_column("name_key")
