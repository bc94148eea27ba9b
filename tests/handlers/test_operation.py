"""The installation as root sees it: settings that are changed while it runs, notes, copies of the database."""

from typing import Any

import pytest
from books import findings
from conftest import Customers, Reseller
from faces import Api
from harness import Server, until

from xmlrpc_api.config import Config
from xmlrpc_api.declaration.faults import BadParameter, NotPermitted

DICTIONARIES = """languages export_types currencies timezones media_relay_types media_relays protocols proto_transports
qmon_actions forward_did_modes upload_types privacy_modes tariff_types ssl_certificate_types ca_list_types
ssl_use_domain_types trunk_policies payment_methods password_policies access_levels card_types start_pages"""
LIVE = ["idempotency_hours", "list_limit", "mail_days", "mail_from", "multicall_limit", "unknown_params"]


def setting(api: Api, key: str) -> dict[str, Any]:
    (told,) = api.getSystemConfig(key=key)["config"]
    return told


class TestSettings:
    def test_a_change_is_taken_up_by_every_server(self, fresh: Server, refused: Any) -> None:
        root, other = fresh.api(), Server(fresh.config, fresh.root_password) if not fresh.config.is_sqlite else fresh
        try:
            assert setting(root, "list_limit") == {"key": "list_limit", "value": "10000", "is_live": True}

            root.setSystemConfig(key="list_limit", value="7")

            until(lambda: all(setting(one.api(), "list_limit")["value"] == "7" for one in (fresh, other)), 5)
            for number in range(9):
                root.createTariff(name=f"t{number}", currency="USD")
            with refused(BadParameter.code, "Parameter limit must not be greater than 7"):
                root.getTariffsList(limit=8)
        finally:
            if other is not fresh:
                other.close()

    def test_a_change_is_in_the_history_and_proved(self, fresh: Server) -> None:
        root = fresh.api()

        for value in ("60", "60", "70"):
            root.setSystemConfig(key="multicall_limit", value=value)

        actions = [row["action"] for row in root.getAuditLogs(resource="system_settings")["records"]]
        assert actions == ["U", "A"]
        assert findings(fresh) == []
        fresh.sql("UPDATE system_settings SET value = '1000'")
        assert findings(fresh) == ["system setting 1: value is 1000, but the change history says 70"]

    @pytest.mark.one_engine
    @pytest.mark.parametrize("key", sorted(set(Config.model_fields) - set(LIVE)))
    def test_what_is_not_live_is_not_changed(self, root: Api, refused: Any, key: str) -> None:
        with refused(BadParameter.code):
            root.setSystemConfig(key=key, value="1")

    @pytest.mark.one_engine
    @pytest.mark.parametrize(
        ("key", "value"),
        [("list_limit", "0"), ("list_limit", "many"), ("unknown_params", "perhaps"), ("multicall_limit", "1001")],
    )
    def test_what_it_cannot_be_is_refused(self, root: Api, refused: Any, key: str, value: str) -> None:
        with refused(BadParameter.code):
            root.setSystemConfig(key=key, value=value)

    @pytest.mark.one_engine
    def test_secrets_are_not_among_them(self, root: Api, server: Server) -> None:
        told = root.getSystemConfig()["config"]

        names = {row["key"] for row in told}
        assert {row["key"] for row in told if row["is_live"]} == set(LIVE)
        assert not names & {"secret_key", "secret_key_file", "database_url", "smtp_password"}
        assert server.config.secret_key is not None
        assert server.config.secret_key.get_secret_value() not in repr(told)

    @pytest.mark.one_engine
    def test_what_a_later_version_does_not_take_is_passed_over(self, fresh: Server) -> None:
        insert = "INSERT INTO system_settings (i_customer, key, value) VALUES (1, :k, :v)"
        for key, value in (("host", "0.0.0.0"), ("list_limit", "none"), ("multicall_limit", "9")):
            fresh.sql(insert, k=key, v=value)

        until(lambda: fresh.platform.config.multicall_limit == 9, 5)

        assert (fresh.platform.config.host, fresh.platform.config.list_limit) == ("127.0.0.1", 10_000)

    @pytest.mark.one_engine
    def test_a_trusted_host_changes_none(self, variant: Any, refused: Any) -> None:
        trusted = variant(trusted_hosts="127.0.0.1").api(None)

        with refused(NotPermitted.code, "Not permitted: settings are changed with root's credentials alone"):
            trusted.setSystemConfig(key="list_limit", value="7")
        assert setting(trusted, "list_limit")["value"] == "10000"


@pytest.mark.one_engine
@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("getSystemConfig", {}),
        ("setSystemConfig", {"key": "list_limit", "value": "7"}),
        ("writeAuditLog", {"action": "A", "resource": "customers"}),
        ("getReplicationStatus", {}),
        ("getReplicationLag", {}),
    ],
)
def test_they_are_roots_alone(customers: Customers, refused: Any, method: str, params: dict[str, str]) -> None:
    """system_mgmt is not enough."""
    reseller = customers.reseller()

    with refused(NotPermitted.code, "Not permitted: this is root's alone"):
        getattr(reseller, method)(**params)


class TestNotes:
    def test_a_note_is_told_and_proves_nothing(self, fresh: Server) -> None:
        root, customers = fresh.api(), Customers(fresh)
        i_customer = customers.make(root)

        root.writeAuditLog(action="D", resource=f"customers:i_customer={i_customer}", audit_info={"why": "ticket 4711"})

        (row,) = root.getAuditLogs(resource="notes")["records"]
        assert (row["action"], row["method"]) == ("D", "writeAuditLog")
        assert "ticket 4711" in repr(row)
        assert findings(fresh) == []
        assert root.info(i_customer)["i_customer"] == i_customer

    @pytest.mark.one_engine
    @pytest.mark.parametrize("info", [{"a": "x" * 16384}, {"a": b"binary"}])
    def test_what_cannot_be_kept_is_refused(self, root: Api, refused: Any, info: dict[str, Any]) -> None:
        with refused(BadParameter.code):
            root.writeAuditLog(action="X", resource="y", audit_info=info)

    @pytest.mark.one_engine
    def test_tenants_are_not_told(self, root: Api, reseller: Reseller) -> None:
        root.writeAuditLog(action="X", resource="y", audit_info={"of": "root"})

        assert reseller.getAuditLogs(resource="notes")["records"] == []


def test_what_is_not_replicated_says_so(root: Api) -> None:
    assert root.getReplicationStatus() == {"result": "OK", "status": "not replicated", "replicas": []}
    assert root.getReplicationLag(i_environment=1) == {"result": "OK", "status": "not replicated", "lag": None}


@pytest.mark.one_engine
@pytest.mark.parametrize("name", DICTIONARIES.split())
def test_every_dictionary_is_there_by_both_names(root: Api, name: str) -> None:
    told = root.getDictionary(name=name)

    assert told["dictionary"]
    assert root.getSystemDictionary(name=name) == told
