"""Keys: what is encrypted is found, encrypted anew, and provable afterwards."""

import json
import secrets
from pathlib import Path
from typing import Any

import pytest
from books import findings, seal
from harness import TEST_KEY, Server, unique
from sqlalchemy import update

from models import (
    Account,
    Base,
    Customer,
    IdempotencyKey,
    Sealed,
    Signature,
    SipDomain,
    WebUser,
    columns_of,
    place_of,
)
from xmlrpc_api.config import ConfigError
from xmlrpc_api.crypto.vault import KeyRing, Vault, VaultError, open_vault, read_key_file, replace_key_file
from xmlrpc_api.declaration.manual import sample
from xmlrpc_api.services import keys
from xmlrpc_api.services.accounts.sip_accounts import ACCOUNT
from xmlrpc_api.services.keys import Batch
from xmlrpc_api.storage.database import Database
from xmlrpc_api.transport.rest import dumps

OLD = bytes.fromhex(TEST_KEY)
RING = KeyRing((OLD,))
NEW_RING = RING.rotated()
PLAIN = "canary"


def test_every_column_that_says_it_is_encrypted_or_signed_can_be_found() -> None:
    """A secret text that is kept to be read again must be Sealed: a new key would forget it."""
    kept = [column for table in Base.metadata.sorted_tables for column in table.columns]
    readable = [c for c in kept if "ncrypted" in (c.doc or "") or getattr(c.info.get("field"), "secret", False)]

    hashed = [c for c in readable if getattr(c.info.get("field"), "hashed", False)]
    assert {str(c) for c in readable} - {str(c) for c in hashed} == {str(c) for c in columns_of(Sealed)}
    assert {str(c) for c in kept if getattr(c.type, "length", None) == Signature("").length} == {
        str(c) for c in columns_of(Signature)
    }


@pytest.mark.parametrize("place", ["customers.name:1", "nowhere.nothing:1", "customers.api_passwords:1"])
def test_nothing_is_encrypted_for_a_column_that_is_not_declared_so(place: str) -> None:
    with pytest.raises(ValueError, match="is no place of a Sealed column"):
        Vault(RING).encrypt("text", place)


@pytest.mark.parametrize(
    ("column", "key", "place"),
    [
        (Customer.api_password, (29,), "customers.api_password:29"),
        (Account.voip_password, (11,), "accounts.voip_password:11"),
        (Account.vm_password, (11,), "accounts.vm_password:11"),
        (Account.ha1, (11,), "accounts.ha1:11"),
        (Account.properties, (11,), "accounts.properties:11"),
        (SipDomain.private_key, (3,), "sip_domains.private_key:3"),
        (WebUser.totp_seed, (31,), "web_users.totp_seed:31"),
        (IdempotencyKey.answer, (29, "once"), "idempotency_keys.answer:29:once"),
    ],
)
def test_what_is_stored_stays_readable(column: Any, key: tuple[object, ...], place: str) -> None:
    """A value was encrypted for its place, by this very name."""
    assert place_of(column, *key) == place
    assert place_of(column.property.columns[0], *key) == place


class TestKeyFile:
    def test_is_read_as_it_was_written(self) -> None:
        ring = NEW_RING.prepared().retired(keys.FOR_EVER, [(NEW_RING.names[1], b"one-time password")])

        again = KeyRing.parse(ring.as_text(), "file")

        assert (again.keys, again.coming, again.proofs) == (ring.keys, ring.coming, ring.proofs)

    @pytest.mark.parametrize("text", ["", "ab", f"{TEST_KEY} x", f"a:b:c:{TEST_KEY}", f"old:{TEST_KEY}", "next:"])
    def test_that_holds_something_else_is_refused(self, text: str) -> None:
        with pytest.raises(ConfigError, match="must hold 64 hexadecimal digits"):
            KeyRing.parse(text, "file")

    def test_is_replaced_in_one_step_and_stays_private(self, tmp_path: Path) -> None:
        path = tmp_path / "key"
        path.write_text(TEST_KEY)
        path.chmod(0o600)

        replace_key_file(path, NEW_RING)

        assert read_key_file(path).keys == NEW_RING.keys
        assert [file.name for file in tmp_path.iterdir()] == ["key"]

    def test_is_not_touched_by_two_commands_at_once(self, tmp_path: Path) -> None:
        (tmp_path / "key").write_text(TEST_KEY)
        (tmp_path / "key.new").write_text("")

        with pytest.raises(ConfigError, match="Another command is changing the key file"):
            replace_key_file(tmp_path / "key", NEW_RING)

    def test_may_be_a_link_which_stays_one(self, tmp_path: Path) -> None:
        (tmp_path / "key").write_text(TEST_KEY)
        (tmp_path / "link").symlink_to("key")

        replace_key_file(tmp_path / "link", NEW_RING)

        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "key").read_text() == NEW_RING.as_text()


