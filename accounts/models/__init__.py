"""Models of the accounts app."""

from accounts.blocks import Block
from accounts.models.email_tokens import EmailToken, EmailTokenPurpose
from accounts.models.sessions import AuthSession, AuthSessionQuerySet, new_jti
from accounts.models.usernames import RetiredUsername
from accounts.models.users import (
    AVATAR_FOLDER,
    DERIVED_FIELDS,
    USER_SUMMARY,
    USERS_VERSION,
    PasswordChangedError,
    ReviewsOnDeletion,
    User,
)
from accounts.two_factor.models import RecoveryCode, TOTPDevice

__all__ = [
    "AVATAR_FOLDER",
    "DERIVED_FIELDS",
    "USERS_VERSION",
    "USER_SUMMARY",
    "AuthSession",
    "AuthSessionQuerySet",
    "Block",
    "EmailToken",
    "EmailTokenPurpose",
    "PasswordChangedError",
    "RecoveryCode",
    "RetiredUsername",
    "ReviewsOnDeletion",
    "TOTPDevice",
    "User",
    "new_jti",
]
