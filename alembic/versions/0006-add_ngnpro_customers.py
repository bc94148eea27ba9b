"""What customers have in NGNPro's dialect alone: further attributes, and properties."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TEXTS = {
    "vat_number": 64,
    "web": 255,
    "mobile": 64,
    "sip": 255,
    "enum": 64,
    "bank_account": 128,
    "billing_address": 255,
    "billing_email": 255,
    "company_code": 64,
}


def upgrade() -> None:
    # SQLite takes a foreign key with a new column, but not by itself; a batch would drop what points at the table
    op.execute(
        "ALTER TABLE customers ADD COLUMN impersonate INTEGER"
        " CONSTRAINT fk_customers_impersonate REFERENCES customers (i_customer)"
    )
    op.create_index(op.f("ix_customers_impersonate"), "customers", ["impersonate"])
    for name, length in TEXTS.items():
        op.add_column("customers", sa.Column(name, sa.String(length=length), nullable=True))
    op.add_column("customers", sa.Column("reseller_active", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("customers", sa.Column("changed", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "customer_properties",
        sa.Column("i_customer", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("category", sa.String(length=64), nullable=False),
        sa.Column("permission", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["i_customer"],
            ["customers.i_customer"],
            name=op.f("fk_customer_properties_i_customer"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("i_customer", "name", name=op.f("pk_customer_properties")),
    )


def downgrade() -> None:
    op.drop_table("customer_properties")
    for name in ["changed", "reseller_active", *TEXTS]:
        op.drop_column("customers", name)
    op.drop_index(op.f("ix_customers_impersonate"), "customers")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_column("customers", "impersonate")
    else:  # SQLite drops no column that a constraint names
        with op.batch_alter_table("customers", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
            batch_op.drop_column("impersonate")
