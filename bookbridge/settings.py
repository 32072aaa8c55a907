"""Settings. Values come from the environment through `bookbridge.env`, which rejects invalid ones.

The environment variables are documented in docs/settings.md. DEBUG distinguishes development from production:
`manage.py` and `script/server` turn it on, an application server does not.
"""

from contextlib import suppress
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from corsheaders.defaults import default_headers
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy

from bookbridge import env

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

VERSION = "0.1.0"

DEBUG = env.bool_("DEBUG", False)
_dev_keys_dir = VAR_DIR / "keys" if DEBUG else None

SECRET_KEY = env.secret_key("SECRET_KEY", dev_file=_dev_keys_dir and _dev_keys_dir / "secret_key")
SECRET_KEY_FALLBACKS = env.secret_keys("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", env.default_hosts(debug=DEBUG))
CORS_ALLOWED_ORIGINS = env.origins("CORS_ORIGINS")
TRUSTED_PROXIES = env.int_("TRUSTED_PROXIES", 0, max_value=10)
PORT = env.int_("PORT", 8000, min_value=1, max_value=65535)
APP_URL = env.url("APP_URL", f"http://localhost:{PORT}", schemes=("http", "https"))
# The apps that open links, and where to get them (core.links).
IOS_APP_IDS = env.app_ids("IOS_APP_IDS", r"[A-Z0-9]{10}\.[A-Za-z0-9.-]+", "TEAMID.bundle.id")
ANDROID_APP_IDS = env.app_ids(
    "ANDROID_APP_IDS", r"[A-Za-z]\w*(\.[A-Za-z]\w*)+=[0-9A-F]{2}(:[0-9A-F]{2}){31}", "package=SHA256-fingerprint"
)
IOS_STORE_URL = env.url("IOS_STORE_URL", "", schemes=("https",), query=True)
ANDROID_STORE_URL = env.url("ANDROID_STORE_URL", "", schemes=("https",), query=True)
METRICS_TOKEN = env.str_("METRICS_TOKEN")
# Reports of unhandled exceptions (core.observability.sentry).
SENTRY_DSN = env.sentry_dsn("SENTRY_DSN")
SENTRY_ENVIRONMENT = env.identifier("SENTRY_ENVIRONMENT", "development" if DEBUG else "production")
REPORTS_TO_HIDE = env.int_("REPORTS_TO_HIDE", 3, min_value=1, max_value=1000)
# What runs the tasks: a thread in each server process, or processes of `manage.py run_worker`.
JOBS = env.choice("JOBS", "inline", ("inline", "worker"))
# Providers of books that the catalog does not have; Google Books is asked only with a key.
OPENLIBRARY_URL = env.url("OPENLIBRARY_URL", "https://openlibrary.org", schemes=("http", "https"))
BRASILAPI_URL = env.url("BRASILAPI_URL", "https://brasilapi.com.br", schemes=("http", "https"))
GOOGLE_BOOKS_URL = env.url("GOOGLE_BOOKS_URL", "https://www.googleapis.com", schemes=("http", "https"))
GOOGLE_BOOKS_KEY = env.str_("GOOGLE_BOOKS_KEY")

# --- Applications and requests ---------------------------------------------------------------------------------------

INSTALLED_APPS = [
    # Before the theme and the admin, whose templates it overrides.
    "core",
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "bookbridge.apps.AdminConfig",
    # Before django.contrib.auth, whose command `changepassword` it extends.
    "accounts",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_tasks",
    "activity",
    "moderation",
    "catalog",
    "clubs",
    "availability",
    "meetings",
    "ballots",
    "discussions",
    "readings",
    "opinions",
    "reviews",
    "stats",
    "demo",
]

MIDDLEWARE = [
    "core.observability.request_context.RequestContextMiddleware",
    "core.observability.metrics.ObservabilityMiddleware",
    # Before all middleware that asks the database or Redis.
    "core.observability.overload.OverloadMiddleware",
    # Serves responses that the middleware below has completed.
    "core.api.response_cache.ResponseCacheMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    # Before all middleware that may return a response, so that messages are in the user's language.
    "django.middleware.locale.LocaleMiddleware",
    "core.api.middleware.APIMiddleware",
    "core.api.conditional.ETagMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "accounts.middleware.TokenUseMiddleware",
]

