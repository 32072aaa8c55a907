"""E-mails that depend on the owner of an address. Tasks send them, so that response times do not reveal the owner."""

import datetime
import secrets

from django.utils import timezone

from accounts.emails import send_account_email
from accounts.events import emit
from accounts.models import EmailToken, EmailTokenPurpose, User
from core.db.locking import lock_rows
from core.db.transactions import atomic_with_retry
from core.encryption import decrypt, encrypt
from core.search.normalize import sha256_hex
from core.tasks.decorators import task

EMAIL_TOKEN_LIFETIMES = {
    EmailTokenPurpose.VERIFY: datetime.timedelta(days=3),
    EmailTokenPurpose.CHANGE: datetime.timedelta(days=1),
    EmailTokenPurpose.RESET: datetime.timedelta(hours=1),
}
# Addresses are encrypted in the queue's table.
EMAIL_ENCRYPTION_PURPOSE = "address"


def encrypt_address(email: str) -> str:
    """Encrypt an e-mail address for the arguments of a task."""
    return encrypt(email, purpose=EMAIL_ENCRYPTION_PURPOSE)


@task()
def send_verification_email(*, user_id: int) -> None:
    """Send a verification link to a user's new address or, if it is another user's, a warning to that user."""
    user = User.objects.filter(pk=user_id, is_active=True, email_verified=False).exclude(email="").first()
    if user:
        _send_token_email(user, EmailTokenPurpose.VERIFY, user.email)


@task()
def send_email_change_emails(*, user_id: int, address: str) -> None:
    """Send a confirmation link to the new address and a notice to the old one."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    email = decrypt(address, purpose=EMAIL_ENCRYPTION_PURPOSE)
    if user and email:
        _send_token_email(user, EmailTokenPurpose.CHANGE, email)
        if user.email_verified:
            send_account_email(user, "change_notice", to=user.email)


@task()
def send_password_reset_email(*, address: str) -> None:
    """Send a password reset link to the user with this address, if there is one."""
    email = decrypt(address, purpose=EMAIL_ENCRYPTION_PURPOSE) or ""
    user = User.objects.with_verified_email(email).filter(is_active=True).first()
    if user:
        send_account_email(user, "reset", to=user.email, token=_create_token(user, EmailTokenPurpose.RESET, user.email))
        emit("password.reset_requested", user.pk)


def _send_token_email(user: User, purpose: EmailTokenPurpose, email: str) -> None:
    owner = User.objects.with_verified_email(email).first()
    if owner is None:
        send_account_email(user, purpose, to=email, token=_create_token(user, purpose, email))
    elif owner != user:
        send_account_email(owner, "address_claimed", to=owner.email)


@atomic_with_retry
def _create_token(user: User, purpose: EmailTokenPurpose, email: str) -> str:
    """Create a token that replaces an older one of the same purpose."""
    token = secrets.token_urlsafe(32)
    # Lock the user first: two transactions that both find no row to replace would deadlock in InnoDB.
    lock_rows(User, [user.pk])
    EmailToken.objects.update_or_create(
        user=user,
        purpose=purpose,
        defaults={
            "email": email,
            "digest": sha256_hex(token),
            "expires_at": timezone.now() + EMAIL_TOKEN_LIFETIMES[purpose],
        },
    )
    return token
