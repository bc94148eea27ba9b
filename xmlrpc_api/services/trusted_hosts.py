"""
Trusted hosts that are rows: added and removed by root while servers run, beside those of the settings.

A row opens what the settings could open, and no more: an address or a network, and none of a proxy's, behind which
everybody would be trusted.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Integer, bindparam, func, or_, select, update

from models import ROOT_ID, Customer, TrustedHost
from xmlrpc_api import addresses
from xmlrpc_api.addresses import Network
from xmlrpc_api.call import Call
from xmlrpc_api.config import Config
from xmlrpc_api.declaration.entity import Values
from xmlrpc_api.declaration.faults import BadParameter, NotPermitted
from xmlrpc_api.services import records
from xmlrpc_api.services.belongings import Belongings
from xmlrpc_api.services.tree import resellers
from xmlrpc_api.storage.database import Database
from xmlrpc_api.storage.fast_path import Query
from xmlrpc_api.storage.rows import Rows

MOST = 1000
HOSTS = Belongings(TrustedHost)
HOST = HOSTS.entity
_ALL = select(TrustedHost.i_trusted_host, TrustedHost.ip).order_by(TrustedHost.i_trusted_host).limit(MOST)
_KNOWN = Query(_ALL)
_LISTED = HOST.select(HOST.read).add_columns(TrustedHost.last_used).order_by(TrustedHost.i_trusted_host)
_HOUR = bindparam("hour", type_=TrustedHost.last_used.type)
_USED = (
    update(TrustedHost)
    .where(
        TrustedHost.i_trusted_host == bindparam("wanted", type_=Integer),
        or_(TrustedHost.last_used.is_(None), TrustedHost.last_used < _HOUR),
    )
    .values(last_used=_HOUR)
    .execution_options(synchronize_session=False)
)


async def create(call: Call, attributes: Values) -> int:
    """
    Trust a host.

    Raises:
        NotPermitted: The caller is not root, or has sent no credentials; or there are as many as there may be.
        BadParameter: It is a proxy, or there is one among them.
        Conflict: It is trusted already.
    """
    _demand_root(call)
    _demand_credentials(call)
    network = addresses.network_of(attributes["ip"])
    if network is None or _is_proxys(network, call.platform.config):
        raise BadParameter("ip", "overlaps trusted_proxies: everybody behind the proxy would be trusted")
    root = select(Customer.i_customer).where(Customer.i_customer == ROOT_ID)
    await call.session.execute(root.with_for_update(key_share=True))
    if (await call.session.execute(select(func.count()).select_from(TrustedHost))).scalar_one() >= MOST:
        raise NotPermitted(f"there cannot be more than {MOST} of these")
    host = TrustedHost(i_customer=ROOT_ID, added_on=call.now)
    await records.add(call, host, attributes)
    return host.i_trusted_host


async def remove(call: Call, i_trusted_host: int) -> None:
    """
    Trust a host no more.

    Raises:
        NotPermitted: The caller is not root, or has sent no credentials.
        NotFound: There is no such row.
    """
    _demand_root(call)
    _demand_credentials(call)
    await HOSTS.remove(call, i_trusted_host)


async def listed(call: Call) -> Rows:
    """Those that are rows, oldest first; NotPermitted if the caller is not root."""
    _demand_root(call)
    return await call.store.select(_LISTED)


async def known(database: Database, config: Config) -> dict[Network, int]:
    """The ids of those that are rows; without those that a proxy of the settings has come to stand in."""
    rows = await database.rows(_KNOWN)
    found = ((addresses.network_of(row["ip"]), row["i_trusted_host"]) for row in rows)
    return {network: key for network, key in found if network is not None and not _is_proxys(network, config)}


async def note_used(database: Database, hours: Mapping[int, datetime]) -> None:
    """Keep in which hour each was used last."""
    async with database.write() as session:
        for key, hour in sorted(hours.items()):
            await session.execute(_USED, {"wanted": key, "hour": hour})


def _is_proxys(network: Network, config: Config) -> bool:
    return any(addresses.overlap(network, proxy) for proxy in config.trusted_proxies)


def _demand_root(call: Call) -> None:
    if not resellers.is_admin(call):
        raise NotPermitted("trusted hosts are root's alone")


def _demand_credentials(call: Call) -> None:
    """A trusted host does not trust another: who has got into one would open the door for good."""
    if call.origin.login is None:
        raise NotPermitted("trusted hosts are changed with root's credentials alone")
