"""`users import`: people keep the passwords that they had in another system."""

import csv
import xmlrpc.client

import bcrypt
import pytest
from passlib.hash import apr_md5_crypt, md5_crypt, sha256_crypt, sha512_crypt

PASSWORD = "Grüße, 72 bytes and more " + "x" * 60

HASHES = {
    "bcrypt-2a": bcrypt.hashpw(PASSWORD.encode()[:72], bcrypt.gensalt(4, b"2a")).decode(),
    "bcrypt-2b": bcrypt.hashpw(PASSWORD.encode()[:72], bcrypt.gensalt(4)).decode(),
    "bcrypt-2y": bcrypt.hashpw(PASSWORD.encode()[:72], bcrypt.gensalt(4)).decode().replace("$2b$", "$2y$"),
    "sha256": sha256_crypt.using(rounds=1000).hash(PASSWORD),
    "sha512": sha512_crypt.using(rounds=5000).hash(PASSWORD),
    "md5": md5_crypt.hash(PASSWORD),
    "apache": apr_md5_crypt.hash(PASSWORD),
}


def write(cli, rows):
    names = list(dict.fromkeys(name for row in rows for name in row))
    with (cli.folder / "in.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)


def results(cli):
    with (cli.folder / "in.csv.results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def import_users(cli, rows, *options, code=0):
    write(cli, rows)
    done = cli.run("users", "import", "in.csv", *options, code=code)
    return done.stderr, results(cli)


class Portal:
    def __init__(self, cli):
        cli.environ |= {"XMLRPC_API_TRUSTED_HOSTS": "127.0.0.1"}
        self._cli = cli

    @property
    def url(self):
        return f"http://127.0.0.1:{self._cli.port}/xmlapi/xmlapi"

    def lets_in(self, login, password=PASSWORD):
        with xmlrpc.client.ServerProxy(self.url) as api:
            try:
                return api.authCustomer({"username": login, "password": password})["result"] == "OK"
            except xmlrpc.client.Fault:
                return False

    def call(self, method, **params):
        with xmlrpc.client.ServerProxy(self.url, allow_none=True) as api:
            return getattr(api, method)({"i_wholesaler": 1, **params})


def test_every_kind_of_hash_is_taken_over_and_replaced_at_the_first_login(cli_on_each):
    portal = Portal(cli_on_each)
    with cli_on_each.serving_here():
        for kind in HASHES:
            portal.call("createCustomer", name=kind, web_password="s3cret-Web", i_tariff=None)

    told, rows = import_users(
        cli_on_each, [{"web_login": kind, "password_hash": hashed} for kind, hashed in HASHES.items()]
    )

    assert f"{len(HASHES)} taken over" in told
    assert [(row["web_login"], row["result"]) for row in rows] == [(kind, "taken over") for kind in HASHES]
    with cli_on_each.serving_here():
        for kind in HASHES:
            assert not portal.lets_in(kind, PASSWORD[:30]), kind
            assert not portal.lets_in(kind, "s3cret-Web"), kind
            assert portal.lets_in(kind), kind
            assert portal.lets_in(kind), kind
            same_in_bcrypt = PASSWORD + "more"
            assert not portal.lets_in(kind, same_in_bcrypt), kind
    assert "Nothing is wrong" in cli_on_each.run("verify").stdout


def test_a_password_may_be_given_as_it_is_whatever_the_policy(cli):
    portal = Portal(cli)
    with cli.serving_here():
        portal.call("createCustomer", name="acme", web_password="s3cret-Web", i_tariff=None)

    import_users(cli, [{"web_login": "acme", "web_password": "abc"}])

    with cli.serving_here():
        assert portal.lets_in("acme", "abc")


def test_a_login_that_is_not_there_is_created_for_its_customer(cli):
    portal = Portal(cli)
    with cli.serving_here():
        i_customer = portal.call("createCustomer", name="acme", web_password="s3cret-Web", i_tariff=None)["i_customer"]
    new = {"password_hash": HASHES["md5"], "i_access_level": "BILLING", "email": "ada@example.com"}

    told, rows = import_users(
        cli,
        [
            {"web_login": "by name", "customer": "acme", **new},
            {"web_login": "by id", "customer": str(i_customer), **new},
        ],
    )

    assert "2 created" in told
    with cli.serving_here():
        assert portal.lets_in("by name")
        assert portal.lets_in("by id")
        users = portal.call("listWebUsers", i_customer=i_customer)["web_users"]
    assert [(user["i_access_level"], user["email"]) for user in users[1:]] == [("BILLING", "ada@example.com")] * 2
    assert [int(row["i_web_user"]) for row in rows] == [user["i_web_user"] for user in users[1:]]


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"web_login": "nobody", "password_hash": HASHES["md5"]}, "Web user not found"),
        ({"web_login": "new", "password_hash": HASHES["md5"], "customer": "nobody"}, "Customer not found"),
        ({"web_login": "new", "password_hash": HASHES["md5"], "customer": "0"}, "Customer not found"),
        ({"web_login": "ssp-root"}, "Parameter password_hash or web_password is required, and not both"),
        ({"web_login": "", "password_hash": HASHES["md5"]}, "Parameter web_login is required"),
        (
            {"web_login": "ssp-root", "password_hash": "5f4dcc3b5aa765d61d8327deb882cf99"},
            "Parameter password_hash is no bcrypt, SHA-crypt or MD5-crypt hash, or one of a cost beyond all bounds",
        ),
        (
            {"web_login": "ssp-root", "password_hash": "$6$rounds=999999999$salt$" + "x" * 86},
            "Parameter password_hash is no bcrypt, SHA-crypt or MD5-crypt hash, or one of a cost beyond all bounds",
        ),
        (
            {"web_login": "new", "password_hash": HASHES["md5"], "customer": "1", "i_access_level": "GOD"},
            "Wrong i_access_level",
        ),
    ],
)
def test_what_is_wrong_with_a_row_is_told_and_the_others_are_taken(cli, row, text):
    told, rows = import_users(cli, [row, {"web_login": "good", "customer": "1", "web_password": "abc"}], code=1)

    assert "1 created, 1 failed" in told
    assert (rows[0]["result"], rows[0]["text"]) == ("failed", text)


def test_a_dry_run_changes_nothing(cli):
    told, _ = import_users(cli, [{"web_login": "new", "customer": "1", "web_password": "abc"}], "--dry-run")

    assert "Tried: 1 created" in told
    portal = Portal(cli)
    with cli.serving_here():
        assert not portal.lets_in("new", "abc")
