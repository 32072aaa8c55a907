"""Account deletion.

Deactivates the account and revokes its sessions first (committed at once, so nothing new can be written), then detaches
or deletes its content in one transaction. `manage.py prune_expired` finishes deletions that were interrupted.
"""

from django.db import transaction

from accounts.happenings import happened
from accounts.models import AuthSession, Leaving, RetiredName, User
from accounts.services import require_password
from accounts.signals import account_deleted, account_detached
from accounts.staff.services import forget
from bookbridge.api.pictures import discard
from bookbridge.api.transactions import retrying_atomic


def close_account(user: User, *, password: str, reviews: Leaving) -> None:
    """Delete the account of `user` permanently. Raises WrongPasswordError."""
    require_password(user, password, field="password")
    shut(user, reviews=reviews)
    depart(user)


@transaction.atomic
def shut(user: User, *, reviews: Leaving) -> None:
    """Deactivate the account. Call `erase` after this is committed."""
    if User.objects.filter(pk=user.pk, is_active=True).update(is_active=False):
        user.count(-1)
    # Of two concurrent requests, the first choice counts.
    User.objects.filter(pk=user.pk, leaving="").update(leaving=reviews)
    AuthSession.objects.filter(user=user).end()


@retrying_atomic
def depart(user: User) -> None:
    """Detach all content from a deactivated account and delete it. Its username is never reused."""
    try:
        user.refresh_from_db(from_queryset=User.objects.select_for_update())
    except User.DoesNotExist:
        return  # deleted by a concurrent request
    happened("account.closed", user.pk)
    anonymise = user.leaving == Leaving.ANONYMISE
    forget(user)
    account_deleted.send(User, user=user, anonymise=anonymise)
    account_detached.send(User, user=user, anonymise=anonymise)
    discard(user.avatar)
    RetiredName.objects.create(username_key=user.username_key)
    user.delete()
