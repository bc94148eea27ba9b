"""`init`, `migrate`, `serve` and `check`."""

import json
import re
import signal
import stat
import subprocess
from contextlib import nullcontext
from pathlib import Path

import pytest
from harness import until
from postgresql import make_durable
from sqlalchemy import make_url

from xmlrpc_api.config import ConfigError, load


def printed_calls(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(("curl ", "XMLRPC_API_PASSWORD="))]


class TestInit:
    def test_prints_two_calls_that_work_as_printed(self, new_installation):
        cli = new_installation()
        calls = printed_calls(cli.run("init").stdout)
        assert len(calls) == 2

        with cli.serving():
            for call in calls:
                done = subprocess.run(
                    ["bash", "-c", call], cwd=cli.folder, env=cli.environ, capture_output=True, text=True, check=False
                )
                assert done.returncode == 0, done.stderr
                assert re.search("result.*OK", done.stdout, re.DOTALL)

    def test_prints_the_password_once(self, cli):
        again = cli.run("init").stdout

        assert cli.environ["XMLRPC_API_PASSWORD"] not in again
        assert "All is there" in again

    def test_a_second_run_prints_calls_that_read_the_password_from_the_environment(self, cli):
        calls = printed_calls(cli.run("init").stdout)

        with cli.serving():
            for call in calls:
                done = subprocess.run(
                    ["bash", "-c", call], cwd=cli.folder, env=cli.environ, capture_output=True, text=True, check=False
                )
                assert "OK" in done.stdout, done.stderr

    def test_makes_a_key_file_that_nobody_else_reads(self, new_installation):
        cli = new_installation()
        del cli.environ["XMLRPC_API_SECRET_KEY"]

        cli.run("init")

        key = cli.folder / "var" / "secret.key"
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert re.fullmatch("[0-9a-f]{64}\n", key.read_text())

    def test_keeps_the_key_file_that_is_there(self, new_installation):
        cli = new_installation()
        del cli.environ["XMLRPC_API_SECRET_KEY"]
        cli.run("init")
        key = (cli.folder / "var" / "secret.key").read_text()

        cli.run("init")

        assert (cli.folder / "var" / "secret.key").read_text() == key

    def test_refuses_an_unknown_currency(self, new_installation):
        assert "There is no currency XXY" in new_installation().run("init", "--currency", "XXY", code=2).stderr


class TestMigrate:
    def test_tells_from_where_to_where(self, new_installation, engine):
        cli = new_installation(engine)

        assert "Migrated: empty → 0" in cli.run("migrate").stdout
        assert "The tables are at revision" in cli.run("migrate").stdout


class TestServe:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_ends_in_good_order_at_a_signal(self, cli_on_each, number):
        with cli_on_each.serving() as process:
            process.send_signal(number)

            assert process.wait(20) == 0

    def test_needs_init_first(self, new_installation):
        assert "Run: xmlrpc-api init" in new_installation().run("serve", code=2).stderr

    def test_refuses_a_second_server_on_the_same_sqlite_file(self, ready):
        cli = ready()

        with cli.serving():
            assert "Another server is using this database" in cli.run_apart("serve", "--port", "0", code=2).stderr

    def test_tells_when_the_port_is_taken(self, ready):
        cli = ready("postgresql")

        with cli.serving():
            assert "Cannot listen" in cli.run_apart("serve", code=2).stderr

    def test_serves_with_several_workers(self, ready):
        cli = ready("postgresql", workers="2")

        with cli.serving() as process:
            for _ in range(10):
                assert '"OK"' in cli.run("call", "listCustomers").stdout
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0

    def test_starts_a_worker_again_that_died(self, ready):
        cli = ready("postgresql", workers="2")

        with cli.serving() as process:
            before = children(process.pid)
            for worker in before:
                subprocess.run(["kill", "-9", str(worker)], check=True)
            until(lambda: len(set(children(process.pid)) - set(before)) == 2)
            cli.await_port(process)
            assert '"OK"' in cli.run("call", "listCustomers").stdout

    def test_workers_end_with_their_parent(self, ready):
        cli = ready("postgresql", workers="2")

        with cli.serving() as process:
            workers = children(process.pid)
            assert len(workers) >= 2
            process.kill()
            until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))

    def test_refuses_several_workers_on_sqlite(self, new_installation):
        assert "SQLite serves one process" in new_installation(workers="2").run_apart("serve", code=2).stderr

    def test_serves_tls(self, ready, tmp_path):
        subject = ["-subj", "/CN=localhost", "-days", "1", "-nodes"]
        key = ["-newkey", "rsa:2048", "-keyout", "key.pem", "-out", "cert.pem"]
        subprocess.run(["openssl", "req", "-x509", *subject, *key], cwd=tmp_path, check=True, capture_output=True)
        cli = ready(tls_certificate="cert.pem", tls_key="key.pem")

        with cli.serving():
            assert '"OK"' in cli.run("call", "--insecure", "listCustomers").stdout
            assert "certificate" in cli.run("call", "listCustomers", code=3).stderr.lower()

    def test_serves_on_a_unix_socket(self, ready):
        cli = ready(socket="api.sock")
        process = subprocess.Popen(cli.command("serve"), cwd=cli.folder, env=cli.environ, stderr=subprocess.DEVNULL)
        try:
            until((cli.folder / "api.sock").exists)
            assert '"OK"' in cli.run("call", "listCustomers").stdout
        finally:
            process.terminate()
            process.wait(20)


