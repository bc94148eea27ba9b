"""No secret ends in a log, in the history or, readable, in the database: canaries are searched in six encodings."""

import asyncio
import base64
import json
import urllib.parse
import xmlrpc.client
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
from commandline import CommandLine
from harness import Server
from sqlalchemy import text

from models import Base
from xmlrpc_api.config import load
from xmlrpc_api.declaration.manual import sample
from xmlrpc_api.services.accounts.sip_accounts import ACCOUNT
from xmlrpc_api.storage.database import Database
from xmlrpc_api.transport.rest import dumps

WEB, API, NEW, WRONG = "canary-W3b-Åß", "canary-4pi", "canary-N3w-Åß", "canary-Wr0ng"
SIP, VOICE_MAIL = "canary-S1p-Åß", "770412905563"


@pytest.fixture(scope="module")
def server(spoilt: Server) -> Server:
    return spoilt


def encodings(secret: str) -> Iterator[bytes]:
    """As it is, in JSON, in a URL, in base64, in hexadecimal, in UTF-16."""
    plain = secret.encode()
    yield plain
    yield json.dumps(secret)[1:-1].encode()
    yield urllib.parse.quote(secret).encode()
    yield base64.b64encode(plain).rstrip(b"=")[:-1]
    yield plain.hex().encode()
    yield secret.encode("utf-16-le")


def found(content: bytes, secrets: list[str]) -> list[str]:
    return [secret for secret in secrets if any(form in content for form in encodings(secret))]


def use_every_secret(api: Any) -> list[str]:
    """Call everything that takes or gives a secret; all of them."""
    scope = {"i_wholesaler": 1}
    new = {"name": "acme", "web_password": WEB, "i_tariff": None, "api_password": API, "api_access": 1, **scope}
    i_customer = api.createCustomer({**new, "idempotency_key": "once"})["i_customer"]
    login = {"web_login": "acme", **scope}
    attempt = {"username": "acme", **scope}

    def refused(password: str, **more: str) -> None:
        with pytest.raises(xmlrpc.client.Fault):
            api.authCustomer({**attempt, "password": password, **more})

    devices = [api.authCustomer({**attempt, "password": WEB})["device"]]
    refused(WRONG, device=devices[0])
    with pytest.raises(xmlrpc.client.Fault):
        api.authCustomer({"username": WRONG, "password": WEB, **scope})
    one_time = api.resetCustomerOneTimePassword({**login, "idempotency_key": "twice"})["password"]
    refused(one_time)
    change = {**login, "one_time_password": one_time, "new_password": NEW}
    devices.append(api.changeWebPassword({**change, "idempotency_key": "thrice"})["device"])
    own = {"i_wholesaler": i_customer, "new": API[1:], "idempotency_key": "four times"}
    api.changeApiPassword({**own, "old": API})
    with pytest.raises(xmlrpc.client.Fault):
        api.changeApiPassword({**own, "old": WRONG, "idempotency_key": "five times"})
    api.updateCustomer({"i_customer": i_customer, "api_password": API[::-1], "web_password": WEB[::-1], **scope})
    api.validatePassword({"i_password_policy": 1, "password": NEW[::-1], "web_label": "P", "i_customer": 1})
    seed = api.enableSecondFactor(login)["secret"]
    codes = api.confirmSecondFactor({**login, "code": pyotp.TOTP(seed).now()})["recovery_codes"]
    refused(WEB[::-1], code=codes[0][:-1] + "?")
    api.authCustomer({**attempt, "password": WEB[::-1], "code": codes[0]})
    users = {"i_customer": i_customer, "web_login": "second", "web_password": NEW[::-1]}
    i_web_user = api.createWebUser({**users, **scope})["i_web_user"]
    api.updateWebUser({"i_web_user": i_web_user, "web_password": NEW, **scope})
    sip = json.loads(dumps({field.name: sample(field) for field in ACCOUNT.create if field.required}))
    sip |= {"web_password": NEW[::-1], "voip_password": SIP, "vm_password": VOICE_MAIL, "i_customer": 1}
    i_account = api.createAccount({**sip, "balance": 0})["i_account"]
    api.updateAccount({"i_account": i_account, "voip_password": SIP[::-1], "i_customer": 1})
    account_one_time = api.resetAccountOneTimePassword({"username": sip["username"]})["password"]
    with pytest.raises(xmlrpc.client.Fault):
        api.authAccount({"username": sip["username"], "password": account_one_time})
    api.system.multicall([{"methodName": "authCustomer", "params": [{**attempt, "password": WRONG}]}])
    answers = [
        api.getCustomerInfo({"i_customer": i_customer, **scope}),
        api.listWebUsers({"i_customer": i_customer, **scope}),
        api.getAccountInfo({"i_account": i_account}),
        api.getAuditLogs({"i_customer": 1}),
        api.getCustomerHistory({"i_customer": i_customer, **scope}),
    ]
    secrets = [WEB, API, NEW, WRONG, SIP, VOICE_MAIL, one_time, account_one_time, seed, *codes, *devices]
    secrets += [secret[::-1] for secret in (WEB, API, NEW, SIP)]
    assert found(json.dumps(answers, default=str, ensure_ascii=False).encode(), secrets) == []
    return secrets


