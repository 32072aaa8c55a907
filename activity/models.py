"""Events of the activity log, notifications and notification preferences."""

from __future__ import annotations

import datetime
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.db import models
from django.db.models import Exists, ExpressionWrapper, OuterRef, Prefetch, Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.blocks import unblocked
from accounts.models import User
from activity.details import Said
from activity.kinds import MAILED, PERSONAL, TEXTS, Kind
from activity.verbs import FOR_MODERATORS
from bookbridge.api.fields import KeyField
from bookbridge.api.rows import hold
from bookbridge.api.text import on_one_line
from bookbridge.api.transactions import retrying_atomic

if TYPE_CHECKING:
    from collections.abc import Collection

TITLE_LENGTH = 300
READ_KEPT, UNREAD_KEPT = datetime.timedelta(days=90), datetime.timedelta(days=365)


class Thing(NamedTuple):
    """A reference to an object, with its title at that time; never the text of a post.

    `type` is one word (`club`, `book`, `entry`, `meeting`, `ballot`, `thread`, `post`, `review`, `user`, `session`).
    The title of a `user` is the username; it is deleted with the account. `author` is the id of the user who wrote the
    title, set for threads and their posts, whose titles a block hides.
    """

    type: str
    id: int
    title: str
    author: int | None = None


class About(models.Model):
    """Actor, object and club of an event or a notification. The row is deleted with the club."""

    at = models.DateTimeField(default=timezone.now, editable=False)
    # No database constraints on the foreign keys: an insert would lock the referenced users and the club out of the
    # usual lock order. The deletion handlers of accounts and clubs clear the references; a reference that lost such a
    # race is treated as empty. An index below starts with each of the columns.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    actor_gone = models.BooleanField(default=False, editable=False, help_text=_("The actor's account was deleted."))
    object_type = KeyField(max_length=20, blank=True)
    object_id = models.BigIntegerField(null=True, blank=True)
    object_title = models.CharField(max_length=TITLE_LENGTH, blank=True)
    # The author of the title, whose blocks hide it.
    object_author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    club = models.ForeignKey(
        "clubs.Club", models.CASCADE, null=True, blank=True, related_name="+", db_index=False, db_constraint=False
    )

    class Meta:
        abstract = True

    @property
    def thing(self) -> Thing | None:
        """Return the object, without its title if a block hides that (see `EventQuerySet.for_user`)."""
        title = self.object_title if getattr(self, "title_shown", True) else ""
        return None if self.object_id is None else Thing(self.object_type, self.object_id, title)


class AboutQuerySet(models.QuerySet[Any]):
    """Queries that events and notifications share."""

    def for_answer(self, user: User) -> Any:
        """Prefetch actors and clubs, with two more queries.

        Clubs that `user` may not see and actors hidden by a block are omitted.
        """
        clubs: Any = self.model._meta.get_field("club").related_model
        visible_clubs = clubs.objects.visible_to(user).only("id", "name")
        actors = User.objects.filter(unblocked(user, "pk")).defer("bio", "search_text")
        return self.prefetch_related(Prefetch("actor", actors), Prefetch("club", visible_clubs))


class EventQuerySet(AboutQuerySet):
    """Queries on events."""

    def of_club(self, club: int, *, reader: User, moderates: bool) -> EventQuerySet:
        """Return the feed of a club for `reader`; `moderates` includes the events that only moderators may see."""
        not_hidden = (unblocked(reader, column) for column in ("actor", "subject", "object_author"))
        feed = self.filter(*not_hidden, club=club)
        return feed if moderates else feed.exclude(verb__in=FOR_MODERATORS)

    def of_reader(self, user: User) -> EventQuerySet:
        """Return the user's own log: their actions, and changes to their account and memberships.

        Titles of threads that a block hides are marked by `title_shown`.
        """
        title_shown = ExpressionWrapper(unblocked(user, "object_author"), models.BooleanField())
        return self.filter(Q(actor=user.pk) | Q(subject=user.pk)).annotate(title_shown=title_shown)


