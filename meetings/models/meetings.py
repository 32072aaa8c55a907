"""Meetings of clubs.

Lock order: club, meeting. An RSVP locks the meeting without the club (`meetings.models.rsvps`).
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.http import Http404
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from activity.changes.models import Change, ChangeType
from activity.changes.services import change, changes_of, record_changes, record_changes_of
from activity.models import ObjectRef
from activity.services import record_event
from clubs.members.models import Membership
from clubs.reading.models import Entry
from core.api.exceptions import Conflict, InvalidFieldError
from core.db.transactions import atomic_with_retry
from meetings import notifications, tasks
from meetings.choices import MeetingStatus, SeriesScope
from meetings.models.series import MeetingSeries
from meetings.models.times import MAX_DURATION_MINUTES, TIME_FIELDS, MeetingTimes
from meetings.querysets import MeetingQuerySet
from meetings.recurrence import (
    occurrences,
    to_local,
    to_utc,
)
from meetings.signals import meetings_changed

if TYPE_CHECKING:
    from clubs.club.models import Club

TITLE_LENGTH, PLACE_LENGTH, URL_LENGTH, TEXT_LENGTH = 200, 300, 500, 10_000
MAX_OCCURRENCES = 52
MAX_CAPACITY = 10_000
# The columns that count RSVPs: by answer, and those of `yes` that were given before the meeting was rescheduled.
ANSWER_COUNTS = ("yes", "maybe", "no", "waitlisted")
COUNTS = (*ANSWER_COUNTS, "unconfirmed")
# Time between two reminders to answer.
REMIND_AFTER = datetime.timedelta(hours=24)
# How long calendars list a cancelled or deleted meeting.
CANCELLED_RETENTION = datetime.timedelta(days=30)


class Meeting(MeetingTimes):
    """A meeting of a club."""

    club = models.ForeignKey("clubs.Club", models.CASCADE, related_name="meetings", verbose_name=_("club"))
    series = models.ForeignKey(
        MeetingSeries, models.CASCADE, null=True, blank=True, related_name="meetings", verbose_name=_("series")
    )
    title = models.CharField(max_length=TITLE_LENGTH, verbose_name=_("title"))
    place = models.CharField(max_length=PLACE_LENGTH, blank=True, verbose_name=_("place"))
    url = models.CharField(max_length=URL_LENGTH, blank=True, verbose_name=_("url"))
    entry = models.ForeignKey(
        Entry, models.SET_NULL, null=True, blank=True, related_name="meetings", verbose_name=_("entry")
    )
    agenda = models.TextField(max_length=TEXT_LENGTH, blank=True, verbose_name=_("agenda"))
    notes = models.TextField(max_length=TEXT_LENGTH, blank=True, verbose_name=_("notes"))
    capacity = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_CAPACITY)],
        verbose_name=_("capacity"),
    )
    status = models.CharField(
        max_length=10, choices=MeetingStatus.choices, default=MeetingStatus.SCHEDULED, verbose_name=_("status")
    )
    # Counters of RSVPs, updated with each of them while the meeting is locked.
    yes = models.PositiveIntegerField(default=0, editable=False, verbose_name=_("yes"))
    maybe = models.PositiveIntegerField(default=0, editable=False, verbose_name=_("maybe"))
    no = models.PositiveIntegerField(default=0, editable=False, verbose_name=_("no"))
    waitlisted = models.PositiveIntegerField(default=0, editable=False, verbose_name=_("waitlisted"))
    unconfirmed = models.PositiveIntegerField(default=0, db_default=0, editable=False, verbose_name=_("unconfirmed"))
    others_attended = models.PositiveIntegerField(
        default=0, db_default=0, editable=False, verbose_name=_("attendees without an account")
    )
    attended_count = models.PositiveIntegerField(
        null=True,
        blank=True,
        editable=False,
        help_text=_("How many people attended; empty if not recorded."),
        verbose_name=_("number of attendees"),
    )
    # When members who had not answered were last asked to, and when the waitlist was told about a free seat.
    reminded_at = models.DateTimeField(null=True, blank=True, editable=False)
    waitlist_notified_at = models.DateTimeField(null=True, blank=True, editable=False)
    # UID and SEQUENCE of the iCalendar event.
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    sequence = models.PositiveIntegerField(default=0, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("created by")
    )
    created_at = models.DateTimeField(default=now, editable=False, verbose_name=_("created at"))
    updated_at = models.DateTimeField(default=now, editable=False, verbose_name=_("updated at"))
    cancelled_at = models.DateTimeField(null=True, blank=True, editable=False, verbose_name=_("cancelled at"))
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False, verbose_name=_("deleted at"))

    objects = MeetingQuerySet.as_manager()

    class Meta:
        verbose_name = _("meeting")
        verbose_name_plural = _("meetings")
        indexes = [
            models.Index(fields=["club", "starts_at", "id"], name="meetings_meeting_by_start"),
            models.Index(fields=["club", "status", "ends_at"], name="meetings_meeting_by_end"),
            models.Index(fields=["starts_at", "id"], name="meetings_meeting_start"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(capacity__isnull=True) | Q(capacity__range=(1, MAX_CAPACITY)),
                name="meetings_meeting_capacity",
            ),
            models.CheckConstraint(
                condition=Q(duration_minutes__range=(1, MAX_DURATION_MINUTES)), name="meetings_meeting_duration"
            ),
        ]

    def __str__(self) -> str:
        # The title is left out because staff may not read the texts of private clubs.
        return f"#{self.pk}"

    @classmethod
    @atomic_with_retry
    def create_meeting(
        cls,
        *,
        club: Club,
        by: User | None,
        starts_at: datetime.datetime,
        timezone: str | None = None,
        repeats: dict[str, Any] | None = None,
        **fields: Any,
    ) -> Meeting:
        """Create a meeting, or with `repeats` (columns of MeetingSeries) a series, and return the first meeting.

        `timezone` defaults to the club's. Raises InvalidFieldError for an entry of another club's reading list, or for
        what `occurrences` rejects. `by` is None if a date poll created it when it was due.
        """
        club.lock(with_user=by)
        check_entry(club, fields)
        zone = timezone or club.timezone
        starts = occurrences(to_local(starts_at, zone), repeats)
        series = MeetingSeries.objects.create(club=club, **repeats) if repeats else None
        meetings = [cls(club=club, series=series, created_by=by, **fields) for _start in starts]
        for meeting, local in zip(meetings, starts, strict=True):
            meeting.set_local_start(local, zone)
            meeting._set_cancelled_at()
            meeting.save(force_insert=True)
            tasks.schedule_reminder(meeting)
        record_changes(*(meeting._change() for meeting in meetings))
        meetings[0]._record_event("created", by)
        notifications.notify_created(meetings[0], by, later=len(meetings) - 1)
        return meetings[0]

    @atomic_with_retry
    def update_meeting(self, *, by: User | None, scope: str = SeriesScope.THIS, **values: Any) -> None:
        """Update the meeting; with the scope `following`, also all later meetings of its series.

        Those are moved by the same difference in local time. Seats that become free go to the waitlist. `by` is None
        for staff. Raises InvalidFieldError for an entry of another club's reading list, or a time outside of the years
        1900 to 2100.
        """
        rows = self._lock_scope(by, scope)
        check_entry(self.club, values)
        was = self.starts_at, self.timezone
        zone = values.pop("timezone", self.timezone)
        at = values.pop("starts_at", self.starts_at)
        is_moved = (at, zone) != was
        local = to_local(at, zone) if is_moved else self.local_starts_at
        shift = local - self.local_starts_at
        changed = []
        for row in rows:
            time = (local if row is self else row.shifted_local_start(shift), zone) if is_moved else None
            changed.append(row._update(values, time))
        if any(changed):
            record_changes(*(row._change() for row, names in zip(rows, changed, strict=True) if names))
            meetings_changed.send(Meeting, meetings=rows)
            cancelled = "status" in changed[0] and self.status == MeetingStatus.CANCELLED
            self._record_event("cancelled" if cancelled else "changed", by)
        notified = [row._should_notify(names) for row, names in zip(rows, changed, strict=True)]
        if any(notified):
            notifications.notify_changed(self, by, was=was, later=sum(notified[1:]))

    @atomic_with_retry
    def delete_meeting(self, *, by: User | None, scope: str = SeriesScope.THIS) -> None:
        """Delete the meeting; with the scope `following`, also all later meetings of its series.

        Calendars list it as cancelled for 30 days. `by` is None for staff.
        """
        at = now()
        rows = self._lock_scope(by, scope)
        self.rsvps.model.objects.delete_rsvps(rows)
        for row in rows:
            row.deleted_at, row.updated_at, row.sequence = at, at, row.sequence + 1
            row.save(update_fields=["deleted_at", "updated_at", "sequence", *COUNTS])
            tasks.schedule_purge(row, after=CANCELLED_RETENTION)
        polls: Any = Meeting._meta.get_field("date_polls").related_model
        record_changes_of(changes_of(polls.objects.filter(meeting__in=rows), ChangeType.DATE_POLL))
        record_changes(*(row._change(deleted=True) for row in rows))
        meetings_changed.send(Meeting, meetings=rows)
        self._record_event("deleted", by)
        notified = [row.status == MeetingStatus.SCHEDULED and not row.is_over for row in rows]
        if any(notified):
            notifications.notify_changed(self, by, was=(self.starts_at, self.timezone), later=sum(notified[1:]))

    @classmethod
    def shift_meetings(cls, entry: Entry, *, by: User, days: int, since: datetime.date) -> int:
        """Move the coming meetings about an entry from the day `since` on, at their local time; return their number.

        The user and the club must be locked. Raises InvalidFieldError for a time outside of the years 1900 to 2100.
        """
        start = to_utc(datetime.datetime.combine(since, datetime.time()), entry.club.timezone)
        rows = cls.objects.scheduled().filter(club=entry.club_id, entry=entry, starts_at__gte=start)
        meetings = list(rows.select_for_update().order_by("pk"))
        for meeting in meetings:
            local = meeting.shifted_local_start(datetime.timedelta(days))
            meeting._update({}, (local, meeting.timezone))
            meeting._record_event("changed", by)
        record_changes(*(meeting._change() for meeting in meetings))
        meetings_changed.send(Meeting, meetings=meetings)
        return len(meetings)

    @atomic_with_retry
    def resync_timezone(self) -> bool:
        """Recompute `starts_at` if the rules of the time zone have changed. Return whether they have."""
        if self.is_in_sync:
            return False
        self._lock_scope(None, SeriesScope.THIS)
        if self.is_in_sync:
            return False
        was = self.starts_at, self.timezone
        self._update({}, (self.local_starts_at, self.timezone))
        record_changes(self._change())
        meetings_changed.send(Meeting, meetings=[self])
        self._record_event("changed", None)
        if self._should_notify({"starts_at"}):
            notifications.notify_changed(self, None, was=was)
        return True

    def lock(self, *, member: User | None = None) -> None:
        """Lock and reload the row. Raises Http404 if it was deleted, or if `member` is not a member of the club.

        The row of `member` must be locked.
        """
        rows = Meeting.objects.not_deleted().select_for_update()
        if member is not None:
            rows = rows.filter(Exists(Membership.objects.active().filter(club=OuterRef("club"), user=member)))
        try:
            self.refresh_from_db(from_queryset=rows)
        except Meeting.DoesNotExist:
            raise Http404 from None

    @atomic_with_retry
    def remind(self, *, by: User) -> int:
        """Ask the members who have not answered once more, and return their number.

        Raises Conflict `reminded_already`, `meeting_cancelled` or `meeting_over`, and Http404 if it was deleted.
        """
        self.lock()
        self.require_open()
        if self.reminded_at is not None and self.reminded_at + REMIND_AFTER > now():
            text = _("The members were reminded less than a day ago.")
            raise Conflict("reminded_already", text, until=self.reminded_at + REMIND_AFTER)
        self.reminded_at = now().replace(microsecond=0)
        self.save(update_fields=["reminded_at"])
        self._record_event("reminded", by)
        notifications.notify_unanswered(self, key=self.reminded_at.isoformat())
        return self.rsvps.model.objects.members_without(self).count()

    def require_open(self) -> None:
        """Raise Conflict `meeting_cancelled` or `meeting_over` if the meeting does not accept RSVPs."""
        if self.status == MeetingStatus.CANCELLED:
            raise Conflict("meeting_cancelled", _("This meeting is cancelled."), meeting=self.pk)
        if self.is_over:
            raise Conflict("meeting_over", _("This meeting is over."), meeting=self.pk)

    @property
    def is_scheduled(self) -> bool:
        """Whether the meeting is not cancelled."""
        return self.status == MeetingStatus.SCHEDULED

    @property
    def object_ref(self) -> ObjectRef:
        """Reference to the meeting for events and notifications."""
        return ObjectRef("meeting", self.pk, self.title)

    def _lock_scope(self, by: User | None, scope: str) -> Sequence[Meeting]:
        """Lock the user, the club and the meetings in `scope`. Return the meetings, `self` (reloaded) first."""
        self.club.lock(with_user=by)
        rows: list[Meeting] = []
        if scope == SeriesScope.FOLLOWING and self.series_id is not None:
            # Lock all of the series in the order of ids, as the withdrawal of RSVPs does.
            rows += Meeting.objects.not_deleted().select_for_update().filter(series=self.series_id).order_by("pk")
        self.lock()
        following = [row for row in rows if (row.starts_at, row.pk) > (self.starts_at, self.pk)]
        for row in following:
            row.club = self.club
        return [self, *following]

    def _update(self, values: dict[str, Any], time: tuple[datetime.datetime, str] | None) -> set[str]:
        """Save changed columns, fill free seats and return the names of the columns. The meeting must be locked."""
        before = {name: getattr(self, name) for name in (*values, *TIME_FIELDS)}
        local_before = self.local_starts_at
        for name, value in values.items():
            setattr(self, name, value)
        if time is not None or "duration_minutes" in values:
            self.set_local_start(*(time or (self.local_starts_at, self.timezone)))
        changed = {name for name, value in before.items() if getattr(self, name) != value}
        if not changed:
            return changed
        if "status" in changed:
            self._set_cancelled_at()
        self.updated_at, self.sequence = now(), self.sequence + 1
        self.save(update_fields=[*changed, "cancelled_at", "updated_at", "sequence"])
        if self.is_rescheduled(before, local_before):
            self.rsvps.model.objects.mark_unconfirmed(self)
        if "capacity" in changed or not self.starts_soon:
            self.rsvps.model.objects.promote_waitlist(self)
        tasks.schedule_reminder(self)
        return changed

    def _set_cancelled_at(self) -> None:
        self.cancelled_at = now() if self.status == MeetingStatus.CANCELLED else None

    def _should_notify(self, changed: set[str]) -> bool:
        """Return whether members are notified that these columns have changed."""
        is_relevant = self.status == MeetingStatus.SCHEDULED or "status" in changed
        return is_relevant and not self.is_over and bool(changed & NOTIFIED_FIELDS)

    def _change(self, **columns: Any) -> Change:
        return change(ChangeType.MEETING, self.pk, club=self.club_id, **columns)

    def _record_event(self, action: str, by: User | None) -> None:
        record_event(f"meeting.{action}", actor=by.pk if by else None, object_ref=self.object_ref, club=self.club_id)


# Changes of these fields notify members.
NOTIFIED_FIELDS = {"status", "place", "url", *TIME_FIELDS}


def check_entry(club: Club, values: dict[str, Any]) -> None:
    """Raise InvalidFieldError if `entry_id` is not on the club's reading list. The club must be locked."""
    entry = values.get("entry_id")
    if entry is not None and not Entry.objects.filter(club=club, pk=entry).exists():
        raise InvalidFieldError("entry", "does_not_exist", _("This entry is not on the reading list."))
