"""Customers, their web users, balances, ledger, and the tables they point at."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

OWNED_BY_CUSTOMERS = ("tariffs", "routing_groups")  # customers point at these, too: the key comes later
LEDGER_REFUSAL = "the ledger is append-only"


def make_ledger_append_only() -> None:
    """Let the database itself refuse to change or remove a booking."""
    if op.get_bind().dialect.name == "sqlite":
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER ledger_no_{action.lower()} BEFORE {action} ON ledger "
                f"BEGIN SELECT RAISE(ABORT, '{LEDGER_REFUSAL}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{LEDGER_REFUSAL}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change()"
    )


def upgrade() -> None:
    op.create_table(
        "access_levels",
        sa.Column("i_access_level", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("i_access_level", name=op.f("pk_access_levels")),
    )
    op.create_table(
        "currencies",
        sa.Column("code", sa.String(length=3), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_currencies")),
    )
    op.create_table(
        "dictionary_entries",
        sa.Column("dictionary", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("label", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("dictionary", "id", name=op.f("pk_dictionary_entries")),
    )
    op.create_table(
        "export_types",
        sa.Column("i_export_type", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("i_export_type", name=op.f("pk_export_types")),
        sa.UniqueConstraint("name", name=op.f("uq_export_types_name")),
    )
    op.create_table(
        "languages",
        sa.Column("i_lang", sa.String(length=2), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("web", sa.Boolean(), nullable=False),
        sa.Column("ivr", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("i_lang", name=op.f("pk_languages")),
    )
    op.create_table(
        "password_policies",
        sa.Column("i_password_policy", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("i_password_policy", name=op.f("pk_password_policies")),
        sa.UniqueConstraint("name", name=op.f("uq_password_policies_name")),
    )
    op.create_table(
        "payment_methods",
        sa.Column("i_payment_method", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("i_payment_method", name=op.f("pk_payment_methods")),
        sa.UniqueConstraint("name", name=op.f("uq_payment_methods_name")),
    )
    op.create_table(
        "routing_groups",
        sa.Column("i_routing_group", sa.Integer(), nullable=False),
        sa.Column("i_customer", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("i_routing_group", name=op.f("pk_routing_groups")),
        sa.UniqueConstraint("i_customer", "name", name=op.f("uq_routing_groups_i_customer_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "time_zones",
        sa.Column("i_time_zone", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("i_time_zone", name=op.f("pk_time_zones")),
        sa.UniqueConstraint("name", name=op.f("uq_time_zones_name")),
    )
    op.create_table(
        "balances",
        sa.Column("i_balance", sa.Integer(), nullable=False),
        sa.Column("i_customer", sa.Integer(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("credit_limit", sa.BigInteger(), nullable=False),
        sa.Column("threshold", sa.BigInteger(), nullable=True),
        sa.Column("notify_by_email", sa.Boolean(), nullable=False),
        sa.Column("charge_card", sa.Boolean(), nullable=False),
        sa.Column("charge_amount", sa.BigInteger(), nullable=False),
        sa.Column("notification_retry_count", sa.Integer(), nullable=False),
        sa.Column("notification_retry_interval", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "balance >= -1000000000000000000 AND balance <= 1000000000000000000",
            name=op.f("ck_balances_balance"),
        ),
        sa.CheckConstraint(
            "credit_limit >= 0 AND credit_limit <= 1000000000000000000", name=op.f("ck_balances_credit_limit")
        ),
        sa.CheckConstraint(
            "threshold >= -1000000000000000000 AND threshold <= 1000000000000000000", name=op.f("ck_balances_threshold")
        ),
        sa.CheckConstraint(
            "charge_amount >= 0 AND charge_amount <= 1000000000000000000", name=op.f("ck_balances_charge_amount")
        ),
        sa.CheckConstraint(
            "notification_retry_count >= 0 AND notification_retry_count <= 100",
            name=op.f("ck_balances_notification_retry_count"),
        ),
        sa.CheckConstraint(
            "notification_retry_interval >= 1 AND notification_retry_interval <= 2592000",
            name=op.f("ck_balances_notification_retry_interval"),
        ),
        sa.ForeignKeyConstraint(["currency"], ["currencies.code"], name=op.f("fk_balances_currency")),
        sa.PrimaryKeyConstraint("i_balance", name=op.f("pk_balances")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("balances", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_balances_i_customer"), ["i_customer"], unique=False)
        batch_op.create_index(
            "uq_balances_default",
            ["i_customer"],
            unique=True,
            sqlite_where=sa.text("is_default"),
            postgresql_where=sa.text("is_default"),
        )

    op.create_table(
        "tariffs",
        sa.Column("i_tariff", sa.Integer(), nullable=False),
        sa.Column("i_customer", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.ForeignKeyConstraint(["currency"], ["currencies.code"], name=op.f("fk_tariffs_currency")),
        sa.PrimaryKeyConstraint("i_tariff", name=op.f("pk_tariffs")),
        sa.UniqueConstraint("i_customer", "name", name=op.f("uq_tariffs_i_customer_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "customers",
        sa.Column("i_customer", sa.Integer(), nullable=False),
        sa.Column("i_wholesaler", sa.Integer(), nullable=True),
        sa.Column("blocked", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("i_tariff", sa.Integer(), nullable=True),
        sa.Column("i_routing_group", sa.Integer(), nullable=True),
        sa.Column("accounts_mgmt", sa.Integer(), nullable=False),
        sa.Column("customers_mgmt", sa.Integer(), nullable=False),
        sa.Column("system_mgmt", sa.Integer(), nullable=False),
        sa.Column("accounts_matching_rule", sa.String(length=255), nullable=True),
        sa.Column("company_name", sa.String(length=128), nullable=True),
        sa.Column("salutation", sa.String(length=32), nullable=True),
        sa.Column("first_name", sa.String(length=64), nullable=True),
        sa.Column("last_name", sa.String(length=64), nullable=True),
        sa.Column("mid_init", sa.String(length=16), nullable=True),
        sa.Column("street_addr", sa.String(length=255), nullable=True),
        sa.Column("state", sa.String(length=64), nullable=True),
        sa.Column("postal_code", sa.String(length=32), nullable=True),
        sa.Column("city", sa.String(length=64), nullable=True),
        sa.Column("country", sa.String(length=64), nullable=True),
        sa.Column("contact", sa.String(length=128), nullable=True),
        sa.Column("phone", sa.String(length=64), nullable=True),
        sa.Column("fax", sa.String(length=64), nullable=True),
        sa.Column("alt_phone", sa.String(length=64), nullable=True),
        sa.Column("alt_contact", sa.String(length=128), nullable=True),
        sa.Column("email", sa.String(length=255), nullable=True),
        sa.Column("cc", sa.String(length=1024), nullable=True),
        sa.Column("bcc", sa.String(length=1024), nullable=True),
        sa.Column("mail_from", sa.String(length=255), nullable=True),
        sa.Column("payment_currency", sa.String(length=3), nullable=True),
        sa.Column("payment_method", sa.Integer(), nullable=True),
        sa.Column("min_payment_amount", sa.BigInteger(), nullable=False),
        sa.Column("api_access", sa.Integer(), nullable=False),
        sa.Column("api_password", sa.Text(), nullable=True),
        sa.Column("api_mgmt", sa.Integer(), nullable=False),
        sa.Column("i_commission_agent", sa.Integer(), nullable=True),
        sa.Column("commission_size", sa.BigInteger(), nullable=False),
        sa.Column("tariffs_mgmt", sa.Integer(), nullable=False),
        sa.Column("max_depth", sa.Integer(), nullable=False),
        sa.Column("use_own_tariff", sa.Integer(), nullable=False),
        sa.Column("vouchers_mgmt", sa.Integer(), nullable=False),
        sa.Column("description", sa.String(length=1024), nullable=True),
        sa.Column("i_password_policy", sa.Integer(), nullable=False),
        sa.Column("callshop_enabled", sa.Boolean(), nullable=False),
        sa.Column("overcommit_protection", sa.Boolean(), nullable=False),
        sa.Column("overcommit_limit", sa.BigInteger(), nullable=False),
        sa.Column("did_pool_enabled", sa.Boolean(), nullable=False),
        sa.Column("ivr_apps_enabled", sa.Boolean(), nullable=False),
        sa.Column("asr_acd_enabled", sa.Boolean(), nullable=False),
        sa.Column("debit_credit_cards_enabled", sa.Boolean(), nullable=False),
        sa.Column("conferencing_enabled", sa.Boolean(), nullable=False),
        sa.Column("share_payment_processors", sa.Boolean(), nullable=False),
        sa.Column("dncl_enabled", sa.Boolean(), nullable=False),
        sa.Column("i_time_zone", sa.Integer(), nullable=False),
        sa.Column("i_lang", sa.String(length=2), nullable=False),
        sa.Column("i_export_type", sa.Integer(), nullable=False),
        sa.Column("start_page", sa.Integer(), nullable=False),
        sa.Column("css", sa.Text(), nullable=True),
        sa.Column("dns_alias", sa.String(length=253), nullable=True),
        sa.Column("max_sessions", sa.Integer(), nullable=True),
        sa.Column("max_calls_per_second", sa.BigInteger(), nullable=True),
        sa.Column(
            "path",
            sa.String(length=363).with_variant(sa.String(length=363, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.CheckConstraint("(i_wholesaler IS NULL) = (path = '')", name=op.f("ck_customers_only_root_has_no_parent")),
        sa.CheckConstraint("accounts_mgmt >= 0 AND accounts_mgmt <= 7", name=op.f("ck_customers_accounts_mgmt")),
        sa.CheckConstraint("api_access >= 0 AND api_access <= 1", name=op.f("ck_customers_api_access")),
        sa.CheckConstraint("api_mgmt >= 0 AND api_mgmt <= 1", name=op.f("ck_customers_api_mgmt")),
        sa.CheckConstraint(
            "commission_size >= 0 AND commission_size <= 100000000", name=op.f("ck_customers_commission_size")
        ),
        sa.CheckConstraint("customers_mgmt >= 0 AND customers_mgmt <= 7", name=op.f("ck_customers_customers_mgmt")),
        sa.CheckConstraint("i_wholesaler < i_customer", name=op.f("ck_customers_parent_is_older")),
        sa.CheckConstraint(
            "max_calls_per_second >= 0 AND max_calls_per_second <= 1000000000000000",
            name=op.f("ck_customers_max_calls_per_second"),
        ),
        sa.CheckConstraint("max_depth >= 0 AND max_depth <= 32", name=op.f("ck_customers_max_depth")),
        sa.CheckConstraint("max_sessions >= 0", name=op.f("ck_customers_max_sessions")),
        sa.CheckConstraint(
            "min_payment_amount >= 0 AND min_payment_amount <= 1000000000000000000",
            name=op.f("ck_customers_min_payment_amount"),
        ),
        sa.CheckConstraint(
            "overcommit_limit >= 0 AND overcommit_limit <= 100000000",
            name=op.f("ck_customers_overcommit_limit"),
        ),
        sa.CheckConstraint("start_page >= 0 AND start_page <= 32767", name=op.f("ck_customers_start_page")),
        sa.CheckConstraint("system_mgmt >= 0 AND system_mgmt <= 1", name=op.f("ck_customers_system_mgmt")),
        sa.CheckConstraint("tariffs_mgmt >= 0 AND tariffs_mgmt <= 7", name=op.f("ck_customers_tariffs_mgmt")),
        sa.CheckConstraint("use_own_tariff >= 0 AND use_own_tariff <= 1", name=op.f("ck_customers_use_own_tariff")),
        sa.CheckConstraint("vouchers_mgmt >= 0 AND vouchers_mgmt <= 7", name=op.f("ck_customers_vouchers_mgmt")),
        sa.ForeignKeyConstraint(
            ["i_commission_agent"], ["customers.i_customer"], name=op.f("fk_customers_i_commission_agent")
        ),
        sa.ForeignKeyConstraint(
            ["i_export_type"], ["export_types.i_export_type"], name=op.f("fk_customers_i_export_type")
        ),
        sa.ForeignKeyConstraint(["i_lang"], ["languages.i_lang"], name=op.f("fk_customers_i_lang")),
        sa.ForeignKeyConstraint(
            ["i_password_policy"],
            ["password_policies.i_password_policy"],
            name=op.f("fk_customers_i_password_policy"),
        ),
        sa.ForeignKeyConstraint(
            ["i_routing_group"], ["routing_groups.i_routing_group"], name=op.f("fk_customers_i_routing_group")
        ),
        sa.ForeignKeyConstraint(["i_tariff"], ["tariffs.i_tariff"], name=op.f("fk_customers_i_tariff")),
        sa.ForeignKeyConstraint(["i_time_zone"], ["time_zones.i_time_zone"], name=op.f("fk_customers_i_time_zone")),
        sa.ForeignKeyConstraint(["i_wholesaler"], ["customers.i_customer"], name=op.f("fk_customers_i_wholesaler")),
        sa.ForeignKeyConstraint(["payment_currency"], ["currencies.code"], name=op.f("fk_customers_payment_currency")),
        sa.ForeignKeyConstraint(
            ["payment_method"], ["payment_methods.i_payment_method"], name=op.f("fk_customers_payment_method")
        ),
        sa.PrimaryKeyConstraint("i_customer", name=op.f("pk_customers")),
        sa.UniqueConstraint("name", name=op.f("uq_customers_name")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("customers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_customers_i_commission_agent"), ["i_commission_agent"], unique=False)
        batch_op.create_index(batch_op.f("ix_customers_i_routing_group"), ["i_routing_group"], unique=False)
        batch_op.create_index(batch_op.f("ix_customers_i_tariff"), ["i_tariff"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_customers_i_wholesaler_customers_i_customer"),
            ["i_wholesaler", "i_customer"],
            unique=False,
        )
        batch_op.create_index(batch_op.f("ix_customers_path"), ["path"], unique=False)

    for table in OWNED_BY_CUSTOMERS:
        with op.batch_alter_table(table, table_kwargs={"sqlite_autoincrement": True}) as batch_op:
            batch_op.create_foreign_key(
                f"fk_{table}_i_customer", "customers", ["i_customer"], ["i_customer"], ondelete="CASCADE"
            )

    op.create_table(
        "ledger",
        sa.Column("i_ledger", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("i_balance", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("balance_after", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("i_customer_actor", sa.Integer(), nullable=True),
        sa.Column("notes", sa.String(length=1024), nullable=True),
        sa.Column("payment_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_amount", sa.BigInteger(), nullable=True),
        sa.Column("paid_currency", sa.String(length=3), nullable=True),
        sa.Column("rate", sa.BigInteger(), nullable=True),
        sa.Column("i_ledger_source", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("idempotency_key", sa.String(length=255), nullable=True),
        sa.ForeignKeyConstraint(
            ["i_balance"], ["balances.i_balance"], name=op.f("fk_ledger_i_balance"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("i_ledger", name=op.f("pk_ledger")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("ledger", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_ledger_i_balance_ledger_i_ledger"), ["i_balance", "i_ledger"], unique=False
        )

    op.create_table(
        "web_users",
        sa.Column("i_web_user", sa.Integer(), nullable=False),
        sa.Column("i_customer", sa.Integer(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("web_login", sa.String(length=128), nullable=False),
        sa.Column("web_login_key", sa.String(length=384), nullable=False),
        sa.Column("web_password", sa.String(length=60), nullable=False),
        sa.Column("i_access_level", sa.String(length=32), nullable=False),
        sa.Column("blocked", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["i_access_level"], ["access_levels.i_access_level"], name=op.f("fk_web_users_i_access_level")
        ),
        sa.ForeignKeyConstraint(
            ["i_customer"], ["customers.i_customer"], name=op.f("fk_web_users_i_customer"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("i_web_user", name=op.f("pk_web_users")),
        sa.UniqueConstraint("web_login_key", name=op.f("uq_web_users_web_login_key")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("web_users", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_web_users_i_customer"), ["i_customer"], unique=False)
        batch_op.create_index(
            "uq_web_users_default",
            ["i_customer"],
            unique=True,
            sqlite_where=sa.text("is_default"),
            postgresql_where=sa.text("is_default"),
        )

    make_ledger_append_only()


def downgrade() -> None:
    with op.batch_alter_table("web_users", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_web_users_default", sqlite_where=sa.text("is_default"), postgresql_where=sa.text("is_default")
        )
        batch_op.drop_index(batch_op.f("ix_web_users_i_customer"))

    op.drop_table("web_users")
    with op.batch_alter_table("ledger", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ledger_i_balance_ledger_i_ledger"))

    op.drop_table("ledger")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_ledger_change()")
    with op.batch_alter_table("customers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_customers_path"))
        batch_op.drop_index(batch_op.f("ix_customers_i_wholesaler_customers_i_customer"))
        batch_op.drop_index(batch_op.f("ix_customers_i_tariff"))
        batch_op.drop_index(batch_op.f("ix_customers_i_routing_group"))
        batch_op.drop_index(batch_op.f("ix_customers_i_commission_agent"))

    for table in OWNED_BY_CUSTOMERS:
        with op.batch_alter_table(table, table_kwargs={"sqlite_autoincrement": True}) as batch_op:
            batch_op.drop_constraint(f"fk_{table}_i_customer", type_="foreignkey")
    op.drop_table("customers")
    op.drop_table("tariffs")
    with op.batch_alter_table("balances", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_balances_default", sqlite_where=sa.text("is_default"), postgresql_where=sa.text("is_default")
        )
        batch_op.drop_index(batch_op.f("ix_balances_i_customer"))

    op.drop_table("balances")
    op.drop_table("time_zones")
    op.drop_table("routing_groups")
    op.drop_table("payment_methods")
    op.drop_table("password_policies")
    op.drop_table("languages")
    op.drop_table("export_types")
    op.drop_table("dictionary_entries")
    op.drop_table("currencies")
    op.drop_table("access_levels")