ROOT_URLCONF = "bookbridge.urls"
WSGI_APPLICATION = "bookbridge.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- Databases and cache ---------------------------------------------------------------------------------------------

# Seconds until an unresponsive database server times out. wsgi.py sets a default; commands have no timeout.
_db_timeout = env.int_("DB_TIMEOUT", 0, max_value=3600)
DATABASES = {"default": env.database("DATABASE_URL", f"sqlite:///{VAR_DIR}/db.sqlite3", timeout=_db_timeout)}
REPLICAS = []
for _n, _url in enumerate(env.list_("REPLICA_URLS", [])):
    REPLICAS.append(f"replica{_n}")
    # A shorter timeout than the primary's, to which reads fall back.
    DATABASES[REPLICAS[-1]] = env.parse_database("REPLICA_URLS", _url, timeout=min(_db_timeout, 2) or 2)
    DATABASES[REPLICAS[-1]].setdefault("TEST", {})["MIRROR"] = "default"
# Seconds by which a replica may be behind; 0 does not ask.
REPLICA_MAX_LAG = env.int_("REPLICA_MAX_LAG", 10, max_value=3600)
if REPLICAS:
    DATABASE_ROUTERS = ["core.db.replicas.ReplicaRouter"]
    MIDDLEWARE.insert(-1, "core.db.replicas.ReplicaReadsMiddleware")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
with suppress(OSError):  # in a read-only checkout, data must be stored elsewhere
    VAR_DIR.mkdir(exist_ok=True)

TASKS = {"default": {"BACKEND": "core.tasks.backend.DatabaseBackend"}}

REDIS_URL = env.redis("REDIS_URL")


def redis_cache(url: str) -> dict[str, object]:
    """Return an entry of CACHES; requests succeed even if Redis fails (core.redis)."""
    location, options = url, {}
    if sentinels := env.sentinel_addresses(url):
        location = env.sentinel_service_url(url)
        options = {
            "SENTINELS": sentinels,
            "CONNECTION_FACTORY": "django_redis.pool.SentinelConnectionFactory",
            "CONNECTION_POOL_CLASS": "core.redis.CircuitBreakerSentinelPool",
        }
    return {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": location,
        "KEY_PREFIX": "bookbridge",
        "OPTIONS": {
            "SERIALIZER": "core.redis.SafeJSONSerializer",
            "IGNORE_EXCEPTIONS": True,
            "CONNECTION_POOL_CLASS": "core.redis.CircuitBreakerPool",
            "SOCKET_CONNECT_TIMEOUT": 0.25,
            "SOCKET_TIMEOUT": 0.25,
            **options,
        },
    }


_local_memory_cache = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 50_000}}
CACHES = {"default": redis_cache(REDIS_URL) if REDIS_URL else _local_memory_cache}

# --- Users and keys --------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.authentication.AdminBackend"]
PASSWORD_HASHERS = [
    "accounts.hashers.TunedArgon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
# Days until entries of the audit log are deleted; 0 keeps them forever.
AUDIT_DAYS = env.int_("AUDIT_DAYS", 0, max_value=36500)
if 0 < AUDIT_DAYS < 30:
    raise env.invalid("AUDIT_DAYS", "must be 0 or at least 30")
# Whether staff need two-factor authentication; optional in development.
ADMIN_SECOND_FACTOR = env.bool_("ADMIN_SECOND_FACTOR", True)
if not (ADMIN_SECOND_FACTOR or DEBUG):
    raise env.invalid("ADMIN_SECOND_FACTOR", "must be on where DEBUG is off")
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

JWT_PRIVATE_KEY = env.private_key("JWT_PRIVATE_KEY", dev_file=_dev_keys_dir and _dev_keys_dir / "jwt_private_key.pem")
JWT_VERIFYING_KEYS = env.public_keys("JWT_VERIFYING_KEYS")
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=30),
    # Seconds by which the clocks of two servers may differ.
    "LEEWAY": 10,
    "UPDATE_LAST_LOGIN": False,
}
# A refresh token sent again within these seconds gets the same pair as the first time, for a client that has lost the
# response: until it uses one of the new tokens.
REFRESH_GRACE_SECONDS = 600

