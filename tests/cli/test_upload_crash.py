"""kill -9 while a file is taken over: all of it is there in the end, once, or nothing was."""

import asyncio
import http.client
import xmlrpc.client
from typing import Any

from commandline import CommandLine
from harness import test_config as config_of
from harness import until
from sqlalchemy import text

from xmlrpc_api.storage.database import Database

COUNT = 20_000
FILE = "prefix,price\n" + "".join(f"{10**6 + number},0.01\n" for number in range(COUNT))


def ask(cli: CommandLine, method: str, **params: Any) -> Any:
    with xmlrpc.client.ServerProxy(f"http://127.0.0.1:{cli.port}/xmlapi/xmlapi", allow_none=True) as api:
        return getattr(api, method)({**params, "i_customer": 1})


def sql(cli: CommandLine, statement: str) -> list[Any]:
    """What a statement answers, behind the back of servers."""

    async def run() -> list[Any]:
        database = Database(config_of(cli.environ["XMLRPC_API_DATABASE_URL"]))
        try:
            async with database.write() as session:
                found = await session.execute(text(statement))
                return [*found] if found.returns_rows else []
        finally:
            await database.close()

    return asyncio.run(run())


def send(cli: CommandLine, token: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", cli.port, timeout=30)
    connection.request("POST", f"/upload/{token}", FILE.encode())
    assert connection.getresponse().status == 200
    connection.close()


def test_a_file_is_taken_over_once_whenever_the_server_dies(cli_on_each: CommandLine) -> None:
    cli = cli_on_each
    cli.environ |= {"XMLRPC_API_TRUSTED_HOSTS": "127.0.0.1", "XMLRPC_API_LOCK_SECONDS": "20"}
    with cli.serving() as process:
        i_tariff = ask(cli, "createTariff", name="retail", currency="USD")["i_tariff"]
        token = ask(cli, "getUploadToken", i_upload_type=1, params={"i_tariff": i_tariff})["token"]
        send(cli, token)
        until(lambda: ask(cli, "getUploadStatus", token=token)["status"] != "FILE_UPLOADED")
        process.kill()
        process.wait()
    (before,) = sql(cli, "SELECT count(*) FROM rates")
    assert before[0] in (0, COUNT)
    sql(cli, "UPDATE uploads SET held_until = NULL")

    with cli.serving():
        until(lambda: ask(cli, "getUploadStatus", token=token)["status"] == "DONE")

    assert [tuple(row) for row in sql(cli, "SELECT count(*), count(DISTINCT prefix) FROM rates")] == [(COUNT, COUNT)]
    assert [tuple(row) for row in sql(cli, "SELECT count(*) FROM audit_log WHERE action = 'RATES'")] == [(1,)]
    assert "Nothing is wrong" in cli.run("verify").stdout
