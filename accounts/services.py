"""Registration, sign-in, and everything that uses a token sent by e-mail."""

from contextlib import suppress
from typing import Any, cast

from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.exceptions import AuthenticationFailed

from accounts import tokens
from accounts.events import emit
from accounts.login_failures import record_login_failure
from accounts.models import AuthSession, EmailToken, EmailTokenPurpose, PasswordChangedError, User
from accounts.passwords import check_password
from accounts.signals import account_invited
from accounts.tasks import (
    encrypt_address,
    send_email_change_emails,
    send_password_reset_email,
    send_verification_email,
)
from core.api.exceptions import APIProblem, Conflict, PermissionDeniedProblem
from core.db.transactions import atomic_with_retry, conflict_on_integrity_error
from core.search.normalize import normalize_identifier, sha256_hex


class InvalidCredentials(AuthenticationFailed):
    """401 for an unknown username or a wrong password; the response does not reveal which."""

    default_detail = _("Wrong username or password.")
    default_code = "invalid_credentials"


class WrongPasswordError(APIProblem):
    """400 with the error code `wrong_password` on the given field."""

    def __init__(self, user: User, field: str) -> None:
        errors = [{"field": field, "code": "wrong_password", "detail": str(_("Wrong password."))}]
        super().__init__(status.HTTP_400_BAD_REQUEST, "invalid", _("Some fields are not valid."), errors=errors)
        self.user = user

    def log(self) -> None:
        """Record the failure in the audit log."""
        record_login_failure("password.refused", self.user.username, user=self.user.pk, actor=self.user.pk)


class InvalidInvitationError(APIProblem):
    """400 for a registration with an invalid invitation code."""

    def __init__(self) -> None:
        text = str(_("This invitation is invalid, expired or used up."))
        errors = [{"field": "invite", "code": "invalid_invite", "detail": text}]
        super().__init__(status.HTTP_400_BAD_REQUEST, "invalid_invite", text, errors=errors)


@atomic_with_retry
def register(*, username: str, password: str, email: str = "", **fields: Any) -> User:
    """Create an account. Raises Conflict `username_taken`.

    Only the owner of an e-mail address learns, by e-mail, that it already belongs to an account.
    """
    user: User = User.objects.create_user(username, password, email=email, **fields)
    emit("account.created", user.pk)
    if email:
        send_verification(user)
    return user


@atomic_with_retry
def register_invited(code: str, **fields: Any) -> tuple[User, dict[str, Any]]:
    """Create an account and accept an invitation for it. Return the user and the summary of the club.

    Raises InvalidInvitationError and the exceptions of `register` and of accepting an invitation; no account is created
    then.
    """
    user = register(**fields)
    try:
        [(_receiver, club)] = account_invited.send(User, user=user, code=code)
    except Http404:
        raise InvalidInvitationError from None
    return user, cast(dict[str, Any], club)


def sign_in(name: str, password: str, *, device: str) -> tuple[User, tokens.TokenPair]:
    """Authenticate the user and create a session. Raises the same exceptions as `authenticate`."""
    for _attempt in range(3):
        user = authenticate(name, password)
        with suppress(PasswordChangedError):
            return user, tokens.sign_in(user, device=device)
    raise InvalidCredentials


def authenticate(name: str, password: str) -> User:
    """Return the user with this username or verified e-mail address.

    Raises InvalidCredentials, or PermissionDeniedProblem `account_suspended`. An unknown name causes the same hashing
    and logging as a wrong password, so that the response time does not reveal accounts.
    """
    # Normalized first, because an input method may type a full-width `＠`.
    is_email = "@" in normalize_identifier(name)
    users = User.objects.with_verified_email(name) if is_email else User.objects.with_username(name)
    user = users.first()
    if check_password(user, password) and user is not None and user.is_active:
        if not user.is_suspended:
            return user
        record_login_failure("session.refused", name, user=user.pk, detail="suspended")
        raise PermissionDeniedProblem("account_suspended", _("This account is suspended."), until=user.suspended_until)
    record_login_failure("session.refused", name, user=user.pk if user else None)
    raise InvalidCredentials


