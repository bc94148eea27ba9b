"""
spyne and an ORM: CustomerPort.getAccount as one builds it from its documentation, behind gunicorn's threads.

Document/literal, since the library has no RPC/encoded; the same attributes from the same tables, one statement for
the credentials of the header, one for the customer, one for its properties.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from gunicorn.app.base import BaseApplication
from spyne import (
    Application,
    Array,
    Boolean,
    ComplexModel,
    Double,
    Fault,
    Integer,
    ServiceBase,
    Unicode,
    rpc,
)
from spyne.protocol.soap import Soap11
from spyne.server.wsgi import WsgiApplication
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, sessionmaker

from benchmarks.calls import TYPES
from benchmarks.peers import shared
from benchmarks.peers.shared import VAULT
from models import Balance, Customer, CustomerProperty, TimeZone, WebUser, place_of, proxied_column, subtree
from xmlrpc_api.dialects.ngnpro import NAMES

SKIPPED = ("api_password", "changed")
KINDS = {"balance": Double, "credit_limit": Double, "i_customer": Integer, "impersonate": Integer}
SHOWN = {name: told for name, told in NAMES[Customer].items() if name not in SKIPPED}
THREADS = 32


class Auth(ComplexModel):
    __namespace__ = TYPES
    username, password, admin = Unicode, Unicode, Boolean


class Property(ComplexModel):
    __namespace__ = TYPES
    name, value, category, permission = Unicode, Unicode, Unicode, Unicode


class Account(ComplexModel):
    __namespace__ = TYPES
    _type_info = [
        *((told, Boolean if name == "reseller_active" else KINDS.get(name, Unicode)) for name, told in SHOWN.items()),
        ("reseller", Integer),
        ("timezone", Unicode),
        ("changeDate", Unicode),
        ("properties", Array(Property)),
    ]


STATEMENT = (
    select(
        *(proxied_column(Customer, name).label(name) for name in SHOWN),
        Customer.path,
        Customer.changed,
        TimeZone.name.label("timezone"),
    )
    .select_from(Customer)
    .join(TimeZone, TimeZone.i_time_zone == Customer.i_time_zone)
    .join(Balance, (Balance.i_customer == Customer.i_customer) & Balance.is_default)
    .join(WebUser, (WebUser.i_customer == Customer.i_customer) & WebUser.is_default)
)


def caller_of(session: Session, auth: Any) -> Any:
    """Whose credentials these are."""
    wanted = select(Customer.i_customer, Customer.path, Customer.api_password).join(
        WebUser, WebUser.i_customer == Customer.i_customer
    )
    may = (Customer.api_access == 1, ~Customer.blocked, WebUser.is_default)
    row = session.execute(wanted.where(WebUser.web_login_key == auth.username.casefold(), *may)).one_or_none()
    place = place_of(Customer.api_password, row.i_customer) if row is not None else ""
    if row is None or VAULT.decrypt(row.api_password, place) != auth.password:
        raise Fault("Client", "Login failed")
    return row


def account_of(session: Session, caller: Any, i_customer: int) -> Account:
    """A customer below the caller, as the port tells it."""
    first, end = subtree(caller.path, caller.i_customer)
    within = (Customer.path >= first, Customer.path < end)
    row = session.execute(STATEMENT.where(Customer.i_customer == i_customer, *within)).mappings().one()
    owned = select(CustomerProperty).where(CustomerProperty.i_customer == i_customer)
    properties = [Property(name=each.name, value=each.value) for each in session.scalars(owned)]
    changed: datetime = row["changed"]
    return Account(
        **{told: float(row[name]) if isinstance(row[name], Decimal) else row[name] for name, told in SHOWN.items()},
        reseller=int(re.split(r"\.", f"{row['path']}{i_customer}.")[1]),
        timezone=row["timezone"],
        changeDate=f"{changed:%Y-%m-%d %H:%M:%S}",
        properties=properties,
    )


def serve(port: int, url: str) -> None:
    """Serve it."""
    engine = create_engine(
        url.replace("postgresql:", "postgresql+psycopg:", 1), pool_size=shared.POOL_SIZE, max_overflow=0
    )
    sessions = sessionmaker(engine)

    class CustomerPort(ServiceBase):
        __in_header__ = Auth

        @rpc(Integer, _returns=Account)
        def getAccount(self, id: int) -> Iterator[Account]:
            context: Any = self
            with sessions() as session:
                return account_of(session, caller_of(session, context.in_header), id)

    protocols = {"in_protocol": Soap11(validator="lxml"), "out_protocol": Soap11()}
    application = WsgiApplication(Application([CustomerPort], TYPES, **protocols))

    class Server(BaseApplication):
        def load_config(self) -> None:
            given = {"bind": f"127.0.0.1:{port}", "worker_class": "gthread", "threads": THREADS, "keepalive": 60}
            for name, value in {**given, "workers": 1, "loglevel": "error"}.items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            return application

    Server().run()
