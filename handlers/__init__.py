"""The public methods. Importing this package publishes all of them."""

from handlers import customers, dictionaries, history, logins, ngnpro, payments, system, web_users

__all__ = ["customers", "dictionaries", "history", "logins", "ngnpro", "payments", "system", "web_users"]
