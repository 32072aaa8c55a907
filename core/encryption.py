"""Encryption of text that must not be readable from a copy of the database."""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


def _fernet(purpose: str) -> Fernet:
    """Return a cipher with a key derived from SECRET_KEY and `purpose` (RFC 5869)."""
    derived = HKDF(hashes.SHA256(), 32, salt=None, info=purpose.encode()).derive(settings.SECRET_KEY.encode())
    return Fernet(base64.urlsafe_b64encode(derived))


def encrypt(text: str, *, purpose: str) -> str:
    """Encrypt and sign a text."""
    return _fernet(purpose).encrypt(text.encode()).decode()


def decrypt(encrypted: str, *, purpose: str) -> str | None:
    """Decrypt a text; None if it was encrypted with another key or tampered with."""
    try:
        return _fernet(purpose).decrypt(encrypted.encode()).decode()
    except InvalidToken:
        return None
