"""What accounts do beyond one row: sign-up, sign-in, and everything that goes through a mailed token."""

from contextlib import suppress
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.exceptions import AuthenticationFailed

from accounts import tokens
from accounts.happenings import happened
from accounts.models import AuthSession, MailToken, MailTokenPurpose, PasswordMovedError, User
from accounts.refusals import refused
from accounts.tasks import (
    encrypt_address,
    send_email_change_emails,
    send_password_reset_email,
    send_verification_email,
)
from bookbridge.api.errors import Conflict, Forbidden, Problem
from bookbridge.api.text import digest_of, identifier_key
from bookbridge.api.transactions import conflict_as, retrying_atomic


class InvalidCredentials(AuthenticationFailed):
    """401, the same for an unknown name and a wrong password."""

    default_detail = _("The name or the password is wrong.")
    default_code = "invalid_credentials"


class WrongPasswordError(Problem):
    """A 400 with the code `wrong_password` at the field that has it."""

    def __init__(self, user: User, field: str) -> None:
        errors = [{"field": field, "code": "wrong_password", "detail": str(_("This is not your password."))}]
        super().__init__(status.HTTP_400_BAD_REQUEST, "invalid", _("Some fields are not valid."), errors=errors)
        self.user = user

    def note(self) -> None:
        """In the audit log."""
        refused("password.refused", self.user.username, user=self.user.pk, actor=self.user.pk)


@retrying_atomic
def register(*, username: str, password: str, email: str = "", **fields: Any) -> User:
    """Open an account. Raises Conflict `username_taken`.

    Whether somebody has the e-mail address is told to nobody but its owner, by mail.
    """
    user: User = User.objects.create_user(username, password, email=email, **fields)
    happened("account.created", user.pk)
    if email:
        send_verification(user)
    return user


def sign_in(name: str, password: str, *, device: str) -> tuple[User, tokens.Pair]:
    """Authenticate and begin a sign-in. Raises as `authenticate` does."""
    for _attempt in range(3):
        user = authenticate(name, password)
        with suppress(PasswordMovedError):
            return user, tokens.sign_in(user, device=device)
    raise InvalidCredentials


def authenticate(name: str, password: str) -> User:
    """The account of a username or verified e-mail address. Raises InvalidCredentials, or Forbidden when suspended.

    An unknown name costs the same hash and the same entry as a wrong password, so that time does not tell them apart.
    """
    found = User.objects.with_verified_email(name) if "@" in name else User.objects.named(name)
    user = found.first()
    if user is None:
        make_password(password)
    elif user.check_password(password) and user.is_active:
        if not user.is_suspended:
            return user
        refused("session.refused", name, user=user.pk, detail="suspended")
        raise Forbidden("account_suspended", _("This account is suspended."), until=user.suspended_until)
    refused("session.refused", name, user=user.pk if user else None)
    raise InvalidCredentials


def change_password(user: User, *, current: str, new: str, keep: AuthSession | None) -> None:
    """Set a new password; every sign-in but `keep` ends. Raises WrongPasswordError, to the later of two at once too."""
    require_password(user, current, field="current_password")
    before = user.password
    user.set_password(new)
    try:
        user.save_password(keep=keep, instead_of=before)
    except PasswordMovedError:
        raise WrongPasswordError(user, "current_password") from None


def require_password(user: User, password: str, *, field: str) -> None:
    """Raise WrongPasswordError unless the password is the reader's."""
    if not check_password(password, user.password):
        raise WrongPasswordError(user, field)


def send_verification(user: User) -> None:
    """Mail a link that shows the address to be the reader's; to its owner, if it has one, a warning instead.

    Which of the two is found out by a job, as all that depends on who has an address: no answer's time tells it.
    """
    send_verification_email.enqueue(user=user.pk)


def request_email_change(user: User, email: str, *, password: str) -> None:
    """Mail a link to the new address and tell the old one. Raises WrongPasswordError."""
    require_password(user, password, field="current_password")
    _request_email_change(user, email)


@retrying_atomic
def _request_email_change(user: User, email: str) -> None:
    send_email_change_emails.enqueue(user=user.pk, address=encrypt_address(email))
    happened("email.change_requested", user.pk)


@retrying_atomic
def confirm_email(token: str) -> None:
    """Make the address of a mailed link the reader's own. Raises Problem `invalid_token`, Conflict `email_taken`."""
    used = _use(token, MailTokenPurpose.VERIFY, MailTokenPurpose.CHANGE)
    user = used.user
    user.email, user.email_key, user.email_verified = used.email, identifier_key(used.email), True
    with conflict_as(Conflict("email_taken", _("This address belongs to another account meanwhile."))):
        user.save(update_fields=["email", "email_key", "email_verified"])
    happened("email.changed" if used.purpose == MailTokenPurpose.CHANGE else "email.verified", user.pk)


def request_password_reset(email: str) -> None:
    """Mail a link to the account that has the address; nothing happens, and nothing is told, where none has."""
    send_password_reset_email.enqueue(address=encrypt_address(email))


def user_of_reset(token: str) -> User:
    """The account a reset token is for, without using it up. Raises Problem `invalid_token`."""
    return _find(token, MailTokenPurpose.RESET).user


@retrying_atomic
def reset_password(token: str, new: str) -> None:
    """Set a new password by a mailed token; every sign-in ends. Raises Problem `invalid_token`."""
    _use(token, MailTokenPurpose.RESET).user.change_password(new, keep=None, verb="password.reset")


def invalid_token() -> Problem:
    """400: a mailed token that is unknown, used, superseded or too old, all alike."""
    return Problem(400, "invalid_token", _("This link is not valid or no longer valid."))


def _find(token: str, *purposes: MailTokenPurpose) -> MailToken:
    live = MailToken.objects.filter(digest=digest_of(token), purpose__in=purposes, expires_at__gt=timezone.now())
    found = live.select_related("user").filter(user__is_active=True).first()
    if found is None or found.is_superseded:
        raise invalid_token()
    return found


def _use(token: str, *purposes: MailTokenPurpose) -> MailToken:
    """The token, used up: of several callers at once the one whose DELETE finds the row has it."""
    found = _find(token, *purposes)
    deleted, _rows = MailToken.objects.filter(pk=found.pk, digest=found.digest).delete()
    if not deleted:
        raise invalid_token()
    return found
