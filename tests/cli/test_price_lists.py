"""`tariffs import` and `tariffs export`: price lists."""

import csv
import xmlrpc.client
from typing import Any

import pytest
from commandline import CommandLine

HEADER = "Prefix;Price 1;Price N;Interval 1;Interval N;Area Name\n"
FILE = f"\ufeff{HEADER}49;0.02;0.01;60;6;'=Germany\n4930;0.015;0.015;1;1;Berlin\n"


def asking(cli: CommandLine, method: str, **params: Any) -> Any:
    """What the server answers, which runs for this alone."""
    with cli.serving_here(), xmlrpc.client.ServerProxy(f"http://127.0.0.1:{cli.port}/xmlapi/xmlapi") as api:
        return getattr(api, method)({**params, "i_customer": 1})


@pytest.fixture
def cli(cli_on_each: CommandLine) -> CommandLine:
    """An installation on each engine in which root has a tariff, the first one."""
    cli_on_each.environ["XMLRPC_API_TRUSTED_HOSTS"] = "127.0.0.1"
    asking(cli_on_each, "createTariff", name="retail", currency="USD")
    (cli_on_each.folder / "rates.csv").write_text(FILE)
    return cli_on_each


def import_file(cli: CommandLine, text: str, *options: str, code: int = 0) -> Any:
    (cli.folder / "next.csv").write_text(text)
    return cli.run("tariffs", "import", "next.csv", "--tariff", "retail", *options, code=code)


def export(cli: CommandLine, *options: str) -> list[dict[str, str]]:
    return list(csv.DictReader(cli.run("tariffs", "export", "-", "--tariff", "retail", *options).stdout.splitlines()))


def test_a_price_list_is_taken_over_and_written_as_it_came(cli):
    done = cli.run("tariffs", "import", "rates.csv", "--tariff", "retail", "--effective", "2027-01-01")

    assert done.stderr == "2 new.\n"
    written = cli.run("tariffs", "export", "out.csv", "--tariff", "1")
    assert written.stdout == ""
    first, _ = csv.DictReader((cli.folder / "out.csv").read_text().splitlines())
    assert first == {
        "prefix": "49",
        "activation_date": "2027-01-01 00:00:00",
        "expiration_date": "",
        "price_1": "0.02",
        "price_n": "0.01",
        "interval_1": "60",
        "interval_n": "6",
        "forbidden": "0",
        "grace_period_enable": "0",
        "local_price_1": "",
        "local_price_n": "",
        "local_interval_1": "",
        "local_interval_n": "",
        "area_name": "'=Germany",
    }
    again = cli.run("tariffs", "import", "out.csv", "--tariff", "retail", "--close-missing")
    assert again.stderr == "2 unchanged.\n"
    assert asking(cli, "getTariffRatesList", i_tariff=1)["rates"][0]["area_name"] == "=Germany"


def test_a_trial_tells_what_would_change_and_changes_nothing(cli):
    done = cli.run("tariffs", "import", "rates.csv", "--tariff", "retail", "--dry-run", "--notice", "notice.csv")

    assert done.stderr == "Tried: 2 new.\n"
    assert (cli.folder / "notice.csv").read_text().count("\nnew,") == 2
    assert export(cli) == []


def test_every_wrong_line_is_told_and_nothing_is_changed(cli):
    done = import_file(cli, "prefix,price\n49,0,1\n50,x\n51,1\n51,2\n", "--notice", "notice.csv", code=1)

    assert done.stdout.splitlines() == [
        "line 2: has 3 cells, the header 2: is there a decimal comma?",
        "line 3: price_1 is not a number ('x')",
        "line 5: prefix 51: the same as line 4",
    ]
    assert done.stderr == "3 wrong. Nothing was changed.\n"
    assert not (cli.folder / "notice.csv").exists()
    assert export(cli) == []


def test_columns_that_mean_nothing_are_told(cli):
    assert "The column 'Efective date' means nothing here" in import_file(cli, "code,rate,Efective date\n1,1,\n").stderr


def test_the_notice_tells_who_pays_what(cli):
    cli.run("tariffs", "import", "rates.csv", "--tariff", "retail", "--effective", "2027-01-01")
    lists = "code,rate,effective\n49,0.02,2027-02-01\n44,3,2027-02-01\n"

    import_file(cli, lists, "--close-missing", "--effective", "2027-02-01", "--notice", "notice.csv")

    rows = list(csv.DictReader((cli.folder / "notice.csv").read_text().splitlines()))
    told = [(row["change"], row["prefix"], row["price_1"], row["old_price_n"], row["effective_date"]) for row in rows]
    assert told == [
        ("new", "44", "3", "", "2027-02-01 00:00:00"),
        ("dearer", "49", "0.02", "0.01", "2027-02-01 00:00:00"),
        ("closed", "4930", "", "0.015", "2027-02-01 00:00:00"),
    ]


def test_a_notice_is_a_price_list_again(cli):
    cli.run("tariffs", "import", "rates.csv", "--tariff", "retail", "--effective", "2027-01-01")
    import_file(cli, "code,rate,action\n49,0.5,\n4930,,closed\n", "--effective", "2027-02-01", "--notice", "one.csv")
    asking(cli, "createTariff", name="other", currency="USD")
    cli.run("tariffs", "import", "rates.csv", "--tariff", "other", "--effective", "2027-01-01")

    cli.run("tariffs", "import", "one.csv", "--tariff", "other")

    assert export(cli) == [*csv.DictReader(cli.run("tariffs", "export", "-", "--tariff", "2").stdout.splitlines())]


def test_what_has_expired_may_be_left_out(cli):
    import_file(cli, "code,rate,effective,until\n1,1,2020-01-01,2020-02-01\n2,1,2020-01-01,\n")

    assert [row["prefix"] for row in export(cli, "--since", "2021-01-01")] == ["2"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["nothing.csv", "--tariff", "retail"], "There is no file nothing.csv"),
        (["rates.csv", "--tariff", "nobody's"], "There is no tariff nobody's"),
        (["rates.csv", "--tariff", "77"], "There is no tariff 77"),
        (["rates.csv", "--tariff", "1", "--notice", "rates.csv"], "The file rates.csv is there already"),
    ],
)
def test_what_cannot_be_done_says_why(cli, arguments, why):
    assert why in cli.run("tariffs", "import", *arguments, code=2).stderr


def test_the_notice_is_mailed_with_the_import_or_not_at_all(cli):
    refused = cli.run("tariffs", "import", "rates.csv", "--tariff", "retail", "--mail", "a@example.com", code=2)
    assert "no mail_from" in refused.stderr
    assert export(cli) == []

    cli.environ |= {"XMLRPC_API_MAIL_FROM": "us@example.com", "XMLRPC_API_SMTP_HOST": "127.0.0.1"}
    cli.run("tariffs", "import", "rates.csv", "--tariff", "retail", "--mail", "a@example.com,b@example.com")

    (row,) = asking(cli, "getAuditLogs", action="MAIL")["records"]
    assert "a@example.com,b@example.com" in str(row)
    assert len(export(cli)) == 2
