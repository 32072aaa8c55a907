"""E-mails that depend on who owns an address: sent by tasks, so that no response's time reveals that."""

import datetime
import secrets

from django.utils import timezone

from accounts.happenings import happened
from accounts.mail import mail
from accounts.models import MailToken, MailTokenPurpose, User
from bookbridge.api.rows import hold
from bookbridge.api.sealed import seal, unseal
from bookbridge.api.tasks.decorators import task
from bookbridge.api.text import digest_of
from bookbridge.api.transactions import retrying_atomic

LIFETIMES = {
    MailTokenPurpose.VERIFY: datetime.timedelta(days=3),
    MailTokenPurpose.CHANGE: datetime.timedelta(days=1),
    MailTokenPurpose.RESET: datetime.timedelta(hours=1),
}
# Addresses are encrypted in the queue's table.
ADDRESS = "address"


def encrypt_address(email: str) -> str:
    """Encrypt an e-mail address for the arguments of a task."""
    return seal(email, purpose=ADDRESS)


@task()
def send_verification_email(*, user: int) -> None:
    """Send a verification link to a user's new address or, if it is another user's, a warning to that user."""
    found = User.objects.filter(pk=user, is_active=True, email_verified=False).exclude(email="").first()
    if found:
        _mail_link(found, MailTokenPurpose.VERIFY, found.email)


@task()
def send_email_change_emails(*, user: int, address: str) -> None:
    """Send a confirmation link to the new address and a notice to the old one."""
    found, email = User.objects.filter(pk=user, is_active=True).first(), unseal(address, purpose=ADDRESS)
    if found and email:
        _mail_link(found, MailTokenPurpose.CHANGE, email)
        if found.email_verified:
            mail(found, "change_notice", to=found.email)


@task()
def send_password_reset_email(*, address: str) -> None:
    """Send a password reset link to the user with this address, if there is one."""
    email = unseal(address, purpose=ADDRESS) or ""
    user = User.objects.with_verified_email(email).filter(is_active=True).first()
    if user:
        mail(user, "reset", to=user.email, token=_issue(user, MailTokenPurpose.RESET, user.email))
        happened("password.reset_requested", user.pk)


def _mail_link(user: User, purpose: MailTokenPurpose, email: str) -> None:
    owner = User.objects.with_verified_email(email).first()
    if owner is None:
        mail(user, purpose, to=email, token=_issue(user, purpose, email))
    elif owner != user:
        mail(owner, "address_claimed", to=owner.email)


@retrying_atomic
def _issue(user: User, purpose: MailTokenPurpose, email: str) -> str:
    """Create a token that replaces an older one of the same purpose."""
    token = secrets.token_urlsafe(32)
    # Lock the user first: two transactions that both find no row to replace would deadlock in InnoDB.
    hold(User, [user.pk])
    MailToken.objects.update_or_create(
        user=user,
        purpose=purpose,
        defaults={"email": email, "digest": digest_of(token), "expires_at": timezone.now() + LIFETIMES[purpose]},
    )
    return token
