"""Troubles with the database, each in a line that says what to do."""

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from xmlrpc_api.config import Config
from xmlrpc_api.declaration.faults import Unavailable
from xmlrpc_api.storage.errors import ERRORS, is_unavailable, sqlstate
from xmlrpc_api.turns import TooManyWaiting

_GRANTS = (
    "Give it to the role of database_url: GRANT USAGE, CREATE ON SCHEMA public, and SELECT, INSERT, UPDATE, DELETE"
    " on all tables and USAGE on all sequences in it; or make it their owner."
)
_START = "Correct host and port in database_url, or start it."
_ADVICE = {  # by how the SQLSTATE begins, or by what SQLite says
    "28": "Correct user and password in database_url, or what pg_hba.conf allows.",
    "3D000": "Create it (createdb --owner ROLE NAME), or correct database_url.",
    "3F000": _GRANTS,
    "42501": _GRANTS,
    "40": "Other calls were in the way. Try again.",
    "55P03": "Somebody else holds what is needed. Try again.",
    "25006": "Point database_url at the primary server, which can be written.",
    "42P01": "The tables are not those that are needed. Run: xmlrpc-api check",
    "42703": "The tables are not those that are needed. Run: xmlrpc-api check",
    "53300": "Connections are needed: workers times pool_size. Lower those, or raise max_connections.",
    "53": "Give PostgreSQL more room, then try again.",
    "57014": "It took longer than statement_seconds. Raise that, or try again when there is less to do.",
    "57": "Try again when PostgreSQL is up.",
    "58": "Look into PostgreSQL's log.",
    "unable to open": "Correct database_url, and let this user read and write the file and its folder.",
    "readonly": "Let this user write the file and its folder.",
    "database is locked": "Another program writes to it: stop that one, or try again.",
    "full": "Make room on the disk, then try again.",
    "disk I/O error": "Look into the log of the system: the disk fails.",
    "file is not a database": "Correct database_url: that file is something else.",
    "malformed": "The file is damaged. Restore a backup.",
    "no such": "The tables are not those that are needed. Run: xmlrpc-api check",
}

TROUBLES: tuple[type[Exception], ...] = (Unavailable, OSError, PoolTimeout, *ERRORS)


def explained(error: Exception, config: Config) -> str | None:
    """Why the database cannot be used, and what to do; None for a bug, and for what is not about the database."""
    if isinstance(error, Unavailable):
        if not isinstance(error.__context__, Exception) or isinstance(error.__context__, TooManyWaiting):
            return error.text
        error = error.__context__  # what the call was refused for
    if isinstance(error, OSError) and error.filename is not None:
        return None
    if isinstance(error, PoolTimeout):
        return "All connections to the database are busy. Try again."
    state = sqlstate(error)
    said = str(error.orig if isinstance(error, DBAPIError) else error).partition("\n")[0]
    said = said.rpartition(">: ")[2].rstrip(".")  # SQLAlchemy puts the class of the driver's error in front
    if not state.startswith("08") and (isinstance(error, ERRORS) or state):
        for begin, advice in _ADVICE.items():
            if state.startswith(begin) if state else begin in said:
                return f"The database says: {said}. {advice}"
    if is_unavailable(error):
        return f"{_place(make_url(config.database_url))} does not answer ({said or type(error).__name__}). {_START}"
    return None


def _place(url: URL) -> str:
    return f"PostgreSQL at {url.host}:{url.port or 5432}" if url.host else "The database"
