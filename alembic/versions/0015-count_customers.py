"""How many customers stand directly below each, kept by triggers; who was changed last."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

PATH_LENGTH = 363
SQLITE = (
    """
    CREATE TRIGGER customers_added AFTER INSERT ON customers BEGIN
        INSERT INTO customer_counts (path, part, customers) VALUES (NEW.path, 0, 1)
        ON CONFLICT (path, part) DO UPDATE SET customers = customer_counts.customers + 1;
    END
    """,
    """
    CREATE TRIGGER customers_removed AFTER DELETE ON customers BEGIN
        UPDATE customer_counts SET customers = customers - 1 WHERE path = OLD.path;
        DELETE FROM customer_counts WHERE path = OLD.path || OLD.i_customer || '.';
    END
    """,
)
POSTGRESQL = (  # of connections that are open at the same time hardly two have one part
    """
    CREATE FUNCTION count_customers() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO customer_counts (path, part, customers)
        SELECT path, pg_backend_pid() % 64, count(*) * CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END
        FROM changed GROUP BY path ORDER BY path
        ON CONFLICT (path, part) DO UPDATE SET customers = customer_counts.customers + excluded.customers;
        IF TG_OP = 'DELETE' THEN
            DELETE FROM customer_counts USING changed
            WHERE customer_counts.path = changed.path || changed.i_customer || '.';
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER customers_added AFTER INSERT ON customers REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION count_customers()
    """,
    """
    CREATE TRIGGER customers_removed AFTER DELETE ON customers REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION count_customers()
    """,
)
NO_MORE = {
    "sqlite": ("DROP TRIGGER customers_added", "DROP TRIGGER customers_removed"),
    "postgresql": (
        "DROP TRIGGER customers_added ON customers",
        "DROP TRIGGER customers_removed ON customers",
        "DROP FUNCTION count_customers()",
    ),
}
COUNTED = "INSERT INTO customer_counts (path, part, customers) SELECT path, 0, count(*) FROM customers GROUP BY path"


def upgrade() -> None:
    path = sa.String(length=PATH_LENGTH).with_variant(sa.String(length=PATH_LENGTH, collation="C"), "postgresql")
    op.create_table(
        "customer_counts",
        sa.Column("path", path, nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("customers", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("path", "part", name=op.f("pk_customer_counts")),
    )
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)  # from now on nobody else changes the customers
    op.execute(COUNTED)
    op.create_index(op.f("ix_customers_changed"), "customers", ["changed"])


def downgrade() -> None:
    op.drop_index(op.f("ix_customers_changed"), "customers")
    for statement in NO_MORE[op.get_bind().dialect.name]:
        op.execute(statement)
    op.drop_table("customer_counts")
