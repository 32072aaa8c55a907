"""Settings from environment variables. Each helper returns a valid value or raises an error that names the variable.

django-environ does the parsing; these helpers add the validation.
"""

import contextlib
import json
import os
import re
import secrets
from collections.abc import Callable
from email.utils import parseaddr
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import environ
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

env = environ.Env()

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

TRUE = {"1", "true", "on", "yes"}
FALSE = {"0", "false", "off", "no"}
LOOPBACK_HOSTS = {"localhost", "127.0.0.1", "::1"}
PERIODS = {"s": 1, "sec": 1, "min": 60, "m": 60, "hour": 3600, "h": 3600, "day": 86400, "d": 86400}

# WAL allows reads during a write. IMMEDIATE takes the write lock at the start of a transaction, so that two
# transactions wait for each other instead of failing with "database is locked".
SQLITE_OPTIONS = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY;",
}
SQL_MODES = (
    "STRICT_TRANS_TABLES,ONLY_FULL_GROUP_BY,NO_ZERO_DATE,NO_ZERO_IN_DATE"
    ",ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
)


class Rate(NamedTuple):
    """A rate limit: calls per number of seconds."""

    calls: int
    seconds: int


def invalid(name: str, reason: str) -> ImproperlyConfigured:
    """Return the error for an invalid variable. It never contains the value, which may be a secret."""
    return ImproperlyConfigured(f"{name}: {reason}")


# For URLs that contain a password.
ENCODING_HINT = "; encode special characters in the password, such as %40 for @"


def str_(name: str, default: str = "") -> str:
    """Return a stripped string. An empty variable counts as unset.

    `env.str` is not used, because it interprets a value that begins with `$` as the name of another variable.
    """
    return env.ENVIRON.get(name, "").strip() or default


def bool_(name: str, default: bool) -> bool:
    """Return a boolean: on, off, true, false, yes, no, 1 or 0. Other values are errors instead of false."""
    value = str_(name).lower()
    if not value:
        return default
    if value not in TRUE | FALSE:
        raise invalid(name, "must be on or off")
    return value in TRUE


def int_(name: str, default: int, *, min_value: int = 0, max_value: int) -> int:
    """Return an integer from `min_value` to `max_value`."""
    value = str_(name)
    if not value:
        return default
    if not re.fullmatch(r"-?[0-9]{1,12}", value) or not min_value <= int(value) <= max_value:
        raise invalid(name, f"must be a whole number from {min_value} to {max_value}")
    return int(value)


def list_(name: str, default: list[str]) -> list[str]:
    """Return a comma-separated list."""
    value = str_(name)
    return [part.strip() for part in value.split(",") if part.strip()] if value else default


def app_ids(name: str, pattern: str, form: str) -> list[str]:
    """Return a list of mobile app ids, which must match `pattern`; the error message shows `form`."""
    value = list_(name, [])
    if not all(re.fullmatch(pattern, app, re.ASCII) for app in value):
        raise invalid(name, f"must be comma-separated ids of the form {form}")
    return value


def choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    """Return one of the allowed values."""
    value = str_(name, default).lower()
    if value not in choices:
        raise invalid(name, f"must be {' or '.join(choices)}")
    return value


def hosts(name: str, default: list[str]) -> list[str]:
    """Return host names for ALLOWED_HOSTS, without scheme or path. `*` is an error, except in the default."""
    value = list_(name, [])
    for host in value:
        if not re.fullmatch(r"\.?[A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\]", host):
            raise invalid(name, "must be comma-separated host names without scheme, port or path")
    return value or default


def default_hosts(*, debug: bool) -> list[str]:
    """Return the default of ALLOWED_HOSTS: the names of this machine.

    In development they include the address that the Android emulator uses for this machine. A development server that
    listens on the network (`HOST`) accepts any name: it may not know its own addresses, such as that of a router or of
    the machine that runs its container.
    """
    local = ["localhost", "127.0.0.1", "[::1]"]
    if not debug:
        return local
    return [*local, "10.0.2.2"] if str_("HOST", "localhost").strip("[]") in LOOPBACK_HOSTS else ["*"]


