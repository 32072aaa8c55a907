"""Events of the activity log, notifications and notification preferences."""

from __future__ import annotations

import datetime
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.db import models
from django.db.models import Exists, ExpressionWrapper, FilteredRelation, OuterRef, Prefetch, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.blocks import not_blocked
from accounts.models import User
from activity.choices import CHANNELS, HIDDEN_BY_BLOCK, NOTIFICATION_TEMPLATES, NotificationKind, default_channels
from activity.messages import DeferredMessage, parse_time
from activity.push.models import Device
from activity.verbs import MODERATOR_ONLY_VERBS, VERBS
from core.db.fields import BinaryCollationCharField
from core.db.locking import lock_rows
from core.db.transactions import atomic_with_retry
from core.search.normalize import to_single_line

if TYPE_CHECKING:
    from collections.abc import Collection

TITLE_LENGTH = 300
READ_RETENTION, UNREAD_RETENTION = datetime.timedelta(days=90), datetime.timedelta(days=365)


class ObjectRef(NamedTuple):
    """A reference to an object, with its title at that time; never the text of a post.

    `type` is one of `activity.verbs.OBJECT_TYPES`. The title of a `user` is the username; it is deleted with the
    account. `author` is the id of the user who wrote the title, set for threads and their posts, whose titles a block
    hides.
    """

    type: str
    id: int
    title: str
    author: int | None = None


class ActivityBase(models.Model):
    """Actor, object and club of an event or a notification. The row is deleted with the club."""

    created_at = models.DateTimeField(default=timezone.now, editable=False, verbose_name=_("created at"))
    # No database constraints on the foreign keys: an insert would lock the referenced users and the club out of the
    # usual lock order. When an account or a club is deleted, signal receivers clear the references; one that was
    # inserted at the same moment is treated as empty. An index below starts with each of the columns.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("actor"),
    )
    actor_deleted = models.BooleanField(
        default=False, editable=False, help_text=_("The actor's account was deleted."), verbose_name=_("actor deleted")
    )
    object_type = BinaryCollationCharField(max_length=20, blank=True, verbose_name=_("object type"))
    object_id = models.BigIntegerField(null=True, blank=True, verbose_name=_("object id"))
    object_title = models.CharField(max_length=TITLE_LENGTH, blank=True, verbose_name=_("object title"))
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
        "clubs.Club",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("club"),
    )

    class Meta:
        abstract = True

    @property
    def object_ref(self) -> ObjectRef | None:
        """The object, without its title if a block hides that (see `EventQuerySet.for_user`)."""
        title = self.object_title if getattr(self, "is_title_visible", True) else ""
        return None if self.object_id is None else ObjectRef(self.object_type, self.object_id, title)


class ActivityQuerySet(models.QuerySet[Any]):
    """Queries that events and notifications share."""

    def for_serializer(self, user: User) -> Any:
        """Prefetch actors and clubs, with two more queries.

        Clubs that `user` may not see and actors hidden by a block are omitted.
        """
        clubs: Any = self.model._meta.get_field("club").related_model
        visible_clubs = clubs.objects.visible_to(user).only("id", "name")
        actors = User.objects.filter(not_blocked(user, "pk")).defer("bio", "search_text")
        return self.prefetch_related(Prefetch("actor", actors), Prefetch("club", visible_clubs))


class EventQuerySet(ActivityQuerySet):
    """Queries for events."""

    def for_club(self, club_id: int, *, user: User, include_moderation: bool) -> EventQuerySet:
        """Return the feed of a club for `user`, with the events for moderators only if `include_moderation`."""
        not_hidden = (not_blocked(user, column) for column in ("actor", "subject", "object_author"))
        feed = self.filter(*not_hidden, club=club_id)
        return feed if include_moderation else feed.exclude(verb__in=MODERATOR_ONLY_VERBS)

    def for_user(self, user: User) -> EventQuerySet:
        """Return the user's own log: their actions, and changes to their account and memberships.

        Annotates `is_title_visible`, which is false if a block hides the title of the object.
        """
        is_title_visible = ExpressionWrapper(not_blocked(user, "object_author"), models.BooleanField())
        return self.filter(Q(actor=user.pk) | Q(subject=user.pk)).annotate(is_title_visible=is_title_visible)


