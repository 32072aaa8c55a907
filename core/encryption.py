"""Encryption of text that must not be readable from a copy of the database."""

import base64
import logging
from collections.abc import Iterator

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

logger = logging.getLogger("bookbridge.encryption")


def _fernet(purpose: str, key: str) -> Fernet:
    """Return a cipher with a key derived from a secret key and `purpose` (RFC 5869)."""
    derived = HKDF(hashes.SHA256(), 32, salt=None, info=purpose.encode()).derive(key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))


def secret_keys() -> Iterator[str]:
    """Return SECRET_KEY and the former ones."""
    yield settings.SECRET_KEY
    yield from settings.SECRET_KEY_FALLBACKS


def encrypt(text: str, *, purpose: str) -> str:
    """Encrypt and sign a text."""
    return _fernet(purpose, settings.SECRET_KEY).encrypt(text.encode()).decode()


def decrypt(encrypted: str, *, purpose: str) -> str | None:
    """Decrypt a text; None if it was encrypted with an unknown key or tampered with."""
    for key in secret_keys():
        text = _decrypt(encrypted, purpose, key)
        if text is not None:
            return text
    if encrypted:
        logger.error("a text for %s was encrypted with a key that is not in SECRET_KEY_FALLBACKS", purpose)
    return None


def has_former_key(encrypted: str, *, purpose: str) -> bool:
    """Whether the text was not encrypted with the current SECRET_KEY."""
    return _decrypt(encrypted, purpose, settings.SECRET_KEY) is None


def _decrypt(encrypted: str, purpose: str, key: str) -> str | None:
    try:
        return _fernet(purpose, key).decrypt(encrypted.encode()).decode()
    except InvalidToken:
        return None