def url(name: str, default: str, *, schemes: tuple[str, ...], query: bool = False) -> str:
    """Return an absolute URL with one of `schemes`, without trailing slash, and without a query unless `query`."""
    value = str_(name, default).rstrip("/")
    try:
        parts = urlsplit(value)
        valid = parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        valid = valid and not re.search(r"[\s#]" if query else r"[\s?#]", value)
    except ValueError:
        valid = False
    if value and not valid:
        prefixes = " or ".join(f"{scheme}://" for scheme in schemes)
        raise invalid(name, f"must be a URL that starts with {prefixes}, without {'#' if query else '? and #'}")
    return value


def origins(name: str) -> list[str]:
    """Return a comma-separated list of origins (scheme, host and port)."""
    value = list_(name, [])
    for origin in value:
        match = re.fullmatch(r"https?://([A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\])(:([0-9]{1,5}))?", origin)
        if not match or int(match[3] or 1) not in range(1, 65_536):
            raise invalid(name, "must be comma-separated origins such as https://app.example.org")
    return value


def identifier(name: str, default: str) -> str:
    """Return a name of at most 64 letters, digits and `._-`."""
    value = str_(name, default)
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", value):
        raise invalid(name, "must consist of at most 64 letters, digits, dots, underscores and hyphens")
    return value


def sentry_dsn(name: str) -> str:
    """Return the DSN of a Sentry project, or an empty string. It needs the package sentry-sdk."""
    value = url(name, "", schemes=("https", "http"))
    parts = urlsplit(value)
    if value and not (parts.username and re.fullmatch(r"(/[^/]+)*/[0-9]+", parts.path, re.ASCII)):
        raise invalid(name, "must be a DSN such as https://key@sentry.example.org/1")
    if value and find_spec("sentry_sdk") is None:
        raise invalid(name, "needs the package sentry-sdk: pip install -r requirements-sentry.txt")
    return value


# redis+sentinel://user:password@host:port,host:port/service/number
SENTINEL_URL = re.compile(
    r"redis\+sentinel://((?P<login>[^@/]*)@)?(?P<hosts>[^@/,:]+(:[0-9]{1,5})?(,[^@/,:]+(:[0-9]{1,5})?)*)"
    r"/(?P<service>[A-Za-z0-9._-]+)(/(?P<number>[0-9]{1,3}))?"
)


def redis(name: str) -> str:
    """Return the URL of a Redis server, of its Unix socket, or of the Sentinels that know it, or an empty string."""
    value = str_(name)
    if value.startswith("redis+sentinel:"):
        if not SENTINEL_URL.fullmatch(value) or not all(0 < port < 65_536 for _host, port in sentinel_addresses(value)):
            raise invalid(name, "must be redis+sentinel://user:password@host:port,host:port/service/number")
        return value
    if value.startswith("unix:"):
        if not re.fullmatch(r"unix://([^@/?#]*@)?/[^?#\s]+(\?db=[0-9]{1,3})?", value):
            raise invalid(name, "must be unix:///path/of/the/socket?db=number")
        return value
    value = url(name, "", schemes=("redis", "rediss", "redis+sentinel", "unix"))
    parts = urlsplit(value)
    if not re.fullmatch(r"(/[0-9]{1,3})?", parts.path):
        raise invalid(name, "must be redis://user:password@host:port/number")
    return value


def sentinel_addresses(value: str) -> list[tuple[str, int]]:
    """Return the hosts and ports of the Sentinels in a URL of `redis`; none if it has another scheme."""
    match = SENTINEL_URL.fullmatch(value)
    hosts = match["hosts"].split(",") if match else []
    return [(host, int(port or 26379)) for host, _colon, port in (place.partition(":") for place in hosts)]


def sentinel_service_url(value: str) -> str:
    """Return the URL, for django-redis, of the current primary of the service in a URL with Sentinels."""
    match = SENTINEL_URL.fullmatch(value)
    if match is None:
        raise ValueError("not a URL with Sentinels")
    login = f"{match['login']}@" if match["login"] else ""
    return f"redis://{login}{match['service']}/{match['number'] or 0}?is_master=1"


