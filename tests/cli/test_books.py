"""`verify` and `rates import` as an operator runs them."""

import json
from pathlib import Path

import pytest
from commandline import CommandLine

FORGED = f"7:0a1b2c3d:{'f' * 64}"
HEADER = "from_currency,to_currency,rate\n"


class TestVerify:
    def test_finds_nothing_in_a_new_installation(self, cli_on_each: CommandLine) -> None:
        assert "Nothing is wrong. Newest link of the audit chain: 0:" in cli_on_each.run("verify").stdout

    def test_a_link_that_is_not_there_is_a_finding(self, cli: CommandLine) -> None:
        done = cli.run("verify", "--head", FORGED, code=1)

        assert f"the link {FORGED} is not in the audit chain any more" in done.stdout
        assert "1 findings" in done.stderr

    @pytest.mark.parametrize("head", ["foo", "7:forged", f"{'9' * 30}{FORGED}", ""])
    def test_what_is_no_link_is_a_mistake_and_no_finding(self, cli: CommandLine, head: str) -> None:
        assert "it must be SEQ:HASH" in cli.run("verify", "--head", head, code=2).stderr

    def test_the_link_that_a_new_installation_prints_may_be_given_back(self, cli: CommandLine) -> None:
        newest = json.loads(cli.run("verify", "--json").stdout)["newest_link"]

        assert cli.run("verify", "--head", newest).returncode == 0

    def test_programs_read_json(self, cli_on_each: CommandLine) -> None:
        assert json.loads(cli_on_each.run("verify", "--json").stdout) == {"findings": [], "newest_link": "0:"}
        done = cli_on_each.run("verify", "--json", "--head", FORGED, code=1)
        assert json.loads(done.stdout)["findings"] == [f"the link {FORGED} is not in the audit chain any more"]


class TestRates:
    def test_can_be_run_again(self, cli_on_each: CommandLine, tmp_path: Path) -> None:
        file = tmp_path / "rates.csv"
        file.write_text(HEADER + "USD,EUR,0.85\nGBP,USD,1.3\n")

        for _ in range(2):
            assert "2 rates imported." in cli_on_each.run("rates", "import", str(file)).stderr

    @pytest.mark.parametrize(
        ("row", "text"),
        [
            ("USD,XXZ,1", "line 2: there is no currency XXZ"),
            ("USD,USD,1", "line 2: USD to USD is not a new pair"),
            ("USD,EUR,0", "line 2: rate must be above 0"),
            ("USD,EUR,nan", "line 2: rate must be above 0"),
            ("USD,EUR,0.1234567890123", "line 2: rate must be above 0"),
        ],
    )
    def test_a_bad_row_is_named_and_nothing_is_imported(
        self, cli: CommandLine, tmp_path: Path, row: str, text: str
    ) -> None:
        file = tmp_path / "rates.csv"
        file.write_text(f"{HEADER}{row}\n")

        assert text in cli.run("rates", "import", str(file), code=2).stderr