def children(parent: int) -> list[int]:
    return [int(number) for number in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


@pytest.fixture
def durable(postgres):
    """The PostgreSQL of all tests, as it is where a power cut matters."""
    make_durable(postgres, "on")
    yield
    make_durable(postgres, "off")


class TestCheck:
    def test_warns_of_a_database_that_a_power_cut_spoils(self, ready):
        assert "fsync, full_page_writes is off" in ready("postgresql").run("check").stdout

    def test_is_content_with_a_new_installation(self, cli_on_each, durable):
        done = cli_on_each.run("check")

        assert "failed" not in done.stdout
        assert "warning" not in done.stdout

    def test_programs_read_json(self, cli):
        points = json.loads(cli.run("check", "--json").stdout)
        failed = json.loads(cli.run("check", "--json", code=1, XMLRPC_API_PORT="http").stdout)

        assert {"what": "database", "verdict": "ok", "advice": ""} in points
        assert [(point["what"], point["verdict"]) for point in failed] == [("configuration", "failed")]

    def test_names_the_command_for_an_empty_database(self, new_installation, engine):
        assert "Run: xmlrpc-api init" in new_installation(engine).run("check", code=1).stdout

    def test_tells_that_the_database_does_not_answer(self, new_installation):
        cli = new_installation(database_url="postgresql://nobody@127.0.0.1:1/nothing")

        assert "127.0.0.1:1 does not answer" in cli.run("check", code=1).stdout

    def test_tells_that_the_key_is_the_wrong_one(self, cli_on_each):
        assert "put the key back" in cli_on_each.run("check", code=1, XMLRPC_API_SECRET_KEY="00" * 32).stdout

    def test_tells_that_others_can_read_the_key_file(self, new_installation):
        cli = new_installation()
        del cli.environ["XMLRPC_API_SECRET_KEY"]
        cli.run("init")
        (cli.folder / "var" / "secret.key").chmod(0o644)

        assert "chmod 600" in cli.run("check", code=1).stdout

    def test_names_a_setting_that_cannot_be_used(self, cli):
        assert "bcrypt_cost" in cli.run("check", code=1, XMLRPC_API_BCRYPT_COST="many").stdout

    @pytest.mark.parametrize(
        ("name", "value", "advice"),
        [
            ("HOST", "0.0.0.0", "travel in clear"),
            ("TRUSTED_HOSTS", "8.8.8.0/24", "may do everything"),
            ("HOSTT", "::1", "No setting has this name: XMLRPC_API_HOSTT"),
        ],
    )
    def test_warns_of_what_is_probably_a_mistake(self, ready, name, value, advice):
        cli = ready()

        assert advice in cli.run("check", XMLRPC_API_PLAIN_HTTP="true", **{f"XMLRPC_API_{name}": value}).stdout


class TestConfiguration:
    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])
    def test_plain_http_beyond_loopback_must_be_meant(self, cli, host):
        told = cli.run("serve", code=2, XMLRPC_API_HOST=host).stderr

        assert f"host: {host} is not loopback, and passwords would travel in clear" in told

    def test_a_file_with_secrets_must_be_private(self, cli):
        file = cli.folder / "own.toml"
        file.write_text(f'secret_key = "{cli.environ["XMLRPC_API_SECRET_KEY"]}"\n')
        file.chmod(0o640)

        assert "which holds secret_key. Run: chmod 600" in cli.run("--config", "own.toml", "migrate", code=2).stderr
        file.chmod(0o600)
        cli.run("--config", "own.toml", "migrate")

    @pytest.mark.parametrize("url", ["postgresql://me:s3cret@db/x", "postgresql://me@db/x?password=s3cret"])
    def test_a_file_with_the_password_of_the_database_must_be_private(self, cli, url):
        file = cli.folder / "own.toml"
        file.write_text(f'database_url = "{url}"\n')
        file.chmod(0o644)

        told = cli.run("--config", "own.toml", "migrate", code=2).stderr

        assert "which holds a password in database_url. Run: chmod 600" in told
        assert "s3cret" not in told
        file.chmod(0o600)
        cli.run("--config", "own.toml", "migrate")

    def test_a_file_with_an_address_of_the_database_alone_need_not_be_private(self, cli):
        file = cli.folder / "own.toml"
        file.write_text('database_url = "postgresql://me@db/x"\n')
        file.chmod(0o644)

        assert "revision" in cli.run("--config", "own.toml", "migrate").stdout

    @pytest.mark.parametrize("form", ["10.0.0.0/8, ::1", '["10.0.0.0/8", "::1"]', ' ["10.0.0.0/8","::1"] '])
    def test_a_list_in_the_environment_is_json_or_has_commas(self, monkeypatch, form):
        monkeypatch.setenv("XMLRPC_API_TRUSTED_HOSTS", form)

        assert [str(network) for network in load().trusted_hosts] == ["10.0.0.0/8", "::1/128"]

    def test_a_removed_one_is_told_wherever_it_stands(self, monkeypatch):
        monkeypatch.setenv("XMLRPC_API_CALLER_FAILURES", "100")

        with pytest.raises(ConfigError, match="XMLRPC_API_CALLER_FAILURES: is no setting any more"):
            load()

    def test_a_file_is_read_and_the_environment_wins(self, cli):
        file = cli.folder / "own.toml"
        file.write_text('realm = "from-file"\nport = 1\n')

        with cli.serving():
            assert '"OK"' in cli.run("--config", "own.toml", "call", "listCustomers").stdout

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("colour = 1", "colour: there is no such setting"),
            ("caller_failures = 100", "caller_failures: is no setting any more, since it let one attacker shut out"),
            ("nonce_seconds = 1", "nonce_seconds:"),
            ("port = ", "cannot be read"),
            ('trusted_hosts = ["10.0.0.1/8"]', "trusted_hosts.0: 10.0.0.1/8 has host bits set\n"),
            ("trusted_hosts = '[10.0.0.1]'", "trusted_hosts: must be a JSON list"),
            ("trusted_hosts = [1]", "trusted_hosts.0: '1' does not appear to be"),
        ],
    )
    def test_a_bad_file_is_told_in_one_line(self, cli, text, told):
        (cli.folder / "bad.toml").write_text(text)

        assert told in cli.run("--config", "bad.toml", "migrate", code=2).stderr

    def test_an_address_of_a_database_that_cannot_be_read_is_told_without_its_password(self, cli):
        told = cli.run("migrate", code=2, XMLRPC_API_DATABASE_URL="postgresql://me:s3@cret:x/y@host:port/x").stderr

        assert "database_url: cannot be taken apart: in user and password write @ as %40" in told
        assert "s3" not in told

    @pytest.mark.parametrize(
        "url",
        [
            "sqlite:///var/x.db",
            "sqlite:////srv/x:y.db",
            "sqlite:///:memory:",
            "postgresql://h/x",
            "postgresql://me@h:5432/x",
            "postgresql://me:s3cret@h/x",
            "postgresql://me:@h/x",
            "postgresql://:s3cret@h",
            "postgresql://me:s3%40cret@h/x",
            "postgresql://me:s3@cret@h/x",
            "postgresql://me:s3:cret@h/x",
            "postgresql://me@h/x?password=s3cret",
            "postgresql://me@[::1]:5432/x",
        ],
    )
    def test_an_address_holds_the_password_that_sqlalchemy_finds_in_it(self, tmp_path, url):
        file = tmp_path / "open.toml"
        file.write_text(f'database_url = "{url}"')
        file.chmod(0o644)
        parts = make_url(url)
        refused = pytest.raises(ConfigError, match="holds a password in database_url")

        with refused if parts.password or "password" in parts.query else nullcontext():
            load(file)

    def test_a_missing_file_is_told(self, cli):
        assert "There is no configuration file" in cli.run("--config", "none.toml", "migrate", code=2).stderr
