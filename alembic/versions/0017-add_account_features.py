"""What belongs to accounts: follow-me, numbers and rules; trusted hosts, and extended routing of customers."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

NEVER_REUSED = {"sqlite_autoincrement": True}  # which SQLite's copy of a table would forget
OPTIONS = {
    "i_followme_mode": ("1", "i_followme_mode >= 1 AND i_followme_mode <= 2"),
    "followme_timeout": ("30", "followme_timeout >= 0 AND followme_timeout <= 900"),
}


def upgrade() -> None:
    op.create_table(
        "extended_routings",
        sa.Column("i_extended_routing", sa.Integer(), nullable=False),
        sa.Column("i_wholesaler", sa.Integer(), nullable=False),
        sa.Column("i_customer", sa.Integer(), nullable=False),
        sa.Column("i_routing_group", sa.Integer(), nullable=False),
        sa.Column("i_tariff", sa.Integer(), nullable=True),
        sa.Column("description", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["i_customer"], ["customers.i_customer"], name=op.f("fk_extended_routings_i_customer"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["i_routing_group"], ["routing_groups.i_routing_group"], name=op.f("fk_extended_routings_i_routing_group")
        ),
        sa.ForeignKeyConstraint(["i_tariff"], ["tariffs.i_tariff"], name=op.f("fk_extended_routings_i_tariff")),
        sa.ForeignKeyConstraint(
            ["i_wholesaler"], ["customers.i_customer"], name=op.f("fk_extended_routings_i_wholesaler")
        ),
        sa.PrimaryKeyConstraint("i_extended_routing", name=op.f("pk_extended_routings")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("extended_routings", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_extended_routings_i_customer_extended_routings_i_extended_routing"),
            ["i_customer", "i_extended_routing"],
            unique=False,
        )
        batch_op.create_index(batch_op.f("ix_extended_routings_i_routing_group"), ["i_routing_group"], unique=False)
        batch_op.create_index(batch_op.f("ix_extended_routings_i_tariff"), ["i_tariff"], unique=False)
        batch_op.create_index(batch_op.f("ix_extended_routings_i_wholesaler"), ["i_wholesaler"], unique=False)

    op.create_table(
        "trusted_hosts",
        sa.Column("i_trusted_host", sa.Integer(), nullable=False),
        sa.Column("i_customer", sa.Integer(), nullable=False),
        sa.Column("ip", sa.String(length=43), nullable=False),
        sa.Column("description", sa.String(length=255), nullable=False),
        sa.Column("added_on", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["i_customer"], ["customers.i_customer"], name=op.f("fk_trusted_hosts_i_customer"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("i_trusted_host", name=op.f("pk_trusted_hosts")),
        sa.UniqueConstraint("ip", name=op.f("uq_trusted_hosts_ip")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("trusted_hosts", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_trusted_hosts_i_customer_trusted_hosts_i_trusted_host"),
            ["i_customer", "i_trusted_host"],
            unique=False,
        )

    op.create_table(
        "authentications",
        sa.Column("i_authentication", sa.Integer(), nullable=False),
        sa.Column("i_customer", sa.Integer(), nullable=False),
        sa.Column("i_account", sa.Integer(), nullable=False),
        sa.Column("i_protocol", sa.Integer(), nullable=False),
        sa.Column("remote_ip", sa.String(length=43), nullable=False),
        sa.Column("incoming_cli", sa.String(length=128), nullable=False),
        sa.Column("incoming_cld", sa.String(length=128), nullable=False),
        sa.Column("to_domain", sa.String(length=253), nullable=False),
        sa.Column("from_domain", sa.String(length=253), nullable=False),
        sa.Column("cli_translation_rule", sa.String(length=255), nullable=False),
        sa.Column("cld_translation_rule", sa.String(length=255), nullable=False),
        sa.Column("i_tariff", sa.Integer(), nullable=True),
        sa.Column("i_routing_group", sa.Integer(), nullable=True),
        sa.Column("max_sessions", sa.Integer(), nullable=False),
        sa.Column("max_cps", sa.BigInteger(), nullable=True),
        sa.Column(
            "first_address",
            sa.String(length=33).with_variant(sa.String(length=33, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "last_address",
            sa.String(length=33).with_variant(sa.String(length=33, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.CheckConstraint("i_protocol >= 1 AND i_protocol <= 4", name=op.f("ck_authentications_i_protocol")),
        sa.CheckConstraint("max_cps >= 0 AND max_cps <= 1000000000000000", name=op.f("ck_authentications_max_cps")),
        sa.CheckConstraint(
            "max_sessions >= -1 AND max_sessions <= 1000000", name=op.f("ck_authentications_max_sessions")
        ),
        sa.ForeignKeyConstraint(
            ["i_account"], ["accounts.i_account"], name=op.f("fk_authentications_i_account"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["i_customer"], ["customers.i_customer"], name=op.f("fk_authentications_i_customer"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["i_routing_group"], ["routing_groups.i_routing_group"], name=op.f("fk_authentications_i_routing_group")
        ),
        sa.ForeignKeyConstraint(["i_tariff"], ["tariffs.i_tariff"], name=op.f("fk_authentications_i_tariff")),
        sa.PrimaryKeyConstraint("i_authentication", name=op.f("pk_authentications")),
        sa.UniqueConstraint(
            "i_protocol",
            "first_address",
            "last_address",
            "incoming_cli",
            "incoming_cld",
            "to_domain",
            "from_domain",
            name="uq_authentications_calls",
        ),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("authentications", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_authentications_first_address_authentications_last_address"),
            ["first_address", "last_address"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_authentications_i_account_authentications_i_authentication"),
            ["i_account", "i_authentication"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_authentications_i_customer_authentications_i_authentication"),
            ["i_customer", "i_authentication"],
            unique=False,
        )
        batch_op.create_index(batch_op.f("ix_authentications_i_routing_group"), ["i_routing_group"], unique=False)
        batch_op.create_index(batch_op.f("ix_authentications_i_tariff"), ["i_tariff"], unique=False)

    op.create_table(
        "cli_mappings",
        sa.Column("i_cli_mapping", sa.Integer(), nullable=False),
        sa.Column("i_customer", sa.Integer(), nullable=False),
        sa.Column("i_account", sa.Integer(), nullable=False),
        sa.Column("cli", sa.String(length=128), nullable=False),
        sa.Column("lang", sa.String(length=2), nullable=False),
        sa.ForeignKeyConstraint(
            ["i_account"], ["accounts.i_account"], name=op.f("fk_cli_mappings_i_account"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["i_customer"], ["customers.i_customer"], name=op.f("fk_cli_mappings_i_customer"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["lang"], ["languages.i_lang"], name=op.f("fk_cli_mappings_lang")),
        sa.PrimaryKeyConstraint("i_cli_mapping", name=op.f("pk_cli_mappings")),
        sa.UniqueConstraint("i_customer", "cli", name=op.f("uq_cli_mappings_i_customer_cli")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("cli_mappings", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_cli_mappings_i_account_cli_mappings_i_cli_mapping"),
            ["i_account", "i_cli_mapping"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_cli_mappings_i_customer_cli_mappings_i_cli_mapping"),
            ["i_customer", "i_cli_mapping"],
            unique=False,
        )

    op.create_table(
        "followme_entries",
        sa.Column("i_followme_entry", sa.Integer(), nullable=False),
        sa.Column("i_customer", sa.Integer(), nullable=False),
        sa.Column("i_account", sa.Integer(), nullable=False),
        sa.Column("cld", sa.String(length=128), nullable=False),
        sa.Column("preference", sa.Integer(), nullable=False),
        sa.Column("description", sa.String(length=255), nullable=False),
        sa.Column("timeout", sa.Integer(), nullable=False),
        sa.CheckConstraint("preference >= 0 AND preference <= 1000000", name=op.f("ck_followme_entries_preference")),
        sa.CheckConstraint("timeout >= 1 AND timeout <= 900", name=op.f("ck_followme_entries_timeout")),
        sa.ForeignKeyConstraint(
            ["i_account"], ["accounts.i_account"], name=op.f("fk_followme_entries_i_account"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["i_customer"], ["customers.i_customer"], name=op.f("fk_followme_entries_i_customer"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("i_followme_entry", name=op.f("pk_followme_entries")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("followme_entries", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_followme_entries_i_account_followme_entries_i_followme_entry"),
            ["i_account", "i_followme_entry"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_followme_entries_i_customer_followme_entries_i_followme_entry"),
            ["i_customer", "i_followme_entry"],
            unique=False,
        )

    op.create_table(
        "hot_dial_numbers",
        sa.Column("i_hot_dial", sa.Integer(), nullable=False),
        sa.Column("i_customer", sa.Integer(), nullable=False),
        sa.Column("i_account", sa.Integer(), nullable=False),
        sa.Column("hot_key", sa.String(length=32), nullable=False),
        sa.Column("dest", sa.String(length=128), nullable=False),
        sa.Column("description", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["i_account"], ["accounts.i_account"], name=op.f("fk_hot_dial_numbers_i_account"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["i_customer"], ["customers.i_customer"], name=op.f("fk_hot_dial_numbers_i_customer"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("i_hot_dial", name=op.f("pk_hot_dial_numbers")),
        sa.UniqueConstraint("i_account", "hot_key", name=op.f("uq_hot_dial_numbers_i_account_hot_key")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("hot_dial_numbers", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_hot_dial_numbers_i_account_hot_dial_numbers_i_hot_dial"),
            ["i_account", "i_hot_dial"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_hot_dial_numbers_i_customer_hot_dial_numbers_i_hot_dial"),
            ["i_customer", "i_hot_dial"],
            unique=False,
        )

    op.create_table(
        "post_auth_rules",
        sa.Column("i_post_auth_rule", sa.Integer(), nullable=False),
        sa.Column("i_customer", sa.Integer(), nullable=False),
        sa.Column("i_account", sa.Integer(), nullable=False),
        sa.Column("remote_ip", sa.String(length=43), nullable=False),
        sa.Column("cli", sa.String(length=128), nullable=False),
        sa.Column("cld", sa.String(length=128), nullable=False),
        sa.Column("cli_translation_rule", sa.String(length=255), nullable=False),
        sa.Column("cld_translation_rule", sa.String(length=255), nullable=False),
        sa.Column("i_tariff", sa.Integer(), nullable=True),
        sa.Column("i_routing_group", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["i_account"], ["accounts.i_account"], name=op.f("fk_post_auth_rules_i_account"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["i_customer"], ["customers.i_customer"], name=op.f("fk_post_auth_rules_i_customer"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["i_routing_group"], ["routing_groups.i_routing_group"], name=op.f("fk_post_auth_rules_i_routing_group")
        ),
        sa.ForeignKeyConstraint(["i_tariff"], ["tariffs.i_tariff"], name=op.f("fk_post_auth_rules_i_tariff")),
        sa.PrimaryKeyConstraint("i_post_auth_rule", name=op.f("pk_post_auth_rules")),
        sa.UniqueConstraint(
            "i_account", "remote_ip", "cli", "cld", name=op.f("uq_post_auth_rules_i_account_remote_ip_cli_cld")
        ),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("post_auth_rules", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_post_auth_rules_i_account_post_auth_rules_i_post_auth_rule"),
            ["i_account", "i_post_auth_rule"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_post_auth_rules_i_customer_post_auth_rules_i_post_auth_rule"),
            ["i_customer", "i_post_auth_rule"],
            unique=False,
        )
        batch_op.create_index(batch_op.f("ix_post_auth_rules_i_routing_group"), ["i_routing_group"], unique=False)
        batch_op.create_index(batch_op.f("ix_post_auth_rules_i_tariff"), ["i_tariff"], unique=False)

    op.create_table(
        "smart_dials",
        sa.Column("i_smart_dial", sa.Integer(), nullable=False),
        sa.Column("i_customer", sa.Integer(), nullable=False),
        sa.Column("i_account", sa.Integer(), nullable=False),
        sa.Column("did", sa.String(length=64), nullable=False),
        sa.Column("dest", sa.String(length=128), nullable=False),
        sa.Column("description", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["i_account"], ["accounts.i_account"], name=op.f("fk_smart_dials_i_account"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["i_customer"], ["customers.i_customer"], name=op.f("fk_smart_dials_i_customer"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("i_smart_dial", name=op.f("pk_smart_dials")),
        sa.UniqueConstraint("i_account", "did", name=op.f("uq_smart_dials_i_account_did")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("smart_dials", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_smart_dials_i_account_smart_dials_i_smart_dial"), ["i_account", "i_smart_dial"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_smart_dials_i_customer_smart_dials_i_smart_dial"),
            ["i_customer", "i_smart_dial"],
            unique=False,
        )

    with op.batch_alter_table("accounts", table_kwargs=NEVER_REUSED) as batch:
        for name, (default, condition) in OPTIONS.items():
            batch.add_column(sa.Column(name, sa.Integer(), nullable=False, server_default=default))
            batch.create_check_constraint(op.f(f"ck_accounts_{name}"), condition)


def downgrade() -> None:
    with op.batch_alter_table("accounts", table_kwargs=NEVER_REUSED) as batch:
        for name in OPTIONS:
            batch.drop_constraint(op.f(f"ck_accounts_{name}"), type_="check")
            batch.drop_column(name)

    with op.batch_alter_table("smart_dials", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_smart_dials_i_customer_smart_dials_i_smart_dial"))
        batch_op.drop_index(batch_op.f("ix_smart_dials_i_account_smart_dials_i_smart_dial"))

    op.drop_table("smart_dials")
    with op.batch_alter_table("post_auth_rules", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_post_auth_rules_i_tariff"))
        batch_op.drop_index(batch_op.f("ix_post_auth_rules_i_routing_group"))
        batch_op.drop_index(batch_op.f("ix_post_auth_rules_i_customer_post_auth_rules_i_post_auth_rule"))
        batch_op.drop_index(batch_op.f("ix_post_auth_rules_i_account_post_auth_rules_i_post_auth_rule"))

    op.drop_table("post_auth_rules")
    with op.batch_alter_table("hot_dial_numbers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_hot_dial_numbers_i_customer_hot_dial_numbers_i_hot_dial"))
        batch_op.drop_index(batch_op.f("ix_hot_dial_numbers_i_account_hot_dial_numbers_i_hot_dial"))

    op.drop_table("hot_dial_numbers")
    with op.batch_alter_table("followme_entries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_followme_entries_i_customer_followme_entries_i_followme_entry"))
        batch_op.drop_index(batch_op.f("ix_followme_entries_i_account_followme_entries_i_followme_entry"))

    op.drop_table("followme_entries")
    with op.batch_alter_table("cli_mappings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_cli_mappings_i_customer_cli_mappings_i_cli_mapping"))
        batch_op.drop_index(batch_op.f("ix_cli_mappings_i_account_cli_mappings_i_cli_mapping"))

    op.drop_table("cli_mappings")
    with op.batch_alter_table("authentications", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_authentications_i_tariff"))
        batch_op.drop_index(batch_op.f("ix_authentications_i_routing_group"))
        batch_op.drop_index(batch_op.f("ix_authentications_i_customer_authentications_i_authentication"))
        batch_op.drop_index(batch_op.f("ix_authentications_i_account_authentications_i_authentication"))
        batch_op.drop_index(batch_op.f("ix_authentications_first_address_authentications_last_address"))

    op.drop_table("authentications")
    with op.batch_alter_table("trusted_hosts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_trusted_hosts_i_customer_trusted_hosts_i_trusted_host"))

    op.drop_table("trusted_hosts")
    with op.batch_alter_table("extended_routings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_extended_routings_i_wholesaler"))
        batch_op.drop_index(batch_op.f("ix_extended_routings_i_tariff"))
        batch_op.drop_index(batch_op.f("ix_extended_routings_i_routing_group"))
        batch_op.drop_index(batch_op.f("ix_extended_routings_i_customer_extended_routings_i_extended_routing"))

    op.drop_table("extended_routings")
