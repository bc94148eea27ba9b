"""`reset-root` and `rotate-key`, while a server serves."""

import itertools
import json
import re
import stat
import threading
import time
import xmlrpc.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from commandline import CommandLine
from faces import Api
from harness import TEST_KEY, until

from xmlrpc_api.crypto.vault import KeyRing

START_SECONDS = 30
NAME = KeyRing.parse(TEST_KEY, "").names[0]
RESELLER = {
    "name": "reseller",
    "web_password": "s3cret-Web",
    "i_tariff": None,
    "api_access": 1,
    "api_password": "s3cret-Api",
}


@pytest.fixture
def with_file(ready: Callable[..., CommandLine], engine: str) -> CommandLine:
    """An installation whose key is in a file."""
    installation = ready(engine)
    del installation.environ["XMLRPC_API_SECRET_KEY"]
    write_key(installation, TEST_KEY)
    return installation


def write_key(installation: CommandLine, text: str) -> None:
    file = installation.folder / "var" / "secret.key"
    file.parent.mkdir(exist_ok=True)
    file.touch(0o600)
    file.write_text(text)


def key_file(installation: CommandLine) -> list[str]:
    file = installation.folder / "var" / "secret.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    return file.read_text().split()


def api(installation: CommandLine, login: str = "ssp-root", password: str | None = None) -> Api:
    url = f"http://127.0.0.1:{installation.port}/xmlapi/xmlapi"
    return Api(url, login, password or installation.environ["XMLRPC_API_PASSWORD"])


class Caller(threading.Thread):
    """Changes his own sub-customer's password over and over, and logs in with it; notes what he is refused."""

    def __init__(self, installation: CommandLine, i_customer: int) -> None:
        super().__init__(daemon=True)
        self._installation, self._i_customer = installation, i_customer
        self._stopped = threading.Event()
        self.calls = 0
        self.password = "s3cret-Api"
        self.refused: list[str] = []

    def run(self) -> None:
        root = api(self._installation)
        for number in itertools.count():
            if self._stopped.is_set():
                return
            try:
                password = f"password-{number}"
                root.updateCustomer(i_customer=self._i_customer, api_password=password, idempotency_key=password)
                self.password = password
                api(self._installation, "reseller", password).listCustomers()
            except Exception as error:  # noqa: BLE001 (whatever it is, it is told)
                self.refused.append(repr(error))
            self.calls += 1

    def wait_for(self, calls: int) -> None:
        target, until = self.calls + calls, time.monotonic() + START_SECONDS
        while self.calls < target:
            assert time.monotonic() < until
            self._stopped.wait(0.05)

    def stop(self) -> None:
        self._stopped.set()
        self.join(START_SECONDS)


@contextmanager
def calling(installation: CommandLine) -> Iterator[Caller]:
    i_customer = api(installation).createCustomer(**RESELLER)["i_customer"]
    caller = Caller(installation, i_customer)
    caller.start()
    caller.wait_for(1)
    yield caller
    caller.stop()


