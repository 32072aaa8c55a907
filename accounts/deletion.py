"""Account deletion.

First deactivates the account and revokes its sessions, and commits that, so that nothing new can be written. Then
detaches or deletes its content in one transaction. `manage.py prune_expired` finishes deletions that were interrupted.
"""

import logging

from accounts.events import emit
from accounts.models import AuthSession, RetiredUsername, ReviewsOnDeletion, User
from accounts.services import check_current_password
from accounts.signals import account_deleted, account_detached
from core.audit.models import AuditEntry
from core.db.transactions import atomic_with_retry
from core.images.storage import delete_on_commit

logger = logging.getLogger(__name__)


def close_account(user: User, *, password: str, reviews: ReviewsOnDeletion) -> None:
    """Delete the account of `user` permanently. Raises WrongPasswordError."""
    check_current_password(user, password, field="password")
    deactivate(user, reviews=reviews)
    erase(user)


@atomic_with_retry
def deactivate(user: User, *, reviews: ReviewsOnDeletion) -> None:
    """Deactivate the account. Call `erase` after this is committed."""
    if User.objects.filter(pk=user.pk, is_active=True).update(is_active=False):
        user.update_user_count(-1)
    # Of two concurrent requests, the first one determines what happens to the reviews.
    User.objects.filter(pk=user.pk, reviews_on_deletion="").update(reviews_on_deletion=reviews)
    AuthSession.objects.filter(user=user).revoke()


@atomic_with_retry
def erase(user: User) -> None:
    """Detach all content from a deactivated account and delete it. Its username is never reused."""
    try:
        user.refresh_from_db(from_queryset=User.objects.select_for_update())
    except User.DoesNotExist:
        return  # deleted by a concurrent request
    emit("account.closed", user.pk)
    anonymize = user.reviews_on_deletion == ReviewsOnDeletion.ANONYMIZE
    AuditEntry.objects.anonymize(user)
    account_deleted.send(User, user=user, anonymize=anonymize)
    account_detached.send(User, user=user, anonymize=anonymize)
    delete_on_commit(user.avatar)
    RetiredUsername.objects.create(username_key=user.username_key)
    user.delete()


def finish_deletions() -> int:
    """Finish the interrupted account deletions and return how many. Raises ExceptionGroup if some failed again."""
    errors: list[Exception] = []
    pending = list(User.objects.exclude(reviews_on_deletion="").order_by("pk").values_list("pk", flat=True))
    for pk in pending:
        try:
            erase(User(pk=pk))
        except Exception as error:  # the other accounts must be deleted nevertheless
            logger.exception("The account %s could not be deleted", pk)
            errors.append(error)
    if errors:
        raise ExceptionGroup("Some accounts could not be deleted.", errors)
    return len(pending)
