"""Which release of the code this is."""

from functools import cache
from hashlib import sha256
from pathlib import Path

from django.apps import apps
from django.conf import settings


@cache
def code_digest() -> str:
    """Return a digest of the project's code, translations and requirements; it differs between two releases.

    It is the same on all servers of a release, unlike the times of the files.
    """
    folders = [Path(app.path) for app in apps.get_app_configs() if "site-packages" not in app.path]
    files = [path for folder in folders for path in folder.rglob("*.py")]
    files += [*settings.BASE_DIR.glob("bookbridge/*.py"), *settings.BASE_DIR.glob("locale/**/*.mo")]
    digest = sha256()
    for path in sorted({*files, settings.BASE_DIR / "requirements.txt"}):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def release() -> str:
    """Return the version and the beginning of the digest of the code: the name of this build."""
    return f"{settings.VERSION}+{code_digest()[:8]}"
