"""
Rows to measure on: a reseller, who calls, and many customers directly below it.

The server itself makes one of each, through its public methods; the others are copies of these, made by SQL, with ids
and names of their own. So no table needs to be known here, and an earlier server fills its own tables as well.
"""

import subprocess
import sys
import xmlrpc.client
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import databases, servers
from benchmarks.calls import XMLRPC
from benchmarks.servers import HERE, UnmeasurableError

ROOT_ID, RESELLER_ID, FIRST_ID = 1, 2, 3
RESELLER, PASSWORD = "bench-reseller", "s3cret-Api"
DOMAIN = "bench.example"
ACCOUNTS = 1000
BATCH = 100_000
ROOM = 100  # between ids of the samples and of their copies: the account has a balance, too
CUSTOMER = {
    "web_password": "s3cret-Pa55", "i_tariff": None, "balance": 25.5, "credit_limit": 100.0, "accounts_mgmt": 7,
    "customers_mgmt": 7, "company_name": "Acme Telecom Ltd.", "first_name": "Ada", "last_name": "Byron",
    "street_addr": "12 Main Street", "postal_code": "10115", "city": "Berlin", "country": "Germany",
    "phone": "+49305550100", "email": "ada@example.com", "min_payment_amount": 10.0, "payment_currency": "EUR",
    "max_depth": 3, "description": "Customer of the benchmark", "i_lang": "en",
}  # fmt: skip
ACCOUNT = {
    "translation_rule": "", "cli_translation_rule": "", "cpe_number": "", "vm_notify_emails": "",
    "vm_forward_emails": "", "company_name": "", "salutation": "", "mid_init": "", "street_addr": "", "state": "",
    "postal_code": "", "city": "", "country": "", "contact": "", "phone": "", "fax": "", "alt_phone": "",
    "alt_contact": "", "cc": "", "bcc": "", "vm_enabled": 0, "blocked": 0, "welcome_call_ivr": 0,
    "i_media_relay_type": 0, "use_preferred_codec_only": False, "trust_cli": False, "disallow_loops": False,
    "vm_del_after_fwd": False,
    "username": f"user-1@{DOMAIN}", "authname": f"user-1@{DOMAIN}", "web_password": "s3cret-Pa55",
    "voip_password": "s3cret-V01p", "vm_password": "1234", "balance": 5.0, "credit_limit": 10.0, "max_sessions": 2,
    "max_credit_time": 3600, "i_billing_plan": 1, "i_time_zone": 370, "i_lang": "en", "payment_currency": "USD",
    "payment_method": 1, "i_export_type": 1, "lifetime": -1, "preferred_codec": None, "reg_allowed": 1,
    "on_payment_action": None, "min_payment_amount": 10.0, "first_name": "Ada", "last_name": "Byron",
    "email": "ada@example.com", "i_password_policy": 1,
}  # fmt: skip
FIRST_DID = 49_300_000_000
SERIES = "WITH RECURSIVE n(i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i < :last)"

KEYS = {
    "customers": "i_customer",
    "web_users": "i_web_user",
    "balances": "i_balance",
    "accounts": "i_account",
    "ledger": "i_ledger",
    "tariffs": "i_tariff",
    "rates": "i_rate",
}

Expressions = Mapping[str, str]  # of columns, where `i` counts