class Event(About):
    """A change, recorded in the transaction that made it."""

    verb = KeyField(max_length=50)
    # The user whose account or membership was changed by someone else.
    subject = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [
            models.Index(fields=["club", "id"], name="activity_event_by_club"),
            models.Index(fields=["actor", "id"], name="activity_event_by_actor"),
            models.Index(fields=["subject", "id"], name="activity_event_by_subject"),
            models.Index(fields=["object_author"], name="activity_event_by_author"),
            # For the filters of the admin.
            models.Index(fields=["object_type", "object_id"], name="activity_event_by_object"),
            models.Index(fields=["at"], name="activity_event_by_time"),
            models.Index(fields=["verb", "at"], name="activity_event_by_verb"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.verb}"


class NotificationQuerySet(AboutQuerySet):
    """Queries on notifications."""

    def visible_to(self, user: User) -> NotificationQuerySet:
        """Return the notifications of `user` that they may see now.

        Excludes older notifications that a block now hides, and those of clubs that the user may no longer see.
        """
        clubs: Any = Notification._meta.get_field("club").related_model
        club_visible = Q(club=None) | Exists(clubs.objects.visible_to(user).filter(pk=OuterRef("club")))
        actor_visible = ~Q(kind__in=PERSONAL) | unblocked(user, "actor")
        return self.filter(club_visible, actor_visible, unblocked(user, "object_author"), user=user.pk)

    def of_reader(self, user: User) -> NotificationQuerySet:
        """Return the notifications shown to `user` in the app."""
        return self.visible_to(user).filter(in_app=True)

    def unread(self) -> NotificationQuerySet:
        """Return the unread notifications."""
        return self.filter(read_at=None)

    def expired(self) -> NotificationQuerySet:
        """Return the notifications to delete: read or e-mail-only ones after 90 days, unread ones after a year."""
        now = timezone.now()
        not_unread = Q(read_at__isnull=False) | Q(in_app=False)
        return self.filter(Q(at__lt=now - UNREAD_KEPT) | not_unread, at__lt=now - READ_KEPT)

    @retrying_atomic
    def mark_read(self) -> int:
        """Mark the unread notifications as read and return their number."""
        return self.unread().update(read_at=timezone.now())


def _unique() -> str:
    return uuid.uuid4().hex


class Notification(About):
    """A message to one user, in the app, by e-mail or both."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="notifications", db_index=False, db_constraint=False
    )
    kind = KeyField(max_length=30, choices=Kind.choices)
    detail = models.CharField(max_length=500, blank=True)
    detail_code = KeyField(
        max_length=50, blank=True, help_text=_("Code of the message renderer; empty if the detail is plain text.")
    )
    key = KeyField(max_length=100, default=_unique, help_text=_("A user gets only one notification per key."))
    in_app = models.BooleanField(default=True)
    read_at = models.DateTimeField(null=True, blank=True)
    mail_batch = KeyField(max_length=32, null=True, editable=False, help_text=_("Set until the e-mail has been sent."))

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="activity_notification_once")]
        indexes = [
            models.Index(fields=["user", "in_app", "id"], name="activity_notification_by_user"),
            models.Index(fields=["user", "in_app", "read_at", "id"], name="activity_notification_unread"),
            models.Index(fields=["actor"], name="activity_notification_by_actor"),
            models.Index(fields=["object_author"], name="activity_notification_author"),
            models.Index(fields=["club"], name="activity_notification_by_club"),
            models.Index(fields=["at"], name="activity_notification_by_time"),
            models.Index(fields=["mail_batch", "id"], name="activity_notification_mails"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"

    @property
    def text(self) -> str:
        """Return the text in the active language."""
        # User input must stay on one line, so that a name cannot imitate other parts of an e-mail.
        return str(TEXTS[Kind(self.kind)]) % {
            "actor": on_one_line(self._actor_name),
            "object": on_one_line(self.object_title),
            "club": on_one_line(self.club.name) if self.club else gettext("a club"),
            "detail": Said(self.detail_code, self.detail) if self.detail_code else self.detail,
        }

    @property
    def _actor_name(self) -> str:
        if self.actor:
            return self.actor.display_name
        return gettext("Deleted reader") if self.actor_gone else gettext("Someone")


class PreferenceQuerySet(models.QuerySet["Preference"]):
    """Queries on notification preferences."""

    def of_many(self, users: Collection[int], kind: Kind) -> tuple[set[int], set[int]]:
        """Return which of the users (ids) want this kind in the app, and which by e-mail."""
        rows = self.filter(user__in=users, kind=kind).values_list("user", "app", "email")
        chosen = {user: (app, email) for user, app, email in rows}
        default = (True, kind in MAILED)
        app, email = ({user for user in users if chosen.get(user, default)[channel]} for channel in (0, 1))
        return app, email

    def of(self, user: int) -> dict[str, dict[str, bool]]:
        """Return the settings of a user (id) for each kind: `{kind: {app, email}}`."""
        defaults = {kind.value: {"app": True, "email": kind in MAILED} for kind in Kind}
        rows = self.filter(user=user).values_list("kind", "app", "email")
        return defaults | {kind: {"app": app, "email": email} for kind, app, email in rows if kind in defaults}

    @retrying_atomic
    def change(self, user: User, wishes: dict[str, dict[str, bool]]) -> None:
        """Update the given kinds and channels; the others are unchanged."""
        hold(User, [user.pk])
        current = self.of(user.pk)
        for kind, channels in wishes.items():
            self.update_or_create(user=user, kind=kind, defaults={**current[kind], **channels})


class Preference(models.Model):
    """The channels of one kind of notification chosen by one user; defaults have no row."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    kind = KeyField(max_length=30, choices=Kind.choices)
    app = models.BooleanField()
    email = models.BooleanField()

    objects = PreferenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification setting")
        verbose_name_plural = _("notification settings")
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="activity_preference_once")]

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"