class Event(ActivityBase):
    """A change, recorded in the transaction that made it."""

    verb = BinaryCollationCharField(max_length=50, verbose_name=_("verb"))
    # The user whose account or membership was changed by someone else.
    subject = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("subject"),
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
            models.Index(fields=["created_at"], name="activity_event_by_time"),
            models.Index(fields=["verb", "created_at"], name="activity_event_by_verb"),
        ]

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M} {self.verb}"

    @property
    def text(self) -> str:
        """What happened, with the title of the object, in the active language."""
        text = capfirst(str(VERBS.get(self.verb, self.verb)))
        title = self.object_ref.title if self.object_ref else ""
        return gettext("%(what)s: “%(title)s”") % {"what": text, "title": title} if title else text


class NotificationQuerySet(ActivityQuerySet):
    """Queries for notifications."""

    def visible_to(self, user: User) -> NotificationQuerySet:
        """Return the notifications of `user` that they may see now.

        Excludes older notifications that a block now hides, and those of clubs that the user may no longer see.
        """
        clubs: Any = Notification._meta.get_field("club").related_model
        club_visible = Q(club=None) | Exists(clubs.objects.visible_to(user).filter(pk=OuterRef("club")))
        actor_visible = ~Q(kind__in=HIDDEN_BY_BLOCK) | not_blocked(user, "actor")
        return self.filter(club_visible, actor_visible, not_blocked(user, "object_author"), user=user.pk)

    def for_user(self, user: User) -> NotificationQuerySet:
        """Return the notifications shown to `user` in the app."""
        return self.visible_to(user).filter(in_app=True)

    def unread(self) -> NotificationQuerySet:
        """Return the unread notifications."""
        return self.filter(read_at=None)

    def expired(self) -> NotificationQuerySet:
        """Return those to delete: read ones and ones not shown in the app after 90 days, unread ones after a year."""
        now = timezone.now()
        not_unread = Q(read_at__isnull=False) | Q(in_app=False)
        return self.filter(Q(created_at__lt=now - UNREAD_RETENTION) | not_unread, created_at__lt=now - READ_RETENTION)


def _random_key() -> str:
    return uuid.uuid4().hex


class Notification(ActivityBase):
    """A message to one user, in the app, by e-mail, by push or several of these."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="notifications",
        db_index=False,
        db_constraint=False,
        verbose_name=_("user"),
    )
    kind = BinaryCollationCharField(max_length=30, choices=NotificationKind.choices)
    detail = models.CharField(max_length=500, blank=True)
    detail_code = BinaryCollationCharField(
        max_length=50, blank=True, help_text=_("Code of the message renderer; empty if the detail is plain text.")
    )
    key = BinaryCollationCharField(
        max_length=100,
        default=_random_key,
        help_text=_("A user gets only one notification per key."),
        verbose_name=_("key"),
    )
    in_app = models.BooleanField(default=True)
    read_at = models.DateTimeField(null=True, blank=True)
    email_batch = BinaryCollationCharField(
        max_length=32, null=True, editable=False, help_text=_("Set until the e-mail has been sent.")
    )
    push_batch = BinaryCollationCharField(
        max_length=32, null=True, editable=False, help_text=_("Set until the push notifications have been sent once.")
    )

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
            models.Index(fields=["created_at"], name="activity_notification_by_time"),
            models.Index(fields=["email_batch", "id"], name="activity_notification_mails"),
            models.Index(fields=["push_batch", "id"], name="activity_notification_pushes"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"

    @property
    def text(self) -> str:
        """The text in the active language."""
        # User input must stay on one line, so that a name cannot imitate other parts of an e-mail.
        return str(NOTIFICATION_TEMPLATES[NotificationKind(self.kind)]) % {
            "actor": to_single_line(self._actor_name),
            "object": to_single_line(self.object_title),
            "club": to_single_line(self.club.name) if self.club else gettext("a club"),
            "detail": DeferredMessage(self.detail_code, self.detail) if self.detail_code else self.detail,
        }

    @property
    def moment(self) -> datetime.datetime | None:
        """The time that the text names, if it is a `time_message`."""
        return parse_time(self.detail)[0] if self.detail_code == "time" else None

    @property
    def _actor_name(self) -> str:
        if self.actor:
            return self.actor.display_name
        return gettext("Deleted reader") if self.actor_deleted else gettext("Someone")


class Recipients(NamedTuple):
    """The users (ids) to notify by each channel, in the order of `CHANNELS`."""

    app: set[int]
    email: set[int]
    push: set[int]


class PreferenceQuerySet(models.QuerySet["NotificationPreference"]):
    """Queries for notification preferences."""

    def recipients(self, users: Collection[int], kind: NotificationKind, *, club: int | None = None) -> Recipients:
        """Return which of the users (ids) to notify in the app, by e-mail and by push, with one query.

        Settings of the club come before those for all clubs. E-mail needs a verified address, push a device.
        """
        choice = FilteredRelation("notification_preferences", condition=Q(notification_preferences__kind=kind))
        in_club = Q(club_notification_preferences__kind=kind, club_notification_preferences__club=club)
        rows = User.objects.filter(pk__in=users).alias(
            general=choice, own=FilteredRelation("club_notification_preferences", condition=in_club)
        )
        rows = rows.annotate(has_device=Exists(Device.objects.active().filter(session__user=OuterRef("pk"))))
        chosen_channels = {f"wants_{name}": Coalesce(f"own__{name}", f"general__{name}") for name in CHANNELS}
        rows = rows.annotate(**chosen_channels)
        found = Recipients(set(), set(), set())
        columns = ("pk", "is_active", "email_verified", "has_device", *chosen_channels)
        for user, is_active, email_verified, has_device, *chosen in rows.values_list(*columns):
            reachable = (True, is_active and email_verified, is_active and has_device)
            channels = default_channels(kind).values() if chosen[0] is None else chosen
            for channel, is_reachable, is_wanted in zip(found, reachable, channels, strict=True):
                if is_reachable and is_wanted:
                    channel.add(user)
        return found

    def for_user(self, user: int) -> dict[str, dict[str, bool]]:
        """Return the settings of a user (id) for each kind: `{kind: {"app": ..., "email": ..., "push": ...}}`."""
        defaults = {kind.value: default_channels(kind) for kind in NotificationKind}
        rows = self.filter(user=user).values_list("kind", *CHANNELS)
        return defaults | {kind: dict(zip(CHANNELS, chosen, strict=True)) for kind, *chosen in rows if kind in defaults}

    @atomic_with_retry
    def update_preferences(self, user: User, preferences: dict[str, dict[str, bool]]) -> None:
        """Update the given kinds and channels; the others are unchanged."""
        lock_rows(User, [user.pk])
        current = self.for_user(user.pk)
        for kind, channels in preferences.items():
            self.update_or_create(user=user, kind=kind, defaults={**current[kind], **channels})


class NotificationPreference(models.Model):
    """The channels of one kind of notification chosen by one user; defaults have no row."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="notification_preferences", verbose_name=_("user")
    )
    kind = BinaryCollationCharField(max_length=30, choices=NotificationKind.choices)
    app = models.BooleanField()
    email = models.BooleanField(verbose_name=_("email"))
    push = models.BooleanField(default=True, db_default=True, verbose_name=_("push"))

    objects = PreferenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification setting")
        verbose_name_plural = _("notification settings")
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="activity_preference_once")]

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"