def rate(name: str, default: str) -> Rate | None:
    """Return a rate such as `10/min`, or None for `off`."""
    value = str_(name, default).lower()
    if value == "off":
        return None
    match = re.fullmatch(r"([0-9]{1,9})/([a-z]+)", value)
    if not match or match[2] not in PERIODS or int(match[1]) == 0:
        raise invalid(name, "must be a rate such as 10/min (sec, min, hour, day), or off")
    return Rate(int(match[1]), PERIODS[match[2]])


def secret_key(name: str, *, dev_file: Path | None) -> str:
    """Return Django's secret key of at least 32 characters. `dev_file` stores a generated one for development."""
    value = str_(name)
    if not value and dev_file:
        value = _read_or_create(dev_file, lambda: secrets.token_urlsafe(50))
    if len(value) < 32:
        raise invalid(name, "is required in production" if not value else "must have at least 32 characters")
    return value


def secret_keys(name: str) -> list[str]:
    """Return former secret keys, the latest first."""
    value = list_(name, [])
    if any(len(key) < 32 for key in value):
        raise invalid(name, "must be former values of SECRET_KEY, separated by commas")
    return value


def private_key(name: str, *, dev_file: Path | None) -> PrivateKey:
    """Return the key that signs tokens, from PEM text or the path of a PEM file: RSA (min. 2048 bits) or EC P-256."""
    value = str_(name)
    if not value and dev_file:
        value = _read_or_create(dev_file, _new_private_key)
    if not value:
        raise invalid(name, "is required in production: PEM text or the path of a PEM file")
    key = _load_key(name, value)
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 2048:
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise invalid(name, "must be an RSA key from 2048 bits or an EC key on P-256")


def public_keys(name: str) -> list[PublicKey]:
    """Return public keys, separated by commas, each as PEM text or as the path of a PEM file."""
    return [_public_key(name, value) for value in list_(name, [])]


def _public_key(name: str, value: str) -> PublicKey:
    """Return a public key from the PEM text or file of a public or a private key."""
    text = _text_or_file(name, value.replace("\\n", "\n"), start="-----BEGIN", kind="PEM")
    if "PRIVATE KEY-----" in text:
        key = _load_key(name, value).public_key()
    else:
        try:
            key = serialization.load_pem_public_key(text.encode())
        except (ValueError, TypeError):
            raise invalid(name, "is not a key in PEM format") from None
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048:
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise invalid(name, "must be RSA keys from 2048 bits or EC keys on P-256")


def p256_key(name: str) -> ec.EllipticCurvePrivateKey | None:
    """Return an EC key on P-256 from PEM text or the path of a PEM file, or None if the variable is unset."""
    value = str_(name)
    key = _load_key(name, value) if value else None
    if key and not (isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)):
        raise invalid(name, "must be an EC key on P-256")
    return key


def _load_key(name: str, value: str) -> Any:
    """Return the private key in a PEM text or file."""
    text = _text_or_file(name, value.replace("\\n", "\n"), start="-----BEGIN", kind="PEM")
    try:
        return serialization.load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError):
        raise invalid(name, "is not an unencrypted private key in PEM format") from None


def _text_or_file(name: str, value: str, *, start: str, kind: str) -> str:
    """Return the value if it contains `start`, else the text of the file that it names."""
    if start in value:
        return value
    try:
        return Path(value).read_text("ascii")
    except (OSError, ValueError):
        raise invalid(name, f"is neither {kind} text nor the path of a readable {kind} file") from None


def service_account(name: str) -> dict[str, str] | None:
    """Return the key of a Google service account, from JSON text or the path of a JSON file, or None if unset."""
    value = str_(name)
    if not value:
        return None
    error = invalid(name, "must be the JSON key of a service account, or the path of its file")
    try:
        data = json.loads(_text_or_file(name, value, start="{", kind="JSON"))
        account = {key: data[key] for key in ("project_id", "client_email", "private_key")}
        account["token_uri"] = data.get("token_uri", "https://oauth2.googleapis.com/token")
        key = serialization.load_pem_private_key(account["private_key"].encode(), password=None)
        complete = all(isinstance(text, str) and text for text in account.values())
    except (ValueError, TypeError, KeyError, AttributeError):
        raise error from None
    if not (complete and isinstance(key, rsa.RSAPrivateKey) and re.fullmatch(r"[a-z0-9:.-]+", account["project_id"])):
        raise error
    return account


