"""Payments are found by whose they are, and who stands above; lists with dates find where these begin."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

OF_PAYMENTS = (("i_payee", "i_ledger"), ("i_payer", "i_ledger"), ("payment_time", "i_payer", "i_payee"))
REFUSAL = "the ledger is append-only"
PARTIES = (
    "UPDATE ledger SET"
    " i_payee = (SELECT balances.i_customer FROM balances WHERE balances.i_balance = ledger.i_balance),"
    " i_payer = (SELECT customers.i_wholesaler FROM balances"
    " JOIN customers ON customers.i_customer = balances.i_customer WHERE balances.i_balance = ledger.i_balance)"
    " WHERE kind IN ('funds', 'credit', 'debit', 'voucher')"
)


def tell_parties() -> None:
    """What follows from a booking's balance is written to it; the trigger that refuses changes looks away meanwhile."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER ledger_no_update")
        op.execute(PARTIES)
        op.execute(
            f"CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        )
        return
    op.execute("ALTER TABLE ledger DISABLE TRIGGER ledger_append_only")
    op.execute(PARTIES)
    op.execute("ALTER TABLE ledger ENABLE TRIGGER ledger_append_only")


def index_of(names: tuple[str, ...]) -> str:
    return op.f("_ledger_".join(("ix", *names)))


def index_defaults(condition: str) -> None:
    """SQLite takes an index for conditions that are written in the same letters."""
    if op.get_bind().dialect.name == "sqlite":
        for table in ("balances", "web_users"):
            name = op.f(f"uq_{table}_default")
            op.drop_index(name, table)
            op.create_index(name, table, ["i_customer"], unique=True, sqlite_where=sa.text(condition))


def upgrade() -> None:
    for name in ("i_payee", "i_payer"):
        op.add_column("ledger", sa.Column(name, sa.Integer(), nullable=True))
    tell_parties()
    is_payment = sa.text("i_payee IS NOT NULL")
    for names in OF_PAYMENTS:
        op.create_index(index_of(names), "ledger", names, sqlite_where=is_payment, postgresql_where=is_payment)
    op.create_index(index_of(("created", "i_balance")), "ledger", ["created", "i_balance"])
    op.create_index(op.f("ix_audit_log_created"), "audit_log", ["created"])
    op.create_index(op.f("ix_web_users_i_customer_web_users_i_web_user"), "web_users", ["i_customer", "i_web_user"])
    op.drop_index(op.f("ix_web_users_i_customer"), "web_users")
    index_defaults("is_default = 1")


def downgrade() -> None:
    index_defaults("is_default")
    op.create_index(op.f("ix_web_users_i_customer"), "web_users", ["i_customer"])
    op.drop_index(op.f("ix_web_users_i_customer_web_users_i_web_user"), "web_users")
    op.drop_index(op.f("ix_audit_log_created"), "audit_log")
    for names in (("created", "i_balance"), *OF_PAYMENTS):
        op.drop_index(index_of(names), "ledger")
    for name in ("i_payer", "i_payee"):
        op.drop_column("ledger", name)
