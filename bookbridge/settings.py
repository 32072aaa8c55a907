"""Every setting of BookBridge. Values come from the environment through `bookbridge.env`, which refuses nonsense.

The names an operator may set are in the README's table. DEBUG is what tells development from production:
`manage.py` and `script/server` turn it on, an application server by itself does not.
"""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from corsheaders.defaults import default_headers
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy

from bookbridge import env

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

DEBUG = env.flag("DEBUG", False)
_kept = VAR_DIR / "keys" if DEBUG else None

SECRET_KEY = env.secret_key("SECRET_KEY", kept_in=_kept and _kept / "secret_key")
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CORS_ALLOWED_ORIGINS = env.origins("CORS_ORIGINS")
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", 0, most=10)
PORT = env.number("PORT", 8000, least=1, most=65535)
APP_URL = env.url("APP_URL", f"http://localhost:{PORT}", schemes=("http", "https"))
METRICS_TOKEN = env.text("METRICS_TOKEN")
REPORTS_TO_HIDE = env.number("REPORTS_TO_HIDE", 3, least=1, most=1000)
# Who does the jobs of bookbridge.api.jobs: a thread in each server process, or processes of `manage.py work_jobs`.
JOBS = env.choice("JOBS", "inline", ("inline", "worker"))
OPENLIBRARY_URL = env.url("OPENLIBRARY_URL", "https://openlibrary.org", schemes=("http", "https"))

# --- Applications and requests ---------------------------------------------------------------------------------------

INSTALLED_APPS = [
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
    "bookbridge.api",
    "activity",
    "moderation",
    "catalog",
    "clubs",
    "reviews",
]

MIDDLEWARE = [
    "bookbridge.api.request_context.RequestContextMiddleware",
    "bookbridge.api.metrics.ObservabilityMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    # Before all middleware that may return a response, so that messages are in the user's language.
    "django.middleware.locale.LocaleMiddleware",
    "bookbridge.api.middleware.BodyLimit",
    "bookbridge.api.middleware.APIResponseMiddleware",
    "bookbridge.api.conditional.ConditionalReads",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "bookbridge.api.replicas.ReplicaReads",
]

ROOT_URLCONF = "bookbridge.urls"
WSGI_APPLICATION = "bookbridge.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "bookbridge" / "templates"],
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

# --- Stores ----------------------------------------------------------------------------------------------------------

# Seconds until a silent database server is given up; the application server sets it, commands may wait.
_db_timeout = env.number("DB_TIMEOUT", 0, most=3600)
DATABASES = {"default": env.database("DATABASE_URL", f"sqlite:///{VAR_DIR}/db.sqlite3", timeout=_db_timeout)}
REPLICAS = []
for _n, _url in enumerate(env.names("REPLICA_URLS", [])):
    REPLICAS.append(f"replica{_n}")
    # Less patience than with the primary, which answers in its place.
    DATABASES[REPLICAS[-1]] = env.parse_database("REPLICA_URLS", _url, timeout=min(_db_timeout, 2) or 2)
    DATABASES[REPLICAS[-1]].setdefault("TEST", {})["MIRROR"] = "default"
DATABASE_ROUTERS = ["bookbridge.api.replicas.ReplicaRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
with suppress(OSError):  # a read-only checkout has its data elsewhere
    VAR_DIR.mkdir(exist_ok=True)

REDIS_URL = env.redis("REDIS_URL")


def redis_cache(url: str) -> dict[str, object]:
    """One entry of CACHES that may fail without failing a request (bookbridge.api.redis)."""
    return {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": url,
        "KEY_PREFIX": "bookbridge",
        "OPTIONS": {
            "SERIALIZER": "bookbridge.api.redis.Serializer",
            "IGNORE_EXCEPTIONS": True,
            "LOG_IGNORED_EXCEPTIONS": True,
            "CONNECTION_POOL_CLASS": "bookbridge.api.redis.Pool",
            "SOCKET_CONNECT_TIMEOUT": 0.25,
            "SOCKET_TIMEOUT": 0.25,
        },
    }


_memory = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 50_000}}
CACHES = {"default": redis_cache(REDIS_URL) if REDIS_URL else _memory}

