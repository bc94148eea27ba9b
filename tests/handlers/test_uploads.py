"""Uploads: a token, a file, and what becomes of it."""

import hashlib
import http.client
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from books import findings
from conftest import Customers, Reseller
from harness import until
from uploading import FILE, LIFE, ended, rates, send, token_for, upload

from xmlrpc_api.declaration.faults import BadParameter, NotFound, NotPermitted


@pytest.fixture
def i_tariff(customers: Customers, reseller: Reseller) -> int:
    return customers.tariff(reseller)


def test_a_file_becomes_rates(reseller, i_tariff):
    done = upload(reseller, i_tariff)

    assert done["status"] == "DONE"
    assert rates(reseller, i_tariff) == {"49": 0.02, "4930": 0.015, "1": 0.01}
    assert (done["changes"]["new"], done["lines"], done["wrong"]) == (3, 3, [])
    assert (done["size"], done["sha256"]) == (len(FILE), hashlib.sha256(FILE.encode()).hexdigest())


def test_the_report_is_the_notice_of_changes(reseller, i_tariff):
    upload(reseller, i_tariff)

    second = upload(reseller, i_tariff, "prefix,price\n49,0.03\n4930,0.01\n1,0.01\n44,1\n", close_missing=True)

    assert {"new": 1, "dearer": 1, "cheaper": 1, "unchanged": 1}.items() <= second["changes"].items()
    status, text = send(second["url"], None, "GET")
    lines = [line.split(",")[:3] for line in text.splitlines()]
    assert status == 200
    assert lines[1:] == [["new", "44", ""], ["dearer", "49", "Germany"], ["cheaper", "4930", "Berlin"]]
    assert reseller.getUploadReport(token=second["token"]) == {"result": "OK", "report": text, "total": 3}
    assert reseller.getUploadReport(token=second["token"], first_line=3, lines=1)["report"].splitlines()[1:] == [
        text.splitlines()[3]
    ]


def test_what_the_file_does_not_have_is_closed(reseller, i_tariff):
    upload(reseller, i_tariff)

    done = upload(reseller, i_tariff, "prefix,price\n49,0.02\n", close_missing=True, effective_date="20400101T00:00:00")

    assert (done["changes"]["closed"], done["changes"]["unchanged"]) == (2, 1)
    found = reseller.getTariffRatesList(i_tariff=i_tariff)["rates"]
    assert {rate["prefix"]: bool(rate["expiration_date"]) for rate in found} == {"1": True, "49": False, "4930": True}


def test_one_wrong_line_and_nothing_is_changed(reseller, i_tariff):
    failed = upload(reseller, i_tariff, "prefix;price\n49;1\n50;0,5\nx;1\n49;1\n")

    assert failed["status"] == "FAIL"
    assert [one["line"] for one in failed["wrong"]] == [3, 4, 5]
    assert failed["wrong"][0]["why"] == "price_1 has a decimal comma: a point is needed ('0,5')"
    assert send(failed["url"], None, "GET")[1].splitlines()[0] == "line,why"
    assert rates(reseller, i_tariff) == {}


def test_a_trial_changes_nothing(reseller, i_tariff):
    tried = upload(reseller, i_tariff, dry_run=True)

    assert (tried["status"], tried["changes"]["new"]) == ("DONE", 3)
    assert rates(reseller, i_tariff) == {}


def test_an_import_is_one_row_of_the_history(reseller, i_tariff):
    done = upload(reseller, i_tariff)

    rows = reseller.getAuditLogs(resource=f"tariffs:i_tariff={i_tariff}", action="RATES")["records"]
    assert len(rows) == 1
    told = str(rows[0])
    assert done["sha256"] in told
    assert f"'i_upload': {done['i_upload']}" in told or f'"i_upload":{done["i_upload"]}' in told.replace(" ", "")


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_file_may_be_a_part_of_a_form(reseller, i_tariff, method):
    made = token_for(reseller, i_tariff)
    note = 'Content-Disposition: form-data; name="note"\r\n\r\nnot the file\r\n'
    file = f'Content-Disposition: form-data; name="file"; filename="rates.csv"\r\n\r\n{FILE}\r\n'
    form = f"--b\r\n{note}--b\r\n{file}--b--\r\n"

    status, _ = send(made["url"], form.encode(), method, **{"Content-Type": "multipart/form-data; boundary=b"})

    assert status == 200
    assert ended(reseller, made["token"])["lines"] == 3


