"""`dids import` and `dids export`."""

from pathlib import Path
from typing import Any

FIRST = """\
Number;Range end;description;incoming_cli
+49305550100;;"Front; desk";
49305550200;49305550299;A range;1
"""
WRONG = """\
did,i_ivr_application,colour
4930555010x,,red
49305550100,99,red
49305550101,,red
49305550101,,red
"""


def write(cli: Any, text: str) -> str:
    Path(cli.folder, "numbers.csv").write_text(text)
    return "numbers.csv"


def test_what_is_exported_is_imported_as_it_was(ready: Any) -> None:
    first, second = ready("sqlite"), ready("postgresql")
    assert "2 DIDs added." in first.run("dids", "import", write(first, FIRST)).stderr
    assert "2 DIDs written." in first.run("dids", "export", "out.csv").stderr

    second.run("dids", "import", "out.csv")

    told = second.run("dids", "export", "-").stdout
    assert told == Path(first.folder, "out.csv").read_text()
    assert "'+49305550100,,,'+49305550100,,Front; desk" in told


def test_every_wrong_line_is_told_and_nothing_is_added(cli: Any) -> None:
    done = cli.run("dids", "import", write(cli, WRONG), code=1)

    assert done.stdout.splitlines() == [
        "line 2: did must be a number: digits, * and #, and + in front at most ('4930555010x')",
        "line 3: Wrong i_ivr_application",
        "line 5: Parameter did is already taken",
    ]
    assert "The column 'colour' means nothing here" in done.stderr
    assert "3 wrong. Nothing was changed." in done.stderr
    assert "0 DIDs written." in cli.run("dids", "export", "-").stderr


def test_a_trial_adds_nothing(cli: Any) -> None:
    assert "Tried: 2 DIDs added." in cli.run("dids", "import", write(cli, FIRST), "--dry-run").stderr

    assert "0 DIDs written." in cli.run("dids", "export", "-").stderr


def test_who_keeps_no_pool_imports_none(cli: Any) -> None:
    Path(cli.folder, "customers.csv").write_text("name,web_password,i_tariff,accounts_mgmt\nacme,s3cret-Web1,\\N,7\n")
    cli.run("customers", "import", "customers.csv")

    done = cli.run("dids", "import", write(cli, FIRST), "--owner", "acme", code=1)

    assert "line 2: Not permitted: did_pool_enabled is missing" in done.stdout
