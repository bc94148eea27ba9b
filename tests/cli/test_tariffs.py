"""`tariffs ask`."""

import json

from commandline import CommandLine
from faces import Api

from xmlrpc_api.transport.xml import PATH


def made(cli: CommandLine) -> tuple[int, int]:
    """A tariff of root's, and a customer who pays by it."""
    with cli.serving_here():
        root = Api(f"http://127.0.0.1:{cli.port}{PATH}", "ssp-root", cli.environ["XMLRPC_API_PASSWORD"])
        i_tariff = root.createTariff(name="retail", currency="USD")["i_tariff"]
        steps = {"price_1": 0.12, "price_n": 0.06, "interval_1": 30, "interval_n": 6}
        root.addRate(i_tariff=i_tariff, prefix="49", **steps)
        root.addRate(i_tariff=i_tariff, prefix="4999", price_1=9, forbidden=True)
        new = {"name": "acme", "web_password": "s3cret-Web", "i_tariff": i_tariff}
        return i_tariff, root.createCustomer(**new)["i_customer"]


def test_each_level_is_told(cli: CommandLine) -> None:
    i_tariff, i_customer = made(cli)

    told = cli.run("tariffs", "ask", "4930", "--customer", str(i_customer), "--seconds", "31").stdout

    words = told.splitlines()[1].split()
    expected = ["customer", str(i_customer), "customer", "1", str(i_tariff), "49", "-", "0.12/0.06", "30/6"]
    assert words == [*expected, "0.066", "USD"]
    as_json = cli.run("tariffs", "ask", "4930", "--tariff", str(i_tariff), "--json").stdout
    assert json.loads(as_json)["rate"]["cost"] == 0.09


def test_what_cannot_be_called_is_told_with_the_reason(cli: CommandLine) -> None:
    i_tariff, i_customer = made(cli)

    def told(number: str, *options: str) -> str:
        return cli.run("tariffs", "ask", number, *options, code=1).stdout

    assert "the tariff has no rate for the number" in told("1", "--tariff", str(i_tariff))
    assert "its rate forbids it" in told("49991", "--customer", str(i_customer))
    assert "Tariff not found" in cli.run("tariffs", "ask", "1", "--tariff", "99", code=2).stderr
    assert "Parameter i_tariff is required" in cli.run("tariffs", "ask", "1", code=2).stderr