class TestVault:
    PLACE = "customers.api_password:1"

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        path = tmp_path / "key"
        path.touch(0o600)
        replace_key_file(path, RING)
        return path

    def vault(self, file: Path) -> Vault:
        return Vault(read_key_file(file), file)

    def test_reads_at_once_what_another_process_encrypted_with_a_key_that_is_new_in_the_file(self, file: Path) -> None:
        running = self.vault(file)
        replace_key_file(file, NEW_RING)

        sealed = self.vault(file).encrypt(PLAIN, self.PLACE)

        assert running.decrypt(sealed, self.PLACE) == PLAIN

    def test_reads_on_what_it_encrypted_with_a_key_that_was_taken_out_of_the_file(self, file: Path) -> None:
        running = self.vault(file)
        sealed = running.encrypt(PLAIN, self.PLACE)
        replace_key_file(file, NEW_RING.retired(keys.FOR_EVER, []))

        assert running.refresh()
        assert running.decrypt(sealed, self.PLACE) == PLAIN

    def test_does_not_use_a_coming_key_but_reads_what_others_do_with_it(self, file: Path) -> None:
        prepared = RING.prepared()
        replace_key_file(file, prepared)
        running, ahead = self.vault(file), Vault(prepared.rotated())

        assert running.encrypt(PLAIN, self.PLACE).startswith(RING.names[0])
        assert running.decrypt(ahead.encrypt(PLAIN, self.PLACE), self.PLACE) == PLAIN
        assert running.signed(b"voucher", b"x", ahead.sign(b"voucher", b"x"))

    def test_keeps_its_keys_while_the_file_is_damaged(self, file: Path) -> None:
        running = self.vault(file)
        file.write_text("garbage, and of another length")

        with pytest.raises(ConfigError):
            running.refresh()
        assert running.decrypt(running.encrypt(PLAIN, self.PLACE), self.PLACE) == PLAIN

    def test_proves_with_what_is_left_of_a_retired_key_but_decrypts_nothing(self) -> None:
        before = Vault(RING)
        mac, sealed = before.sign(keys.FOR_EVER[0], b"row"), before.encrypt(PLAIN, self.PLACE)
        voucher = before.sign(b"voucher", b"1234")

        after = Vault(NEW_RING.retired(keys.FOR_EVER, []))

        assert after.signed(keys.FOR_EVER[0], b"row", mac)
        assert not after.signed(keys.FOR_EVER[0], b"another", mac)
        assert not after.signed(b"voucher", b"1234", voucher)
        assert after.missing(b"voucher", voucher) == before.current
        with pytest.raises(VaultError) as caught:
            after.decrypt(sealed, self.PLACE)
        assert caught.value.missing == before.current

    def test_a_retired_key_can_be_retired_further_but_never_for_the_history(self) -> None:
        old = RING.names[0]
        first = NEW_RING.retired(keys.FOR_EVER, [(old, b"voucher")])

        second = first.rotated().retired(keys.FOR_EVER, [])

        assert Vault(first).missing(b"voucher", Vault(RING).sign(b"voucher", b"")) is None
        assert {name for name, purpose in second.proofs if purpose == b"voucher"} == set()
        assert {(name, p) for name in (old, first.names[0]) for p in keys.FOR_EVER} == second.proofs.keys()


def fill(server: Server) -> None:
    """Put something into every column that is kept encrypted."""
    api, vault = server.api(), server.platform.vault
    new = {"web_password": "s3cret-Web", "i_tariff": None, "api_password": "s3cret-Api"}
    for _ in range(3):
        api.createCustomer(name=unique(), **new, idempotency_key=unique("key"))
    account = json.loads(dumps({field.name: sample(field) for field in ACCOUNT.create if field.required}))
    api.createAccount(**{**account, "balance": 0, "i_customer": 1})
    api.resetAccountOneTimePassword(username=account["username"], i_customer=1)

    async def work(database: Database) -> None:
        async with database.write() as session:
            session.add(SipDomain(i_customer=1, domain="example.com", changed=server.platform.clock()))
            await session.flush()
            for column in keys.SEALED:
                key = tuple(column.table.primary_key.columns)
                rows = (await session.execute(column.table.select())).mappings().all()
                assert rows, f"{column.table.name} is empty"
                for row in rows:
                    own = [row[part] for part in key]
                    place = f"{column.table.name}.{column.name}:{':'.join(map(str, own))}"
                    same = [part == value for part, value in zip(key, own, strict=True)]
                    await session.execute(
                        update(column.table).where(*same).values({column: vault.encrypt(f"{PLAIN} {place}", place)})
                    )

    server.run(work)


def encrypt_anew(server: Server, vault: Vault) -> dict[str, list[Batch]]:
    async def work(database: Database) -> dict[str, list[Batch]]:
        batches: dict[str, list[Batch]] = {}
        for column in keys.SEALED:
            last: tuple[Any, ...] | None = None
            while True:
                async with database.write() as session:
                    batch = await keys.encrypt_anew(session, vault, column, last)
                batches.setdefault(str(column), []).append(batch)
                last = batch.last
                if last is None:
                    break
        return batches

    return server.run(work)


