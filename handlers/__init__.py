"""The public methods. Importing this package publishes all of them."""

from handlers import customers, dictionaries, system

__all__ = ["customers", "dictionaries", "system"]