def dump(database_url: str) -> bytes:
    """Everything that is in a database."""
    if database_url.startswith("sqlite"):
        path = Path(database_url.removeprefix("sqlite:///"))
        return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))

    async def read() -> bytes:
        database = Database(load(database_url=database_url))
        async with database.read() as session:
            tables = [await session.execute(text(f"SELECT t::text FROM {name} t")) for name in Base.metadata.tables]
            rows = [row for table in tables for row in table.scalars()]
        await database.close()
        return "\n".join(rows).encode()

    return asyncio.run(read())


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_canaries_are_nowhere(cli_on_each: CommandLine, log_format: str) -> None:
    cli_on_each.environ |= {
        "XMLRPC_API_TRUSTED_HOSTS": "127.0.0.1",
        "XMLRPC_API_LOG_LEVEL": "DEBUG",
        "XMLRPC_API_LOG_FORMAT": log_format,
        "PYTHONASYNCIODEBUG": "1",
    }
    log = cli_on_each.folder / "log"
    url = f"http://127.0.0.1:{cli_on_each.environ['XMLRPC_API_PORT']}/xmlapi/xmlapi"
    with (
        log.open("wb") as stream,
        cli_on_each.serving(stderr=stream),
        xmlrpc.client.ServerProxy(url, allow_none=True) as api,
    ):
        secrets = use_every_secret(api)
        database = dump(cli_on_each.environ["XMLRPC_API_DATABASE_URL"])

    assert b"authCustomer" in log.read_bytes()
    assert b"acme" in database
    assert found(log.read_bytes(), secrets) == []
    assert found(database, secrets) == []


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_bug_is_logged_without_the_values_at_hand(
    variant: Callable[..., Server], reseller: Any, capfd: pytest.CaptureFixture[str], log_format: str
) -> None:
    """A seed that cannot be decrypted is one: nobody but the server writes it."""
    broken = variant(log_format=log_format)
    statement = "UPDATE web_users SET totp_seed = 'broken', second_factor = true WHERE web_login = :login"
    broken.sql(statement, login=reseller.login)

    with pytest.raises(xmlrpc.client.Fault, match="Internal error, request"):
        broken.api(reseller.login, "s3cret-Api").authCustomer(
            username=reseller.login, password="s3cret-Web", code="123456"
        )

    logged = capfd.readouterr().err
    assert "internal error" in logged
    assert "VaultError" in logged
    assert found(logged.encode(), ["s3cret-Web", "123456", "s3cret-Api"]) == []
