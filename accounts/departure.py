"""Account deletion.

Deactivates the account and revokes its sessions first (committed at once, so nothing new can be written), then detaches
or deletes its content in one transaction. `manage.py prune_expired` finishes deletions that were interrupted.
"""

from typing import Protocol

from django.db import transaction

from accounts.happenings import happened
from accounts.models import AuthSession, Leaving, RetiredName, User
from accounts.services import require_password
from bookbridge.api.pictures import discard
from bookbridge.api.transactions import retrying_atomic


class Part(Protocol):
    """Detaches or deletes the data of one app. With `anonymise`, public content stays without an author."""

    def __call__(self, user: User, *, anonymise: bool) -> None:
        """Handle the deletion of `user` inside the current transaction."""


# Higher apps add their handlers in `ready()`. Handlers run from the lowest app to the highest, which is the lock order:
# users, clubs, books, reviews.
parts: list[Part] = []
# Run after the others, because those record events.
last_parts: list[Part] = []


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
    for part in [*parts, *last_parts]:
        part(user, anonymise=user.leaving == Leaving.ANONYMISE)
    discard(user.avatar)
    RetiredName.objects.create(username_key=user.username_key)
    user.delete()