class TestEncryptingAnew:
    @pytest.fixture
    def filled(self, fresh: Server) -> Server:
        fill(fresh)
        return fresh

    def test_leaves_nothing_that_needs_the_old_key(self, filled: Server) -> None:
        batches = encrypt_anew(filled, Vault(NEW_RING))

        alone = Vault(NEW_RING.retired([], []))
        for column in keys.SEALED:
            assert sum(batch.done for batch in batches[str(column)]) > 0
            key = ", ".join(part.name for part in column.table.primary_key.columns)
            for *own, sealed in filled.sql(f"SELECT {key}, {column.name} FROM {column.table.name}"):
                place = f"{column.table.name}.{column.name}:{':'.join(map(str, own))}"
                assert alone.decrypt(sealed, place) == f"{PLAIN} {place}"

    def test_goes_on_where_it_was_interrupted_and_does_nothing_twice(
        self, filled: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(keys, "BATCH", 2)
        vault = Vault(NEW_RING)
        first = encrypt_anew(filled, vault)

        second = encrypt_anew(filled, vault)

        assert [batch.done for batch in first["customers.api_password"]] == [2, 2, 0]
        assert all(batch == Batch(None, 0, [], 0) for batches in second.values() for batch in batches)

    def test_names_what_cannot_be_decrypted_and_goes_on(self, filled: Server) -> None:
        filled.sql("UPDATE customers SET api_password = 'deadbeef:AAAA' WHERE i_customer = 1")

        batches = encrypt_anew(filled, Vault(NEW_RING))["customers.api_password"]

        assert [place for batch in batches for place in batch.lost] == ["customers.api_password:1"]
        assert sum(batch.done for batch in batches) == 3

    def test_leaves_alone_what_somebody_is_changing(self, filled: Server) -> None:
        """On SQLite there is one writer at a time, so nobody can be."""
        if filled.config.is_sqlite:
            pytest.skip("SQLite has one writer at a time")

        async def work(database: Database) -> Batch:
            (column,) = (c for c in keys.SEALED if str(c) == "customers.api_password")
            async with database.write() as changing, database.write() as rotating:
                await changing.execute(update(column.table).where(column.table.c.i_customer == 1).values(css="new"))
                return await keys.encrypt_anew(rotating, Vault(NEW_RING), column, None)

        assert filled.run(work).done == 3

    def test_tells_which_signatures_still_need_a_key(self, filled: Server) -> None:
        async def work(database: Database) -> Any:
            async with database.read() as session:
                return await keys.needed_proofs(session, filled.platform.clock())

        needed = filled.run(work)

        old = RING.names[0]
        assert needed[old, b"one-time password"] == 1
        assert needed[old, b"idempotency"] == 3
        assert needed[old, b"audit row"] > 3
        assert needed[old, b"voucher"] == 0


def make_history(server: Server) -> None:
    server.api().createCustomer(name=unique(), web_password="s3cret-Web", i_tariff=None)
    seal(server)


class TestVerify:
    def test_a_key_that_is_missing_is_named_once_and_nothing_is_called_forged(
        self, fresh: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        name = fresh.platform.vault.current
        make_history(fresh)
        monkeypatch.setattr("books.new_platform", lambda _config: Other())

        told = findings(fresh)

        assert all(finding.startswith(f"key '{name}' is not in the key file, so ") for finding in told)
        assert any("signatures of the history cannot be proved" in finding for finding in told)
        assert any("1 of customers.api_password cannot be decrypted" in finding for finding in told)

    def test_what_is_left_of_a_key_proves_the_history(self, fresh: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        make_history(fresh)
        encrypt_anew(fresh, Vault(NEW_RING))
        monkeypatch.setattr("books.new_platform", lambda _config: Other(NEW_RING.retired(keys.FOR_EVER, [])))

        assert findings(fresh) == []

    def test_a_row_signed_with_an_invented_key_is_a_finding(self, fresh: Server) -> None:
        make_history(fresh)
        fresh.sql(
            "INSERT INTO audit_log (uid, created, i_customer, scope, i_customer_actor, trusted, address, dialect,"
            " request_id, method, action, object_type, mac) SELECT :uid, created, i_customer, scope, i_customer_actor,"
            " trusted, address, dialect, request_id, method, action, object_type, :mac FROM audit_log LIMIT 1",
            uid=secrets.token_hex(16),
            mac=f"deadbeef:{'0' * 64}",
        )

        assert "key 'deadbeef' is not in the key file, so 1 signatures of the history cannot be proved" in findings(
            fresh
        )


class Other:
    """A platform with other keys."""

    def __init__(self, ring: KeyRing | None = None) -> None:
        self.vault = Vault(ring or KeyRing((secrets.token_bytes(32),)))


def test_a_key_of_the_environment_may_hold_all_that_a_file_does(server: Server) -> None:
    text = " ".join(NEW_RING.retired(keys.FOR_EVER, []).as_text().split())
    config = server.config.model_copy(update={"secret_key": type(server.config.secret_key)(text)})

    assert open_vault(config).current == NEW_RING.names[0]
