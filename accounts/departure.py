"""Closing an account: who was here goes, what they made for others stays without them, if they wish it so.

First the account is shut and its sign-ins end, which is committed by itself: from then on nothing new is written in its
name. Then everything that hangs on it is parted from it in one transaction and the row goes. What is cut off in between
is finished by `manage.py clear_expired`.
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
    anonymise = user.leaving == Leaving.ANONYMISE
    forget(user)
    account_deleted.send(User, user=user, anonymise=anonymise)
    account_detached.send(User, user=user, anonymise=anonymise)
    discard(user.avatar)
    RetiredName.objects.create(username_key=user.username_key)
    user.delete()
