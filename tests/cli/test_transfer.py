"""`customers export` and `customers import`."""

import csv
import json
import signal
import stat
import subprocess
import xmlrpc.client

import pytest
from harness import until
from passlib.hash import sha512_crypt

ROWS = [
    {"name": "Ünïcode <1>", "web_password": "s3cret-1", "city": "Köln", "balance": "12.5", "callshop_enabled": "1"},
    {"name": "second", "web_password": "s3cret-2", "description": 'quoted "text", comma', "max_sessions": r"\N"},
]


def write_csv(path, rows):
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)


def results(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def exported(cli, *arguments):
    cli.run("customers", "export", "out.jsonl", *arguments)
    return [json.loads(line) for line in (cli.folder / "out.jsonl").read_text().splitlines()]


def test_csv_rows_become_customers(cli_on_each):
    write_csv(cli_on_each.folder / "in.csv", ROWS)

    done = cli_on_each.run("customers", "import", "in.csv")

    assert "2 created" in done.stderr
    first, second = exported(cli_on_each)
    assert (first["name"], first["city"], first["balance"], first["callshop_enabled"]) == (
        "Ünïcode <1>",
        "Köln",
        12.5,
        True,
    )
    assert (second["description"], second["max_sessions"]) == ('quoted "text", comma', None)


def test_json_lines_become_customers(cli):
    (cli.folder / "in.jsonl").write_text(
        '{"name": "one", "web_password": "s3cret", "balance": 0.1}\n\n{"name": "two"}\n'
    )

    cli.run("customers", "import", "in.jsonl")

    assert [(c["name"], c["balance"]) for c in exported(cli)] == [("one", 0.1), ("two", 0.0)]


def test_a_password_is_made_up_where_none_is_given_and_told_in_the_results_alone(cli):
    write_csv(cli.folder / "in.csv", [{"name": "one"}])

    done = cli.run("customers", "import", "in.csv")

    target = cli.folder / "in.csv.results.csv"
    (password,) = {row["web_password"] for row in results(target) if row["result"] == "created"}
    assert len(password) >= 16
    assert password not in done.stdout + done.stderr
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_dry_run_tries_every_rule_and_changes_nothing(cli_on_each):
    write_csv(cli_on_each.folder / "in.csv", [*ROWS, {"name": "second"}, {"name": "third", "accounts_mgmt": "9"}])

    done = cli_on_each.run("customers", "import", "in.csv", "--dry-run", code=1)

    assert "2 created, 2 failed" in done.stderr
    assert exported(cli_on_each) == []
    texts = [row["text"] for row in results(cli_on_each.folder / "in.csv.results.csv") if row["result"] == "failed"]
    assert texts == ["Parameter name is already taken", "Parameter accounts_mgmt must be between 0 and 7"]


def test_bad_rows_are_told_by_line_and_do_not_stop_the_rest(cli):
    (cli.folder / "in.csv").write_bytes(
        b"name,email\none,nobody\ntwo,a@example.com,extra\nthr\xffee,\n" + b"vier,a@example.com\n"
    )

    done = cli.run("customers", "import", "in.csv", code=1)

    assert "1 created, 3 failed" in done.stderr
    failed = [row for row in results(cli.folder / "in.csv.results.csv") if row["result"] == "failed"]
    assert [row["line"] for row in failed] == ["2", "3", "4"]
    assert [row["text"] for row in failed] == [
        "Parameter email is not a valid e-mail address",
        "The row has more cells than the header",
        "Parameter name holds a character that XML does not allow",
    ]


def test_running_again_creates_nothing_twice(cli):
    write_csv(cli.folder / "in.csv", ROWS)
    cli.run("customers", "import", "in.csv")

    done = cli.run("customers", "import", "in.csv")

    assert "2 exists" in done.stderr
    assert len(exported(cli)) == 2


def test_update_changes_those_that_exist(cli):
    write_csv(cli.folder / "in.csv", ROWS)
    cli.run("customers", "import", "in.csv")
    write_csv(cli.folder / "in.csv", [{"name": "second", "city": "Bonn"}])

    done = cli.run("customers", "import", "in.csv", "--update")

    assert "1 updated" in done.stderr
    assert [c["city"] for c in exported(cli)] == ["Köln", "Bonn"]


def test_after_a_kill_it_can_be_run_again(cli_on_each):
    names = [f"customer {number}" for number in range(200)]
    write_csv(cli_on_each.folder / "in.csv", [{"name": name} for name in names])
    process = subprocess.Popen(
        cli_on_each.command("customers", "import", "in.csv"),
        cwd=cli_on_each.folder,
        env=cli_on_each.environ,
        stderr=subprocess.DEVNULL,
    )
    target = cli_on_each.folder / "in.csv.results.csv"
    until(lambda: target.exists() and target.read_text().count("created") >= 10)
    process.send_signal(signal.SIGKILL)
    process.wait()

    cli_on_each.run("customers", "import", "in.csv")

    assert [c["name"] for c in exported(cli_on_each)] == names
    files = (target, cli_on_each.folder / "in.csv.results.2.csv")
    noted = {row["name"] for file in files for row in results(file) if row["web_password"]}
    assert noted == set(names)


def test_every_run_has_a_results_file_of_its_own_and_none_is_overwritten(cli):
    write_csv(cli.folder / "in.csv", [{"name": "one"}])
    first = cli.run("customers", "import", "in.csv")
    second = cli.run("customers", "import", "in.csv")

    assert "Results: in.csv.results.csv" in first.stderr
    assert "Results: in.csv.results.2.csv" in second.stderr
    assert [row["result"] for row in results(cli.folder / "in.csv.results.2.csv")] == ["exists"]
    told = cli.run("customers", "import", "in.csv", "--results", "in.csv.results.csv", code=2).stderr
    assert "is there already, and may hold passwords" in told


def test_an_update_keeps_what_the_row_does_not_name(cli):
    """The password and the tariff, too: they are made up for new customers alone."""
    cli.environ["XMLRPC_API_TRUSTED_HOSTS"] = "127.0.0.1"
    write_csv(cli.folder / "in.csv", [{"name": "one", "web_password": "s3cret-Web"}])
    cli.run("customers", "import", "in.csv")
    write_csv(cli.folder / "in.csv", [{"name": "one", "city": "Bonn"}])

    cli.run("customers", "import", "in.csv", "--update")

    assert not any(row["web_password"] for row in results(cli.folder / "in.csv.results.2.csv"))
    with cli.serving_here(), portal(cli) as api:
        assert api.authCustomer({"username": "one", "password": "s3cret-Web"})["result"] == "OK"
        records = api.getCustomerHistory({"i_customer": 2, "i_wholesaler": 1})["records"]
    changed = [record["after"] for record in records if record["action"] == "U"]
    assert [sorted(json.loads(after) if isinstance(after, str) else after) for after in changed] == [
        ["city", "version"]
    ]


def portal(cli):
    return xmlrpc.client.ServerProxy(f"http://127.0.0.1:{cli.port}/xmlapi/xmlapi", allow_none=True)


@pytest.mark.parametrize("is_there", [False, True])
def test_a_hash_of_another_system_may_stand_for_the_password(cli, is_there):
    cli.environ["XMLRPC_API_TRUSTED_HOSTS"] = "127.0.0.1"
    if is_there:
        write_csv(cli.folder / "in.csv", [{"name": "one", "web_password": "s3cret-Web"}])
        cli.run("customers", "import", "in.csv")
    hashed = sha512_crypt.using(rounds=5000).hash("as before")
    write_csv(cli.folder / "in.csv", [{"name": "one", "web_password_hash": hashed}])

    cli.run("customers", "import", "in.csv", "--update")

    with cli.serving_here(), portal(cli) as api:
        for _ in range(2):  # the first login makes it a hash of our own
            assert api.authCustomer({"username": "one", "password": "as before"})["result"] == "OK"
        with pytest.raises(xmlrpc.client.Fault):
            api.authCustomer({"username": "one", "password": "s3cret-Web"})
    assert "Nothing is wrong" in cli.run("verify").stdout


def test_a_hash_that_cannot_be_checked_is_told(cli):
    both = {"web_password": "s3cret-Web", "web_password_hash": sha512_crypt.using(rounds=5000).hash("x")}
    write_csv(cli.folder / "in.csv", [{"name": "one", "web_password_hash": "5f4dcc3b"}, {"name": "two", **both}])

    cli.run("customers", "import", "in.csv", code=1)

    assert [row["text"] for row in results(cli.folder / "in.csv.results.csv")] == [
        "Parameter web_password_hash is no bcrypt, SHA-crypt or MD5-crypt hash, or one of a cost beyond all bounds",
        "Parameter web_password_hash and web_password exclude each other",
    ]


def test_a_dry_run_hashes_nothing(cli):
    """One hash of this cost takes longer than a command may run here."""
    write_csv(cli.folder / "in.csv", [{"name": f"customer {number}"} for number in range(5)])

    assert "5 created" in cli.run("customers", "import", "in.csv", "--dry-run", XMLRPC_API_BCRYPT_COST="20").stderr


def test_rows_that_the_database_refuses_leave_the_others_of_their_transaction(cli_on_each):
    rows = [{"name": f"customer {number}", "web_login": f"login {number}"} for number in range(150)]
    rows[7]["web_login"] = rows[3]["web_login"]
    rows[120]["credit_limit"] = "5"
    rows[120]["balance"] = "-6"
    write_csv(cli_on_each.folder / "in.csv", rows)

    done = cli_on_each.run("customers", "import", "in.csv", code=1)

    assert "148 created, 2 failed" in done.stderr
    failed = [row for row in results(cli_on_each.folder / "in.csv.results.csv") if row["result"] == "failed"]
    assert [row["line"] for row in failed] == ["9", "122"]
    assert len(exported(cli_on_each)) == 148
    assert "Nothing is wrong" in cli_on_each.run("verify").stdout


def test_a_name_that_is_twice_in_a_file_is_there_already_the_second_time(cli):
    write_csv(cli.folder / "in.csv", [{"name": "one"}, {"name": "two"}, {"name": "one"}])

    assert "2 created, 1 exists" in cli.run("customers", "import", "in.csv").stderr


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_an_export_can_be_imported_below_another_owner(cli, form):
    full = {
        **ROWS[0],
        "api_access": "1",
        "max_depth": "3",
        "customers_mgmt": "7",
        "credit_limit": "0.000001",
        "css": " a\r\n b ",
    }
    write_csv(
        cli.folder / "in.csv",
        [full, {**ROWS[1], "max_depth": "0"}, {"name": "new owner", "customers_mgmt": "7", "api_mgmt": "1"}],
    )
    cli.run("customers", "import", "in.csv")
    before = exported(cli)[:2]
    cli.run("customers", "export", f"all.{form}")
    rename(cli, before)  # names are unique: the old ones make room

    cli.run("customers", "import", f"all.{form}", "--owner", "new owner", "--results", "r.csv")

    own = {"i_customer", "i_wholesaler", "i_web_user"}
    after = exported(cli, "--owner", "new owner")
    assert [{k: v for k, v in c.items() if k not in own} for c in after] == [
        {k: v for k, v in c.items() if k not in own} for c in before
    ]


def rename(cli, customers):
    with cli.serving_here():
        for customer in customers:
            cli.run(
                "call",
                "updateCustomer",
                f"i_customer:={customer['i_customer']}",
                f"name=old {customer['name']}",
                f"web_login=old {customer['name']}",
            )


def test_an_unknown_owner_is_told(cli):
    assert "There is no customer nobody" in cli.run("customers", "export", "a.csv", "--owner", "nobody", code=2).stderr


def test_an_unknown_format_is_told(cli):
    assert "name the format" in cli.run("customers", "export", "a.xls", code=2).stderr


def test_a_missing_file_is_told(cli):
    assert "There is no file" in cli.run("customers", "import", "none.csv", code=2).stderr


def test_standard_streams_serve_as_files(cli):
    cli.run("customers", "import", "-", "--format", "csv", stdin="name\none\n")

    (row,) = csv.DictReader(cli.run("customers", "export", "-", "--format", "csv").stdout.splitlines())
    assert row["name"] == "one"