# --- Language, time, mail --------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("pt-br", "Português (Brasil)")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
FORMAT_MODULE_PATH = ["bookbridge.formats"]
TIME_ZONE = "UTC"
USE_TZ = True

vars().update(env.email("EMAIL_URL", "consolemail://"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.from_email("EMAIL_FROM", "BookBridge <noreply@localhost>")

# --- Push notifications ----------------------------------------------------------------------------------------------

# Each push service is off without its settings.
VAPID_PRIVATE_KEY: Any = env.p256_key("VAPID_PRIVATE_KEY")
VAPID_SUBJECT = env.vapid_subject("VAPID_SUBJECT", f"mailto:{parseaddr(DEFAULT_FROM_EMAIL)[1]}")
PUSH_ALLOWED_HOSTS = env.hosts("PUSH_ALLOWED_HOSTS", [])
FCM_CREDENTIALS: Any = env.service_account("FCM_CREDENTIALS")
FCM_URL = env.url("FCM_URL", "https://fcm.googleapis.com", schemes=("http", "https"))
APNS_KEY: Any = env.p256_key("APNS_KEY")
APNS_KEY_ID, APNS_TEAM_ID, APNS_TOPIC = (
    env.required_with("APNS_KEY", name, pattern)
    for name, pattern in (
        ("APNS_KEY_ID", r"[A-Za-z0-9]+"),
        ("APNS_TEAM_ID", r"[A-Za-z0-9]+"),
        ("APNS_TOPIC", r"[A-Za-z0-9.-]+"),
    )
)
APNS_URL = env.url("APNS_URL", "https://api.push.apple.com", schemes=("http", "https"))

# --- The API ---------------------------------------------------------------------------------------------------------

MAX_REQUEST_BODY_BYTES = 1_000_000
MAX_UPLOAD_BYTES = 5_000_000
# For the admin; in the API, APIMiddleware responds first.
DATA_UPLOAD_MAX_MEMORY_SIZE = 6_000_000

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.SessionTokenAuthentication",
        # The browsable API: a browser cannot send a token.
        *(["rest_framework.authentication.SessionAuthentication"] if DEBUG else []),
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["core.api.throttling.UserOrAnonRateThrottle", "core.api.throttling.WriteRateThrottle"],
    # None for `off`, else a number of calls and of seconds (core.api.throttling).
    "DEFAULT_THROTTLE_RATES": {
        "login": env.rate("RATE_LOGIN", "10/min"),
        "register": env.rate("RATE_REGISTER", "20/min"),
        "invite": env.rate("RATE_INVITE", "10/min"),
        "write": env.rate("RATE_WRITE", "120/min"),
        "user": env.rate("RATE_USER", "1200/min"),
        "anon": env.rate("RATE_ANON", "1200/min"),
    },
    "DEFAULT_PAGINATION_CLASS": "core.api.pagination.KeysetPagination",
    "DEFAULT_FILTER_BACKENDS": ["core.api.filters.StrictFilterBackend"],
    "DEFAULT_PARSER_CLASSES": ["core.api.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["core.api.renderers.JSONRenderer"]
    + (["core.api.renderers.BrowsableAPIRenderer"] if DEBUG else []),
    "DEFAULT_SCHEMA_CLASS": "bookbridge.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "core.api.exceptions.exception_handler",
    "NUM_PROXIES": TRUSTED_PROXIES,
    "URL_FORMAT_OVERRIDE": None,
    # Some clients read times with a fraction of a second or without one, but not both, so it is never sent.
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%SZ",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

# Written by script/record-examples.
OPENAPI_EXAMPLES = BASE_DIR / "bookbridge" / "openapi_examples.json"
SPECTACULAR_SETTINGS = {
    "AUTHENTICATION_WHITELIST": ["accounts.authentication.SessionTokenAuthentication"],
    "TITLE": "BookBridge",
    "DESCRIPTION": "Online book clubs: catalog, clubs, reading lists, discussions without spoilers, reviews.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # Folded, because a hundred operations with their examples take seconds to show.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "docExpansion": "none", "filter": True, "persistAuthorization": True},
    # The paths already have the prefix.
    "SERVERS": [{"url": "/", "description": "This server"}],
    "LICENSE": {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"},
    "CONTACT": {"name": "The developers of BookBridge"},
    "TAGS": [
        {"name": name, "description": description}
        for name, description in (
            ("Accounts", "Registration, sign-in, tokens and sessions, profiles, blocks, export and deletion."),
            ("Books", "The catalog of works with their editions."),
            ("Clubs", "Book clubs and who may see and join them."),
            ("Members", "Members, join requests, bans and invitations."),
            ("Reading list", "The books of a club, their schedule, and how far its members have read."),
            ("Meetings", "Meetings, RSVPs, attendance and calendars."),
            ("Date polls", "When the club meets."),
            ("Ballots", "Votes on the next book."),
            ("Discussions", "Threads and posts. The text of posts beyond the caller's progress is not sent."),
            ("Reviews", "Reviews and ratings, likes, and imports from other services."),
            ("Statistics", "Statistics of the platform, clubs, books and users."),
            ("Activity", "Activity logs, notifications and the home screen."),
            ("Moderation", "Reports of content and appeals against decisions."),
        )
    ],
    "ENUM_NAME_OVERRIDES": {
        "AccessAnswer": "availability.models.AccessAnswer",
        "BallotOutcome": "ballots.choices.Outcome",
        "BallotStatus": "ballots.choices.BallotStatus",
        "ClubRole": "clubs.roles.PUBLIC_ROLES",
        "ClubStatus": "clubs.roles.PUBLIC_STATUSES",
        "ClubVisibility": "clubs.club.choices.Visibility",
        "EventObjectType": "activity.verbs.OBJECT_TYPES",
        "EventVerb": "activity.verbs.VERBS",
        "DeviceKind": "activity.push.models.DeviceKind",
        "DatePollOutcome": "meetings.date_polls.choices.DatePollOutcome",
        "DatePollStatus": "meetings.date_polls.choices.DatePollStatus",
        "DecisionReason": "moderation.choices.DecisionReason",
        "EntryStatus": "clubs.reading.choices.EntryStatus",
        "HiddenState": "moderation.choices.HiddenState",
        "ImportFormat": "reviews.imports.files.SOURCES",
        "ImportStatus": "reviews.models.imports.ImportStatus",
        "JoinPolicy": "clubs.club.choices.JoinPolicy",
        "Language": "accounts.validators.LANGUAGE_TAGS",
        "MeetingStatus": "meetings.choices.MeetingStatus",
        "MemberDecision": "clubs.roles.DECISIONS",
        "MemberRole": "clubs.roles.Role",
        "NotificationKind": "activity.choices.NotificationKind",
        "ReadingSource": "readings.models.ReadingSource",
        "ReadingState": "readings.models.ReadingState",
        "RecurrenceFrequency": "meetings.recurrence.Frequency",
        "ReportReason": "moderation.choices.Reason",
        "ReportTargetType": "bookbridge.openapi.report_target_types",
        "ReviewVisibility": "reviews.querysets.ReviewVisibility",
        "ReviewsOnDeletion": "accounts.models.ReviewsOnDeletion",
        "RsvpAnswer": "meetings.choices.CLIENT_CHOICES",
        "RsvpStatus": "meetings.choices.RsvpStatus",
        "VotingMethod": "ballots.choices.VotingMethod",
        "WeekOfMonth": "meetings.recurrence.WEEKS",
        "Weekday": "meetings.recurrence.Weekday",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "core.api.schema_hooks.inline_null",
        "core.api.schema_hooks.add_problem_responses",
        "core.api.schema_hooks.describe_numbers",
        "core.api.schema_hooks.describe_headers",
        "core.api.schema_hooks.add_examples",
    ],
}

# The theme of the admin.
UNFOLD = {
    "SITE_TITLE": "BookBridge",
    "SITE_HEADER": "BookBridge",
    "SITE_SUBHEADER": gettext_lazy("Times are in UTC"),
    "SITE_SYMBOL": "menu_book",
    # There is no site beside the admin and the API.
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("core/favicon.svg")},
    ],
    "STYLES": [lambda request: static("core/admin.css")],
    "DASHBOARD_CALLBACK": "stats.dashboard.dashboard_callback",
    # Replaces the theme's menu, which has the password only.
    "ACCOUNT": {
        "navigation": [
            {"title": gettext_lazy("Change password"), "link": reverse_lazy("admin:password_change")},
            {"title": gettext_lazy("Two-factor authentication"), "link": reverse_lazy("admin:two_factor_settings")},
        ]
    },
}

# --- Security, CORS, static files ------------------------------------------------------------------------------------

X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
# Browsers ignore this over plain HTTP, so it is harmless without TLS.
SECURE_HSTS_SECONDS = 0 if DEBUG else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEBUG
SILENCED_SYSTEM_CHECKS = []
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    USE_X_FORWARDED_HOST = True
    SECURE_SSL_REDIRECT = not DEBUG
    # Probes and the metrics collector use plain HTTP within the server's network.
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
else:
    # W008 asks for a redirect to https, but without a trusted proxy no request is known to be https.
    SILENCED_SYSTEM_CHECKS += ["security.W008"]
CORS_ALLOW_HEADERS = [*default_headers, "idempotency-key", "if-match", "if-none-match", "traceparent", "x-request-id"]
CORS_EXPOSE_HEADERS = [
    *("ETag", "Idempotency-Replayed", "Location", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID"),
]
CORS_URLS_REGEX = r"^/(api|\.well-known)/"

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "static_root"
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG
# Uploaded images. A proxy may serve them under MEDIA_URL instead of the application.
MEDIA_URL = "/media/"
MEDIA_ROOT = env.directory("MEDIA_DIR", VAR_DIR / "media")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- Logs ------------------------------------------------------------------------------------------------------------

LOG_DIR = env.directory("LOG_DIR", VAR_DIR / "log")
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_context": {"()": "core.observability.logging.RequestContextFilter"}},
    "formatters": {
        "json": {
            "()": "core.observability.logging.JSONFormatter",
            "format": "{asctime}{levelname}{name}{request_id}{trace_id}{message}",
            "style": "{",
            "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
        },
        "access": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "{time}{request_id}{trace_id}{user}{method}{path}{status}{ms}{bytes}{address}",
            "style": "{",
        },
        # For development, with tracebacks.
        "plain": {"format": "{levelname} {name}: {message}", "style": "{"},
        "request": {"format": "{time} {method} {path} {status} {ms} ms", "style": "{"},
    },
    "handlers": {
        "app": {
            "class": "core.observability.logging.ResilientWatchedFileHandler",
            "filename": str(LOG_DIR / "app.log"),
            "formatter": "json",
            "filters": ["request_context"],
        },
        "access": {
            "class": "core.observability.logging.ResilientWatchedFileHandler",
            "filename": str(LOG_DIR / "access.log"),
            "formatter": "access",
        },
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "plain" if DEBUG else "json",
            "filters": ["request_context"],
        },
        "requests": {"class": "logging.StreamHandler", "formatter": "request"},
    },
    "root": {"handlers": ["app", "console"], "level": "INFO" if DEBUG else "WARNING"},
    "loggers": {
        "bookbridge": {"level": "INFO"},
        "bookbridge.access": {
            "handlers": ["access", "requests"] if DEBUG else ["access"],
            "level": "INFO",
            "propagate": False,
        },
        # The access log has one line per request already.
        "django.request": {"level": "ERROR"},
        "django.security": {"level": "ERROR"},
        # Django's response to HEAD has the body of GET; gunicorn drops it and would log that each time.
        "gunicorn.http.wsgi": {"level": "ERROR"},
        # Logs every successful task at INFO.
        "django_tasks": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
        # They would log the tokens and endpoints of devices.
        "httpcore": {"level": "WARNING"},
        "hpack": {"level": "WARNING"},
    },
}
if SENTRY_DSN:
    LOGGING["handlers"]["sentry"] = {"class": "core.observability.sentry.UnhandledExceptionHandler"}
    LOGGING["root"]["handlers"].append("sentry")
