"""docs/walkthrough.md, pasted into a shell."""

import re
import subprocess

import contract
from commandline import CommandLine

PAGE = (contract.DOCS / "walkthrough.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
TOLD = re.findall(r"\b0\.\d+\b", PAGE.rpartition("```")[2])


def test_what_is_pasted_ends_with_the_prices_that_the_page_tells(cli: CommandLine) -> None:
    pasted = "\n".join(BLOCKS).replace("the password that init printed", cli.environ["XMLRPC_API_PASSWORD"])

    with cli.serving():
        done = subprocess.run(
            ["sh", "-e"], input=pasted, cwd=cli.folder, env=cli.environ, capture_output=True, text=True, check=False
        )

    assert done.returncode == 0, done.stdout + done.stderr
    asked = done.stdout.rpartition('"result"')[2]
    assert [price for price in ("0.29", "0.06335") if price not in asked] == []
    assert {"0.29", "0.06335"} <= set(TOLD)
