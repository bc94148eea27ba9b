"""The database role that SECURITY.md describes: it serves every call, and cannot change what was booked or noted."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import contract
import pytest
from harness import Installed, Server, serving, unique
from sippy import new
from sqlalchemy import make_url
from sqlalchemy.exc import ProgrammingError

from xmlrpc_api import background

ROLE = "xmlrpc_api_run"
(GRANTS,) = re.findall(r"```sql\n(.*?)```", (contract.ROOT / "SECURITY.md").read_text(), re.DOTALL)


@pytest.fixture
def restricted(installed: Callable[[str], Installed], postgres: Any) -> Iterator[Server]:
    """A server whose tables belong to somebody else."""
    database = installed("postgresql")
    role = unique("run").replace("-", "_")
    postgres.psql(f"CREATE ROLE {role} LOGIN;")
    with serving(database) as owner:
        for statement in GRANTS.replace(ROLE, role).split(";"):
            if statement.strip():
                owner.sql(statement)
    url = make_url(database.url).set(username=role).render_as_string(hide_password=False)
    with serving(replace(database, url=url)) as running:
        yield running


def test_calls_are_served(restricted: Server) -> None:
    root = restricted.api()
    customer = {"name": "acme", "web_password": "s3cret-Web", "i_tariff": None, "balance": 5}
    i_customer = root.createCustomer(**customer)["i_customer"]

    root.customerAddFunds(i_customer=i_customer, amount=5, currency="USD", idempotency_key="once")
    root.updateCustomer(i_customer=i_customer, city="Bonn")
    root.authCustomer(username="acme", password="s3cret-Web")
    root.createAccount(**new())
    restricted.run(lambda database: background.seal(restricted.platform, database))

    assert root.info(i_customer)["balance"] == 10
    assert restricted.sql("SELECT COUNT(*) FROM audit_log WHERE seq IS NULL") == [(0,)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger SET amount = 0",
        "DELETE FROM ledger",
        "TRUNCATE ledger",
        "UPDATE audit_log SET after = NULL",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "ALTER TABLE ledger DISABLE TRIGGER ALL",
        "DROP TABLE audit_log",
        "UPDATE alembic_version SET version_num = '0001'",
        "CREATE TABLE mine (x int)",
    ],
)
def test_what_was_booked_or_noted_cannot_be_changed(restricted: Server, statement: str) -> None:
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
        restricted.sql(statement)