class TestRotateKey:
    def test_nothing_is_refused_meanwhile_and_the_old_key_may_go(self, with_file: CommandLine) -> None:
        log = with_file.folder / "log"
        voucher = ["vouchers", "generate", "v.csv", "--series", "s", "--value", "5", "--currency", "USD"]
        with_file.run(*voucher)
        with log.open("wb") as stream, with_file.serving(stderr=stream), calling(with_file) as caller:
            told = with_file.run("rotate-key").stdout
            await_line(log, b"key taken up")
            caller.wait_for(3)
            retired = with_file.run("rotate-key", "--retire").stdout
            caller.wait_for(3)
        new, *proofs = key_file(with_file)

        assert caller.refused == []
        assert "values were encrypted anew" in told
        assert f"Key {NAME} decrypts nothing any more; it proves" in told
        assert f"Key {NAME} may go." in retired
        assert TEST_KEY not in [new, *proofs]
        assert {proof.rpartition(":")[0] for proof in proofs} >= {
            f"{NAME}:{purpose}" for purpose in ("audit_row", "audit_chain", "voucher", "idempotency")
        }
        with with_file.serving():
            assert api(with_file, "reseller", caller.password).listCustomers()["customers"] == []
        verified = json.loads(with_file.run("verify", "--json").stdout)
        assert verified["findings"] == []
        assert "failed" not in with_file.run("check").stdout

    def test_a_server_that_is_started_between_the_steps_serves(self, with_file: CommandLine) -> None:
        with_file.run("rotate-key", "--prepare")
        coming, old = key_file(with_file)
        with with_file.serving():
            assert api(with_file).listCustomers()["result"] == "OK"
            with_file.run("rotate-key")
            assert api(with_file).listCustomers()["result"] == "OK"

        assert key_file(with_file) == [coming.removeprefix("next:"), old]

    def test_run_again_it_goes_on_with_the_same_key(self, with_file: CommandLine) -> None:
        with_file.run("rotate-key")
        before = key_file(with_file)

        assert "0 values were encrypted anew" in with_file.run("rotate-key").stdout
        assert key_file(with_file) == before

    def test_a_key_in_the_environment_is_changed_there(self, cli: CommandLine) -> None:
        new = "7b" * 32
        assert "put a new key" in cli.run("rotate-key", code=2).stderr

        cli.run("rotate-key", XMLRPC_API_SECRET_KEY=f"{new} {TEST_KEY}")
        told = cli.run("rotate-key", "--retire", XMLRPC_API_SECRET_KEY=f"{new} {TEST_KEY}").stdout

        rest = next(line.strip() for line in told.splitlines() if new in line)
        assert TEST_KEY not in rest
        assert "failed" not in cli.run("check", XMLRPC_API_SECRET_KEY=rest).stdout

    def test_without_the_old_key_it_says_what_cannot_be_decrypted(self, with_file: CommandLine) -> None:
        write_key(with_file, f"{'7b' * 32}\n{'8c' * 32}\n")

        told = with_file.run("rotate-key", code=2).stderr

        assert "customers.api_password:1 cannot be decrypted: its key is missing" in told
        assert "Put the missing key back" in told


def await_line(log: Any, line: bytes) -> None:
    until(lambda: line in log.read_bytes())


def test_verify_names_the_missing_key_and_cries_no_sabotage(cli_on_each: CommandLine) -> None:
    with cli_on_each.serving_here():
        api(cli_on_each).createCustomer(**RESELLER)

    done = cli_on_each.run("verify", code=1, XMLRPC_API_SECRET_KEY="7b" * 32)

    assert re.search(f"key '{NAME}' is not in the key file, so [0-9]+ signatures of the history cannot be", done.stdout)
    assert "Put the missing keys back into the key file" in done.stderr
    assert f"Key {NAME} is missing" in cli_on_each.run("check", code=1, XMLRPC_API_SECRET_KEY="7b" * 32).stdout


class TestResetRoot:
    def test_the_new_password_counts_at_once_and_the_old_one_no_more(self, cli_on_each: CommandLine) -> None:
        old = cli_on_each.environ["XMLRPC_API_PASSWORD"]
        with cli_on_each.serving():
            (new,) = told_passwords(cli_on_each.run("reset-root").stdout)

            assert api(cli_on_each, password=new).listCustomers()["result"] == "OK"
            with pytest.raises(Exception, match="401"):
                api(cli_on_each, password=old).listCustomers()
            noted, _made = api(cli_on_each, password=new).getAuditLogs()["records"]
        assert (noted["method"], noted["dialect"]) == ("reset-root", "cli")
        assert new not in str(noted)
        assert "Nothing is wrong" in cli_on_each.run("verify").stdout

    def test_a_web_password_is_made_if_it_is_wanted(self, cli: CommandLine) -> None:
        cli.environ["XMLRPC_API_TRUSTED_HOSTS"] = "127.0.0.1"
        _, portal = told_passwords(cli.run("reset-root", "--web-password").stdout)

        with cli.serving_here(), xmlrpc.client.ServerProxy(f"http://127.0.0.1:{cli.port}/xmlapi/xmlapi") as trusted:
            assert trusted.authCustomer({"username": "ssp-root", "password": portal})["i_customer"] == 1


def told_passwords(text: str) -> list[str]:
    return [line.rpartition(" ")[2] for line in text.splitlines() if " password:  " in line]
