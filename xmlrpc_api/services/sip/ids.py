"""SIP ids: a user name below a domain."""

from typing import NamedTuple

from models import login_key


class SipId(NamedTuple):
    """User name and domain, as they were sent."""

    username: str
    domain: str

    def __str__(self) -> str:
        return f"{self.username}@{self.domain}"

    @property
    def address(self) -> str:
        """The id as accounts are called: domains have no case."""
        return f"{self.username}@{self.domain.lower()}"

    @property
    def key(self) -> str:
        """The id, whatever its case."""
        return login_key(str(self))
