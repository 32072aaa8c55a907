"""The form in which passwords are hashed: RFC 8265, OpaqueString."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from django.contrib.auth.hashers import make_password

if TYPE_CHECKING:
    from accounts.models import User


def normalize_password(password: str) -> str:
    """Return the password in NFC with ASCII spaces, because keyboards differ in how they write the same text."""
    spaces = "".join(" " if unicodedata.category(char) == "Zs" else char for char in password)
    return unicodedata.normalize("NFC", spaces)


def password_forms(password: str) -> list[str]:
    """Return the forms to try: the normal one, and the one that was sent, from which older hashes were made."""
    return list(dict.fromkeys([normalize_password(password), password]))


def check_password(user: User | None, password: str) -> bool:
    """Return whether this is the user's password. It takes the same time for an unknown user."""
    if user is not None:
        return user.check_password(password)
    for form in password_forms(password):
        make_password(form)
    return False