class ClubPreferenceQuerySet(models.QuerySet["ClubNotificationPreference"]):
    """Queries for the notification preferences of single clubs."""

    def for_user(self, user: int, club: int) -> dict[str, dict[str, bool] | None]:
        """Return the settings of a user (id) for a club (id) by kind; None where those for all clubs hold."""
        found: dict[str, dict[str, bool] | None] = dict.fromkeys(NotificationKind.values)
        for kind, *chosen in self.filter(user=user, club=club).values_list("kind", *CHANNELS):
            if kind in found:
                found[kind] = dict(zip(CHANNELS, chosen, strict=True))
        return found

    @atomic_with_retry
    def update_preferences(self, user: User, club: int, preferences: dict[str, dict[str, bool] | None]) -> None:
        """Update the given kinds; None removes a kind. Channels that are not given start with those for all clubs."""
        lock_rows(User, [user.pk])
        current, general = self.for_user(user.pk, club), NotificationPreference.objects.for_user(user.pk)
        for kind, channels in preferences.items():
            if channels is None:
                self.filter(user=user, club=club, kind=kind).delete()
            else:
                values = {**(current[kind] or general[kind]), **channels}
                self.update_or_create(user=user, club_id=club, kind=kind, defaults=values)


class ClubNotificationPreference(models.Model):
    """The channels of one kind of notification chosen by one user for one club, instead of those for all clubs."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="club_notification_preferences", verbose_name=_("user")
    )
    club = models.ForeignKey("clubs.Club", models.CASCADE, related_name="+", verbose_name=_("club"))
    kind = BinaryCollationCharField(max_length=30, choices=NotificationKind.choices)
    app = models.BooleanField()
    email = models.BooleanField(verbose_name=_("email"))
    push = models.BooleanField(verbose_name=_("push"))

    objects = ClubPreferenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification setting of a club")
        verbose_name_plural = _("notification settings of clubs")
        constraints = [models.UniqueConstraint(fields=["user", "club", "kind"], name="activity_club_preference_once")]

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id} in {self.club_id}"