def command(url: str, *arguments: str, source: Path = HERE) -> str:
    """
    Run a command of this server, or of another tree's, on a database, and give what it prints.

    Raises:
        UnmeasurableError: It fails.
    """
    done = subprocess.run(
        [sys.executable, "-m", "xmlrpc_api", *arguments],
        cwd=source,
        env=servers.environment(url, {"statement_seconds": 600}),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        told = (done.stderr or done.stdout).strip().splitlines()
        raise UnmeasurableError(f"xmlrpc-api {' '.join(arguments)}: {' '.join(told[-3:])}")
    return done.stdout


def make(url: str, customers: int, source: Path = HERE, accounts: int = ACCOUNTS) -> str:
    """Tables, root, the reseller, so many customers and accounts of it; their ids follow each other."""
    command(url, "init", source=source)
    with servers.product(url, source, trusted_hosts="127.0.0.1") as running:
        sample, account = _samples(f"http://127.0.0.1:{running.port}{XMLRPC}")
    for first in range(sample + 1, sample + customers, BATCH):
        clone_customers(url, sample, range(first, min(first + BATCH, sample + customers)))
    _clone_accounts(url, account, accounts)
    finish(url)
    return url


def finish(url: str) -> None:
    """Let new rows get ids of their own, and leave nothing to be cleaned up later."""
    if url.startswith("postgresql"):
        for table, key in KEYS.items():
            newest = f"(SELECT max({key}) FROM {table})"
            databases.ask(url, f"SELECT setval(pg_get_serial_sequence('{table}', '{key}'), {newest})")
    databases.tidy(url)


def _samples(address: str) -> tuple[int, int]:
    """The ids of a customer and of an account, and the reseller, whose id is the one before."""
    with xmlrpc.client.ServerProxy(address, allow_none=True) as server:
        api: Any = server
        reseller = {
            **CUSTOMER, "name": RESELLER, "balance": 10**9, "api_access": 1, "api_mgmt": 1, "api_password": PASSWORD,
            "max_depth": 20, "vouchers_mgmt": 7, "tariffs_mgmt": 7,
        }  # fmt: skip
        made = api.createCustomer({**reseller, "i_wholesaler": ROOT_ID})["i_customer"]
        name = f"customer-{FIRST_ID}"
        customer = api.createCustomer({**CUSTOMER, "name": name, "i_wholesaler": RESELLER_ID})["i_customer"]
        if (made, customer) != (RESELLER_ID, FIRST_ID):
            raise UnmeasurableError(f"ids of a new installation are {made} and {customer}")
        account = api.createAccount({**ACCOUNT, "i_customer": RESELLER_ID})
        return customer, account["i_account"]


def columns(url: str, table: str) -> list[str]:
    """Those of a table."""
    if url.startswith("sqlite"):
        return [row["name"] for row in databases.ask(url, "SELECT name FROM pragma_table_info(:name)", name=table)]
    wanted = "SELECT column_name FROM information_schema.columns WHERE table_name = :name AND is_generated = 'NEVER'"
    return [row["column_name"] for row in databases.ask(url, wanted, name=table)]


def clone(url: str, table: str, where: str, changed: Expressions, numbers: range) -> None:
    """Copies of one row, each with a number, but for what is changed."""
    names = columns(url, table)
    values = ", ".join(changed.get(name, name) for name in names)
    statement = f"INSERT INTO {table} ({', '.join(names)}) {SERIES} SELECT {values} FROM {table}, n WHERE {where}"
    bounds = {"first": numbers.start, "last": numbers.stop - 1}
    if url.startswith("sqlite"):
        databases.run(url, [(statement, bounds)])
        return
    typed = statement.replace(":first", "CAST(:first AS integer)").replace(":last", "CAST(:last AS integer)")
    databases.run(url, [("SET LOCAL statement_timeout = 0", {}), (typed, bounds)])


def clone_customers(url: str, sample: int, numbers: range) -> None:
    """Copies of a customer, of its default web user and balance, and of how its balance began."""
    owned = f"i_customer = {sample}"
    name = {"name": "'customer-' || i", "name_key": "'customer-' || i"}
    clone(url, "customers", owned, {"i_customer": "i", **name, "email": "'ada' || i || '@example.com'"}, numbers)
    user = _key(url, "web_users", owned)
    balance = _key(url, "balances", f"{owned} AND i_account IS NULL")
    entry = _key(url, "ledger", f"i_balance = {balance}")
    login = {"web_login": "'customer-' || i", "web_login_key": "'customer-' || i"}
    changed = {"i_web_user": f"i + {user - sample + ROOM}", "i_customer": "i", **login}
    clone(url, "web_users", f"i_web_user = {user}", changed, numbers)
    changed = {"i_balance": f"i + {balance - sample + ROOM}", "i_customer": "i"}
    clone(url, "balances", f"i_balance = {balance}", changed, numbers)
    changed = {"i_ledger": f"i + {entry - sample + ROOM}", "i_balance": f"i + {balance - sample + ROOM}"}
    clone(url, "ledger", f"i_ledger = {entry}", changed, numbers)


def _clone_accounts(url: str, sample: int, count: int) -> None:
    """Copies of an account, and of its balance."""
    balance = _key(url, "balances", f"i_account = {sample}")
    apart = _key(url, "balances", "true", "max") + ROOM  # ids that no customer's balance has
    name = dict.fromkeys(("username", "username_key", "authname", "authname_key"), f"'user-' || i || '@{DOMAIN}'")
    numbers = range(sample + 1, sample + count)
    if not numbers:
        return
    clone(url, "accounts", f"i_account = {sample}", {"i_account": "i", **name}, numbers)
    changed = {"i_balance": f"i + {apart}", "i_account": "i"}
    clone(url, "balances", f"i_balance = {balance}", changed, numbers)


def _key(url: str, table: str, condition: str, which: str = "min") -> int:
    """The first, or last, id of the rows for which a condition holds."""
    return int(databases.ask(url, f"SELECT {which}({KEYS[table]}) AS found FROM {table} WHERE {condition}")[0]["found"])


def add_payments(url: str, i_customer: int, count: int) -> None:
    """So many rows in the ledger of a customer, each a payment of a millionth."""
    balance = _key(url, "balances", f"i_customer = {i_customer} AND i_account IS NULL")
    sample = _key(url, "ledger", f"i_balance = {balance}")
    newest = _key(url, "ledger", "true", "max")
    paid = {"amount": "1", "paid_amount": "1", "paid_currency": "'USD'", "rate": str(10**12), "kind": "'funds'"}
    payer = f"(SELECT i_wholesaler FROM customers WHERE i_customer = {i_customer})"
    paid |= {"i_payee": str(i_customer), "i_payer": payer}  # by which lists find it
    told = {"i_ledger": f"i + {newest}", "balance_after": "balance_after + i", "funded_change": "1", **paid}
    for first in range(1, count + 1, BATCH):
        clone(url, "ledger", f"i_ledger = {sample}", told, range(first, min(first + BATCH, count + 1)))


def add_dids(url: str, count: int) -> None:
    """So many DIDs of the reseller, each a number."""
    with servers.product(url, trusted_hosts="127.0.0.1") as running:
        api: Any = xmlrpc.client.ServerProxy(f"http://127.0.0.1:{running.port}{XMLRPC}", allow_none=True)
        api.updateCustomer({"i_wholesaler": ROOT_ID, "i_customer": RESELLER_ID, "did_pool_enabled": True})
        did = str(FIRST_DID + 1)
        sample = api.addDID({"i_customer": RESELLER_ID, "did": did, "incoming_did": did})["i_did"]
        api("close")()
    did = f"{FIRST_DID} + i"
    told = {"i_did": "i", "did": did, "incoming_did": did, **dict.fromkeys(("did_key", "end_key"), f"'11' || ({did})")}
    for first in range(sample + 1, sample + count, BATCH):
        clone(url, "dids", f"i_did = {sample}", told, range(first, min(first + BATCH, sample + count)))
    databases.tidy(url)