def change_password(user: User, *, current: str, new: str, keep: AuthSession | None) -> None:
    """Set a new password and revoke every session but `keep`.

    Raises WrongPasswordError, also if the password has been changed in the meantime.
    """
    check_current_password(user, current, field="current_password")
    before = user.password
    user.set_password(new)
    try:
        user.save_password(keep=keep, expected_password=before)
    except PasswordChangedError:
        raise WrongPasswordError(user, "current_password") from None


def check_current_password(user: User, password: str, *, field: str) -> None:
    """Raise WrongPasswordError unless the password is correct."""
    if not user.check_password(password):
        raise WrongPasswordError(user, field)


def send_verification(user: User) -> None:
    """Send a verification link, or a warning if another account owns the address.

    A task decides which, so that the response time does not reveal whether the address is known.
    """
    send_verification_email.enqueue(user_id=user.pk)


def request_email_change(user: User, email: str, *, password: str) -> None:
    """Send a confirmation link to the new address and a notice to the old one. Raises WrongPasswordError."""
    check_current_password(user, password, field="current_password")
    _request_email_change(user, email)


@atomic_with_retry
def _request_email_change(user: User, email: str) -> None:
    send_email_change_emails.enqueue(user_id=user.pk, address=encrypt_address(email))
    emit("email.change_requested", user.pk)


@atomic_with_retry
def confirm_email(token: str) -> None:
    """Set and verify the address that the token was sent to.

    Raises APIProblem `invalid_token` or Conflict `email_taken`.
    """
    email_token = _consume_token(token, EmailTokenPurpose.VERIFY, EmailTokenPurpose.CHANGE)
    user, email = email_token.user, email_token.email
    user.email, user.email_key, user.email_verified = email, normalize_identifier(email), True
    taken = Conflict("email_taken", _("This address is now used by another account."), email=email)
    with conflict_on_integrity_error(taken):
        user.save(update_fields=["email", "email_key", "email_verified"])
    emit("email.changed" if email_token.purpose == EmailTokenPurpose.CHANGE else "email.verified", user.pk)


def request_password_reset(email: str) -> None:
    """Send a password reset link to the account with this address, if there is one.

    A task looks for the account, so that the response time does not reveal it.
    """
    send_password_reset_email.enqueue(address=encrypt_address(email))


def get_user_for_reset_token(token: str) -> User:
    """Return the user of a reset token without consuming it. Raises APIProblem `invalid_token`."""
    return _find_token(token, EmailTokenPurpose.RESET).user


@atomic_with_retry
def reset_password(token: str, new: str) -> None:
    """Set a new password with a reset token and revoke every session. Raises APIProblem `invalid_token`."""
    _consume_token(token, EmailTokenPurpose.RESET).user.change_password(new, keep=None, verb="password.reset")


def invalid_token() -> APIProblem:
    """Return the 400 for any token that is unknown, used, superseded or expired."""
    return APIProblem(400, "invalid_token", _("This link is invalid or has expired."))


def _find_token(token: str, *purposes: EmailTokenPurpose) -> EmailToken:
    valid = EmailToken.objects.filter(digest=sha256_hex(token), purpose__in=purposes, expires_at__gt=timezone.now())
    email_token = valid.select_related("user").filter(user__is_active=True).first()
    if email_token is None or email_token.is_superseded:
        raise invalid_token()
    return email_token


def _consume_token(token: str, *purposes: EmailTokenPurpose) -> EmailToken:
    """Delete the token and return it. Of several concurrent callers, only the one that deletes the row succeeds."""
    email_token = _find_token(token, *purposes)
    deleted, _rows = EmailToken.objects.filter(pk=email_token.pk, digest=email_token.digest).delete()
    if not deleted:
        raise invalid_token()
    return email_token
