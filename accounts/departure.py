"""Closing an account: who was here goes, what they made for others stays without them, if they wish it so.

First the account is shut and its sign-ins end, which is committed by itself: from then on nothing new is written in its
name. Then everything that hangs on it is parted from it in one transaction and the row goes. What is cut off in between
is finished by `manage.py clear_expired`.
"""

from typing import Protocol

from django.db import transaction

from accounts.happenings import happened
from accounts.models import AuthSession, Leaving, RetiredName, User
from accounts.services import require_password
from bookbridge.api.pictures import discard
from bookbridge.api.transactions import retrying_atomic


class Part(Protocol):
    """Parts what one app holds from an account that goes; `anonymise` keeps what was written for everybody."""

    def __call__(self, user: User, *, anonymise: bool) -> None:
        """Part it, within the transaction at hand."""


# Each app above this one adds its own in `ready()`; they run in the order of the layers, the lowest first, which is the
# order in which everything else locks: users, clubs, books, reviews.
parts: list[Part] = []
# After those: for what they themselves write down.
last_parts: list[Part] = []


def close_account(user: User, *, password: str, reviews: Leaving) -> None:
    """Close the reader's own account for good. Raises a 400 `wrong_password`."""
    require_password(user, password, field="password")
    shut(user, reviews=reviews)
    depart(user)


@transaction.atomic
def shut(user: User, *, reviews: Leaving) -> None:
    """Let nobody in by an account any more, which is to `depart` once that is committed."""
    if User.objects.filter(pk=user.pk, is_active=True).update(is_active=False):
        user.count(-1)
    # The first of two wishes at once stands.
    User.objects.filter(pk=user.pk, leaving="").update(leaving=reviews)
    AuthSession.objects.filter(user=user).end()


@retrying_atomic
def depart(user: User) -> None:
    """Part everything from an account that is shut, and delete it; its name is not given again."""
    try:
        user.refresh_from_db(from_queryset=User.objects.select_for_update())
    except User.DoesNotExist:
        return  # Somebody else has finished it.
    happened("account.closed", user.pk)
    for part in [*parts, *last_parts]:
        part(user, anonymise=user.leaving == Leaving.ANONYMISE)
    discard(user.avatar)
    RetiredName.objects.create(username_key=user.username_key)
    user.delete()
