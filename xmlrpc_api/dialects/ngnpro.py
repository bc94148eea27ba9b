"""The dialect of NGNPro: SOAP."""

from functools import partial

from xmlrpc_api.declaration.registry import Dialect, publish

NGNPRO = Dialect()
OPERATIONS = NGNPRO.methods
operation = partial(publish, NGNPRO)
