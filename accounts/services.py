"""Registration, sign-in, and everything that uses a token sent by e-mail."""

import datetime
import secrets
from contextlib import suppress
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.exceptions import AuthenticationFailed

from accounts import tokens
from accounts.happenings import happened
from accounts.mail import mail
from accounts.models import AuthSession, MailToken, MailTokenPurpose, PasswordMovedError, User
from accounts.refusals import refused
from bookbridge.api.errors import Conflict, Forbidden, Problem
from bookbridge.api.jobs import enqueue, job
from bookbridge.api.rows import hold
from bookbridge.api.sealed import seal, unseal
from bookbridge.api.text import digest_of, identifier_key
from bookbridge.api.transactions import conflict_as, retrying_atomic

LIFETIMES = {
    MailTokenPurpose.VERIFY: datetime.timedelta(days=3),
    MailTokenPurpose.CHANGE: datetime.timedelta(days=1),
    MailTokenPurpose.RESET: datetime.timedelta(hours=1),
}
# The encryption purpose of e-mail addresses in task arguments.
ADDRESS = "address"


class InvalidCredentials(AuthenticationFailed):
    """401, the same for an unknown username and a wrong password."""

    default_detail = _("Wrong username or password.")
    default_code = "invalid_credentials"


class WrongPasswordError(Problem):
    """400 with the error code `wrong_password` on the given field."""

    def __init__(self, user: User, field: str) -> None:
        errors = [{"field": field, "code": "wrong_password", "detail": str(_("Wrong password."))}]
        super().__init__(status.HTTP_400_BAD_REQUEST, "invalid", _("Some fields are not valid."), errors=errors)
        self.user = user

    def note(self) -> None:
        """Record the failure in the audit log."""
        refused("password.refused", self.user.username, user=self.user.pk, actor=self.user.pk)


@retrying_atomic
def register(*, username: str, password: str, email: str = "", **fields: Any) -> User:
    """Create an account. Raises Conflict `username_taken`.

    Only the owner of an e-mail address learns, by e-mail, that it already belongs to an account.
    """
    user: User = User.objects.create_user(username, password, email=email, **fields)
    happened("account.created", user.pk)
    if email:
        send_verification(user)
    return user


def sign_in(name: str, password: str, *, device: str) -> tuple[User, tokens.Pair]:
    """Authenticate the user and create a session. Raises the same exceptions as `authenticate`."""
    for _attempt in range(3):
        user = authenticate(name, password)
        with suppress(PasswordMovedError):
            return user, tokens.sign_in(user, device=device)
    raise InvalidCredentials


def authenticate(name: str, password: str) -> User:
    """Return the user with this username or verified e-mail address.

    Raises InvalidCredentials, or Forbidden `account_suspended`. An unknown name costs the same hashing and logging as
    a wrong password, so that the response time does not reveal accounts.
    """
    users = User.objects.with_verified_email(name) if "@" in name else User.objects.named(name)
    user = users.first()
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
    """Set a new password and revoke every session but `keep`.

    Raises WrongPasswordError, also if the password has been changed in the meantime.
    """
    require_password(user, current, field="current_password")
    before = user.password
    user.set_password(new)
    try:
        user.save_password(keep=keep, instead_of=before)
    except PasswordMovedError:
        raise WrongPasswordError(user, "current_password") from None


def require_password(user: User, password: str, *, field: str) -> None:
    """Raise WrongPasswordError unless the password is correct."""
    if not check_password(password, user.password):
        raise WrongPasswordError(user, field)


def send_verification(user: User) -> None:
    """Send a verification link, or a warning if another account owns the address.

    A task decides which, so that the response time does not reveal whether the address is known.
    """
    enqueue("accounts.verify", user=user.pk)


@job("accounts.verify")
def _verify(*, user: int) -> None:
    recipient = User.objects.filter(pk=user, is_active=True, email_verified=False).exclude(email="").first()
    if recipient:
        _mail_link(recipient, MailTokenPurpose.VERIFY, recipient.email)


def request_email_change(user: User, email: str, *, password: str) -> None:
    """Send a confirmation link to the new address and a notice to the old one. Raises WrongPasswordError."""
    require_password(user, password, field="current_password")
    _request_email_change(user, email)


