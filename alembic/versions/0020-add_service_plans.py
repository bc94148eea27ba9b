"""
Service plans: what they cost, minute plans, on which plan accounts have been, and what they were charged.

A plan that is there already has no tariff and costs nothing; its currency is that of its customer. Vouchers are found
by what proves their PIN, and can be voided.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

LARGEST = 10**18  # millionths
CURRENCIES = """
    UPDATE billing_plans SET iso_4217 = (
        SELECT currency FROM balances WHERE balances.i_customer = billing_plans.i_customer AND balances.is_default
    ) WHERE i_customer IN (SELECT i_customer FROM balances WHERE is_default)
"""
SPANS = """
    INSERT INTO plan_spans (i_account, i_billing_plan, began, due, suspended, needed)
    SELECT i_account, i_billing_plan, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, {false}, 0
    FROM accounts JOIN billing_plans USING (i_billing_plan)
    WHERE billing_plans.i_customer IS NOT NULL AND accounts.blocked = 0
"""


def upgrade() -> None:
    op.create_table(
        "plan_charges",
        sa.Column("i_plan_charge", sa.Integer(), nullable=False),
        sa.Column("i_customer", sa.Integer(), nullable=False),
        sa.Column("i_account", sa.Integer(), nullable=False),
        sa.Column("i_plan_span", sa.Integer(), nullable=False),
        sa.Column("item", sa.String(length=16), nullable=False),
        sa.Column("i_item", sa.Integer(), nullable=False),
        sa.Column("begins", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("i_ledger", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("refunded", sa.BigInteger(), nullable=False),
        sa.Column("i_ledger_refund", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["i_ledger"], ["ledger.i_ledger"], name=op.f("fk_plan_charges_i_ledger")),
        sa.ForeignKeyConstraint(["i_ledger_refund"], ["ledger.i_ledger"], name=op.f("fk_plan_charges_i_ledger_refund")),
        sa.PrimaryKeyConstraint("i_plan_charge", name=op.f("pk_plan_charges")),
        sa.UniqueConstraint("i_ledger", name=op.f("uq_plan_charges_i_ledger")),
        sa.UniqueConstraint("i_ledger_refund", name=op.f("uq_plan_charges_i_ledger_refund")),
        sa.UniqueConstraint(
            "i_plan_span", "item", "i_item", "begins", name=op.f("uq_plan_charges_i_plan_span_item_i_item_begins")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_plan_charges_i_account"), "plan_charges", ["i_account"])
    op.create_index(op.f("ix_plan_charges_i_customer"), "plan_charges", ["i_customer"])

    op.create_table(
        "minute_plans",
        sa.Column("i_service_plan", sa.Integer(), nullable=False),
        sa.Column("i_customer", sa.Integer(), nullable=False),
        sa.Column("i_billing_plan", sa.Integer(), nullable=False),
        sa.Column("description", sa.String(length=1024), nullable=False),
        sa.Column("prefixes", sa.Text(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("seconds_total", sa.Integer(), nullable=True),
        sa.Column("chargeable_seconds", sa.Integer(), nullable=False),
        sa.CheckConstraint("chargeable_seconds >= 0", name=op.f("ck_minute_plans_chargeable_seconds")),
        sa.CheckConstraint(f"price >= 0 AND price <= {LARGEST}", name=op.f("ck_minute_plans_price")),
        sa.CheckConstraint("seconds_total >= 0", name=op.f("ck_minute_plans_seconds_total")),
        sa.ForeignKeyConstraint(
            ["i_billing_plan"], ["billing_plans.i_billing_plan"], name=op.f("fk_minute_plans_i_billing_plan")
        ),
        sa.ForeignKeyConstraint(
            ["i_customer"], ["customers.i_customer"], name=op.f("fk_minute_plans_i_customer"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("i_service_plan", name=op.f("pk_minute_plans")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_minute_plans_i_billing_plan"), "minute_plans", ["i_billing_plan"])
    op.create_index(
        op.f("ix_minute_plans_i_customer_minute_plans_i_service_plan"),
        "minute_plans",
        ["i_customer", "i_service_plan"],
    )

    op.create_table(
        "minute_uses",
        sa.Column("i_account", sa.Integer(), nullable=False),
        sa.Column("i_service_plan", sa.Integer(), nullable=False),
        sa.Column("begins", sa.Date(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["i_account"], ["accounts.i_account"], name=op.f("fk_minute_uses_i_account"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["i_service_plan"],
            ["minute_plans.i_service_plan"],
            name=op.f("fk_minute_uses_i_service_plan"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("i_account", "i_service_plan", "begins", name=op.f("pk_minute_uses")),
    )
    op.create_index(op.f("ix_minute_uses_i_service_plan"), "minute_uses", ["i_service_plan"])

    op.create_table(
        "plan_spans",
        sa.Column("i_plan_span", sa.Integer(), nullable=False),
        sa.Column("i_account", sa.Integer(), nullable=False),
        sa.Column("i_billing_plan", sa.Integer(), nullable=False),
        sa.Column("began", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.Column("billed_until", sa.Date(), nullable=True),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.Column("needed", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["i_account"], ["accounts.i_account"], name=op.f("fk_plan_spans_i_account"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["i_billing_plan"],
            ["billing_plans.i_billing_plan"],
            name=op.f("fk_plan_spans_i_billing_plan"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("i_plan_span", name=op.f("pk_plan_spans")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_plan_spans_due"), "plan_spans", ["due"])
    op.create_index(op.f("ix_plan_spans_i_account"), "plan_spans", ["i_account"])
    op.create_index(op.f("ix_plan_spans_i_billing_plan"), "plan_spans", ["i_billing_plan"])
    op.create_index(
        "ix_plan_spans_suspended",
        "plan_spans",
        ["i_account"],
        sqlite_where=sa.text("suspended = 1"),
        postgresql_where=sa.text("suspended"),
    )
    op.create_index(
        "uq_plan_spans_open",
        "plan_spans",
        ["i_account"],
        unique=True,
        sqlite_where=sa.text("ended IS NULL"),
        postgresql_where=sa.text("ended IS NULL"),
    )

    with op.batch_alter_table("billing_plans", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.add_column(sa.Column("i_tariff", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("description", sa.String(length=1024), nullable=True))
        batch_op.add_column(sa.Column("suspend_all_calls", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("billing_cycle", sa.Integer(), server_default="3", nullable=False))
        batch_op.add_column(sa.Column("iso_4217", sa.String(length=3), server_default="USD", nullable=False))
        batch_op.add_column(sa.Column("prepaid", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("recurring_fee", sa.BigInteger(), server_default="0", nullable=False))
        batch_op.drop_index(batch_op.f("ix_billing_plans_i_customer"))
        batch_op.create_index(
            batch_op.f("ix_billing_plans_i_customer_billing_plans_i_billing_plan"),
            ["i_customer", "i_billing_plan"],
        )
        batch_op.create_index(batch_op.f("ix_billing_plans_i_tariff"), ["i_tariff"])
        batch_op.create_check_constraint(
            batch_op.f("ck_billing_plans_billing_cycle"), "billing_cycle >= 1 AND billing_cycle <= 3"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_billing_plans_recurring_fee"), f"recurring_fee >= 0 AND recurring_fee <= {LARGEST}"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_billing_plans_everybodys_is_free"), "i_customer IS NOT NULL OR recurring_fee = 0"
        )
        batch_op.drop_constraint(batch_op.f("fk_billing_plans_i_customer"), type_="foreignkey")
        batch_op.create_foreign_key(
            batch_op.f("fk_billing_plans_i_customer"), "customers", ["i_customer"], ["i_customer"], ondelete="CASCADE"
        )
        batch_op.create_foreign_key(batch_op.f("fk_billing_plans_iso_4217"), "currencies", ["iso_4217"], ["code"])
        batch_op.create_foreign_key(batch_op.f("fk_billing_plans_i_tariff"), "tariffs", ["i_tariff"], ["i_tariff"])

    op.add_column("vouchers", sa.Column("voided", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_vouchers_pin"), "vouchers", ["pin"])
    op.execute(CURRENCIES)
    op.execute(SPANS.format(false="0" if op.get_bind().dialect.name == "sqlite" else "false"))


def downgrade() -> None:
    op.drop_index(op.f("ix_vouchers_pin"), "vouchers")
    op.drop_column("vouchers", "voided")
    for table in ("plan_spans", "minute_uses", "minute_plans", "plan_charges"):
        op.drop_table(table)
    with op.batch_alter_table("billing_plans", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        for name in ("i_tariff", "iso_4217", "i_customer"):
            batch_op.drop_constraint(batch_op.f(f"fk_billing_plans_{name}"), type_="foreignkey")
        for name in ("billing_cycle", "recurring_fee", "everybodys_is_free"):
            batch_op.drop_constraint(batch_op.f(f"ck_billing_plans_{name}"), type_="check")
        batch_op.create_foreign_key(
            batch_op.f("fk_billing_plans_i_customer"), "customers", ["i_customer"], ["i_customer"]
        )
        batch_op.drop_index(batch_op.f("ix_billing_plans_i_tariff"))
        batch_op.drop_index(batch_op.f("ix_billing_plans_i_customer_billing_plans_i_billing_plan"))
        batch_op.create_index(batch_op.f("ix_billing_plans_i_customer"), ["i_customer"])
        for name in (
            "recurring_fee",
            "prepaid",
            "iso_4217",
            "billing_cycle",
            "suspend_all_calls",
            "description",
            "i_tariff",
        ):
            batch_op.drop_column(name)
