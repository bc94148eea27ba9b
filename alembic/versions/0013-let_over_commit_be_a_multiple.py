"""An over-commit limit above 100 per cent is ordinary."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

CHECK = "ck_customers_overcommit_limit"
MOST, MOST_BEFORE = 10**12, 10**8  # millionths of a per cent


def limit_to(most: int) -> None:
    with op.batch_alter_table("customers", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.drop_constraint(op.f(CHECK), type_="check")
        batch.create_check_constraint(op.f(CHECK), f"overcommit_limit >= 0 AND overcommit_limit <= {most}")


def upgrade() -> None:
    limit_to(MOST)


def downgrade() -> None:
    op.execute("UPDATE customers SET overcommit_limit = 100000000 WHERE overcommit_limit > 100000000")
    limit_to(MOST_BEFORE)
