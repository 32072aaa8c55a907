"""The log of what happened, and what each reader is told of it."""

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
    """What an event or a notification is about, as it was called then; never the text of a post.

    `type` is one word (`club`, `book`, `entry`, `meeting`, `ballot`, `thread`, `post`, `review`, `user`, `session`).
    A `user`'s title is their username, and goes with their account. `author` (an id) is whose words the title is, where
    a block keeps them from others: of a thread, and of the posts in it.
    """

    type: str
    id: int
    title: str
    author: int | None = None


class About(models.Model):
    """The columns for who did something, to what, and in which club. The row goes with the club."""

    at = models.DateTimeField(default=timezone.now, editable=False)
    # No foreign keys in the database: a row that is added would lock its actor, its reader and its club, after whatever
    # else its writer holds, and so against the order in which everybody locks. `activity.listening.forget` and
    # the clubs' own deletion keep the references; one that lost a race to either names nobody. And each has an index
    # that begins with it, below.
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
    # Whose words the title is, where a block keeps them from others.
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
        """What it is about; without its title where a block hides that (`EventQuerySet.of_reader`)."""
        title = self.object_title if getattr(self, "title_shown", True) else ""
        return None if self.object_id is None else Thing(self.object_type, self.object_id, title)


class AboutQuerySet(models.QuerySet[Any]):
    """Rules about many rows of either kind."""

    def for_answer(self, reader: User) -> Any:
        """With who and where, in two queries more.

        A club that `reader` may not know of (any more) is left out, and so is somebody beyond a block.
        """
        clubs: Any = self.model._meta.get_field("club").related_model
        known = clubs.objects.visible_to(reader).only("id", "name")
        people = User.objects.filter(unblocked(reader, "pk")).defer("bio", "search_text")
        return self.prefetch_related(Prefetch("actor", people), Prefetch("club", known))


class EventQuerySet(AboutQuerySet):
    """Rules about many events."""

    def of_club(self, club: int, *, reader: User, moderates: bool) -> EventQuerySet:
        """A club's feed: what its members may see anyway, and whoever moderates it what moderators alone do."""
        known = (unblocked(reader, column) for column in ("actor", "subject", "object_author"))
        feed = self.filter(*known, club=club)
        return feed if moderates else feed.exclude(verb__in=FOR_MODERATORS)

    def of_reader(self, reader: User) -> EventQuerySet:
        """The reader's own log: what they did, and what was done to their account or membership.

        All of it; but the title of a thread that a block hides is not told.
        """
        shown = ExpressionWrapper(unblocked(reader, "object_author"), models.BooleanField())
        return self.filter(Q(actor=reader.pk) | Q(subject=reader.pk)).annotate(title_shown=shown)


class Event(About):
    """One change that was made, written in the transaction of that change."""

    verb = KeyField(max_length=50)
    # Whose account it is about, where somebody else did it.
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
            # For staff, who ask what happened to one thing, when, and how often.
            models.Index(fields=["object_type", "object_id"], name="activity_event_by_object"),
            models.Index(fields=["at"], name="activity_event_by_time"),
            models.Index(fields=["verb", "at"], name="activity_event_by_verb"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.verb}"


class NotificationQuerySet(AboutQuerySet):
    """Rules about many notifications."""

    def visible_to(self, reader: User) -> NotificationQuerySet:
        """What the reader may be told now.

        From before a block nothing PERSONAL by whom it hides, nor of what is said in their threads; and nothing of a
        club they may not know of any more.
        """
        clubs: Any = Notification._meta.get_field("club").related_model
        known = Q(club=None) | Exists(clubs.objects.visible_to(reader).filter(pk=OuterRef("club")))
        personal = ~Q(kind__in=PERSONAL) | unblocked(reader, "actor")
        return self.filter(known, personal, unblocked(reader, "object_author"), user=reader.pk)

    def of_reader(self, reader: User) -> NotificationQuerySet:
        """What the reader is told in the app."""
        return self.visible_to(reader).filter(in_app=True)

    def unread(self) -> NotificationQuerySet:
        """Those nobody has marked as read."""
        return self.filter(read_at=None)

    def expired(self) -> NotificationQuerySet:
        """Those that were seen to, after 90 days, and the others after a year."""
        now = timezone.now()
        seen = Q(read_at__isnull=False) | Q(in_app=False)
        return self.filter(Q(at__lt=now - UNREAD_KEPT) | seen, at__lt=now - READ_KEPT)

    @retrying_atomic
    def mark_read(self) -> int:
        """Mark them as read; how many were not. One that was read before keeps its time."""
        return self.unread().update(read_at=timezone.now())


def _unique() -> str:
    return uuid.uuid4().hex


class Notification(About):
    """What one reader is told, in the app or by mail or both."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="notifications", db_index=False, db_constraint=False
    )
    kind = KeyField(max_length=30, choices=Kind.choices)
    detail = models.CharField(max_length=500, blank=True)
    detail_code = KeyField(
        max_length=50, blank=True, help_text=_("What puts the detail into words; empty where it is words already.")
    )
    key = KeyField(max_length=100, default=_unique, help_text=_("Of several with one key a reader is told once."))
    in_app = models.BooleanField(default=True)
    read_at = models.DateTimeField(null=True, blank=True)
    mail_batch = KeyField(max_length=32, null=True, editable=False, help_text=_("Set while it waits to be mailed."))

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
        """One sentence, in the language of this moment."""
        # Words of people stay what they are: a title may hold a per cent sign. But names stay on their line: in a mail
        # nobody's name is to look like more of the mail.
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
        return gettext("Deleted reader") if self.actor_gone else gettext("Somebody")


class PreferenceQuerySet(models.QuerySet["Preference"]):
    """Rules about the wishes of readers."""

    def of_many(self, readers: Collection[int], kind: Kind) -> tuple[set[int], set[int]]:
        """Who of these readers wants to be told of a kind in the app, and who by mail."""
        rows = self.filter(user__in=readers, kind=kind).values_list("user", "app", "email")
        said = {user: (app, email) for user, app, email in rows}
        usual = (True, kind in MAILED)
        app, email = ({user for user in readers if said.get(user, usual)[way]} for way in (0, 1))
        return app, email

    def of(self, reader: int) -> dict[str, dict[str, bool]]:
        """How `reader` wants to be told of each kind: `{kind: {app, email}}`."""
        wishes = {kind.value: {"app": True, "email": kind in MAILED} for kind in Kind}
        rows = self.filter(user=reader).values_list("kind", "app", "email")
        return wishes | {kind: {"app": app, "email": email} for kind, app, email in rows if kind in wishes}

    @retrying_atomic
    def change(self, reader: User, wishes: dict[str, dict[str, bool]]) -> None:
        """Set what `wishes` says of some kinds; what it does not say stays."""
        hold(User, [reader.pk])
        now = self.of(reader.pk)
        for kind, wish in wishes.items():
            self.update_or_create(user=reader, kind=kind, defaults={**now[kind], **wish})


class Preference(models.Model):
    """How one reader wants to be told of one kind, where they have said so."""

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