def test_a_token_is_good_for_one_file(reseller, i_tariff):
    done = upload(reseller, i_tariff)

    assert send(done["url"], FILE.encode()) == (409, "Its file is there already\n")


def test_what_was_cut_may_be_sent_again(server, reseller, i_tariff):
    made = token_for(reseller, i_tariff)
    place = urlsplit(made["url"])
    connection = http.client.HTTPConnection(place.hostname or "", place.port or 80)
    connection.putrequest("POST", place.path)
    connection.putheader("Content-Length", "1000000")
    connection.endheaders()
    connection.send(b"prefix,price\n" + b"1,1\n" * 100_000)
    connection.close()

    until(lambda: send(made["url"], FILE.encode())[0] == 200)

    assert ended(reseller, made["token"])["lines"] == 3


def test_of_two_who_send_at_once_one_is_refused(reseller, i_tariff):
    made = token_for(reseller, i_tariff)
    place = urlsplit(made["url"])
    first = http.client.HTTPConnection(place.hostname or "", place.port or 80)
    first.putrequest("POST", place.path)
    first.putheader("Content-Length", str(len(FILE)))
    first.endheaders()
    first.send(FILE[:10].encode())

    until(lambda: send(made["url"], b"")[0] == 409)
    first.send(FILE[10:].encode())

    assert first.getresponse().status == 200
    first.close()


@pytest.mark.parametrize(
    "change",
    [lambda token: token[:-1] + "0123456789abcdef"[token[-1] == "0"], lambda _: "x", lambda token: "9" + token],
)
def test_a_token_that_nobody_was_given_is_none(reseller, i_tariff, refused, change):
    made = token_for(reseller, i_tariff)
    other = change(made["token"])

    assert send(made["url"].replace(made["token"], other), FILE.encode())[0] == 404
    with refused(NotFound.code):
        reseller.getUploadStatus(token=other)


def test_a_token_that_has_expired_is_none(fresh):
    customers = Customers(fresh)
    reseller = customers.reseller()
    clock = fresh.stop_clock()
    made = token_for(reseller, customers.tariff(reseller))

    clock.move(24 * 3600)

    assert send(made["url"], FILE.encode())[0] == 404


def test_nobody_else_sees_what_becomes_of_it(customers, reseller, i_tariff, refused):
    made = upload(reseller, i_tariff)

    with refused(NotFound.code):
        customers.reseller().getUploadStatus(token=made["token"])
    with refused(NotFound.code):
        customers.reseller().getUploadReport(token=made["token"])


def test_who_stands_above_sees_it(root, reseller, i_tariff):
    made = upload(reseller, i_tariff)

    assert root.getUploadStatus(token=made["token"])["status"] == "DONE"


def test_the_tariff_of_others_is_missing(customers, i_tariff, refused):
    with refused(NotFound.code):
        token_for(customers.reseller(), i_tariff)


def test_who_may_not_change_tariffs_gets_no_token(customers, refused):
    reseller = customers.reseller(tariffs_mgmt=1)

    with refused(NotPermitted.code):
        token_for(reseller, customers.tariff(reseller))


def test_who_may_not_any_more_when_the_time_comes_changes_nothing(root, customers):
    reseller = customers.reseller()
    i_tariff = customers.tariff(reseller)
    made = token_for(reseller, i_tariff, process_on=datetime.now(UTC) + timedelta(seconds=2))
    root.updateCustomer(i_customer=reseller.i_customer, tariffs_mgmt=0)

    assert send(made["url"], FILE.encode())[0] == 200

    assert ended(root, made["token"])["status"] == "FAIL"
    assert rates(root, i_tariff) == {}


