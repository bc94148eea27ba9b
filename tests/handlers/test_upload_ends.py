"""How uploads end of which nobody took care."""

from datetime import UTC, datetime, timedelta
from typing import Any

from conftest import Customers
from harness import Server
from sqlalchemy import select
from uploading import FILE, ended, send, token_for, upload

from models import Upload
from xmlrpc_api.call import Origin
from xmlrpc_api.dialects.faces import Face
from xmlrpc_api.dispatch.dispatcher import Dispatcher
from xmlrpc_api.services.catalogue.bulk import processing


def waiting(server: Server) -> tuple[Any, str]:
    """A caller, and the token of a file that is there, and waits for its time."""
    customers = Customers(server)
    reseller = customers.reseller()
    later = datetime.now(UTC) + timedelta(hours=1)
    made = token_for(reseller, customers.tariff(reseller), process_on=later)
    assert send(made["url"], FILE.encode())[0] == 200
    return reseller, made["token"]


def test_what_never_came_to_an_end_is_given_up(fresh):
    api, token = waiting(fresh)

    fresh.sql("UPDATE uploads SET attempts = 3, process_on = status_changed_on")

    assert ended(api, token)["wrong"] == [{"line": 0, "why": "it was begun several times, and never came to an end"}]
    assert fresh.sql("SELECT count(*) FROM upload_pieces WHERE NOT is_report") == [(0,)]


def test_what_was_begun_by_one_who_died_is_taken_over_by_another(fresh):
    api, token = waiting(fresh)

    fresh.sql("UPDATE uploads SET status = 'PROCESSING', holder = 'nobody', process_on = status_changed_on")

    assert ended(api, token)["status"] == "DONE"


def test_what_has_another_holder_by_now_changes_nothing(fresh):
    """Who was slow finds that somebody else is at it."""
    api, token = waiting(fresh)

    async def late(database: Any) -> None:
        async with database.read() as session:
            upload = (await session.execute(select(Upload))).scalar_one()
        upload.holder = "too late"
        work: list[Any] = []

        async def perform(caller: Any, task: Any) -> None:
            origin = Origin(request_id="late", face=Face.UPLOAD, address="local", login=caller)
            work.append(task)
            await Dispatcher(fresh.platform, database).perform(origin, "tariffs import", caller, task)

        await processing.process(fresh.platform, database, upload, perform)
        assert work

    fresh.run(late)

    assert api.getUploadStatus(token=token)["status"] == "FILE_UPLOADED"
    assert fresh.sql("SELECT count(*) FROM rates") == [(0,)]


def test_what_is_old_is_forgotten_but_not_what_rates_came_with(fresh):
    customers = Customers(fresh)
    reseller = customers.reseller()
    i_tariff = customers.tariff(reseller)
    done, failed = upload(reseller, i_tariff), upload(reseller, i_tariff, "rubbish")
    token_for(reseller, i_tariff)

    fresh.run(lambda database: processing.prune(database, datetime.now(UTC) + timedelta(days=8)))

    assert reseller.getUploadStatus(token=done["token"])["status"] == "DONE"
    assert fresh.sql("SELECT count(*) FROM uploads") == [(1,)]
    assert fresh.sql("SELECT count(*) FROM upload_pieces") == [(0,)]
    assert send(failed["url"], None, "GET")[0] == 404
