"""Who needs no credentials: the hosts of the settings, and those that root has added while the server runs."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog

from xmlrpc_api.addresses import Network, containing, is_in
from xmlrpc_api.call import Platform
from xmlrpc_api.fresh import Fresh
from xmlrpc_api.services import trusted_hosts
from xmlrpc_api.storage.database import Database

KEEPS_SECONDS = 0.5  # with the query, well within the second after which a change is seen by all processes
PATIENCE_SECONDS = 1.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Rows:
    """The networks of the rows with their ids, and how long their prefixes are."""

    networks: Mapping[Network, int]
    lengths: frozenset[int]


NONE = Rows({}, frozenset())


class TrustedHosts:
    """
    Tells which addresses are trusted.

    The rows are read when somebody asks, twice a second at most, whoever asks and however often. Where that fails, or
    takes long, they trust nobody. Which were used is kept in memory until the next `keep`.
    """

    def __init__(self, platform: Platform, database: Database) -> None:
        self._platform, self._database = platform, database
        self._rows = Fresh(self._read, KEEPS_SECONDS)
        self._used: dict[int, datetime] = {}  # since the last `keep`, each with its hour
        self._kept: dict[int, datetime] = {}

    async def trusts(self, address: str) -> bool:
        """Whether a client at this address needs no credentials."""
        if is_in(address, self._platform.config.trusted_hosts):
            return True
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                rows = await self._rows.get()
        except TimeoutError:
            return False
        found = [network for network in containing(address, rows.lengths) if network in rows.networks]
        hour = self._platform.clock().replace(minute=0, second=0, microsecond=0)
        self._used.update((rows.networks[network], hour) for network in found)
        return bool(found)

    async def keep(self) -> None:
        """Write down which rows were used, each once an hour."""
        used, self._used = self._used, {}
        new = {key: hour for key, hour in used.items() if self._kept.get(key) != hour}
        if new:
            await trusted_hosts.note_used(self._database, new)
            newest = max(new.values())
            self._kept = {key: hour for key, hour in (self._kept | new).items() if hour == newest}

    async def _read(self) -> Rows:
        try:
            networks = await trusted_hosts.known(self._database, self._platform.config)
        except Exception as error:  # noqa: BLE001 (whatever it is: nobody is trusted who is not known)
            log.warning("trusted hosts cannot be read", error=type(error).__name__)
            return NONE
        return Rows(networks, frozenset(network.prefixlen for network in networks))
