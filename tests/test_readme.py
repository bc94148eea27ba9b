"""The calls that README and docs/ show do what they say when they are pasted."""

import re
import subprocess
import sys
from collections.abc import Callable

import contract
import pytest
from harness import Server
from wire import php_has_curl

PAGES = "".join(page.read_text() for page in contract.PAGES)
SHOWN = re.findall(r"```(python|php|sh)\n(.*?)```", PAGES, re.DOTALL)
CALLS = {kind: text for kind, text in SHOWN if "/xmlapi/xmlapi" in text}
COMMANDS = {"python": [sys.executable, "-"], "php": ["php"], "sh": ["sh", "-s"]}
ANSWERS = {"python": "'i_customer': ", "php": "<name>customers</name>", "sh": "<string>createCustomer</string>"}


@pytest.mark.parametrize("kind", COMMANDS)
def test_the_first_call_works_as_printed(server: Server, kind: str) -> None:
    """With the address and password of this server put in."""
    done = paste(kind, server, server.root_password)

    assert ANSWERS[kind] in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("kind", COMMANDS)
def test_a_refused_login_is_not_tried_again(variant: Callable[..., Server], kind: str) -> None:
    """Every wrong response counts: of two that a login has, one is left."""
    strict = variant(api_login_failures=2)

    done = paste(kind, strict, "wrong")

    assert ANSWERS[kind] not in done.stdout
    assert strict.api().listCustomers(limit=0)["result"] == "OK"


def paste(kind: str, server: Server, password: str) -> subprocess.CompletedProcess[str]:
    """Run a call with the address of a server, and a password of root's."""
    if kind == "php" and not php_has_curl():
        pytest.skip("php with its curl extension is not installed")
    text = CALLS[kind].replace("http://127.0.0.1:8080", server.address)
    text = text.replace("the password that init printed", password)
    return subprocess.run(COMMANDS[kind], input=text, capture_output=True, text=True, timeout=30, check=False)
