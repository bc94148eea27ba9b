"""Databases to measure on: many customers directly below one reseller, who calls."""

import asyncio
from typing import Any

from sqlalchemy import text

from benchmarks.servers import KEY
from models import DEFAULT_PASSWORD_POLICY, Customer, place_of
from xmlrpc_api.app import new_platform
from xmlrpc_api.config import Config, load
from xmlrpc_api.installation import create_root, migrate
from xmlrpc_api.storage.database import Database

RESELLER, PASSWORD = "bench-reseller", "s3cret-Api"
RESELLER_ID = 2
FIRST_ID = 3
BATCH = 50_000
NUMBERS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i < :last)",
    "postgresql": "WITH n(i) AS (SELECT generate_series(CAST(:first AS integer), CAST(:last AS integer)))",
}
CUSTOMER = {
    "blocked": "false", "version": "1", "accounts_mgmt": "7", "customers_mgmt": "7", "system_mgmt": "0",
    "company_name": "'Acme Telecom Ltd. ' || i", "first_name": "'Ada'", "last_name": "'Byron'",
    "street_addr": "'12 Main Street'", "postal_code": "'10115'", "city": "'Berlin'", "country": "'Germany'",
    "phone": "'+49305550100'", "email": "'ada' || i || '@example.com'", "min_payment_amount": "10000000",
    "payment_currency": "'EUR'", "api_access": "0", "api_mgmt": "0", "commission_size": "0", "tariffs_mgmt": "0",
    "max_depth": "3", "use_own_tariff": "1", "vouchers_mgmt": "0", "description": "'Customer of the benchmark'",
    "i_password_policy": str(DEFAULT_PASSWORD_POLICY), "callshop_enabled": "false", "overcommit_protection": "false",
    "overcommit_limit": "0", "did_pool_enabled": "false", "ivr_apps_enabled": "false", "asr_acd_enabled": "false",
    "debit_credit_cards_enabled": "false", "conferencing_enabled": "false", "share_payment_processors": "false",
    "dncl_enabled": "false", "i_time_zone": "370", "i_lang": "'en'", "i_export_type": "1", "start_page": "1",
    "reseller_active": "true",
}  # fmt: skip


def seed(database_url: str, count: int) -> None:
    """Make tables, root, the reseller and so many customers below him."""
    config = load(database_url=database_url, secret_key=KEY, bcrypt_cost=4)
    asyncio.run(_seed(config, count))


async def _seed(config: Config, count: int) -> None:
    database = Database(config)
    engine = "sqlite" if config.is_sqlite else "postgresql"
    try:
        await migrate(database)
        platform = new_platform(config)
        await create_root(platform, database)
        password = platform.vault.encrypt(PASSWORD, place_of(Customer.api_password, RESELLER_ID))
        await _insert(database, engine, RESELLER_ID, RESELLER_ID, parent="1", path="'1.'", name=f"'{RESELLER}'")
        grant = (
            "UPDATE customers SET api_access = 1, api_mgmt = 1, max_depth = 20, api_password = :p WHERE i_customer = 2"
        )
        await _run(database, grant, p=password)
        for first in range(FIRST_ID, FIRST_ID + count, BATCH):
            last = min(first + BATCH, FIRST_ID + count) - 1
            await _insert(
                database, engine, first, last, parent=str(RESELLER_ID), path="'1.2.'", name="'customer-' || i"
            )
        if engine == "postgresql":
            for table, column in (("customers", "i_customer"), ("web_users", "i_web_user"), ("balances", "i_balance")):
                newest = f"(SELECT max({column}) FROM {table})"
                await _run(database, f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), {newest})")
        await _run(database, "ANALYZE")
    finally:
        await database.close()


async def _insert(database: Database, engine: str, first: int, last: int, *, parent: str, path: str, name: str) -> None:
    row = {**CUSTOMER, "i_customer": "i", "i_wholesaler": parent, "path": path, "name": name, "name_key": name}
    users = {
        "i_customer": "i",
        "is_default": "true",
        "web_login": name,
        "web_login_key": name,
        "web_password": "'!'",
        "i_access_level": "'ADMINISTRATOR'",
        "blocked": "false",
        "second_factor": "false",
    }
    money = {
        "i_customer": "i",
        "is_default": "true",
        "name": "''",
        "currency": "'USD'",
        "balance": "25500000",
        "credit_limit": "100000000",
        "notify_by_email": "false",
        "charge_card": "false",
        "charge_amount": "0",
        "notification_retry_count": "0",
    }
    for table, values in (("customers", row), ("web_users", users), ("balances", money)):
        insert = f"INSERT INTO {table} ({', '.join(values)})"
        select = f"SELECT {', '.join(values.values())} FROM n"
        numbers = NUMBERS[engine]
        statement = f"{insert} {numbers} {select}" if engine == "sqlite" else f"{numbers} {insert} {select}"
        await _run(database, statement, first=first, last=last)


async def _run(database: Database, statement: str, **values: Any) -> None:
    async with database.write() as session:
        if not database.is_sqlite:
            await session.execute(text("SET LOCAL statement_timeout = 0"))
        await session.execute(text(statement), values)
