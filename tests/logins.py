"""A login to the portal."""

import xmlrpc.client
from typing import Any

from conftest import WEB_PASSWORD
from faces import Api

from xmlrpc_api.declaration.faults import AuthenticationFailed, OneTimePasswordAccepted, TooManyAttempts

FAILED = (AuthenticationFailed.code, "Authentication failed")
ACCEPTED = (OneTimePasswordAccepted.code, "Authenticated by one-time password")
THROTTLED = (TooManyAttempts.code, "Too many attempts, try again later")


class Login:
    """A login to the portal, and what it is answered."""

    def __init__(self, portal: Api, web_login: str, **extra: Any) -> None:
        self.portal, self.web_login, self._extra = portal, web_login, extra

    def outcome(self, password: str = WEB_PASSWORD, **params: Any) -> Any:
        """`OK`, or code and text of the fault."""
        try:
            call = {"username": self.web_login, "password": password, **self._extra, **params}
            return self.portal.authCustomer(**call)["result"]
        except xmlrpc.client.Fault as fault:
            return fault.faultCode, fault.faultString

    def reset(self) -> str:
        return self.portal.resetCustomerOneTimePassword(web_login=self.web_login, **self._extra)["password"]
