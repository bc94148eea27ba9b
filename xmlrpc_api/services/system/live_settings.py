"""
Settings that root changes while servers run.

What is marked as live may be: none of it opens a door, tells a secret, or says where something is. Every process reads
the rows twice a second; a value that a later version does not take any more is passed over, and the log says so.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import structlog
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select

from models import ROOT_ID, Customer, SystemSetting
from xmlrpc_api.call import Call, Platform
from xmlrpc_api.config import LIVE, SECRETS, Config
from xmlrpc_api.declaration.faults import BadParameter, NotPermitted
from xmlrpc_api.dialects.entities import entity_of
from xmlrpc_api.services import records
from xmlrpc_api.services.tree import resellers
from xmlrpc_api.storage.database import Database
from xmlrpc_api.storage.fast_path import Query
from xmlrpc_api.storage.rows import Row

SETTING = entity_of(SystemSetting)
UNTOLD = {*SECRETS, "secret_key_file", "database_url"}
_KNOWN = Query(select(SystemSetting.key, SystemSetting.value))
_LIVE = {name for name, field in Config.model_fields.items() if field.json_schema_extra == LIVE}

log = structlog.get_logger()


def demand_root(call: Call) -> None:
    """
    Refuse anybody but root.

    Raises:
        NotPermitted: It is somebody else.
    """
    if not resellers.is_admin(call):
        raise NotPermitted("this is root's alone")


async def told(call: Call, key: str | None) -> list[Row]:
    """
    The settings, as this process has them; secrets, and where the database is, are told nobody.

    Raises:
        NotPermitted: The caller is not root.
        BadParameter: There is no such setting.
    """
    demand_root(call)
    names = [name for name in Config.model_fields if name not in UNTOLD]
    if key is not None and key not in names:
        raise BadParameter("key", "is not the name of a setting")
    config = call.platform.config
    return [
        {"key": name, "value": as_text(getattr(config, name)), "is_live": name in _LIVE}
        for name in names
        if key in (None, name)
    ]


async def change(call: Call, key: str, value: str) -> None:
    """
    Change a setting for all processes.

    Raises:
        NotPermitted: The caller is not root, or has sent no credentials.
        BadParameter: It cannot be changed while servers run, or not to this value.
    """
    demand_root(call)
    if call.origin.login is None:
        raise NotPermitted("settings are changed with root's credentials alone")
    if key not in _LIVE:
        raise BadParameter("key", f"must be one of {', '.join(sorted(_LIVE))}: others are read when a server starts")
    try:
        _read(key, value)
    except ValidationError as error:
        raise BadParameter("value", f"cannot be used: {error.errors(include_url=False)[0]['msg']}") from None
    root = select(Customer.i_customer).where(Customer.i_customer == ROOT_ID)
    await call.session.execute(root.with_for_update(key_share=True))
    there = select(SystemSetting).where(SystemSetting.key == key).with_for_update()
    row = (await call.session.execute(there)).scalar_one_or_none()
    if row is None:
        await records.add(call, SystemSetting(i_customer=ROOT_ID), {"key": key, "value": value})
    else:
        await records.change(call, row, {"value": value})


class LiveSettings:
    """Keeps the settings of a process as root has changed them."""

    def __init__(self, platform: Platform, database: Database) -> None:
        self._platform, self._database = platform, database
        self._started_with = platform.config
        self._known: Mapping[str, str] = {}

    async def keep(self) -> None:
        """Take up what has changed."""
        rows = {row["key"]: row["value"] for row in await self._database.rows(_KNOWN)}
        if rows == self._known:
            return
        changed: dict[str, Any] = {}
        for key, value in rows.items():
            try:
                changed[key] = _read(key, value)
            except (KeyError, ValidationError):
                log.warning("setting passed over", key=key)
        self._platform.config = self._started_with.model_copy(update=changed)
        self._known = rows
        log.info("settings taken up", keys=sorted(changed))


def as_text(value: object) -> str:
    """A setting as it would be set."""
    if isinstance(value, list):
        return ",".join(map(str, value))
    return "" if value is None else str(value)


def _read(key: str, value: str) -> Any:
    """
    What a text means for a setting.

    Raises:
        KeyError: It is none that may be changed.
        ValidationError: It cannot be that.
    """
    if key not in _LIVE:
        raise KeyError(key)
    field = Config.model_fields[key]
    kind: Any = Annotated[field.annotation, field]
    return TypeAdapter(kind).validate_python(value)
