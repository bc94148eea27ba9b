"""
The public methods. Importing this package finds all of its modules, and publishes what they declare.

A folder is a dialect with methods of its own, or an area of the switch's; one that publishes nothing is an error.
"""

import importlib
import pkgutil

from xmlrpc_api.dialects.faces import DIALECTS

for _module in pkgutil.walk_packages(__path__, f"{__name__}."):
    importlib.import_module(_module.name)

_published = {method.handler.__module__ for dialect in DIALECTS.values() for method in dialect.methods.values()}
for _module in pkgutil.walk_packages(__path__, f"{__name__}."):
    if _module.ispkg and not any(name.startswith(f"{_module.name}.") for name in _published):
        raise TypeError(f"{_module.name} publishes no method")
