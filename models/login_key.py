"""What names and logins have in common: they are kept as they were sent, and are one whatever their case."""

from unicodedata import normalize


def login_key(text: str) -> str:
    """
    The form of a name or login by which it is unique and found: without white space around it, composed, case folded.

    It is at most three times as long.
    """
    return normalize("NFC", normalize("NFD", text.strip()).casefold())


def account_key(username: str, sip_domain: str) -> str:
    """The form of an account's username: `user` and `user@sip_domain` are one id."""
    return login_key(username if "@" in username else f"{username.strip()}@{sip_domain}")


def exact_key(text: str) -> str:
    """
    What stands in for the key of an old name that is one with that of somebody older.

    It is found as it stands alone. It is nobody's key: those begin with no white space.
    """
    return f" {text}"