def required_with(other: str, name: str, pattern: str) -> str:
    """Return a string that matches `pattern`. The variable must be set if and only if `other` is."""
    value = str_(name)
    if bool(value) != bool(str_(other)):
        raise invalid(name if not value else other, f"is required with {other if not value else name}")
    if value and not re.fullmatch(pattern, value, re.ASCII):
        raise invalid(name, "is not such an id")
    return value


def vapid_subject(name: str, default: str) -> str:
    """Return the operator's contact URL for push services: mailto: or https: (RFC 8292)."""
    value = str_(name, default)
    if not re.fullmatch(r"(mailto:[^\s@]+@[^\s@]+|https://\S+)", value):
        raise invalid(name, "must be a URL that starts with mailto: or https://")
    return value


def email(name: str, default: str) -> dict[str, Any]:
    """Return Django's e-mail settings from `consolemail://`, `filemail:///dir` or `smtp://...`."""
    value = str_(name, default)
    error = invalid(
        name, f"must be consolemail://, filemail:///directory or smtp+tls://user:password@host:port{ENCODING_HINT}"
    )
    scheme, separator, _rest = value.partition("://")
    if not separator or scheme not in environ.Env.EMAIL_SCHEMES:
        raise error
    try:
        settings: dict[str, Any] = dict(env.email_url_config(value))
        parts = urlsplit(value)
    except ValueError:
        raise error from None
    if scheme == "filemail":
        settings["EMAIL_FILE_PATH"] = parts.path
    if (scheme == "filemail" and (parts.netloc or not parts.path)) or (
        scheme.startswith("smtp")
        and (not parts.hostname or parts.path not in {"", "/"} or parts.fragment or "@" in parts.query)
    ):
        raise error
    return settings


def production_warnings() -> list[str]:
    """Return a warning for each variable without which a production server works, but not as its users expect."""
    consequences = {
        "DATABASE_URL": "the data is in an SQLite file in the checkout",
        "EMAIL_URL": "e-mails are not sent but printed here, with the tokens that they contain",
        "APP_URL": "links in e-mails begin with http://localhost",
    }
    return [f"{name} is not set: {text}" for name, text in consequences.items() if not str_(name)]


def from_email(name: str, default: str) -> str:
    """Return the sender of e-mails: an address, or `Name <address>`."""
    value = str_(name, default)
    try:
        validate_email(parseaddr(value)[1])
    except ValidationError:
        raise invalid(name, "must be an e-mail address, or a name and <address>") from None
    if not value.isprintable():
        raise invalid(name, "must be a single line")
    return value


def directory(name: str, default: Path) -> Path:
    """Return a directory for files. It need not exist, but a configured one must be writable."""
    value = str_(name)
    path = Path(value).absolute() if value else default
    existing = next(p for p in (path, *path.parents) if os.path.lexists(p))
    if value and not (existing.is_dir() and os.access(existing, os.W_OK)):
        raise invalid(name, "must be a writable directory")
    return path


def database(name: str, default: str, *, timeout: int) -> dict[str, Any]:
    """Return an entry of DATABASES, with options that make SQLite, MariaDB and MySQL behave alike."""
    return parse_database(name, str_(name, default), timeout=timeout)


def is_connection_error(error: Exception) -> bool:
    """Return whether a database error means that the server is unreachable or denies the login."""
    # Client errors (2000 and up), and server errors for a wrong user, password or database name.
    code = error.args[0] if error.args else None
    return code in (1044, 1045, 1049, 1698, *range(2000, 2100)) or code == "unable to open database file"


