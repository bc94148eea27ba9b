"""The public methods. Importing this package publishes all of them."""

from handlers import accounts, customers, dictionaries, history, logins, ngnpro, payments, system, web_users

__all__ = ["accounts", "customers", "dictionaries", "history", "logins", "ngnpro", "payments", "system", "web_users"]
