"""Records changes of objects for `GET users/me/changes/`. Call these in the transaction of the change."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from django.db.models import (
    BigIntegerField,
    BooleanField,
    CharField,
    DateTimeField,
    Exists,
    F,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Value,
)
from django.utils import timezone

from activity.changes.models import Change, ChangeType, user_stream
from activity.models import Notification
from core.db.insert_select import insert_select

if TYPE_CHECKING:
    from accounts.models import User

# Rows per statement of `record_missing`.
BATCH_SIZE = 50_000
FIELDS = ("stream", "type", "object_id", "club_id", "parent_id", "author_id", "thread_author_id", "deleted", "at")


def change(
    type: str, object_id: int, *, club: int | None, user: int | None = None, deleted: bool = False, **columns: Any
) -> Change:
    """Return an unsaved change for the members of the club (ids), or for one user alone."""
    stream: Any = club if user is None else user_stream(user)
    return Change(stream=stream, type=type, object_id=object_id, club_id=club, deleted=deleted, **columns)


def record_change(type: str, object_id: int, **columns: Any) -> Change:
    """Record a change, with the arguments of `change`."""
    row = change(type, object_id, **columns)
    row.save(force_insert=True)
    return row


def record_changes(*rows: Change) -> None:
    """Record several changes with one statement."""
    Change.objects.bulk_create(rows)


def changes_of(
    rows: QuerySet[Any],
    type: str,
    *,
    object_id: str = "pk",
    club: str | None = "club_id",
    user: str | int | None = None,
    deleted: bool = False,
    **columns: Any,
) -> QuerySet[Any, Any]:
    """Return the changes of all `rows` as a query for `record_changes_of`.

    `object_id`, `club` and the other `columns` are names of the rows' columns. The changes are for the members of the
    club, or for the user: an id, or the name of a column.
    """
    numbers: dict[str, Any] = {"object_id": object_id, "club_id": club, **columns}
    values = {name: _number(numbers.get(name)) for name in FIELDS[2:7]}
    if user is None:
        values["stream"] = F(club or "")
    else:
        values["stream"] = user_stream(F(user)) if isinstance(user, str) else _number(user_stream(user))
    values |= {
        "type": Value(str(type), CharField()),
        "deleted": Value(deleted, BooleanField()),
        "at": Value(timezone.now(), DateTimeField()),
    }
    # The model may have columns with the same names.
    return rows.annotate(**{f"_{name}": values[name] for name in FIELDS}).values_list(*(f"_{name}" for name in FIELDS))


def _number(value: Any) -> Any:
    return F(value) if isinstance(value, str) else Value(value, BigIntegerField())


def record_changes_of(*queries: QuerySet[Any, Any]) -> int:
    """Record the changes that the queries of `changes_of` return, with one statement, and return their number."""
    return insert_select(Change, FIELDS, *queries, using="default")


def record_missing(rows: QuerySet[Any], type: str, *, model: type[Any] = Change, **columns: Any) -> None:
    """Record a change, as `changes_of` describes it, of all objects that have none: those that were created in bulk.

    In a migration, `model` is the historical one. It may be run again.
    """
    is_personal = {"stream__lt": 0} if "user" in columns else {"stream__gt": 0}
    known = model.objects.using(rows.db).filter(type=type, object_id=OuterRef("pk"), **is_personal)
    missing = rows.filter(~Exists(known))
    for start in range(0, rows.aggregate(last=Max("pk"))["last"] or 0, BATCH_SIZE):
        batch = missing.filter(pk__gt=start, pk__lte=start + BATCH_SIZE)
        insert_select(model, FIELDS, changes_of(batch, type, **columns), using=rows.db)


def record_notification_changes(notifications: QuerySet[Any], *, deleted: bool = False) -> None:
    """Record that notifications have changed, or are about to be deleted. Their users' apps show only some of them."""
    shown = notifications.filter(in_app=True)
    record_changes_of(changes_of(shown, ChangeType.NOTIFICATION, user="user_id", deleted=deleted))


def visible_notifications(user: User, ids: Collection[int]) -> tuple[set[int], set[int]]:
    """Return which of these notifications `user` may see. None is ever hidden by moderation."""
    return set(Notification.objects.for_user(user).filter(pk__in=ids).values_list("pk", flat=True)), set()


def record_block_changes(user: int, other: int) -> None:
    """Record that the notifications of two users (ids) about each other appear or disappear."""
    pairs = Q()
    for reader, actor in ((user, other), (other, user)):
        pairs |= Q(user=reader, actor=actor) | Q(user=reader, object_author=actor)
    record_notification_changes(Notification.objects.filter(pairs))


def record_club_deletion(club_id: int, memberships: QuerySet[Any]) -> None:
    """Record the deletion of a club for its members (their memberships) and for users with notifications about it."""
    Change.objects.filter(stream=club_id).delete()
    others = Notification.objects.filter(club=club_id).exclude(user__in=memberships.values("user"))
    members = changes_of(memberships, ChangeType.CLUB, object_id="club_id", user="user_id", deleted=True)
    notified = changes_of(others, ChangeType.CLUB, object_id="club_id", user="user_id", deleted=True)
    record_changes_of(members, notified.distinct())
