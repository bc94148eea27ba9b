"""The settings: one frozen value, read once from a file and the environment, then passed down."""

import ipaddress
import json
import os
import re
import stat
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

ENV_PREFIX = "XMLRPC_API_"
REMOVED = {
    "caller_failures": "is no setting any more, since it let one attacker shut out all logins of a portal; take it out"
    " (login_failures and address_failures are what limits guesses)"
}
SECRETS = ("secret_key", "ngnpro_admin_password_hash", "smtp_password")
LIVE: dict[str, Any] = {"live": True}  # may be changed while servers run: nothing that opens a door
T = TypeVar("T")
_USUAL_URL = re.compile(
    r"[A-Za-z0-9+]+://(?:[^:/?@]*(?::(?P<password>[^:/?@]*))?@)?[^:/?@\[\]]*(?::[0-9]{1,5})?(?:/[^?@]*)?"
)


class ConfigError(Exception):
    """The configuration cannot be used; the text tells which key, and what to do."""


def _network(value: Any) -> Any:
    """A network, or why it is none, in a sentence of its own instead of one for each kind of address."""
    return ipaddress.ip_network(str(value))


def _parts(value: Any) -> Any:
    """The members of a list that came as one text: JSON, or with commas between them."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError('must be a JSON list, such as ["a", "b"], or have commas: a,b') from None
    return [part.strip() for part in value.split(",") if part.strip()]


Listed = Annotated[list[T], NoDecode, BeforeValidator(_parts)]
Network = Annotated[ipaddress.IPv4Network | ipaddress.IPv6Network, BeforeValidator(_network)]


def _holds_password(url: str) -> bool:
    """
    Whether there is a password in a database's address, or in its options.

    Raises:
        ValueError: It cannot be taken apart.
    """
    usual = _USUAL_URL.fullmatch(url)
    if usual is not None:  # SQLAlchemy would say the same, but takes longer to import than a call to run
        return bool(usual["password"])
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parts = make_url(url)
    except ArgumentError:
        raise ValueError("cannot be taken apart") from None
    return bool(parts.password or "password" in parts.query)


def _known_driver(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    driver = {
        "sqlite": "sqlite+aiosqlite",
        "postgresql": "postgresql+asyncpg",
        "postgres": "postgresql+asyncpg",
    }
    scheme = driver.get(scheme, scheme)
    if not separator or scheme not in driver.values():
        raise ValueError("must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE")
    try:
        _holds_password(f"{scheme}://{rest}")
    except ValueError:
        advice = "in user and password write @ as %40, : as %3A, / as %2F and % as %25"
        raise ValueError(f"cannot be taken apart: {advice}") from None
    return f"{scheme}://{rest}"


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Config(BaseSettings):
    """Every setting. The same names, in capitals and after `XMLRPC_API_`, are environment variables."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
    )

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="TCP port to listen on; 0 takes a free one.")
    socket: Path | None = Field(None, description="Unix socket to listen on instead of host and port.")
    tls_certificate: Path | None = Field(None, description="PEM file with the TLS certificate chain.")
    tls_key: Path | None = Field(None, description="PEM file with the key of the TLS certificate.")
    plain_http: bool = Field(
        False, description="Whether HTTP without TLS is allowed on other addresses than those of loopback."
    )
    workers: int = Field(
        1,
        ge=1,
        le=64,
        description="Processes that share the port (SO_REUSEPORT); more than one needs PostgreSQL.",
    )
    metrics_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="TCP port of /metrics (Prometheus), /healthz and /readyz alone, such as 9108; none if left out.",
    )
    metrics_host: str = Field("127.0.0.1", description="Address of that port; plain HTTP, without credentials.")
    shutdown_seconds: float = Field(20, gt=0, description="How long running calls may take after SIGTERM, in seconds.")

    database_url: Annotated[str, AfterValidator(_known_driver)] = Field(
        "sqlite:///var/xmlrpc-api.db",
        validate_default=True,
        repr=False,
        description="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE.",
    )
    pool_size: int = Field(10, ge=2, le=200, description="Database connections per process (PostgreSQL).")
    pool_wait_seconds: float = Field(3, gt=0, description="How long a call waits for a connection, in seconds.")
    statement_seconds: float = Field(5, gt=0, description="Longest run of one SQL statement, in seconds.")
    lock_seconds: float = Field(2, gt=0, description="Longest wait for a row lock, in seconds.")

    secret_key_file: Path = Field(
        Path("var/secret.key"),
        description="File with the key that encrypts credentials; made by `xmlrpc-api init`, mode 0600.",
    )
    secret_key: SecretStr | None = Field(
        None,
        description="The key itself (64 hexadecimal digits) instead of the file; for the environment.",
    )
    bcrypt_cost: int = Field(12, ge=4, le=20, description="Cost of web password hashes; 12 takes about 0.3 s.")
    bcrypt_queue: int = Field(16, ge=1, le=1000, description="Checks of passwords that may wait; more are refused.")

    one_time_minutes: int = Field(60, ge=1, le=1440, description="Life of a one-time password, in minutes.")
    login_failures: int = Field(
        10,
        ge=1,
        le=1000,
        description="Wrong passwords a minute for one login, and for one device or second factor of it, of one caller.",
    )
    address_failures: int = Field(
        30, ge=1, le=10_000, description="Wrong passwords a minute from one remote_ip of one caller."
    )
    device_days: int = Field(
        90,
        ge=1,
        le=3650,
        description="Life of the token that lets somebody who logged in before past the throttle of guesses, in days.",
    )

    api_login_failures: int = Field(
        10,
        ge=1,
        le=1_000_000,
        description="Wrong API credentials a minute for one login from one address, in a process.",
    )
    api_address_failures: int = Field(
        100, ge=1, le=1_000_000, description="Wrong API credentials a minute from one address, per process."
    )

    realm: str = Field("xmlrpc-api", pattern=r"^[^\"\\=,\x00-\x1f]+$", description="Realm of HTTP Digest.")
    digest_algorithms: Listed[Literal["MD5", "SHA-256"]] = Field(
        ["MD5"], min_length=1, description="Digest challenges in this order; old clients know MD5 alone."
    )
    nonce_seconds: int = Field(300, ge=10, le=86400, description="Life of a Digest nonce, in seconds.")
    trusted_hosts: Listed[Network] = Field([], description="Addresses and networks trusted without credentials.")
    trusted_proxies: Listed[Network] = Field(
        [], description="Addresses and networks of reverse proxies whose X-Forwarded-For is believed."
    )
    host_names: Listed[str] = Field(
        [],
        description="DNS names of this server. Trusted hosts reach it by these, by its address or as localhost alone.",
    )
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*[^\s/?#])?$",
        description="URL at which clients find this server, without a slash at its end, for the addresses of uploads"
        " that they are told; what they called it if left out. Behind a proxy that speaks TLS it is needed.",
    )
    api_get_changes: bool = Field(
        False,
        description="Whether GET /api.php changes anything for trusted hosts and Digest; credentials in its query may.",
    )

    balance_sign: Literal["natural", "switch"] = Field(
        "natural",
        description='Balance in getCustomerInfo: "natural" as it was given, "switch" negated as Sippy does.',
    )
    unknown_params: Literal["ignore", "reject"] = Field(
        "ignore",
        json_schema_extra=LIVE,
        description='What to do with parameters no method knows: "ignore" logs a warning, "reject" faults.',
    )
    list_limit: int = Field(
        10_000, ge=1, le=1_000_000, json_schema_extra=LIVE, description="Most rows that one list call answers."
    )
    multicall_limit: int = Field(
        50, ge=1, le=1000, json_schema_extra=LIVE, description="Most calls in one system.multicall."
    )
    idempotency_hours: int = Field(
        48,
        ge=24,
        le=24 * 90,
        json_schema_extra=LIVE,
        description="How long a call with an idempotency_key may be sent again, in hours.",
    )
    billing_seconds: int = Field(
        5, ge=0, le=3600, description="How often this process looks for recurring fees that are due; 0: it never does."
    )
    balance_queue: int = Field(
        500, ge=1, le=100_000, description="Calls that may wait for one balance in one process; more are refused."
    )
    caller_calls: int = Field(
        4,
        ge=1,
        le=1000,
        description="Calls of one caller in the database at one time, per process; fewer than half of pool_size.",
    )
    caller_queue: int = Field(
        500, ge=1, le=100_000, description="Calls of one caller that may wait in one process; more are refused."
    )
    body_limit: int = Field(1_048_576, ge=4096, le=16_777_216, description="Largest request body, in bytes.")
    body_seconds: float = Field(10, gt=0, description="Time a client has to send a request body, in seconds.")
    body_budget: int = Field(
        67_108_864,
        ge=1_048_576,
        description="Bytes of request bodies that a process holds at one time; more are refused with 503.",
    )
    upload_limit: int = Field(
        33_554_432, ge=4096, le=268_435_456, description="Largest file that may be uploaded, in bytes."
    )
    upload_seconds: float = Field(300, gt=0, description="Time a client has to send an uploaded file, in seconds.")
    header_seconds: float = Field(
        15, gt=0, description="Time a new connection has to send its first request, in seconds."
    )
    keepalive_seconds: float = Field(
        30, gt=0, description="Time from an answer until the next request must be there, in seconds."
    )
    send_seconds: float = Field(20, gt=0, description="Time a client has to read on when it has stopped, in seconds.")
    connections: int = Field(
        1000,
        ge=10,
        le=100_000,
        description="Most connections at one time, per process; idle ones make room for new ones.",
    )

    ngnpro_port: int | None = Field(
        None, ge=0, le=65535, description="TCP port of NGNPro's SOAP alone, usually 9200; it is under /ngnpro/ anyway."
    )
    ngnpro_admin_username: str | None = Field(None, description="Administrator of NGNPro's SOAP; none if left out.")
    ngnpro_admin_password_hash: SecretStr | None = Field(
        None, description="Its password, as `xmlrpc-api hash-password` prints it; for the environment."
    )
    ngnpro_return_passwords: bool = Field(
        False, description="Whether NGNPro's administrator is told API passwords of customers; each time is audited."
    )

    sip_domain: str = Field(
        "localhost", description="SIP domain that NGNPro's dialect shows for accounts whose username has no @."
    )
    sip_passwords: Literal["clear", "encrypted"] = Field(
        "encrypted",
        description='Whether NGNPro\'s administrator is told SIP passwords: "clear", or "encrypted", HA1 alone.',
    )

    smtp_host: str | None = Field(None, description="Mail server that takes what is sent; without it nothing is.")
    smtp_port: int = Field(587, ge=1, le=65535, description="Its TCP port.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description='"starttls", "tls" from the first byte (port 465), or "none": in clear.'
    )
    smtp_username: str | None = Field(None, description="Login to the mail server; none if left out.")
    smtp_password: SecretStr | None = Field(None, description="Its password; for the environment.")
    smtp_seconds: float = Field(30, gt=0, le=300, description="Time the mail server has to take a mail, in seconds.")
    mail_from: str | None = Field(
        None,
        json_schema_extra=LIVE,
        description='Sender of what is sent for customers without mail_from: an address, or "Name <address>".',
    )
    mail_days: int = Field(
        30,
        ge=2,
        le=3650,
        json_schema_extra=LIVE,
        description="How long it is kept that a mail was sent (without its content), in days.",
    )

    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description='"json", "console", or "auto": readable at a terminal, JSON elsewhere.'
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least severity logged.")

    @field_validator("host_names")
    @classmethod
    def _names_alone(cls, names: list[str]) -> list[str]:
        for name in names:
            if not re.fullmatch(r"[^\s:/@\[\]]+", name):
                raise ValueError(f"{name}: write a name alone, without scheme and port")
        return [name.lower().rstrip(".") for name in names]

    @field_validator("trusted_hosts", "trusted_proxies")
    @classmethod
    def _not_mapped(cls, networks: list[Network]) -> list[Network]:
        for network in networks:
            if getattr(network.network_address, "ipv4_mapped", None):
                raise ValueError(f"{network}: write an IPv4 address as such")
        return networks

    @model_validator(mode="after")
    def _consistent(self) -> "Config":
        for host in self.trusted_hosts:
            for proxy in self.trusted_proxies:
                if host.version == proxy.version and host.overlaps(proxy):
                    raise ValueError(
                        f"trusted_hosts ({host}) and trusted_proxies ({proxy}) overlap: "
                        "everybody behind the proxy would be trusted; take one of them out"
                    )
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key must be given together")
        if self.tls_certificate is None and self.socket is None and not self.plain_http and not is_loopback(self.host):
            raise ValueError(
                f"host: {self.host} is not loopback, and passwords would travel in clear: set tls_certificate and"
                " tls_key, or plain_http = true where a proxy or a private network protects them"
            )
        if (self.ngnpro_admin_username is None) != (self.ngnpro_admin_password_hash is None):
            raise ValueError("ngnpro_admin_username and ngnpro_admin_password_hash must be given together")
        if (self.smtp_username is None) != (self.smtp_password is None):
            raise ValueError("smtp_username and smtp_password must be given together")
        if self.smtp_username and self.smtp_security == "none" and not is_loopback(self.smtp_host or ""):
            raise ValueError("smtp_security: the password would travel in clear; use starttls or tls")
        if self.workers > 1 and self.is_sqlite:
            raise ValueError("workers: SQLite serves one process; set workers = 1 or use PostgreSQL")
        return self

    @property
    def is_sqlite(self) -> bool:
        """Whether the embedded database is used."""
        return self.database_url.startswith("sqlite")


