"""Production settings with overrides for tests: keys, logs, throttle rates and static files."""

import atexit
import os
import re
import shutil
import tempfile

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

_key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)
_logs = tempfile.mkdtemp(prefix="bookbridge-test-log-")
_media = tempfile.mkdtemp(prefix="bookbridge-test-media-")
for _made in (_logs, _media):
    atexit.register(shutil.rmtree, _made, ignore_errors=True)
os.environ.update(
    DEBUG="off",
    SECRET_KEY="for tests alone: " + "x" * 40,
    JWT_PRIVATE_KEY=_key.decode(),
    LOG_DIR=_logs,
    MEDIA_DIR=_media,
    ALLOWED_HOSTS="testserver,localhost,127.0.0.1",
    # Tests of throttling set the rate that they need.
    **{f"RATE_{name}": "off" for name in ("LOGIN", "REGISTER", "INVITE", "WRITE", "USER", "ANON")},
)
os.environ.setdefault("DB_TIMEOUT", "30")
# pytest-xdist workers flush Redis between tests, so each uses a database of its own: N, N-1, ...
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
if os.environ.get("REDIS_URL") and _worker:
    os.environ["REDIS_URL"] = re.sub(r"/(\d+)$", lambda m: f"/{int(m[1]) - _worker}", os.environ["REDIS_URL"])

from bookbridge.settings import *  # noqa: E402,F403

STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"  # noqa: F405
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
LOGGING["root"]["handlers"] = ["app"]  # noqa: F405
# The production hasher takes 50 ms per login; the test of it names it explicitly.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *PASSWORD_HASHERS]  # noqa: F405
