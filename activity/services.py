"""Records events and notifies users.

Call both in the transaction of the change, so that a change is never committed without its event.
"""

import uuid
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.blocks import blocked_ids
from activity.changes.services import record_notification_changes
from activity.choices import HIDDEN_BY_BLOCK, NotificationKind
from activity.messages import DeferredMessage
from activity.models import (
    TITLE_LENGTH,
    Event,
    Notification,
    NotificationPreference,
    NotificationQuerySet,
    ObjectRef,
)
from activity.push.tasks import send_push_notifications
from activity.tasks import send_notification_emails
from core.db.transactions import atomic_with_retry

CLEANUP_BATCH_SIZE = 1000


def build_event(
    verb: str,
    *,
    actor: int | None,
    object_ref: ObjectRef | None = None,
    club: int | None = None,
    subject: int | None = None,
) -> Event:
    """Return an unsaved event: `actor` did `verb` (one of `activity.verbs.VERBS`) to an object.

    Users and clubs are given as ids. `subject` is the user whose account or membership is concerned, if not the actor;
    the event appears in their own log too. With a `club` the event appears in that club's feed. If not every member may
    see it, pass no club or list the verb in `MODERATOR_ONLY_VERBS`.
    """
    other = subject if subject != actor else None
    return Event(verb=verb, actor_id=actor, club_id=club, subject_id=other, **_object_columns(object_ref))


def record_event(verb: str, **columns: Any) -> None:
    """Record an event, with the arguments of `build_event`."""
    build_event(verb, **columns).save(force_insert=True)


def record_events(*events: Event) -> None:
    """Record several events with one statement."""
    Event.objects.bulk_create(events)


@transaction.atomic(savepoint=False)
def notify(
    kind: NotificationKind,
    users: Iterable[int],
    *,
    actor: int | None = None,
    object_ref: ObjectRef | None = None,
    club: int | None = None,
    detail: str | DeferredMessage = "",
    key: str | None = None,
) -> None:
    """Notify users (ids) in the app, by e-mail and by push, according to their preferences.

    The actor is skipped. Users with a block between them and the actor do not get notifications of the kinds in
    `HIDDEN_BY_BLOCK`, and get the others without the actor.

    With a `key`, each user is notified at most once, however often this is called. `detail` is additional text for the
    template of the kind: user-written text as a str, or a `DeferredMessage`, which is rendered in the user's
    language: `DeferredMessage("role", "moderator")`, `time_message(meeting.starts_at, meeting.timezone)`. To notify the
    members of a club, call `clubs.notifications.notify_members`.
    """
    users = [user for user in dict.fromkeys(users) if user != actor]
    blocked = blocked_ids(users, actor) if actor is not None else set()
    if kind in HIDDEN_BY_BLOCK:
        users = [user for user in users if user not in blocked]
    to = NotificationPreference.objects.recipients(users, kind, club=club)
    columns = {"kind": kind, "club_id": club, **_object_columns(object_ref), **_message_columns(detail)}
    if key:
        columns["key"] = key
    batch, at = uuid.uuid4().hex, timezone.now()
    rows = [
        Notification(
            user_id=user,
            actor_id=None if user in blocked else actor,
            in_app=user in to.app,
            email_batch=batch if user in to.email else None,
            push_batch=batch if user in to.push else None,
            created_at=at,
            **columns,
        )
        for user in users
        if any(user in channel for channel in to)
    ]
    Notification.objects.bulk_create(rows, ignore_conflicts=True)
    # Rows that existed before have another time.
    if shown := [row for row in rows if row.in_app]:
        added = Notification.objects.filter(
            user__in=[row.user_id for row in shown], key__in={row.key for row in shown}, created_at=at
        )
        record_notification_changes(added)
    if to.email:
        send_notification_emails.enqueue(batch=batch)
    if to.push:
        send_push_notifications.enqueue(batch=batch)


def _message_columns(detail: str | DeferredMessage) -> dict[str, str]:
    code, text = detail if isinstance(detail, DeferredMessage) else ("", detail)
    return {"detail_code": code, "detail": text[:500]}


def _object_columns(object_ref: ObjectRef | None) -> dict[str, object]:
    if object_ref is None:
        return {}
    title = object_ref.title[:TITLE_LENGTH]
    return {
        "object_type": object_ref.type,
        "object_id": object_ref.id,
        "object_title": title,
        "object_author_id": object_ref.author,
    }


@atomic_with_retry
def mark_read(notifications: NotificationQuerySet) -> None:
    """Mark those of the notifications as read that are not."""
    at = timezone.now()
    if notifications.unread().update(read_at=at):
        record_notification_changes(notifications.filter(read_at=at))


@atomic_with_retry
def delete_expired_notifications() -> int:
    """Delete a batch of expired notifications and return their number."""
    ids = list(Notification.objects.expired().order_by().values_list("pk", flat=True)[:CLEANUP_BATCH_SIZE])
    if ids:
        expired = Notification.objects.filter(pk__in=ids)
        record_notification_changes(expired, deleted=True)
        expired.delete()
    return len(ids)
