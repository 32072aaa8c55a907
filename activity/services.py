"""What the other apps call: `record` that something happened, `notify` whom it concerns.

Both write in the transaction of the change they tell of, so that there is neither one without the other.
"""

import uuid
from collections.abc import Iterable

from accounts.blocks import hidden_among
from accounts.models import User
from activity.details import Said
from activity.kinds import PERSONAL, Kind
from activity.models import TITLE_LENGTH, Event, Notification, Preference, Thing
from activity.tasks import send_notification_emails
from bookbridge.api.transactions import retrying_atomic


def record(
    verb: str, *, actor: int | None, thing: Thing | None = None, club: int | None = None, subject: int | None = None
) -> None:
    """Note a change: `actor` did `verb` (one of `activity.verbs`) to `thing`. All but the thing are ids.

    `subject` is whose account it is about where that is not the actor: they see it in their own log too. With a `club`
    it stands in that club's feed: what not every member may see has no club, or is named in `FOR_MODERATORS`.
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
    """Tell `users` (ids) as each wants to be told, in the app, by mail, both or not.

    Nobody is told of what they did themselves. Who has blocked the actor, or was blocked, hears nothing of what is
    PERSONAL, and of the club's affairs without the actor's name.

    Where a `key` is given, a reader is told once however often this is called with it. `detail` is what the kind's
    text wants beside actor, object and club: what somebody wrote, as a str, or a `Said`, which is put into words when
    it is read, in the reader's language: `Said("role", "moderator")`, `said_time(meeting.starts_at, meeting.timezone)`,
    or a code of one's own that `activity.details.sayings` knows. For the members of a club there is
    `clubs.telling.tell_members`.
    """
    users = [user for user in dict.fromkeys(users) if user != actor]
    hidden = hidden_among(users, actor) if actor is not None else set()
    if kind in PERSONAL:
        users = [user for user in users if user not in hidden]
    app, mail = _ways(users, kind)
    about = {"kind": kind, "club_id": club, **_columns(thing), **_detail(detail), **({"key": key} if key else {})}
    batch = uuid.uuid4().hex
    rows = [
        Notification(
            user_id=user,
            actor_id=None if user in hidden else actor,
            in_app=user in app,
            mail_batch=batch if user in mail else None,
            **about,
        )
        for user in users
        if user in app | mail
    ]
    Notification.objects.bulk_create(rows, ignore_conflicts=True)
    if mail:
        send_notification_emails.enqueue(batch=batch)


def _ways(users: list[int], kind: Kind) -> tuple[set[int], set[int]]:
    """Who of them is to be told in the app, and who by mail: only at an address that they have shown to be theirs."""
    app, mail = Preference.objects.of_many(users, kind)
    reachable = User.objects.filter(pk__in=mail, is_active=True, email_verified=True)
    return app, set(reachable.values_list("pk", flat=True)) if mail else set()


def _detail(detail: str | Said) -> dict[str, str]:
    code, about = detail if isinstance(detail, Said) else ("", detail)
    return {"detail_code": code, "detail": about[:500]}


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