def load(file: Path | None = None, **overrides: Any) -> Config:
    """
    Read the settings: defaults, then `file` (TOML), then the environment, then `overrides`.

    Raises:
        ConfigError: A key is unknown or a value cannot be used; the text names it.
    """
    if file is not None and not file.is_file():
        raise ConfigError(f"There is no configuration file {file}")
    if file is not None:
        _demand_private(file)
    for name, reason in REMOVED.items():
        if f"{ENV_PREFIX}{name}".upper() in os.environ:
            raise ConfigError(f"{ENV_PREFIX}{name.upper()}: {reason}")

    class Source(Config):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            sources = (init_settings, env_settings)
            return (*sources, TomlConfigSettingsSource(settings_cls, file)) if file else sources

    try:
        return Source(**{key: value for key, value in overrides.items() if value is not None})
    except ValidationError as error:
        raise ConfigError("; ".join(map(_explain, error.errors()))) from None
    except ValueError as error:
        raise ConfigError(f"The configuration cannot be read: {error}") from None


def _demand_private(file: Path) -> None:
    """
    Refuse a file with secrets that others can read.

    Raises:
        ConfigError: They can; the text tells what to do.
    """
    try:
        settings = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return  # told when it is read
    held = [name for name in SECRETS if name in settings]
    with suppress(ValueError):  # told when it is read
        if _holds_password(str(settings.get("database_url"))):
            held.append("a password in database_url")
    if held and stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise ConfigError(f"Others can read {file}, which holds {held[0]}. Run: chmod 600 {file}")


def _explain(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{where}: {REMOVED.get(where, 'there is no such setting')}"
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{where}: {message}" if where else message
