"""SIP domains and accounts, each account with a balance of its own, and the service plans for them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "billing_plans",
        sa.Column("i_billing_plan", sa.Integer(), nullable=False),
        sa.Column("i_customer", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(["i_customer"], ["customers.i_customer"], name=op.f("fk_billing_plans_i_customer")),
        sa.PrimaryKeyConstraint("i_billing_plan", name=op.f("pk_billing_plans")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_billing_plans_i_customer"), "billing_plans", ["i_customer"])

    op.execute("INSERT INTO billing_plans (name) VALUES ('Default')")
    op.create_table(
        "sip_domains",
        sa.Column("i_domain", sa.Integer(), nullable=False),
        sa.Column("domain", sa.String(length=253), nullable=False),
        sa.Column("i_customer", sa.Integer(), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("private_key", sa.Text(), nullable=True),
        sa.Column("match_ip_address", sa.String(length=255), nullable=False),
        sa.Column("match_sip_domain", sa.String(length=253), nullable=False),
        sa.Column("verify_cert", sa.Boolean(), nullable=False),
        sa.Column("require_cert", sa.Boolean(), nullable=False),
        sa.Column("next_number", sa.Integer(), nullable=False),
        sa.Column("changed", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["i_customer"], ["customers.i_customer"], name=op.f("fk_sip_domains_i_customer")),
        sa.PrimaryKeyConstraint("i_domain", name=op.f("pk_sip_domains")),
        sa.UniqueConstraint("domain", name=op.f("uq_sip_domains_domain")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_sip_domains_i_customer"), "sip_domains", ["i_customer"])

    op.create_table(
        "accounts",
        sa.Column("i_account", sa.Integer(), nullable=False),
        sa.Column("i_customer", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_on", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_on", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_use", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_login", sa.DateTime(timezone=True), nullable=True),
        sa.Column("username", sa.String(length=128), nullable=False),
        sa.Column("username_key", sa.String(length=384), nullable=False),
        sa.Column("web_password", sa.String(length=60), nullable=False),
        sa.Column("authname", sa.String(length=128), nullable=False),
        sa.Column("voip_password", sa.Text(), nullable=False),
        sa.Column("max_sessions", sa.Integer(), nullable=False),
        sa.Column("max_credit_time", sa.Integer(), nullable=False),
        sa.Column("translation_rule", sa.String(length=255), nullable=False),
        sa.Column("cli_translation_rule", sa.String(length=255), nullable=False),
        sa.Column("i_routing_group", sa.Integer(), nullable=True),
        sa.Column("i_billing_plan", sa.Integer(), nullable=False),
        sa.Column("i_time_zone", sa.Integer(), nullable=False),
        sa.Column("cpe_number", sa.String(length=64), nullable=False),
        sa.Column("vm_enabled", sa.Integer(), nullable=False),
        sa.Column("vm_password", sa.Text(), nullable=False),
        sa.Column("blocked", sa.Integer(), nullable=False),
        sa.Column("i_lang", sa.String(length=2), nullable=False),
        sa.Column("payment_currency", sa.String(length=3), nullable=False),
        sa.Column("payment_method", sa.Integer(), nullable=False),
        sa.Column("i_export_type", sa.Integer(), nullable=False),
        sa.Column("lifetime", sa.Integer(), nullable=False),
        sa.Column("preferred_codec", sa.Integer(), nullable=True),
        sa.Column("use_preferred_codec_only", sa.Boolean(), nullable=False),
        sa.Column("reg_allowed", sa.Integer(), nullable=False),
        sa.Column("welcome_call_ivr", sa.Integer(), nullable=False),
        sa.Column("on_payment_action", sa.Integer(), nullable=True),
        sa.Column("min_payment_amount", sa.BigInteger(), nullable=False),
        sa.Column("trust_cli", sa.Boolean(), nullable=False),
        sa.Column("disallow_loops", sa.Boolean(), nullable=False),
        sa.Column("vm_notify_emails", sa.String(length=1024), nullable=False),
        sa.Column("vm_forward_emails", sa.String(length=1024), nullable=False),
        sa.Column("vm_del_after_fwd", sa.Boolean(), nullable=False),
        sa.Column("company_name", sa.String(length=128), nullable=False),
        sa.Column("salutation", sa.String(length=32), nullable=False),
        sa.Column("first_name", sa.String(length=64), nullable=False),
        sa.Column("last_name", sa.String(length=64), nullable=False),
        sa.Column("mid_init", sa.String(length=16), nullable=False),
        sa.Column("street_addr", sa.String(length=255), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("postal_code", sa.String(length=32), nullable=False),
        sa.Column("city", sa.String(length=64), nullable=False),
        sa.Column("country", sa.String(length=64), nullable=False),
        sa.Column("contact", sa.String(length=128), nullable=False),
        sa.Column("phone", sa.String(length=64), nullable=False),
        sa.Column("fax", sa.String(length=64), nullable=False),
        sa.Column("alt_phone", sa.String(length=64), nullable=False),
        sa.Column("alt_contact", sa.String(length=128), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("cc", sa.String(length=1024), nullable=False),
        sa.Column("bcc", sa.String(length=1024), nullable=False),
        sa.Column("i_password_policy", sa.Integer(), nullable=False),
        sa.Column("i_media_relay_type", sa.Integer(), nullable=False),
        sa.Column("i_account_class", sa.Integer(), nullable=True),
        sa.Column("vm_timeout", sa.Integer(), nullable=False),
        sa.Column("vm_check_number", sa.String(length=64), nullable=True),
        sa.Column("i_commission_agent", sa.Integer(), nullable=True),
        sa.Column("commission_size", sa.BigInteger(), nullable=False),
        sa.Column("lan_access", sa.Boolean(), nullable=False),
        sa.Column("batch_tag", sa.String(length=64), nullable=True),
        sa.Column("i_provisioning", sa.Integer(), nullable=True),
        sa.Column("invoicing_enabled", sa.Boolean(), nullable=False),
        sa.Column("i_invoice_template", sa.Integer(), nullable=True),
        sa.Column("i_caller_name_type", sa.Integer(), nullable=False),
        sa.Column("caller_name", sa.String(length=128), nullable=True),
        sa.Column("followme_enabled", sa.Boolean(), nullable=False),
        sa.Column("vm_dialin_access", sa.Boolean(), nullable=False),
        sa.Column("hide_own_cli", sa.Boolean(), nullable=False),
        sa.Column("block_incoming_anonymous", sa.Boolean(), nullable=False),
        sa.Column("i_incoming_anonymous_action", sa.Integer(), nullable=False),
        sa.Column("dnd_enabled", sa.Boolean(), nullable=False),
        sa.Column("description", sa.String(length=1024), nullable=True),
        sa.Column("pass_p_asserted_id", sa.Boolean(), nullable=False),
        sa.Column("p_assrt_id_translation_rule", sa.String(length=255), nullable=True),
        sa.Column("dncl_lookup", sa.Boolean(), nullable=False),
        sa.Column("generate_ringbacktone", sa.Boolean(), nullable=False),
        sa.Column("max_calls_per_second", sa.BigInteger(), nullable=True),
        sa.Column("allow_free_onnet_calls", sa.Boolean(), nullable=False),
        sa.Column("start_page", sa.Integer(), nullable=False),
        sa.Column("trust_privacy_hdrs", sa.Boolean(), nullable=False),
        sa.Column("privacy_schemas", sa.Text(), nullable=False),
        sa.Column("i_domain", sa.Integer(), nullable=True),
        sa.Column("owner", sa.Integer(), nullable=True),
        sa.Column("rpid", sa.String(length=128), nullable=False),
        sa.Column("quickdial_prefix", sa.String(length=64), nullable=False),
        sa.Column("region", sa.String(length=64), nullable=False),
        sa.Column("quota", sa.Integer(), nullable=False),
        sa.Column("prepaid", sa.Boolean(), nullable=False),
        sa.Column("ha1", sa.Text(), nullable=True),
        sa.Column("acl", sa.Text(), nullable=True),
        sa.Column("properties", sa.Text(), nullable=True),
        sa.Column("foreign_password", sa.String(length=255), nullable=True),
        sa.Column("one_time_password", sa.String(length=73), nullable=True),
        sa.Column("one_time_expires", sa.DateTime(timezone=True), nullable=True),
        sa.Column("one_time_used", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("blocked >= 0 AND blocked <= 1", name=op.f("ck_accounts_blocked")),
        sa.CheckConstraint(
            "commission_size >= 0 AND commission_size <= 100000000", name=op.f("ck_accounts_commission_size")
        ),
        sa.CheckConstraint("i_account_class >= 1", name=op.f("ck_accounts_i_account_class")),
        sa.CheckConstraint(
            "i_caller_name_type >= 1 AND i_caller_name_type <= 4", name=op.f("ck_accounts_i_caller_name_type")
        ),
        sa.CheckConstraint(
            "i_incoming_anonymous_action >= 1 AND i_incoming_anonymous_action <= 3",
            name=op.f("ck_accounts_i_incoming_anonymous_action"),
        ),
        sa.CheckConstraint("i_invoice_template >= 1", name=op.f("ck_accounts_i_invoice_template")),
        sa.CheckConstraint(
            "i_media_relay_type >= 0 AND i_media_relay_type <= 2", name=op.f("ck_accounts_i_media_relay_type")
        ),
        sa.CheckConstraint("i_provisioning >= 1 AND i_provisioning <= 1", name=op.f("ck_accounts_i_provisioning")),
        sa.CheckConstraint("lifetime >= -1", name=op.f("ck_accounts_lifetime")),
        sa.CheckConstraint(
            "max_calls_per_second >= 0 AND max_calls_per_second <= 1000000000000000",
            name=op.f("ck_accounts_max_calls_per_second"),
        ),
        sa.CheckConstraint("max_credit_time >= 0", name=op.f("ck_accounts_max_credit_time")),
        sa.CheckConstraint("max_sessions >= -1 AND max_sessions <= 1000000", name=op.f("ck_accounts_max_sessions")),
        sa.CheckConstraint(
            "min_payment_amount >= 0 AND min_payment_amount <= 1000000000000000000",
            name=op.f("ck_accounts_min_payment_amount"),
        ),
        sa.CheckConstraint(
            "on_payment_action >= 0 AND on_payment_action <= 2", name=op.f("ck_accounts_on_payment_action")
        ),
        sa.CheckConstraint("quota >= 0", name=op.f("ck_accounts_quota")),
        sa.CheckConstraint("reg_allowed >= 0 AND reg_allowed <= 1", name=op.f("ck_accounts_reg_allowed")),
        sa.CheckConstraint("start_page >= 0 AND start_page <= 32767", name=op.f("ck_accounts_start_page")),
        sa.CheckConstraint("vm_enabled >= 0 AND vm_enabled <= 1", name=op.f("ck_accounts_vm_enabled")),
        sa.CheckConstraint("vm_timeout >= 0 AND vm_timeout <= 900", name=op.f("ck_accounts_vm_timeout")),
        sa.CheckConstraint(
            "welcome_call_ivr >= 0 AND welcome_call_ivr <= 1", name=op.f("ck_accounts_welcome_call_ivr")
        ),
        sa.ForeignKeyConstraint(
            ["i_billing_plan"], ["billing_plans.i_billing_plan"], name=op.f("fk_accounts_i_billing_plan")
        ),
        sa.ForeignKeyConstraint(
            ["i_commission_agent"], ["customers.i_customer"], name=op.f("fk_accounts_i_commission_agent")
        ),
        sa.ForeignKeyConstraint(["i_customer"], ["customers.i_customer"], name=op.f("fk_accounts_i_customer")),
        sa.ForeignKeyConstraint(["i_domain"], ["sip_domains.i_domain"], name=op.f("fk_accounts_i_domain")),
        sa.ForeignKeyConstraint(
            ["i_export_type"], ["export_types.i_export_type"], name=op.f("fk_accounts_i_export_type")
        ),
        sa.ForeignKeyConstraint(["i_lang"], ["languages.i_lang"], name=op.f("fk_accounts_i_lang")),
        sa.ForeignKeyConstraint(
            ["i_password_policy"], ["password_policies.i_password_policy"], name=op.f("fk_accounts_i_password_policy")
        ),
        sa.ForeignKeyConstraint(
            ["i_routing_group"], ["routing_groups.i_routing_group"], name=op.f("fk_accounts_i_routing_group")
        ),
        sa.ForeignKeyConstraint(["i_time_zone"], ["time_zones.i_time_zone"], name=op.f("fk_accounts_i_time_zone")),
        sa.ForeignKeyConstraint(["owner"], ["customers.i_customer"], name=op.f("fk_accounts_owner")),
        sa.ForeignKeyConstraint(["payment_currency"], ["currencies.code"], name=op.f("fk_accounts_payment_currency")),
        sa.ForeignKeyConstraint(
            ["payment_method"], ["payment_methods.i_payment_method"], name=op.f("fk_accounts_payment_method")
        ),
        sa.PrimaryKeyConstraint("i_account", name=op.f("pk_accounts")),
        sa.UniqueConstraint("authname", name=op.f("uq_accounts_authname")),
        sa.UniqueConstraint("username_key", name=op.f("uq_accounts_username_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_accounts_i_billing_plan"), "accounts", ["i_billing_plan"])
    op.create_index(op.f("ix_accounts_i_commission_agent"), "accounts", ["i_commission_agent"])
    op.create_index(op.f("ix_accounts_i_customer_accounts_i_account"), "accounts", ["i_customer", "i_account"])
    op.create_index(op.f("ix_accounts_i_domain"), "accounts", ["i_domain"])
    op.create_index(op.f("ix_accounts_i_routing_group"), "accounts", ["i_routing_group"])
    op.create_index(op.f("ix_accounts_owner"), "accounts", ["owner"])

    op.create_table(
        "account_groups",
        sa.Column("i_account", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["i_account"], ["accounts.i_account"], name=op.f("fk_account_groups_i_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("i_account", "name", name=op.f("pk_account_groups")),
    )
    op.create_index(op.f("ix_account_groups_name"), "account_groups", ["name"])

    op.add_column("balances", sa.Column("i_account", sa.Integer(), nullable=True))
    op.create_index(op.f("ix_balances_i_account"), "balances", ["i_account"], unique=True)


def downgrade() -> None:
    op.drop_index(op.f("ix_balances_i_account"), "balances")
    op.drop_column("balances", "i_account")
    op.drop_table("account_groups")
    op.drop_table("accounts")
    op.drop_table("sip_domains")
    op.drop_table("billing_plans")
