"""DIDs, who has them in hand, what is done with them, and what they cost."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

IVR_APPLICATIONS = ("Voice mail", "Calling card", "Callback", "Auto attendant", "Conference", "Echo test")


def upgrade() -> None:
    applications = op.create_table(
        "ivr_applications",
        sa.Column("i_ivr_application", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("i_ivr_application", name=op.f("pk_ivr_applications")),
        sa.UniqueConstraint("name", name=op.f("uq_ivr_applications_name")),
    )
    op.bulk_insert(applications, [{"i_ivr_application": i, "name": name} for i, name in enumerate(IVR_APPLICATIONS, 1)])
    op.create_table(
        "did_groups",
        sa.Column("i_dids_charging_group", sa.Integer(), nullable=False),
        sa.Column("i_customer", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("setup_fee", sa.BigInteger(), nullable=False),
        sa.Column("recurring_fee", sa.BigInteger(), nullable=False),
        sa.Column("billing_cycle", sa.Integer(), nullable=False),
        sa.Column("description", sa.String(length=1024), nullable=False),
        sa.CheckConstraint("billing_cycle >= 1 AND billing_cycle <= 3", name=op.f("ck_did_groups_billing_cycle")),
        sa.CheckConstraint(
            "recurring_fee >= 0 AND recurring_fee <= 1000000000000000", name=op.f("ck_did_groups_recurring_fee")
        ),
        sa.CheckConstraint("setup_fee >= 0 AND setup_fee <= 1000000000000000", name=op.f("ck_did_groups_setup_fee")),
        sa.ForeignKeyConstraint(["currency"], ["currencies.code"], name=op.f("fk_did_groups_currency")),
        sa.ForeignKeyConstraint(
            ["i_customer"], ["customers.i_customer"], name=op.f("fk_did_groups_i_customer"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("i_dids_charging_group", name=op.f("pk_did_groups")),
        sa.UniqueConstraint("i_customer", "name", name=op.f("uq_did_groups_i_customer_name")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_did_groups_i_customer_did_groups_i_dids_charging_group"),
        "did_groups",
        ["i_customer", "i_dids_charging_group"],
    )
    op.create_table(
        "dids",
        sa.Column("i_did", sa.Integer(), nullable=False),
        sa.Column("i_customer", sa.Integer(), nullable=False),
        sa.Column("did", sa.String(length=32), nullable=False),
        sa.Column("did_range_end", sa.String(length=32), nullable=False),
        sa.Column("i_did_allocated_from", sa.Integer(), nullable=True),
        sa.Column("incoming_did", sa.String(length=64), nullable=False),
        sa.Column("incoming_cli", sa.String(length=64), nullable=False),
        sa.Column("description", sa.String(length=1024), nullable=False),
        sa.Column("i_dids_charging_group", sa.Integer(), nullable=True),
        sa.Column("i_vendor", sa.Integer(), nullable=True),
        sa.Column("i_connection", sa.Integer(), nullable=True),
        sa.Column("buying_i_dids_charging_group", sa.Integer(), nullable=True),
        sa.Column("allocated_key", sa.Integer(), nullable=False),
        sa.Column(
            "did_key",
            sa.String(length=34).with_variant(sa.String(length=34, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "end_key",
            sa.String(length=34).with_variant(sa.String(length=34, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["buying_i_dids_charging_group"],
            ["did_groups.i_dids_charging_group"],
            name=op.f("fk_dids_buying_i_dids_charging_group"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["i_customer"], ["customers.i_customer"], name=op.f("fk_dids_i_customer"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["i_did_allocated_from"], ["dids.i_did"], name=op.f("fk_dids_i_did_allocated_from")),
        sa.ForeignKeyConstraint(
            ["i_dids_charging_group"],
            ["did_groups.i_dids_charging_group"],
            name=op.f("fk_dids_i_dids_charging_group"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("i_did", name=op.f("pk_dids")),
        sa.UniqueConstraint(
            "allocated_key", "incoming_cli", "did_key", name=op.f("uq_dids_allocated_key_incoming_cli_did_key")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_dids_buying_i_dids_charging_group"), "dids", ["buying_i_dids_charging_group"])
    op.create_index(op.f("ix_dids_i_customer_dids_i_did"), "dids", ["i_customer", "i_did"])
    op.create_index(op.f("ix_dids_i_did_allocated_from_dids_i_did"), "dids", ["i_did_allocated_from", "i_did"])
    op.create_index(op.f("ix_dids_i_dids_charging_group"), "dids", ["i_dids_charging_group"])
    op.create_table(
        "did_delegations",
        sa.Column("i_did_delegation", sa.Integer(), nullable=False),
        sa.Column("i_customer", sa.Integer(), nullable=False),
        sa.Column("i_did", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("i_dids_charging_group", sa.Integer(), nullable=True),
        sa.Column("description", sa.String(length=1024), nullable=False),
        sa.ForeignKeyConstraint(
            ["i_customer"], ["customers.i_customer"], name=op.f("fk_did_delegations_i_customer"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["i_did"], ["dids.i_did"], name=op.f("fk_did_delegations_i_did"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["i_dids_charging_group"],
            ["did_groups.i_dids_charging_group"],
            name=op.f("fk_did_delegations_i_dids_charging_group"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("i_did_delegation", name=op.f("pk_did_delegations")),
        sa.UniqueConstraint("i_did", "step", name=op.f("uq_did_delegations_i_did_step")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_did_delegations_i_customer_did_delegations_i_did"), "did_delegations", ["i_customer", "i_did"]
    )
    op.create_index(
        op.f("ix_did_delegations_i_customer_did_delegations_i_did_delegation"),
        "did_delegations",
        ["i_customer", "i_did_delegation"],
    )
    op.create_index(op.f("ix_did_delegations_i_dids_charging_group"), "did_delegations", ["i_dids_charging_group"])
    op.create_table(
        "did_uses",
        sa.Column("i_did_use", sa.Integer(), nullable=False),
        sa.Column("i_customer", sa.Integer(), nullable=False),
        sa.Column("i_did", sa.Integer(), nullable=False),
        sa.Column("translation_rule", sa.String(length=1024), nullable=False),
        sa.Column("cli_translation_rule", sa.String(length=1024), nullable=False),
        sa.Column("cld_translation_rule", sa.String(length=1024), nullable=False),
        sa.Column("i_ivr_application", sa.Integer(), nullable=True),
        sa.Column("i_account", sa.Integer(), nullable=True),
        sa.Column("reserved_for", sa.String(length=64), nullable=True),
        sa.Column("reserved_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "i_account IS NULL OR i_ivr_application IS NULL", name=op.f("ck_did_uses_i_ivr_application")
        ),
        sa.ForeignKeyConstraint(["i_account"], ["accounts.i_account"], name=op.f("fk_did_uses_i_account")),
        sa.ForeignKeyConstraint(
            ["i_customer"], ["customers.i_customer"], name=op.f("fk_did_uses_i_customer"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["i_did"], ["dids.i_did"], name=op.f("fk_did_uses_i_did"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["i_ivr_application"], ["ivr_applications.i_ivr_application"], name=op.f("fk_did_uses_i_ivr_application")
        ),
        sa.PrimaryKeyConstraint("i_did_use", name=op.f("pk_did_uses")),
        sa.UniqueConstraint("i_did", name=op.f("uq_did_uses_i_did")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_did_uses_i_account"), "did_uses", ["i_account"])
    op.create_index(op.f("ix_did_uses_i_customer_did_uses_i_did_use"), "did_uses", ["i_customer", "i_did_use"])


def downgrade() -> None:
    op.drop_table("did_uses")
    op.drop_table("did_delegations")
    op.drop_table("dids")
    op.drop_table("did_groups")
    op.drop_table("ivr_applications")
