"""Settings from the environment: an invalid value stops the start with a message that names it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, override_settings

from bookbridge import env
from bookbridge.env import Rate
from tests.server import migrated

ROOT = Path(__file__).resolve().parent.parent.parent


def pem(key, password: bytes | None = None) -> str:
    kind = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, kind).decode()


P256 = pem(ec.generate_private_key(ec.SECP256R1()))
RSA = pem(rsa.generate_private_key(65537, 2048))


# Loads the settings in one process for each environment. Each is a fork of a process without settings that has
# loaded what they import, since loading that takes most of the time of a start.
LOAD_SETTINGS = """
import json, os, sys, tempfile, traceback
import corsheaders.defaults, django.urls, django.utils.translation, environ
from cryptography.hazmat.primitives import serialization

def start(values):
    with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
        if not (child := os.fork()):
            os.dup2(stdout.fileno(), 1)
            os.dup2(stderr.fileno(), 2)
            os.environ.clear()
            os.environ.update(values)
            try:
                import bookbridge.settings
                print("started", flush=True)
                os._exit(0)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return status, *((file.seek(0), file.read())[1] for file in (stdout, stderr))

assert not any(name.startswith("bookbridge") for name in sys.modules)
print(json.dumps([start(values) for values in json.load(sys.stdin)]))
"""


def start(*environments: dict[str, str]) -> list[tuple[int, str, str]]:
    """Load the settings in production in a process for each, with nothing else in the environment.

    Return the statuses, outputs and errors.
    """
    inherited = {"PATH": os.environ["PATH"]}
    keys = {"SECRET_KEY": "x" * 50, "JWT_PRIVATE_KEY": P256}
    ended = subprocess.run(
        [sys.executable, "-c", LOAD_SETTINGS],
        cwd=ROOT,
        env=inherited,
        input=json.dumps([inherited | keys | values for values in environments]),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [tuple(result) for result in json.loads(ended.stdout)]


def test_command_names_the_setting_without_traceback():
    response = subprocess.run(
        [sys.executable, "manage.py", "migrate"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "RATE_LOGIN": "often"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert response.returncode == 1
    assert response.stderr.splitlines() == [
        "manage.py: RATE_LOGIN: must be a rate such as 10/min (sec, min, hour, day), or off"
    ]


def test_production_starts_with_only_its_two_keys():
    assert start({}) == [(0, "started\n", "")]


NONSENSE = [
    ("SECRET_KEY", ""),
    ("SECRET_KEY", "short"),
    ("JWT_PRIVATE_KEY", ""),
    ("JWT_PRIVATE_KEY", "/no/such/file"),
    ("DEBUG", "maybe"),
    ("DEBUG", "perhaps"),
    ("DEBUG", "2"),
    ("DEBUG", "on off"),
    ("ADMIN_SECOND_FACTOR", "perhaps"),
    ("ALLOWED_HOSTS", "https://example.org"),
    ("CORS_ORIGINS", "app.example.net"),
    ("CORS_ORIGINS", "http://["),
    ("CORS_ORIGINS", "https://app.example.net:70000"),
    ("TRUSTED_PROXIES", "two"),
    ("DATABASE_URL", "postgres://localhost/x"),
    ("REPLICA_URLS", "mysql://localhost"),
    ("REPLICA_MAX_LAG", "-1"),
    ("REDIS_URL", "localhost:6379"),
    ("REDIS_URL", "redis+sentinel://s1:26379,s2:99999/main/0"),
    ("REDIS_URL", "redis+sentinel://s1:26379"),
    ("REDIS_URL", "redis+sentinel:///main"),
    ("REDIS_URL", "unix://relative.sock"),
    ("REDIS_URL", "unix:///run/redis.sock?timeout=1"),
    ("SECRET_KEY_FALLBACKS", "short"),
    ("SECRET_KEY_FALLBACKS", "x" * 50 + ",short"),
    ("JWT_VERIFYING_KEYS", "/no/such/file"),
    ("JWT_VERIFYING_KEYS", "-----BEGIN PUBLIC KEY-----nonsense"),
    ("DATABASE_URL", "mysql://h/b?ssl=true"),
    ("DATABASE_URL", "mysql://h/b?ssl_ca=/no/such/file"),
    ("DATABASE_URL", "mysql://h/b?ssl_mode=MAYBE"),
    ("DATABASE_URL", "mysql://h/b?charset=latin1"),
    ("EMAIL_URL", "carrier-pigeon://"),
    ("RATE_LOGIN", "often"),
    ("RATE_REGISTER", "0/min"),
    ("RATE_INVITE", "10/fortnight"),
    ("RATE_WRITE", "-1/min"),
    ("RATE_USER", "10"),
    ("RATE_ANON", "1.5/min"),
    ("PORT", "70000"),
    ("APP_URL", "app.example.org"),
    ("APP_URL", "https://app.example.org/?a=b"),
    ("OPENLIBRARY_URL", "https://openlibrary.org/#top"),
    ("EMAIL_FROM", "BookBridge"),
    ("EMAIL_FROM", "a@example.org\nBcc: b@example.org"),
    ("LOG_DIR", "/etc/passwd"),
    ("LOG_DIR", "/dev/null/log"),
    ("REPORTS_TO_HIDE", "0"),
    ("OPENLIBRARY_URL", "ftp://openlibrary.org"),
    ("BRASILAPI_URL", "brasilapi.com.br"),
    ("GOOGLE_BOOKS_URL", "https://www.googleapis.com/?key=x"),
    ("DB_TIMEOUT", "-1"),
    ("JOBS", "sometimes"),
    ("ADMIN_SECOND_FACTOR", "off"),  # in production
    ("AUDIT_DAYS", "29"),
    ("VAPID_PRIVATE_KEY", "nonsense"),
    ("VAPID_PRIVATE_KEY", RSA),
    ("VAPID_SUBJECT", "push@example.org"),
    ("PUSH_ALLOWED_HOSTS", "*"),
    ("PUSH_ALLOWED_HOSTS", "http://127.0.0.1:9000"),
    ("FCM_CREDENTIALS", "/no/such/file"),
    ("FCM_CREDENTIALS", "{}"),
    ("FCM_CREDENTIALS", '{"project_id": "p", "client_email": "a@b", "private_key": "nonsense"}'),
    ("FCM_CREDENTIALS", json.dumps({"project_id": "p/../q", "client_email": "a@b", "private_key": RSA})),
    ("FCM_CREDENTIALS", json.dumps({"project_id": "p", "client_email": "a@b", "private_key": P256})),
    ("FCM_URL", "fcm.googleapis.com"),
    ("APNS_KEY", "nonsense"),
    ("APNS_URL", "api.push.apple.com"),
    ("SENTRY_DSN", "sentry.example.org"),
    ("SENTRY_ENVIRONMENT", "a b/c"),
    ("SENTRY_DSN", "https://sentry.example.org/1"),
    ("SENTRY_DSN", "https://key@errors.example.org"),
    ("SENTRY_DSN", "https://key@sentry.example.org/project"),
    ("SENTRY_DSN", "https://key@sentry.example.org:99999/1"),
]
# APNs needs all of its settings.
APNS = {"APNS_KEY": P256, "APNS_KEY_ID": "KEY1234567", "APNS_TEAM_ID": "TEAM123456", "APNS_TOPIC": "org.example.app"}


@pytest.fixture(scope="module")
def started_with_nonsense():
    return dict(zip(NONSENSE, start(*({name: value} for name, value in NONSENSE)), strict=True))


@pytest.mark.parametrize(("name", "value"), NONSENSE, ids=[f"{n}={v[:12]!r}" for n, v in NONSENSE])
def test_invalid_setting_stops_the_start_with_its_name(started_with_nonsense, name, value):
    status, _output, errors = started_with_nonsense[name, value]
    assert status != 0
    last = errors.strip().splitlines()[-1]
    assert f"ImproperlyConfigured: {name}: " in last
    assert len(value) < 6 or value not in last  # it may be a secret


def test_push_settings_start_the_server(tmp_path):
    account = {"type": "service_account", "project_id": "p-1", "client_email": "a@b", "private_key": RSA}
    file = tmp_path / "account.json"
    file.write_text(json.dumps(account))
    values = {
        **APNS,
        "VAPID_PRIVATE_KEY": P256.replace("\n", "\\n"),
        "VAPID_SUBJECT": "mailto:push@example.org",
        "PUSH_ALLOWED_HOSTS": "127.0.0.1,.intern",
    }
    started = start(*({**values, "FCM_CREDENTIALS": credentials} for credentials in (str(file), json.dumps(account))))
    assert started == [(0, "started\n", "")] * 2


def test_sentry_dsn_without_the_package_names_what_to_install(monkeypatch):
    monkeypatch.setenv("SENTRY_DSN", "https://key@sentry.example.org/1")
    monkeypatch.setattr(env, "find_spec", lambda name: None)
    with pytest.raises(ImproperlyConfigured, match=r"^SENTRY_DSN: .* pip install -r requirements-sentry.txt$"):
        env.sentry_dsn("SENTRY_DSN")


@pytest.mark.parametrize("name", APNS)
def test_apns_needs_all_of_its_settings(name):
    [(status, _output, errors)] = start({key: value for key, value in APNS.items() if key != name})
    assert status != 0
    assert f"{name}" in errors.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("PORT", "x"), ("WEB_CONCURRENCY", "0"), ("DEBUG", "maybe"), ("HOST", "a b")),
        *(("SECRET_KEY", "short"), ("JWT_PRIVATE_KEY", ""), ("RATE_LOGIN", "often")),
    ],
)
def test_application_server_names_the_invalid_setting(name, value):
    response = subprocess.run(
        [sys.executable, "-m", "gunicorn", "--config", "bookbridge/gunicorn.conf.py", "--check-config"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "SECRET_KEY": "x" * 50, "JWT_PRIVATE_KEY": P256, name: value},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert response.returncode == 1
    [line] = response.stderr.splitlines()
    assert line.startswith(f"{name}: ")


def test_development_keys_are_created_once_and_private(tmp_path, monkeypatch):
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.delenv("JWT_PRIVATE_KEY", raising=False)
    kept = tmp_path / "keys"
    first = (
        env.secret_key("SECRET_KEY", dev_file=kept / "secret"),
        env.private_key("JWT_PRIVATE_KEY", dev_file=kept / "jwt"),
    )
    again = (
        env.secret_key("SECRET_KEY", dev_file=kept / "secret"),
        env.private_key("JWT_PRIVATE_KEY", dev_file=kept / "jwt"),
    )
    assert first[0] == again[0]
    assert first[1].private_numbers() == again[1].private_numbers()
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in kept.iterdir()} == {
        "secret": "0o600",
        "jwt": "0o600",
    }


@pytest.mark.parametrize(
    "key",
    [
        pem(rsa.generate_private_key(65537, 2048)),
        P256,
        P256.replace("\n", "\\n"),
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        .decode(),
    ],
    ids=["rsa 2048", "p-256", "escaped line ends", "older form"],
)
def test_valid_signing_key_is_accepted_as_text_and_file(key, monkeypatch, tmp_path):
    monkeypatch.setenv("JWT_PRIVATE_KEY", key)
    assert env.private_key("JWT_PRIVATE_KEY", dev_file=None)
    file = tmp_path / "key.pem"
    file.write_text(key.replace("\\n", "\n"))
    monkeypatch.setenv("JWT_PRIVATE_KEY", str(file))
    assert env.private_key("JWT_PRIVATE_KEY", dev_file=None)


@pytest.mark.parametrize(
    "key",
    [
        pem(rsa.generate_private_key(65537, 1024)),
        pem(ec.generate_private_key(ec.SECP384R1())),
        pem(ed25519.Ed25519PrivateKey.generate()),
        pem(ec.generate_private_key(ec.SECP256R1()), b"password"),
        P256[:100],
        P256.replace("PRIVATE", "PUBLIC"),
        "-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----\n",
        "/dev",
        "nonsense",
        "a\x01b",
    ],
    ids=["rsa 1024", "p-384", "ed25519", "encrypted", "cut", "public", "garbage", "directory", "word", "control"],
)
def test_invalid_signing_key_is_refused(key, monkeypatch):
    monkeypatch.setenv("JWT_PRIVATE_KEY", key)
    with pytest.raises(ImproperlyConfigured, match=r"^JWT_PRIVATE_KEY: "):
        env.private_key("JWT_PRIVATE_KEY", dev_file=None)


def test_secret_may_begin_with_any_character(monkeypatch):
    for secret in ("$" + "a" * 40, "$PATH" + "b" * 40, "\\$" + "c" * 40, "#" + "d" * 40, "'" + "e" * 40):
        monkeypatch.setenv("SECRET_KEY", secret)
        assert env.secret_key("SECRET_KEY", dev_file=None) == secret


# --- Kinds of values -------------------------------------------------------------------------------------------------


@pytest.fixture
def value(monkeypatch):
    def set_value(text: str) -> None:
        monkeypatch.setenv("X", text)

    return set_value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10/min", Rate(10, 60)),
        ("5/sec", Rate(5, 1)),
        (" 7/Hour ", Rate(7, 3600)),
        ("1/d", Rate(1, 86400)),
        ("OFF", None),
    ],
)
def test_valid_rates(value, text, expected):
    value(text)
    assert env.rate("X", "1/min") == expected


@pytest.mark.parametrize(
    "text", ["10/", "/min", "10/min/min", "10 / min", "١/min", "1e3/min", "1234567890/min", "none"]
)
def test_invalid_rates(value, text):
    value(text)
    with pytest.raises(ImproperlyConfigured, match=r"^X: "):
        env.rate("X", "1/min")


@pytest.mark.parametrize(("text", "expected"), [("on", True), ("TRUE", True), ("1", True), ("no", False), ("", True)])
def test_flags(value, text, expected):
    value(text)
    assert env.bool_("X", True) is expected


@pytest.mark.parametrize("text", ["1.5", "x", "-1", "11", "١", "1_0", "0x1", "9" * 20])
def test_invalid_numbers(value, text):
    value(text)
    with pytest.raises(ImproperlyConfigured, match=r"^X: must be a whole number from 0 to 10"):
        env.int_("X", 3, max_value=10)


@pytest.mark.parametrize("text", ["*", "a,*", "http://a", "a:80", "a/b", "a b", "*.example.org", "é.example"])
def test_invalid_hosts(value, text):
    value(text)
    with pytest.raises(ImproperlyConfigured, match=r"^X: "):
        env.hosts("X", [])


def test_valid_hosts(value):
    value("example.org, .example.net,127.0.0.1,[::1],")
    assert env.hosts("X", []) == ["example.org", ".example.net", "127.0.0.1", "[::1]"]


@pytest.mark.parametrize(
    ("values", "allowed", "refused"),
    [
        (
            {"DEBUG": "on"},
            ["localhost:8000", "127.0.0.1", "[::1]:8000", "10.0.2.2:8000"],
            ["192.168.1.20", "a.example"],
        ),
        ({"DEBUG": "on", "HOST": "127.0.0.1"}, ["10.0.2.2:8000"], ["192.168.1.20:8000", "10.0.2.3"]),
        ({"DEBUG": "on", "HOST": "[::1]"}, ["10.0.2.2:8000", "[::1]"], ["192.168.1.20:8000"]),
        ({"DEBUG": "on", "HOST": "0.0.0.0"}, ["192.168.1.20:8000", "10.0.2.2:8000", "mac.local:8000", "[fe80::1]"], []),
        ({"DEBUG": "on", "HOST": "192.168.1.20"}, ["192.168.1.20:8000", "localhost"], []),
        ({"DEBUG": "on", "HOST": "0.0.0.0", "ALLOWED_HOSTS": "mac.local"}, ["mac.local:8000"], ["192.168.1.20"]),
        ({}, ["localhost", "127.0.0.1"], ["10.0.2.2", "192.168.1.20"]),
        ({"HOST": "0.0.0.0"}, ["localhost"], ["10.0.2.2:8000", "192.168.1.20:8000"]),
    ],
    ids=str,
)
def test_server_answers_to_these_hosts(values, allowed, refused, monkeypatch):
    for name in ("HOST", "ALLOWED_HOSTS"):
        monkeypatch.delenv(name, raising=False)
    for name, text in values.items():
        monkeypatch.setenv(name, text)
    hosts = env.hosts("ALLOWED_HOSTS", env.default_hosts(debug=values.get("DEBUG") == "on"))
    with override_settings(ALLOWED_HOSTS=hosts):
        for host, status in [*((host, 200) for host in allowed), *((host, 400) for host in refused)]:
            assert Client().get("/healthz", HTTP_HOST=host).status_code == status, host


def test_settings_use_the_hosts_of_a_phone():
    code = "from bookbridge.settings import ALLOWED_HOSTS; print(ALLOWED_HOSTS)"
    environment = {
        "PATH": os.environ["PATH"],
        "DEBUG": "on",
        "HOST": "0.0.0.0",
        "SECRET_KEY": "x" * 50,
        "JWT_PRIVATE_KEY": P256,
    }
    command = [sys.executable, "-c", code]
    response = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert response.stdout == "['*']\n"


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "null",
        "app.example.org",
        "https://a/",
        "https://a/b",
        "https://*.a",
        "https://a:x",
        "https://u@a",
        "https://",
        "ftp://a",
        "http://[",
        "https://a b",
    ],
)
def test_invalid_origins(value, text):
    value(text)
    with pytest.raises(ImproperlyConfigured, match=r"^X: "):
        env.origins("X")


def test_valid_origins(value):
    value("https://app.example.org, http://localhost:5173,http://[::1]:80")
    assert env.origins("X") == ["https://app.example.org", "http://localhost:5173", "http://[::1]:80"]


@pytest.mark.parametrize(
    "text", ["redis://", "redis://h/x", "redis://h:x/1", "redis://h:0", "http://h", "redis://h/1/2", "redis://h/1?db=x"]
)
def test_invalid_redis_urls(value, text):
    value(text)
    with pytest.raises(ImproperlyConfigured, match=r"^X: "):
        env.redis("X")


def test_valid_redis_urls(value):
    for text in (
        "redis://127.0.0.1",
        "redis://127.0.0.1:6379/15",
        "rediss://user:pass%2Fword@redis.example:6380/0",
        "",
    ):
        value(text)
        assert env.redis("X") == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("consolemail://", {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}),
        (
            "filemail:///var/mails",
            {"EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend", "EMAIL_FILE_PATH": "/var/mails"},
        ),
        ("smtp://mail.example.org:2525", {"EMAIL_HOST": "mail.example.org", "EMAIL_PORT": 2525}),
        ("smtp://mail.example.org", {"EMAIL_HOST": "mail.example.org"}),
        (
            "smtp+tls://u%40x:p%2Fw@mail.example.org:587",
            {"EMAIL_HOST_USER": "u@x", "EMAIL_HOST_PASSWORD": "p/w", "EMAIL_USE_TLS": True},
        ),
        ("smtps://mail.example.org:465", {"EMAIL_HOST": "mail.example.org"}),
    ],
)
def test_valid_email_urls(value, text, expected):
    value(text)
    settings = env.email("X", "consolemail://")
    assert expected.items() <= settings.items()


@pytest.mark.parametrize(
    "text",
    ["smtp://", "smtp://h:x", "smtp://h:99999", "filemail://", "filemail://relative", "mail", "http://h", "smtp:h"],
)
def test_invalid_email_urls(value, text):
    value(text)
    with pytest.raises(ImproperlyConfigured, match=r"^X: "):
        env.email("X", "consolemail://")


def test_sqlite_uses_wal_and_waits_for_locks(value):
    value("sqlite:////srv/data/bb.sqlite3")
    config = env.database("X", "", timeout=10)
    assert config["NAME"] == "/srv/data/bb.sqlite3"
    assert config["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in config["OPTIONS"]["init_command"]
    assert config["OPTIONS"]["timeout"] == 20


def test_mysql_uses_utf8mb4_and_timeouts(value):
    value("mysql://reader:p%40ss%2Fword@db.example:3307/books?ssl_mode=VERIFY_IDENTITY")
    config = env.database("X", "", timeout=10)
    assert (config["USER"], config["PASSWORD"], config["HOST"], config["PORT"], config["NAME"]) == (
        "reader",
        "p@ss/word",
        "db.example",
        3307,
        "books",
    )
    options = config["OPTIONS"]
    assert options["charset"] == "utf8mb4"
    assert options["isolation_level"] == "read committed"
    assert (options["connect_timeout"], options["read_timeout"], options["write_timeout"]) == (2, 8, 8)
    assert options["ssl_mode"] == "VERIFY_IDENTITY"
    assert "STRICT_TRANS_TABLES" in options["init_command"]
    assert config["CONN_MAX_AGE"] == 60
    assert config["CONN_HEALTH_CHECKS"] is True


def test_mysql_with_a_ca_verifies_the_server(value, tmp_path):
    (tmp_path / "ca.pem").touch()
    value(f"mysql://h/b?ssl_ca={tmp_path}/ca.pem")
    options = env.database("X", "", timeout=10)["OPTIONS"]
    assert (options["ssl_mode"], options["ssl"]) == ("VERIFY_IDENTITY", {"ca": f"{tmp_path}/ca.pem"})
    assert "ssl_ca" not in options
    value(f"mysql://h/b?ssl_ca={tmp_path}/ca.pem&ssl_mode=VERIFY_CA")
    assert env.database("X", "", timeout=10)["OPTIONS"]["ssl_mode"] == "VERIFY_CA"


def test_unknown_database_option_is_named(value):
    value("mysql://h/b?ssl_authority=x")
    with pytest.raises(ImproperlyConfigured, match=r"^X: 'ssl_authority' is not one of the options ssl_ca, "):
        env.database("X", "", timeout=0)


def test_redis_urls_of_sentinels_and_sockets(value):
    value("unix:///run/redis/redis.sock?db=3")
    assert env.redis("X") == "unix:///run/redis/redis.sock?db=3"
    value("redis+sentinel://user:p%40ss@s1,s2:26380/main/3")
    url = env.redis("X")
    assert env.sentinel_addresses(url) == [("s1", 26379), ("s2", 26380)]
    assert env.sentinel_service_url(url) == "redis://user:p%40ss@main/3?is_master=1"
    assert env.sentinel_addresses("redis://s1/0") == []


def test_public_keys_are_read_from_public_and_private_keys(value, tmp_path):
    (tmp_path / "old.pem").write_text(RSA)
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    text = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    value(f"{tmp_path}/old.pem,{text}")
    assert [key.key_size for key in env.public_keys("X")] == [2048, 256]


@pytest.mark.parametrize(
    "text",
    [
        "sqlite://",
        "sqlite:///",
        "sqlite:///relative.db",
        "sqlite:///:memory:",
        "mysql://",
        "mysql://h",
        "mysql://h/",
        "mysql://h:x/b",
        "mysql://h:99999/b",
        "mysql:///b",
        "postgres://h/b",
        "/srv/bb.sqlite3",
        "mysql://[/b",
        # Passwords that are not encoded.
        "mysql://u:p@ss/w@h/b",
        "mysql://u:p@ss/w#1@h/b",
        "mysql://u:12/w@h/b",
        "mysql://u:p#w@h/b",
        "mysql://u:p?w@h/b",
    ],
)
def test_invalid_database_urls(value, text):
    value(text)
    with pytest.raises(ImproperlyConfigured, match=r"^X: "):
        env.database("X", "", timeout=0)


def test_passwords_in_urls_are_encoded(value):
    value("mysql://u:p%40s%2Fs%23%3F%25@h/b")
    assert env.database("X", "", timeout=0)["PASSWORD"] == "p@s/s#?%"
    value("smtp+tls://u@example.org:p%40s%2Fs%23%3F%25@h:587")
    settings = env.email("X", "")
    assert (settings["EMAIL_HOST_USER"], settings["EMAIL_HOST_PASSWORD"]) == ("u@example.org", "p@s/s#?%")
    assert (settings["EMAIL_HOST"], settings["EMAIL_PORT"]) == ("h", 587)


@pytest.mark.parametrize(
    "text", ["smtp://u:p@s/s@h:25", "smtp+tls://u:p/s@h:587", "smtp+ssl://u:p@s#s@h:465", "smtp://u:1?s@h:25"]
)
def test_unencoded_passwords_in_email_urls_are_refused(value, text):
    value(text)
    with pytest.raises(ImproperlyConfigured, match=r"^X: .* %40 for @$"):
        env.email("X", "")


# --- What the settings do --------------------------------------------------------------------------------------------

PROXIED = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "bookbridge.settings"
import django
django.setup()
from django.test import Client
client = Client(raise_request_exception=False)
for path in ("/api/v1/", "/healthz", "/readyz", "/metrics"):
    plain = client.get(path, HTTP_HOST="localhost")
    tls = client.get(path, HTTP_HOST="localhost", HTTP_X_FORWARDED_PROTO="https", HTTP_X_FORWARDED_FOR="192.0.2.1")
    print(path, plain.status_code, plain.get("Location", "-"), tls.status_code)
"""


def proxied(tmp_path, **values: str) -> list[str]:
    shutil.copy(migrated(), tmp_path / "db.sqlite3")
    response = subprocess.run(
        [sys.executable, "-c", PROXIED],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "SECRET_KEY": "x" * 50,
            "JWT_PRIVATE_KEY": P256,
            "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
            "LOG_DIR": str(tmp_path),
            **values,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return response.stdout.splitlines()


def test_trusted_proxy_redirects_http_except_health_checks(tmp_path):
    assert proxied(tmp_path, TRUSTED_PROXIES="1") == [
        "/api/v1/ 301 https://localhost/api/v1/ 200",
        "/healthz 200 - 200",
        "/readyz 200 - 200",
        "/metrics 200 - 403",
    ]


def test_proxy_headers_are_ignored_without_trusted_proxies(tmp_path):
    assert proxied(tmp_path) == [
        "/api/v1/ 200 - 200",
        "/healthz 200 - 200",
        "/readyz 200 - 200",
        "/metrics 200 - 403",
    ]
