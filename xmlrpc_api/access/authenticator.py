"""Credentials to callers. Knows no wire format beyond the text of the Authorization header."""

import enum
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import structlog
from sqlalchemy import Integer, bindparam, select

from models import ROOT_ID, Customer, WebUser, login_key, place_of
from xmlrpc_api.access import digest
from xmlrpc_api.access.credential_throttle import LONGEST_LOGIN, Attempts, Kind
from xmlrpc_api.call import Platform
from xmlrpc_api.crypto.vault import VaultError
from xmlrpc_api.declaration.faults import TooManyAttempts
from xmlrpc_api.declaration.rights import Caller
from xmlrpc_api.services.tree import lending, names, ownership
from xmlrpc_api.services.tree.lending import Loan
from xmlrpc_api.storage.database import Database
from xmlrpc_api.storage.fast_path import Query
from xmlrpc_api.storage.foresight import Companion, Foreseen
from xmlrpc_api.storage.rows import Row

log = structlog.get_logger()

LONGEST_PASSWORD = 1024  # longer ones are wrong, and not worth hashing
_DUMMY_PLACE = place_of(Customer.api_password, 0)
_NOT_TEXT = re.compile("[\0\ud800-\udfff]")  # what no database can be asked for
_KNOWN = select(*ownership.CALLER_COLUMNS, Customer.blocked)
_BY_ID = Query(
    lending.with_lender(_KNOWN.where(Customer.i_customer == bindparam("i_customer", type_=Integer))), is_short=True
)
_CREDENTIALS = (
    _KNOWN.add_columns(WebUser.web_login, Customer.api_access, Customer.api_password)
    .join(WebUser, WebUser.i_customer == Customer.i_customer)
    .where(WebUser.is_default, names.is_web_user())
)
_BY_LOGIN = Query(_CREDENTIALS, is_short=True)
_LENDING = lending.with_lender(_CREDENTIALS)
_BORROWING = Query(_LENDING, is_short=True)
Foresight = Callable[[], Awaitable[Foreseen | None]]


@cache
def _beside(companion: Companion, query: Query) -> Query:
    """The credentials, and what a call will ask for first."""
    return companion.beside(_LENDING if query is _BORROWING else _CREDENTIALS, Customer)


class Why(enum.Enum):
    """Why there is no caller."""

    NOTHING = "there are no credentials"
    WRONG = "credentials are wrong"
    STALE = "credentials are right, but the nonce was used or has expired"


@dataclass(frozen=True, slots=True)
class Refusal:
    """
    That there is no caller; the client learns no more than whether to answer a new challenge.

    Attributes:
        why: For the log.
        login: Whose credentials were wrong, for the log: a login that is known, never what was sent.
    """

    why: Why
    login: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """
    What the header of a document says.

    Attributes:
        is_admin: Whether it is about the administrator of the settings, not about a customer.
        impersonate: The customer on whose behalf the administrator calls; 0: nobody's.
    """

    username: str = field(repr=False)
    password: str = field(repr=False)
    is_admin: bool = False
    impersonate: int = 0


@dataclass(frozen=True, slots=True)
class _Credential:
    caller: Caller
    api_password: str
    loan: Loan | None


@dataclass(frozen=True, slots=True)
class Lent:
    """What somebody gets whose credentials were right, and to whom another customer lends its rights."""

    caller: Caller


Checked = Caller | Lent | Refusal