def test_a_tariff_that_is_gone_fails(root, reseller, i_tariff):
    made = token_for(reseller, i_tariff)
    reseller.deleteTariff(i_tariff=i_tariff)

    assert send(made["url"], FILE.encode())[0] == 200

    assert ended(reseller, made["token"])["wrong"] == [{"line": 0, "why": "Tariff not found"}]


@pytest.mark.parametrize(
    ("asked", "name", "why"),
    [
        ({"i_upload_type": 2}, "i_upload_type", "must be 1 (rates): routes cannot be uploaded"),
        ({"process_on": "20990101T00:00:00"}, "process_on", "must be within 31 days"),
        ({"expires_on": "20200101T00:00:00"}, "expires_on", LIFE),
        ({"expires_on": "20990101T00:00:00"}, "expires_on", LIFE),
    ],
)
def test_what_cannot_be_taken_over_is_refused(reseller, i_tariff, refused, asked, name, why):
    with refused(BadParameter.code, f"Parameter {name} {why}"):
        token_for(reseller, i_tariff, **asked)


def test_so_many_at_once_and_no_more(reseller, i_tariff, refused):
    for _ in range(10):
        token_for(reseller, i_tariff)

    with refused(NotPermitted.code):
        token_for(reseller, i_tariff)


def test_a_file_that_is_too_long_is_refused(variant, reseller, i_tariff):
    small = variant(upload_limit=4096)
    made = token_for(reseller, i_tariff)
    url = f"{small.address}/upload/{made['token']}"

    assert send(url, b"x" * 5000)[0] == 413
    assert send(url, iter([b"x" * 3000, b"x" * 3000]))[0] == 413
    assert send(url, b"")[0] == 400
    assert send(url, b"x", **{"Content-Encoding": "gzip"})[0] == 415


def test_all_of_it_is_proved(own):
    customers = Customers(own)
    reseller = customers.reseller()
    i_tariff = customers.tariff(reseller)
    upload(reseller, i_tariff)
    upload(reseller, i_tariff, "prefix,price\n49,0.5\n", close_missing=True, effective_date="20400101T00:00:00")

    assert findings(own) == []


@pytest.mark.one_engine
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"--b\r\n"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"rubbish"),
        ("multipart/form-data; boundary=b", b"--b\r\n" + b"x" * 100_000),
        ("multipart/form-data; boundary=b", b"--b\r\n" + b"a: b\r\n" * 50_000),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data; name=x\r\n\r\nx\r\n--b--\r\n"),
        ("multipart/form-data; boundary=" + "b" * 100, b"--b"),
        ("multipart/mixed; boundary=b", b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n"),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Transfer-Encoding: base64\r\n"),
    ],
    ids=repr,
)
def test_a_form_that_cannot_be_read_is_refused_and_the_token_is_not_used_up(reseller, i_tariff, kind, body):
    made = token_for(reseller, i_tariff)

    assert send(made["url"], body, **{"Content-Type": kind})[0] == 400

    assert send(made["url"], FILE.encode())[0] == 200


def test_two_files_for_one_tariff_are_taken_over_one_after_the_other(variant, reseller, i_tariff):
    variant()
    made = [token_for(reseller, i_tariff) for _ in range(4)]
    for number, one in enumerate(made):
        lines = "".join(f"{prefix},{number + 1}\n" for prefix in range(100, 400))
        assert send(one["url"], f"prefix,price\n{lines}".encode())[0] == 200

    done = [ended(reseller, one["token"]) for one in made]

    assert [one["status"] for one in done] == ["DONE"] * 4
    assert len(set(rates(reseller, i_tariff).values())) == 1


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_there_is_no_report_before_its_time(reseller, i_tariff, method):
    made = token_for(reseller, i_tariff, process_on=datetime.now(UTC) + timedelta(hours=1))

    assert send(made["url"], FILE.encode())[0] == 200

    assert send(made["url"], None, method)[0] == {"GET": 404, "DELETE": 405}[method]
    assert reseller.getUploadStatus(token=made["token"])["url"] is None
