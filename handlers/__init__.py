"""The public methods. Importing this package publishes all of them."""

from handlers import customers, dictionaries, history, payments, system

__all__ = ["customers", "dictionaries", "history", "payments", "system"]
