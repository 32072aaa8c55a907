"""Opinions of members on the books of their club, which a seal keeps secret until a meeting begins."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.blocks import not_blocked
from activity.changes.models import ChangeType
from activity.changes.services import record_change
from activity.services import record_event
from catalog.ratings import HALF_STARS
from clubs.members.models import Membership
from clubs.reading.models import Entry
from core.api.exceptions import Conflict, InvalidFieldError
from core.db.transactions import atomic_with_retry
from meetings.models import Meeting

if TYPE_CHECKING:
    from accounts.models import User

TEXT_LENGTH = 2000
# What `opening_time` reads.
MEETING_COLUMNS = ("meeting__starts_at", "meeting__status", "meeting__deleted_at")


class ReadShare(models.TextChoices):
    """How much of the book the member has read."""

    ALL = "all", _("all")
    PART = "part", _("part")
    NONE = "none", _("nothing")


class SealQuerySet(models.QuerySet["Seal"]):
    """Queries for seals."""

    def closed(self) -> SealQuerySet:
        """Return the seals that keep opinions secret now."""
        return self.filter(Q(opens_at=None) | Q(opens_at__gt=timezone.now()))

    def closed_for_outer_entry(self) -> SealQuerySet:
        """Return the closed seals on the book of an outer query's entry.

        The ratings of all entries of a book in a club are those of the same members, so one seal is enough.
        """
        return self.closed().filter(entry__club=OuterRef("club"), entry__book=OuterRef("book"))

    def expected_opens_at(self, seal_ids: Collection[int]) -> dict[int, dict[str, Any]]:
        """Return the opening times by the meetings, without those that are NULL."""
        seals = self.filter(pk__in=seal_ids).select_related("meeting").only("opens_at", *MEETING_COLUMNS)
        opens_at = {seal.pk: seal.expected_opens_at for seal in seals}
        return {pk: {"opens_at": moment} for pk, moment in opens_at.items() if moment is not None}

    def follow_meetings(self, meetings: Iterable[Meeting]) -> None:
        """Change the opening times of closed seals to the new starts of their meetings. The club must be locked.

        Opinions sealed with a meeting that will not take place stay sealed.
        """
        by_pk = {meeting.pk: meeting for meeting in meetings}
        for seal in self.closed().select_for_update().filter(meeting__in=by_pk).order_by("pk"):
            meeting = by_pk[seal.meeting_id or 0]
            seal.opens_at = opening_time(meeting)
            seal.meeting = None if meeting.deleted_at else meeting
            seal.save(update_fields=["opens_at", "meeting"])
            record_change(ChangeType.ENTRY, seal.entry_id, club=meeting.club_id)


def opening_time(meeting: Meeting) -> datetime.datetime | None:
    """Return when opinions sealed with the meeting open, or None if it will not take place."""
    return meeting.starts_at if meeting.is_scheduled and meeting.deleted_at is None else None


class Seal(models.Model):
    """Keeps the opinions on an entry secret until `opens_at`, or without a time if its meeting does not take place.

    `opens_at` is the start of the meeting, which it follows until it has passed. After that it never changes.
    """

    entry = models.OneToOneField(Entry, models.CASCADE, related_name="seal", verbose_name=_("entry"))
    meeting = models.ForeignKey(Meeting, models.SET_NULL, null=True, related_name="seals", verbose_name=_("meeting"))
    opens_at = models.DateTimeField(null=True, verbose_name=_("opens at"))

    objects = SealQuerySet.as_manager()

    class Meta:
        verbose_name = _("seal")
        verbose_name_plural = _("seals")

    def __str__(self) -> str:
        return f"#{self.entry_id}"

    @property
    def is_closed(self) -> bool:
        """Whether opinions are secret now."""
        return self.opens_at is None or self.opens_at > timezone.now()

    @property
    def expected_opens_at(self) -> datetime.datetime | None:
        """The opening time by the meeting; that of a seal that has opened never changes."""
        if not self.is_closed:
            return self.opens_at
        return opening_time(self.meeting) if self.meeting else None

    @property
    def conflict(self) -> Conflict:
        """The error of a change of a seal that has opened."""
        return Conflict("already_open", _("The opinions on this book are already open."), entry=self.entry_id)

    @classmethod
    def set_meeting(cls, entry: Entry, meeting_id: int | None, by: User | None) -> bool:
        """Seal the opinions on an entry until a meeting begins. Return whether that is a change.

        Without a meeting, remove the seal; if opinions were given, they are open for good. Club and entry must be
        locked. Raises Conflict `already_open`, or InvalidFieldError for a meeting that does not exist, is cancelled or
        has begun.
        """
        seal = cls.objects.filter(entry=entry).first()
        if meeting_id == (seal.meeting_id if seal else None):
            return False
        if seal is not None and not seal.is_closed:
            raise seal.conflict
        if meeting_id is None and seal is not None:
            seal._remove(entry, by=by)
            return True
        meeting = Meeting.objects.not_deleted().filter(club=entry.club_id, pk=meeting_id or 0).first()
        if meeting is None:
            raise InvalidFieldError("sealed_with", "does_not_exist", _("There is no such meeting."))
        if not meeting.is_scheduled:
            raise InvalidFieldError("sealed_with", "cancelled", _("This meeting is cancelled."))
        if meeting.starts_at <= timezone.now():
            raise InvalidFieldError("sealed_with", "past", _("This meeting has already begun."))
        values = {"meeting": meeting, "opens_at": opening_time(meeting)}
        if seal is None:
            cls.objects.create(entry=entry, **values)
            # Opinions that were given before are sealed too.
            Opinion.objects.filter(entry=entry).update(rating_at_opening=F("rating"))
            _record_event("opinions.sealed", entry, by)
        else:
            cls.objects.filter(pk=seal.pk).update(**values)
        return True

    @classmethod
    @atomic_with_retry
    def open_now(cls, *, entry: Entry, by: User) -> None:
        """Open the opinions on an entry. Raises Conflict `already_open`, Http404 if the entry was deleted."""
        entry.club.lock()
        entry.lock()
        seal = cls.objects.filter(entry=entry).first() or cls(entry=entry, opens_at=timezone.now())
        if not seal.is_closed:
            raise seal.conflict
        seal._open(entry, by=by)

    def _remove(self, entry: Entry, *, by: User | None) -> None:
        if Opinion.objects.filter(entry=entry).exists():
            self._open(entry, by=by, meeting=None)
        else:
            self.delete()

    def _open(self, entry: Entry, *, by: User | None, **columns: Any) -> None:
        Seal.objects.filter(pk=self.pk).update(opens_at=timezone.now(), **columns)
        record_change(ChangeType.ENTRY, entry.pk, club=entry.club_id)
        _record_event("opinions.opened", entry, by)


def _record_event(verb: str, entry: Entry, by: User | None) -> None:
    record_event(verb, actor=by.pk if by else None, object_ref=entry.object_ref, club=entry.club_id)


def is_sealed() -> Exists:
    """Return an expression for entries: whether opinions on the book are secret in the club."""
    return Exists(Seal.objects.closed_for_outer_entry())


def sealed_with() -> Subquery:
    """Return an expression for entries: the meeting with which opinions open or have opened, or NULL."""
    return Subquery(Seal.objects.filter(entry=OuterRef("pk")).values("meeting")[:1])


class OpinionFields(models.Model):
    """What a member says about a book. Ratings are in half-stars."""

    rating = models.PositiveSmallIntegerField(null=True, blank=True, verbose_name=_("rating"))
    text = models.TextField(max_length=TEXT_LENGTH, blank=True, verbose_name=_("text"))
    read = models.CharField(
        max_length=10, choices=ReadShare.choices, default=ReadShare.ALL, verbose_name=_("how much was read")
    )
    # The rating when the seal opened; follows `rating` until then. NULL without a seal.
    rating_at_opening = models.PositiveSmallIntegerField(
        null=True, blank=True, editable=False, verbose_name=_("rating at the opening")
    )
    updated_at = models.DateTimeField(default=timezone.now, editable=False, verbose_name=_("updated at"))

    class Meta:
        abstract = True


OPINION_COLUMNS = tuple(field.name for field in OpinionFields._meta.local_fields)


class OpinionQuerySet(models.QuerySet["Opinion"]):
    """Queries for opinions."""

    def visible_to(self, user: User | AnonymousUser) -> OpinionQuerySet:
        """Return the opinions that `user` may read: their own, and in their clubs those that no seal keeps secret.

        Users who blocked each other do not see each other's opinions.
        """
        clubs = Membership.objects.active().filter(user=user.pk).values("club")
        is_closed = Exists(Seal.objects.closed().filter(entry=OuterRef("entry")))
        is_open = Q(~is_closed) & not_blocked(user, "user")
        return self.filter(Q(user=user.pk) | is_open, entry__club__in=clubs)

    def summarize(self) -> dict[str, Any]:
        """Return the number of these opinions, of each rating, and of members whose rating has changed."""
        rows = list(self.order_by().values_list("rating", "rating_at_opening"))
        ratings = Counter(rating for rating, _at_opening in rows if rating)
        changed = sum(1 for rating, at_opening in rows if rating and at_opening and rating != at_opening)
        return {"given": len(rows), "ratings": ratings, "changed_minds": changed}


class Opinion(OpinionFields):
    """A member's opinion on the book of an entry. It is deleted when the member leaves the club."""

    entry = models.ForeignKey(Entry, models.CASCADE, related_name="opinions", verbose_name=_("entry"))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="opinions", verbose_name=_("user"))

    objects = OpinionQuerySet.as_manager()

    class Meta:
        verbose_name = _("opinion")
        verbose_name_plural = _("opinions")
        constraints = [
            models.UniqueConstraint(fields=["entry", "user"], name="opinions_opinion_once"),
            models.CheckConstraint(
                condition=Q(rating__isnull=True) | Q(rating__range=(min(HALF_STARS), max(HALF_STARS))),
                name="opinions_opinion_rating",
            ),
        ]
        indexes = [models.Index(fields=["entry", "updated_at", "id"], name="opinions_opinion_by_age")]

    def __str__(self) -> str:
        # The text is left out because staff may not read what members of a private club write.
        return f"#{self.pk}"

    @classmethod
    @atomic_with_retry
    def set_opinion(cls, *, entry: Entry, by: User, **values: Any) -> Opinion:
        """Save the opinion of `by`; the last of concurrent writes wins.

        Raises Http404 if the entry was deleted or the user left the club in the meantime.
        """
        seal = cls._lock(entry, by)
        opinion = cls.objects.filter(entry=entry, user=by).first() or cls(entry=entry, user=by)
        for name, value in {**values, "updated_at": timezone.now()}.items():
            setattr(opinion, name, value)
        if seal is not None and seal.is_closed:
            opinion.rating_at_opening = opinion.rating
        opinion.save()
        # Without a club, so that it appears only in the user's own log.
        record_event("opinion.set", actor=by.pk, object_ref=entry.object_ref)
        return opinion

    @classmethod
    @atomic_with_retry
    def delete_opinion(cls, *, entry: Entry, by: User) -> None:
        """Delete the opinion of `by`, if any. Raise the same errors as `set_opinion`."""
        cls._lock(entry, by)
        if cls.objects.filter(entry=entry, user=by).delete()[0]:
            record_event("opinion.deleted", actor=by.pk, object_ref=entry.object_ref)

    @staticmethod
    def _lock(entry: Entry, user: User) -> Seal | None:
        """Lock membership and entry, and return the seal, which cannot change any more."""
        # As for progress: a row that exists even before the first opinion.
        if not Membership.objects.active().select_for_update().filter(club=entry.club_id, user=user).first():
            raise Http404
        entry.lock()
        return Seal.objects.filter(entry=entry).first()


class ArchivedOpinion(OpinionFields):
    """The older of a user's two opinions when two entries were merged, with its original entry."""

    merge = models.ForeignKey("catalog.Merge", models.CASCADE, related_name="+")
    entry_id = models.BigIntegerField()
    # No database constraint, because it would lock the user after the entries, against the lock order.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_constraint=False, verbose_name=_("user")
    )

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"#{self.entry_id}"