def is_missing_table(error: Exception) -> bool:
    """Return whether a database error means that a table does not exist."""
    code = error.args[0] if error.args else None
    return code == 1146 or str(code).startswith("no such table")


def is_write_denied(error: Exception) -> bool:
    """Return whether a database error means that the user, or the process for an SQLite file, has no right to write."""
    code = error.args[0] if error.args else None
    return code == 1142 or code == "attempt to write a readonly database"


def parse_database(name: str, value: str, *, timeout: int) -> dict[str, Any]:
    """Return the entry of DATABASES for the URL `value`. `timeout` is in seconds, 0 for none."""
    error = invalid(name, f"must be sqlite:////absolute/file or mysql://user:password@host:port/name{ENCODING_HINT}")
    if not value.startswith(("sqlite:////", "mysql://")):
        raise error
    try:
        config: dict[str, Any] = dict(env.db_url_config(value))
    except ValueError:
        raise error from None
    sqlite = config["ENGINE"] == "django.db.backends.sqlite3"
    if not config.get("NAME") or not (sqlite or re.fullmatch(r"[A-Za-z0-9._:/-]+", config["HOST"])):
        raise error
    # A password with @ / or # that is not encoded: the URL would name another host and database.
    if not sqlite and ("#" in value or re.search(r"[@/]", config["NAME"])):
        raise error
    options: dict[str, Any] = config.pop("OPTIONS", {})
    if not sqlite:
        options = _mysql_url_options(name, options)
        config |= {"ENGINE": "core.db.mysql", "CONN_HEALTH_CHECKS": True}
        config["CONN_MAX_AGE"] = config.get("CONN_MAX_AGE") or 60
        config["TEST"] = {"CHARSET": "utf8mb4"}
    return config | {"OPTIONS": (SQLITE_OPTIONS if sqlite else _mysql_options(timeout)) | options}


MYSQL_URL_OPTIONS = ("ssl_ca", "ssl_cert", "ssl_key", "ssl_mode", "read_default_file", "unix_socket")
SSL_MODES = ("DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY")


def _mysql_url_options(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return the options of the driver for the query of a URL. A CA without a mode means that the name is verified."""
    for option in options:
        if option not in MYSQL_URL_OPTIONS:
            raise invalid(name, f"{option!r} is not one of the options {', '.join(MYSQL_URL_OPTIONS)}")
    files = {option: options.pop(option) for option in ("ssl_ca", "ssl_cert", "ssl_key") if option in options}
    for option, path in files.items():
        if not os.access(str(path), os.R_OK):
            raise invalid(name, f"{option} is not the path of a readable file")
    if files:
        options = {"ssl_mode": "VERIFY_IDENTITY" if "ssl_ca" in files else "REQUIRED", **options}
        options["ssl"] = {option.removeprefix("ssl_"): str(path) for option, path in files.items()}
    if options.get("ssl_mode", "DISABLED") not in SSL_MODES:
        raise invalid(name, f"ssl_mode must be {' or '.join(SSL_MODES)}")
    return options


def _mysql_options(timeout: int) -> dict[str, Any]:
    options: dict[str, Any] = {
        "charset": "utf8mb4",
        "isolation_level": "read committed",
        # MariaDB truncates the result of JSON_ARRAYAGG to group_concat_max_len.
        "init_command": (
            f"SET SESSION sql_mode='{SQL_MODES}', SESSION innodb_lock_wait_timeout=5"
            ", SESSION group_concat_max_len=16777216"
        ),
        "connect_timeout": 2,
    }
    if timeout:
        # A stale connection is tried before a new one is made, and both must fit into the timeout.
        options |= {"read_timeout": max(timeout - 2, 1), "write_timeout": max(timeout - 2, 1)}
    return options


def _new_private_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, *pem).decode()


def _read_or_create(path: Path, create: Callable[[], str]) -> str:
    """Return the content of `path`, created with owner-only permissions if it does not exist.

    The content is written to a temporary file that is linked into place, so that concurrent processes agree on it.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.touch(mode=0o600)
        temporary.write_text(create())
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
        temporary.unlink()
    return path.read_text().strip()
