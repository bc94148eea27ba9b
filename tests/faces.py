"""Clients of the server under test, made of the standard library alone: nothing of ours checks itself."""

import urllib.error
import urllib.request
import xmlrpc.client
from collections.abc import Callable
from typing import Any


class DigestTransport(xmlrpc.client.Transport):
    """xmlrpc.client over urllib's HTTP Digest."""

    def __init__(self, login: str | None, password: str | None, headers: dict[str, str] | None = None) -> None:
        super().__init__(use_builtin_types=True)
        self._extra = headers
        handlers = []
        if login is not None:
            passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
            passwords.add_password(None, "http://127.0.0.1", login, password or "")
            self._passwords = passwords
            handlers.append(urllib.request.HTTPDigestAuthHandler(passwords))
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), *handlers)
        self._login, self._password = login, password

    def request(self, host: str, handler: str, request_body: bytes, verbose: bool = False) -> Any:
        url = f"http://{host}{handler}"
        if self._login is not None:
            self._passwords.add_password(None, url, self._login, self._password or "")
        headers = {"Content-Type": "text/xml", **self._extra}
        request = urllib.request.Request(url, request_body, headers)
        with self._opener.open(request, timeout=30) as response:
            parser, unmarshaller = self.getparser()
            parser.feed(response.read())
            parser.close()
            return unmarshaller.close()


class Api:
    """Calls methods by attribute, with keywords as the one struct: `api.createCustomer(name="acme")`."""

    def __init__(self, url: str, login: str | None, password: str | None, **headers: str) -> None:
        self.url, self.login, self.password = url, login, password
        transport = DigestTransport(login, password, {k.replace("_", "-"): v for k, v in headers.items()})
        self.proxy = xmlrpc.client.ServerProxy(url, transport, allow_none=True, use_builtin_types=True)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**params: Any) -> Any:
            return getattr(self.proxy, name)(params)

        return call

    def info(self, i_customer: int) -> dict[str, Any]:
        return self.getCustomerInfo(i_customer=i_customer)["customer"]