class Authenticator:
    """Tells who a client is. Unknown logins cost the same time as wrong passwords."""

    def __init__(self, platform: Platform, database: Database, guard: digest.ReplayGuard) -> None:
        self._platform = platform
        self._database = database
        self._guard = guard
        self._nonces = digest.Nonces(
            lambda: platform.vault.subkey(b"nonce"),
            platform.config.nonce_seconds,
            lambda: platform.clock().timestamp(),
        )
        self._administrator: str | None = None
        config = platform.config
        self._attempts = Attempts(
            config.api_login_failures, config.api_address_failures, lambda: platform.clock().timestamp()
        )
        self._dummy = platform.vault.encrypt(secrets.token_hex(), _DUMMY_PLACE)

    def challenges(self, refusal: Refusal) -> list[str]:
        """The WWW-Authenticate headers of a refusal."""
        config = self._platform.config
        nonce = self._nonces.make()
        return [
            digest.challenge(config.realm, nonce, algorithm, refusal.why is Why.STALE)
            for algorithm in config.digest_algorithms
        ]

    async def by_digest(self, header: str, method: str, uri: str, address: str, foresee: Foresight) -> Caller | Refusal:
        """
        Check an Authorization header.

        Args:
            header: Its value.
            method: The HTTP method.
            uri: The request target, as it was sent.
            address: From where it came.
            foresee: Tells what the call will ask for first; it is asked of clients to whom we gave the nonce.

        Raises:
            TooManyAttempts: There were too many wrong ones of late.
        """
        answer = digest.parse(header)
        config = self._platform.config
        if answer is None or answer.realm != config.realm or answer.uri != uri:
            return Refusal(Why.WRONG)
        if answer.algorithm not in config.digest_algorithms:
            return Refusal(Why.WRONG)
        self._demand_left(Kind.CUSTOMER, answer.username, address)
        is_alive = self._nonces.is_alive(answer.nonce)
        foreseen = await foresee() if is_alive else None
        account = await self._look_up(answer.username, foreseen=foreseen)
        right = digest.proves(answer, method, account.api_password if account else self._dummy_password())
        if not right or account is None or not await self._is_admitted(account.caller):
            self._attempts.failed(Kind.CUSTOMER, answer.username, address)
            return Refusal(Why.WRONG, account.caller.web_login if account else None)
        if not is_alive or not self._guard.accept(answer.nonce, answer.use):
            return Refusal(Why.STALE, account.caller.web_login)
        if foreseen is not None:
            foreseen.belongs_to(account.caller)
        return account.caller

    async def by_password(self, web_login: str, api_password: str, address: str) -> Caller | Refusal:
        """
        Check a login and an API password, which came from `address`.

        Raises:
            TooManyAttempts: There were too many wrong ones of late.
        """
        found = await self._by_password(web_login, api_password, address)
        return found if isinstance(found, Refusal) else found.caller

    async def _by_password(
        self, web_login: str, api_password: str, address: str, foreseen: Foreseen | None = None
    ) -> _Credential | Refusal:
        self._demand_left(Kind.CUSTOMER, web_login, address)
        account = await self._look_up(web_login, _BORROWING, foreseen)
        known = account.api_password if account else self._dummy_password()
        right = hmac.compare_digest(known.encode(), api_password.encode("utf-8", "replace"))
        if not right or account is None or not await self._is_admitted(account.caller):
            self._attempts.failed(Kind.CUSTOMER, web_login, address)
            return Refusal(Why.WRONG, account.caller.web_login if account else None)
        if foreseen is not None and account.loan is None:
            foreseen.belongs_to(account.caller)
        return account

    def _demand_left(self, kind: Kind, login: str, address: str) -> None:
        if not self._attempts.are_left(kind, login, address):
            raise TooManyAttempts

    async def by_header(self, credentials: Credentials, address: str, foreseen: Foreseen | None) -> Checked:
        """
        Check what the header of a document says.

        The administrator calls as root, or exactly as the customer whom it impersonates. A customer to whom
        the rights of another are lent calls as that one.

        Args:
            credentials: What it says.
            address: From where it came.
            foreseen: What the call will ask for first.

        Raises:
            TooManyAttempts: There were too many wrong ones of late.
            TooManyWaiting: Too many checks are waiting already.
        """
        if not credentials.is_admin:
            found = await self._by_password(credentials.username, credentials.password, address, foreseen)
            return found if isinstance(found, Refusal) else await self._acting(found.caller, found.loan)
        self._demand_left(Kind.ADMINISTRATOR, credentials.username, address)
        if not await self._is_administrator(credentials):
            self._attempts.failed(Kind.ADMINISTRATOR, credentials.username, address)
            return Refusal(Why.WRONG)
        login = self._platform.config.ngnpro_admin_username
        rows = await self._database.rows(_BY_ID, i_customer=credentials.impersonate or ROOT_ID)
        if not rows or rows[0]["blocked"]:
            return Refusal(Why.WRONG, login)
        caller = ownership.caller_from(rows[0], login)
        if not await self._is_admitted(caller):
            return Refusal(Why.WRONG, login)
        return await self._acting(caller, lending.loan_in(rows[0]))

    async def _is_administrator(self, credentials: Credentials) -> bool:
        """Whether these are the administrator's; a password that was right once is known by its signature."""
        if len(credentials.password) > LONGEST_PASSWORD:
            return False
        config = self._platform.config
        expected = config.ngnpro_admin_password_hash
        known = hmac.compare_digest((config.ngnpro_admin_username or "").encode(), credentials.username.encode())
        signature = self._platform.vault.sign(b"administrator", credentials.password.encode())
        if self._administrator is not None and hmac.compare_digest(self._administrator, signature):
            return known
        hashed = expected.get_secret_value() if expected is not None and known else None
        if not await self._platform.hasher.check(credentials.password, hashed):
            return False
        self._administrator = signature
        return True

    async def _acting(self, caller: Caller, loan: Loan | None) -> Checked:
        """The caller, or the one whose rights are lent to it."""
        if loan is None:
            return caller
        lender = await ownership.load_caller(self._database, loan.lender)
        login = caller.web_login
        return Refusal(Why.WRONG, login) if lender is None else Lent(replace(lender, web_login=login))

    async def _look_up(
        self, web_login: str, query: Query = _BY_LOGIN, foreseen: Foreseen | None = None
    ) -> _Credential | None:
        """The customer with this login, if it may use the API."""
        if len(web_login) > LONGEST_LOGIN or _NOT_TEXT.search(web_login):
            return None
        named = {"key": login_key(web_login), "exact": web_login}
        if foreseen is None:
            rows: Sequence[Row] = await self._database.rows(query, **named)
        else:
            both = _beside(foreseen.companion, query)
            rows = foreseen.taken(await self._database.rows(both, **named, **foreseen.values))
        row = rows[0] if rows else None
        if row is None or row["blocked"] or not row["api_access"] or row["api_password"] is None:
            return None
        i_customer = row["i_customer"]
        try:
            password = self._platform.vault.decrypt(row["api_password"], place_of(Customer.api_password, i_customer))
        except VaultError:
            log.error("the API password cannot be decrypted: wrong key?", i_customer=i_customer)  # noqa: TRY400
            return None
        caller = ownership.caller_from(row, row["web_login"])
        return _Credential(caller, password, lending.loan_in(row) if query is _BORROWING else None)

    async def _is_admitted(self, caller: Caller) -> bool:
        return not await ownership.is_anybody_blocked_above(self._database, caller.i_customer, caller.path)

    def _dummy_password(self) -> str:
        return self._platform.vault.decrypt(self._dummy, _DUMMY_PLACE)
