"""What SipPort is tried with: a reseller with a customer and a domain, and all that an account may have."""

from typing import Any

from harness import unique
from soap import Clients

Sip = dict[str, Any]
GIVEN = {
    "password": "s3cret-Sip",
    "firstName": "Ada",
    "lastName": "Byron",
    "email": "ada@example.com",
    "timezone": "Europe/Berlin",
    "rpid": "+4930",
    "quickdialPrefix": "00",
    "timeout": 25,
    "quota": 40,
    "prepaid": True,
    "callLimit": 3,
    "region": "Berlin",
    "groups": ["anonymous", "blocked", "whatever"],
    "acl": [{"ip": "192.0.2.0", "mask": 24, "tag": "office"}],
    "properties": [{"name": "language", "value": "en"}],
}


def prop(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": value, "category": "sip", "permission": "admin"}


class Home:
    """A reseller with a customer, and a domain of that customer."""

    def __init__(self, clients: Clients, **reseller: Any) -> None:
        self.clients = clients
        self.reseller = clients.reseller(**reseller)
        self.customer = clients.customer(self.reseller)
        self.domain = f"{unique('sip')}.example.com"
        self.of_reseller = clients.of(self.reseller, "Sip")
        self.of_customer = clients.of(self.customer, "Sip")
        self.admin = clients.admin("Sip")
        self.of_reseller.addDomain(domain={"domain": self.domain, "customer": self.customer["id"]})

    def id(self, user: str | None = None) -> Sip:
        return {"username": user or unique("user"), "domain": self.domain}

    def add(self, port: Any = None, user: str | None = None, **account: Any) -> Sip:
        return (port or self.of_reseller).addAccount(account={"id": self.id(user), **account})

    def get(self, sip_id: Sip) -> Sip:
        return self.admin.getAccount(sipId=sip_id)