@retrying_atomic
def _request_email_change(user: User, email: str) -> None:
    enqueue("accounts.change_email", user=user.pk, address=seal(email, purpose=ADDRESS))
    happened("email.change_requested", user.pk)


@job("accounts.change_email")
def _change_email(*, user: int, address: str) -> None:
    recipient, email = User.objects.filter(pk=user, is_active=True).first(), unseal(address, purpose=ADDRESS)
    if recipient and email:
        _mail_link(recipient, MailTokenPurpose.CHANGE, email)
        if recipient.email_verified:
            mail(recipient, "change_notice", to=recipient.email)


def _mail_link(user: User, purpose: MailTokenPurpose, email: str) -> None:
    owner = User.objects.with_verified_email(email).first()
    if owner is None:
        mail(user, purpose, to=email, token=_issue(user, purpose, email))
    elif owner != user:
        mail(owner, "address_claimed", to=owner.email)


@retrying_atomic
def confirm_email(token: str) -> None:
    """Set and verify the address that the token was sent to. Raises Problem `invalid_token`, Conflict `email_taken`."""
    used = _use(token, MailTokenPurpose.VERIFY, MailTokenPurpose.CHANGE)
    user = used.user
    user.email, user.email_key, user.email_verified = used.email, identifier_key(used.email), True
    with conflict_as(Conflict("email_taken", _("This address is now used by another account."))):
        user.save(update_fields=["email", "email_key", "email_verified"])
    happened("email.changed" if used.purpose == MailTokenPurpose.CHANGE else "email.verified", user.pk)


def request_password_reset(email: str) -> None:
    """Send a password reset link to the user with this verified address, if there is one."""
    enqueue("accounts.reset_password", address=seal(email, purpose=ADDRESS))


@job("accounts.reset_password")
def _reset_password(*, address: str) -> None:
    email = unseal(address, purpose=ADDRESS) or ""
    user = User.objects.with_verified_email(email).filter(is_active=True).first()
    if user:
        mail(user, "reset", to=user.email, token=_issue(user, MailTokenPurpose.RESET, user.email))
        happened("password.reset_requested", user.pk)


def user_of_reset(token: str) -> User:
    """Return the user of a reset token without consuming it. Raises Problem `invalid_token`."""
    return _find(token, MailTokenPurpose.RESET).user


@retrying_atomic
def reset_password(token: str, new: str) -> None:
    """Set a new password with a reset token and revoke every session. Raises Problem `invalid_token`."""
    _use(token, MailTokenPurpose.RESET).user.change_password(new, keep=None, verb="password.reset")


def invalid_token() -> Problem:
    """Return the 400 for any token that is unknown, used, superseded or expired."""
    return Problem(400, "invalid_token", _("This link is invalid or has expired."))


@retrying_atomic
def _issue(user: User, purpose: MailTokenPurpose, email: str) -> str:
    """Return a new token that replaces any older one of the same purpose."""
    token = secrets.token_urlsafe(32)
    # Lock the user: in InnoDB two concurrent inserts into the same gap would deadlock.
    hold(User, [user.pk])
    MailToken.objects.update_or_create(
        user=user,
        purpose=purpose,
        defaults={"email": email, "digest": digest_of(token), "expires_at": timezone.now() + LIFETIMES[purpose]},
    )
    return token


def _find(token: str, *purposes: MailTokenPurpose) -> MailToken:
    valid = MailToken.objects.filter(digest=digest_of(token), purpose__in=purposes, expires_at__gt=timezone.now())
    mail_token = valid.select_related("user").filter(user__is_active=True).first()
    if mail_token is None or mail_token.is_superseded:
        raise invalid_token()
    return mail_token


def _use(token: str, *purposes: MailTokenPurpose) -> MailToken:
    """Delete the token and return it. Of several concurrent callers, only the one that deletes the row succeeds."""
    mail_token = _find(token, *purposes)
    deleted, _rows = MailToken.objects.filter(pk=mail_token.pk, digest=mail_token.digest).delete()
    if not deleted:
        raise invalid_token()
    return mail_token
