"""Records events and notifies users.

Call both in the transaction of the change, so that a change is never committed without its event.
"""

import uuid
from collections.abc import Iterable

from accounts.blocks import hidden_among
from accounts.models import User
from activity.details import Said
from activity.kinds import PERSONAL, Kind
from activity.models import TITLE_LENGTH, Event, Notification, Preference, Thing
from bookbridge.api.jobs import enqueue
from bookbridge.api.transactions import retrying_atomic


def record(
    verb: str, *, actor: int | None, thing: Thing | None = None, club: int | None = None, subject: int | None = None
) -> None:
    """Record that `actor` did `verb` (one of `activity.verbs.VERBS`) to an object. Users and clubs are given as ids.

    `subject` is the user whose account or membership is concerned, if not the actor; the event appears in their own
    log too. With a `club` the event appears in that club's feed. If not every member may see it, pass no club or list
    the verb in `MODERATOR_ONLY_VERBS`.
    """
    other = subject if subject != actor else None
    Event.objects.create(verb=verb, actor_id=actor, club_id=club, subject_id=other, **_columns(thing))


@retrying_atomic
def notify(
    kind: Kind,
    users: Iterable[int],
    *,
    actor: int | None = None,
    thing: Thing | None = None,
    club: int | None = None,
    detail: str | Said = "",
    key: str | None = None,
) -> None:
    """Notify users (ids) in the app and by e-mail, according to their preferences.

    The actor is skipped. Users with a block between them and the actor do not get notifications of the kinds in
    `HIDDEN_BY_BLOCK`, and get the others without the actor.

    With a `key`, each user is notified at most once, however often this is called. `detail` is additional text for the
    template of the kind: user-written text as a str, or a `DeferredMessage`, which is rendered in the reader's
    language: `DeferredMessage("role", "moderator")`, `time_message(meeting.starts_at, meeting.timezone)`. To notify the
    members of a club, call `clubs.notifications.notify_members`.
    """
    users = [user for user in dict.fromkeys(users) if user != actor]
    hidden = hidden_among(users, actor) if actor is not None else set()
    if kind in PERSONAL:
        users = [user for user in users if user not in hidden]
    app, mail = _ways(users, kind)
    common = {"kind": kind, "club_id": club, **_columns(thing), **_detail(detail), **({"key": key} if key else {})}
    batch = uuid.uuid4().hex
    rows = [
        Notification(
            user_id=user,
            actor_id=None if user in hidden else actor,
            in_app=user in app,
            mail_batch=batch if user in mail else None,
            **common,
        )
        for user in users
        if user in app | mail
    ]
    Notification.objects.bulk_create(rows, ignore_conflicts=True)
    if mail:
        enqueue("activity.mail", batch=batch)


def _ways(users: list[int], kind: Kind) -> tuple[set[int], set[int]]:
    """Return the users to notify in the app and those to notify by e-mail, who must have verified their address."""
    app, mail = Preference.objects.of_many(users, kind)
    reachable = User.objects.filter(pk__in=mail, is_active=True, email_verified=True)
    return app, set(reachable.values_list("pk", flat=True)) if mail else set()


def _detail(detail: str | Said) -> dict[str, str]:
    code, text = detail if isinstance(detail, Said) else ("", detail)
    return {"detail_code": code, "detail": text[:500]}


def _columns(thing: Thing | None) -> dict[str, object]:
    if thing is None:
        return {}
    title = thing.title[:TITLE_LENGTH]
    return {
        "object_type": thing.type,
        "object_id": thing.id,
        "object_title": title,
        "object_author_id": thing.author,
    }
