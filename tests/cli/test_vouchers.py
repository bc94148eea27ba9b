"""`vouchers generate`."""

import csv
import stat


def test_the_pins_are_in_a_file_that_nobody_else_can_read(cli):
    options = ("--series", "spring", "--value", "9.99", "--currency", "eur", "--count", "3", "--expires", "2030-12-31")

    done = cli.run("vouchers", "generate", "spring.csv", *options)

    path = cli.folder / "spring.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert "3 vouchers made" in done.stderr
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [(row["series"], row["number"], row["value"], row["currency"]) for row in rows] == [
        ("spring", number, "9.99", "EUR") for number in ("1", "2", "3")
    ]
    assert len({row["pin"] for row in rows}) == 3
    assert rows[0]["expires"].startswith("2030-12-31 23:59:59")
    assert not any(row["pin"] in done.stdout + done.stderr for row in rows)
    assert "is there already" in cli.run("vouchers", "generate", "spring.csv", *options, code=2).stderr


def test_what_is_wrong_is_told(cli):
    def told(value="5", currency="USD", owner="1"):
        options = ("--series", "s", "--value", value, "--currency", currency, "--owner", owner)
        return cli.run("vouchers", "generate", "x.csv", *options, code=2).stderr

    assert "Parameter value must be greater than zero" in told(value="0")
    assert "Parameter value must have at most six decimals" in told(value="0.0000001")
    assert "Parameter value must be a number" in told(value="much")
    assert "There is no customer nobody" in told(owner="nobody")
    assert "Parameter currency must be a currency code" in told(currency="DOLLARS")
    assert "Wrong currency" in told(currency="XXZ")
    assert not (cli.folder / "x.csv").exists()


def test_vouchers_that_nobody_could_use_are_not_made(cli):
    options = ("--series", "s", "--value", "5", "--currency", "USD", "--expires", "2020-01-31")

    assert "2020-01-31 is in the past" in cli.run("vouchers", "generate", "x.csv", *options, code=2).stderr
    assert not (cli.folder / "x.csv").exists()
