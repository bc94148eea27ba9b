"""A portal of a reseller, as those use it who guess."""

import xmlrpc.client
from collections.abc import Callable
from typing import Any

from conftest import WEB_PASSWORD
from faces import Api


class Portal:
    """What comes from the portal: people who log in, and those who guess."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def outcome(self, login: str, password: str = WEB_PASSWORD, **params: Any) -> Any:
        """`OK`, or code and text of the fault."""
        return _outcome(lambda: self.api.authCustomer(username=login, password=password, **params))

    def device(self, login: str, password: str = WEB_PASSWORD, **params: Any) -> str:
        """The token that a login answers."""
        return str(self.api.authCustomer(username=login, password=password, **params)["device"])

    def guess(self, login: str, times: int, **params: Any) -> list[Any]:
        """Wrong passwords, each from an address of its own."""
        return [
            self.outcome(login, f"guess {number}", remote_ip=f"2001:db8:0:{number:x}::1", **params)
            for number in range(times)
        ]

    def reset(self, login: str) -> str:
        return str(self.api.resetCustomerOneTimePassword(web_login=login)["password"])


def _outcome(work: Callable[[], dict[str, Any]]) -> Any:
    try:
        return work()["result"]
    except xmlrpc.client.Fault as fault:
        return fault.faultCode, fault.faultString
