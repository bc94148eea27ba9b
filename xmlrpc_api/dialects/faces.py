"""Where calls come from, and which dialect is spoken there."""

import enum
from collections.abc import Mapping

from xmlrpc_api.declaration.registry import Dialect
from xmlrpc_api.dialects.ngnpro import NGNPRO
from xmlrpc_api.dialects.switch import SWITCH


class Face(enum.StrEnum):
    """Where a call came from; the value stands as `dialect` in the history, in logs and in metrics."""

    XMLRPC = "xmlrpc"
    REST = "rest"
    CLI = "cli"
    SOAP = "soap"
    UPGRADE = "upgrade"
    UPLOAD = "upload"
    BILLING = "billing"


DIALECTS: Mapping[Face, Dialect] = {  # who is not here can call no method
    Face.XMLRPC: SWITCH,
    Face.REST: SWITCH,
    Face.CLI: SWITCH,
    Face.SOAP: NGNPRO,
}