# --- People and keys -------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.authentication.AdminBackend"]
PASSWORD_HASHERS = [
    "accounts.hashers.Argon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
# Entries of the audit log go after so many days; 0 keeps them for good.
AUDIT_DAYS = env.number("AUDIT_DAYS", 0, most=36500)
if 0 < AUDIT_DAYS < 30:
    raise env.refuse("AUDIT_DAYS", "must be 0 or at least 30")
# Staff show a code of an app beside their password; development may do without.
ADMIN_SECOND_FACTOR = env.flag("ADMIN_SECOND_FACTOR", True)
if not (ADMIN_SECOND_FACTOR or DEBUG):
    raise env.refuse("ADMIN_SECOND_FACTOR", "must be on where DEBUG is off")
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

JWT_PRIVATE_KEY = env.private_key("JWT_PRIVATE_KEY", kept_in=_kept and _kept / "jwt_private_key.pem")
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=30),
    # Two servers' clocks may differ by this much.
    "LEEWAY": 10,
    "UPDATE_LAST_LOGIN": False,
}
# A refresh token sent again within these seconds gets the pair that its first use made (a phone's double send).
REFRESH_GRACE_SECONDS = 10

# --- Language, time, mail --------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("pt-br", "Português (Brasil)")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

vars().update(env.email("EMAIL_URL", "consolemail://"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.sender("EMAIL_FROM", "BookBridge <noreply@localhost>")

# --- The API ---------------------------------------------------------------------------------------------------------

BODY_LIMIT = 1_000_000
UPLOAD_LIMIT = 5_000_000
# For the admin; below /api/ BodyLimit responds first, with a problem.
DATA_UPLOAD_MAX_MEMORY_SIZE = 6_000_000

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.SessionTokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["bookbridge.api.throttling.CallerThrottle", "bookbridge.api.throttling.WriteThrottle"],
    # None for `off`, else a number of calls and of seconds (bookbridge.api.throttling).
    "DEFAULT_THROTTLE_RATES": {
        "login": env.rate("RATE_LOGIN", "10/min"),
        "register": env.rate("RATE_REGISTER", "20/min"),
        "invite": env.rate("RATE_INVITE", "10/min"),
        "write": env.rate("RATE_WRITE", "120/min"),
        "user": env.rate("RATE_USER", "1200/min"),
        "anon": env.rate("RATE_ANON", "300/min"),
    },
    "DEFAULT_PAGINATION_CLASS": "bookbridge.api.pagination.KeysetPagination",
    "DEFAULT_FILTER_BACKENDS": ["bookbridge.api.filters.StrictFilterBackend"],
    "DEFAULT_PARSER_CLASSES": ["bookbridge.api.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["bookbridge.api.renderers.JSONRenderer"]
    + (["bookbridge.api.renderers.BrowsableAPIRenderer"] if DEBUG else []),
    "DEFAULT_SCHEMA_CLASS": "bookbridge.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "bookbridge.api.errors.exception_handler",
    "NUM_PROXIES": TRUSTED_PROXIES,
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS = {
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
    "TAGS": [
        {"name": name}
        for name in (
            "Accounts",
            "Books",
            "Clubs",
            "Members",
            "Reading list",
            "Meetings",
            "Ballots",
            "Discussions",
            "Reviews",
            "Statistics",
            "Activity",
            "Moderation",
        )
    ],
    "ENUM_NAME_OVERRIDES": {
        "BallotOutcome": "clubs.ballots.models.Outcome",
        "BallotStatus": "clubs.ballots.models.State",
        "ClubRole": "clubs.roles.SHOWN_ROLES",
        "ClubStatus": "clubs.roles.SHOWN_STATUSES",
        "ClubVisibility": "clubs.clubs.models.Visibility",
        "DecisionReason": "moderation.reasons.Ground",
        "EntryStatus": "clubs.reading.rules.Status",
        "HiddenState": "moderation.models.Concealed",
        "ImportFormat": "reviews.importing.files.SOURCES",
        "ImportStatus": "reviews.importing.models.Status",
        "JoinPolicy": "clubs.clubs.models.JoinPolicy",
        "Language": "accounts.names.LANGUAGE_TAGS",
        "MeetingStatus": "clubs.meetings.models.Status",
        "MemberDecision": "clubs.roles.DECISIONS",
        "MemberRole": "clubs.roles.Role",
        "NotificationKind": "activity.kinds.Kind",
        "RecurrenceFrequency": "clubs.meetings.times.Every",
        "ReportReason": "moderation.reasons.Reason",
        "ReportTargetType": "bookbridge.openapi.report_target_types",
        "ReviewVisibility": "reviews.models.Visibility",
        "ReviewsOnDeletion": "accounts.models.Leaving",
        "RsvpAnswer": "clubs.meetings.answers.GIVEN",
        "RsvpStatus": "clubs.meetings.answers.Answer",
        "VotingMethod": "clubs.ballots.models.Method",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "bookbridge.api.schema.inline_null",
        "bookbridge.api.schema.describe_problems",
    ],
}

# The admin's theme takes its texts from here.
UNFOLD = {
    "SITE_TITLE": "BookBridge",
    "SITE_HEADER": "BookBridge",
    "SITE_SUBHEADER": gettext_lazy("Times are in UTC"),
    "SITE_SYMBOL": "menu_book",
    "DASHBOARD_CALLBACK": "reviews.statistics.charts.dashboard",
    # In the place of the theme's own, which is the password alone.
    "ACCOUNT": {
        "navigation": [
            {"title": gettext_lazy("Change password"), "link": reverse_lazy("admin:password_change")},
            {"title": gettext_lazy("Second factor"), "link": reverse_lazy("admin:second_factor")},
        ]
    },
}

# --- What browsers and proxies are told ------------------------------------------------------------------------------

X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
# Browsers ignore this over plain HTTP, so it harms no deployment without TLS.
SECURE_HSTS_SECONDS = 0 if DEBUG else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEBUG
SILENCED_SYSTEM_CHECKS = []
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    USE_X_FORWARDED_HOST = True
    SECURE_SSL_REDIRECT = not DEBUG
    # A probe comes over plain HTTP from beside the server, and so does who collects the figures.
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
else:
    # W008 asks for a redirect to https; without a trusted proxy no request can ever be seen to be https.
    SILENCED_SYSTEM_CHECKS += ["security.W008"]
CORS_ALLOW_HEADERS = [*default_headers, "idempotency-key", "if-match", "if-none-match", "x-request-id"]
CORS_EXPOSE_HEADERS = ["ETag", "Idempotency-Replayed", "Retry-After", "X-Request-ID"]
CORS_URLS_REGEX = r"^/(api|\.well-known)/"

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "static_root"
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG
# Pictures that readers send. A proxy may serve them under MEDIA_URL in the application's place.
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
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "bookbridge.api.logs.AddRequestId"}},
    "formatters": {
        "json": {
            "()": "bookbridge.api.logs.EventFormatter",
            "format": "{asctime}{levelname}{name}{request_id}{message}",
            "style": "{",
            "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
        },
        "access": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "{time}{request_id}{user}{method}{path}{status}{ms}{bytes}{address}",
            "style": "{",
        },
        # For the eyes of whoever writes the code, tracebacks included.
        "plain": {"format": "{levelname} {name}: {message}", "style": "{"},
    },
    "handlers": {
        "app": {
            "class": "bookbridge.api.logs.LogFile",
            "filename": str(LOG_DIR / "app.log"),
            "formatter": "json",
            "filters": ["request_id"],
        },
        "access": {
            "class": "bookbridge.api.logs.LogFile",
            "filename": str(LOG_DIR / "access.log"),
            "formatter": "access",
        },
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "plain" if DEBUG else "json",
            "filters": ["request_id"],
        },
    },
    "root": {"handlers": ["app", "console"], "level": "INFO" if DEBUG else "WARNING"},
    "loggers": {
        "bookbridge": {"level": "INFO"},
        "bookbridge.access": {"handlers": ["access"], "level": "INFO", "propagate": False},
        # One line a request is in the access log already.
        "django.request": {"level": "ERROR"},
        "django.security": {"level": "ERROR"},
        # Django answers HEAD with the body that GET has; the server drops it and would say so each time.
        "gunicorn.http.wsgi": {"level": "ERROR"},
        "httpx": {"level": "WARNING"},
    },
}
