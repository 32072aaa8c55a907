"""RSVPs, waitlist and attendance of meetings.

Lock order: user, meeting, membership. The lock on the meeting serializes the counting of seats; several meetings are
locked in the order of their ids. Promotions from the waitlist are notified by a task, so that nobody waits for another
user's row while holding a lock on a meeting. Deleting a meeting updates the memberships of other users; it locks the
club first, as does everything that locks a membership before a meeting.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from activity.changes.models import ChangeType
from activity.changes.services import changes_of, record_change, record_changes_of
from activity.services import record_event
from clubs.members.activity import end_pause_by_moderator, recompute_activity, record_activity
from clubs.members.models import Membership
from core.api.exceptions import Conflict, InvalidFieldError
from core.db.locking import lock_rows
from core.db.transactions import atomic_with_retry
from meetings import tasks
from meetings.choices import MeetingStatus, RsvpStatus
from meetings.models.meetings import COUNTS, Meeting


class RsvpQuerySet(models.QuerySet["Rsvp"]):
    """Queries for RSVPs."""

    def waitlisted(self) -> RsvpQuerySet:
        """Return the waitlist, in order."""
        return self.filter(answer=RsvpStatus.WAITLISTED).order_by("waitlist_order", "pk")

    def with_waitlist_position(self) -> RsvpQuerySet:
        """Annotate `waitlist_position`, which starts at 1."""
        until = Rsvp.objects.filter(
            meeting=OuterRef("meeting"), answer=RsvpStatus.WAITLISTED, waitlist_order__lte=OuterRef("waitlist_order")
        )
        position = Subquery(until.order_by().values("meeting").annotate(n=Count("pk")).values("n"))
        return self.annotate(waitlist_position=Coalesce(position, 0))

    def last_answered_at(self) -> Subquery:
        """Return a subquery for memberships: when the user last sent an RSVP. Deleted meetings have none."""
        rsvps = self.filter(meeting__club=OuterRef("club"), user=OuterRef("user"))
        return Subquery(rsvps.order_by("-answered_at").values("answered_at")[:1])

    def count_by_meeting(self, meetings: Sequence[int]) -> dict[int, dict[str, int]]:
        """Return the counters of these meetings, without zeros: `{meeting: {answer: n}}`."""
        counts: dict[int, dict[str, int]] = {}
        rows = self.filter(meeting__in=meetings).order_by().values_list("meeting", "answer").annotate(n=Count("pk"))
        for meeting, answer, n in rows:
            counts.setdefault(meeting, {})[answer] = n
        return counts

    def promote_waitlist(self, meeting: Meeting) -> None:
        """Give free seats to the first users on the waitlist. The meeting must be locked.

        Nobody is promoted if the meeting is cancelled or over.
        """
        if not meeting.waitlisted or meeting.status == MeetingStatus.CANCELLED or meeting.is_over:
            return
        first = list(self.filter(meeting=meeting).waitlisted().values_list("pk", "user")[: seats_available(meeting)])
        if not first:
            return
        record_waitlist_changes(meeting)
        self.filter(pk__in=[pk for pk, _user in first]).update(answer=RsvpStatus.YES, waitlist_order=0)
        _update_counters(meeting, RsvpStatus.WAITLISTED, RsvpStatus.YES, len(first))
        tasks.schedule_promotion_notices(meeting, [user for _pk, user in first])

    def delete_rsvps(self, meetings: Sequence[Meeting]) -> None:
        """Delete the RSVPs of meetings being deleted, and zero their counters. The caller locks and saves the rows."""
        rsvps = self.filter(meeting__in=meetings)
        users = set(rsvps.values_list("user", flat=True))
        rsvps.delete()
        for club in {meeting.club_id for meeting in meetings}:
            recompute_activity(users, club_id=club)
        for meeting in meetings:
            for name in COUNTS:
                setattr(meeting, name, 0)


class Rsvp(models.Model):
    """A member's RSVP to a meeting. The waitlist is ordered by `waitlist_order`."""

    meeting = models.ForeignKey(Meeting, models.CASCADE, related_name="rsvps")
    # Account deletion calls `withdraw_all_rsvps` first, which updates the meeting's counters.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="rsvps", verbose_name=_("user"))
    answer = models.CharField(max_length=10, choices=RsvpStatus.choices)
    waitlist_order = models.PositiveIntegerField(default=0, editable=False)
    answered_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = RsvpQuerySet.as_manager()

    class Meta:
        verbose_name = _("RSVP")
        verbose_name_plural = _("RSVPs")
        constraints = [models.UniqueConstraint(fields=["meeting", "user"], name="meetings_rsvp_once")]
        indexes = [models.Index(fields=["meeting", "answer", "waitlist_order"], name="meetings_rsvp_waitlist")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.answer}"

    @classmethod
    @atomic_with_retry
    def set_rsvp(cls, *, meeting: Meeting, by: User, answer: str) -> Rsvp:
        """Set the RSVP of `by`, and give a seat that becomes free to the first user on the waitlist.

        Return the RSVP, with its `waitlist_position` if it is waitlisted. Raises Http404 if the meeting was deleted or
        the user has left the club, and Conflict `meeting_cancelled`, `meeting_over` or `no_maybe`.
        """
        # Removing a member locks the user too, so the membership cannot change after it was read.
        lock_rows(User, [by.pk])
        meeting.lock(member=by)
        meeting.require_open()
        if answer == RsvpStatus.MAYBE and meeting.capacity is not None:
            raise Conflict("no_maybe", _("Seats are limited: answer yes or no."), meeting=meeting.pk)
        rsvp = cls.objects.filter(meeting=meeting, user=by).first()
        before = rsvp.answer if rsvp else None
        if rsvp is None or not (before == answer or (answer == RsvpStatus.YES and before == RsvpStatus.WAITLISTED)):
            rsvp = rsvp or cls(meeting=meeting, user=by)
            rsvp._save_answer(answer if answer != RsvpStatus.YES or seats_available(meeting) else RsvpStatus.WAITLISTED)
            _update_counters(meeting, before, rsvp.answer)
            record_waitlist_changes(meeting, user=by.pk, is_shorter=before == RsvpStatus.WAITLISTED)
            if before == RsvpStatus.YES:
                cls.objects.promote_waitlist(meeting)
            record_event("meeting.answered", actor=by.pk, object_ref=meeting.object_ref)
            record_activity(by.pk, club_id=meeting.club_id, at=rsvp.answered_at)
        end_pause_by_moderator(by.pk, club_id=meeting.club_id)
        if rsvp.answer != RsvpStatus.WAITLISTED:
            return rsvp
        # Read while the meeting is locked; afterwards it may be deleted with its RSVPs.
        return cls.objects.with_waitlist_position().get(pk=rsvp.pk)

    def _save_answer(self, answer: str) -> None:
        self.answer, self.waitlist_order, self.answered_at = answer, 0, timezone.now()
        if answer == RsvpStatus.WAITLISTED:
            waitlist = Rsvp.objects.filter(meeting=self.meeting_id).waitlisted()
            self.waitlist_order = (waitlist.aggregate(last=models.Max("waitlist_order"))["last"] or 0) + 1
        self.save()


def seats_available(meeting: Meeting) -> int:
    """Return the number of free seats; without a limit, enough for the whole waitlist and one more."""
    return meeting.waitlisted + 1 if meeting.capacity is None else max(0, meeting.capacity - meeting.yes)


def withdraw_rsvps(user_id: int, club_id: int) -> None:
    """Withdraw a former member's RSVPs to the club's meetings that are not over.

    The user and the club must be locked, and the membership must be saved.
    """
    rsvps = Rsvp.objects.filter(user=user_id, meeting__club=club_id, meeting__ends_at__gt=timezone.now())
    _withdraw(user_id, list(rsvps.values_list("meeting", flat=True)))
    recompute_activity([user_id], club_id=club_id)


@atomic_with_retry
def withdraw_all_rsvps(user_id: int) -> None:
    """Withdraw all RSVPs and delete the attendance of a user being deleted. `attended_count` does not change."""
    _withdraw(user_id, list(Rsvp.objects.filter(user=user_id).values_list("meeting", flat=True)))
    Attendance.objects.filter(user=user_id).delete()


def _withdraw(user_id: int, meeting_ids: Sequence[int]) -> None:
    for meeting in Meeting.objects.select_for_update().filter(pk__in=meeting_ids).order_by("pk"):
        rsvp = Rsvp.objects.filter(meeting=meeting, user=user_id).first()
        if rsvp is not None:
            rsvp.delete()
            _update_counters(meeting, rsvp.answer, None)
            if rsvp.answer == RsvpStatus.WAITLISTED:
                record_waitlist_changes(meeting)
            Rsvp.objects.promote_waitlist(meeting)


def record_waitlist_changes(meeting: Meeting, *, user: int | None = None, is_shorter: bool = True) -> None:
    """Record that the meeting has changed for the user, and for the users on the waitlist if others left it."""
    is_affected = Q(user=user) | (Q(answer=RsvpStatus.WAITLISTED) if is_shorter else Q())
    rsvps = Rsvp.objects.filter(is_affected, meeting=meeting)
    record_changes_of(
        changes_of(rsvps, ChangeType.MEETING, object_id="meeting_id", club="meeting__club_id", user="user_id")
    )


def _update_counters(meeting: Meeting, before: str | None, after: str | None, n: int = 1) -> None:
    """Update the counters of a meeting, which must be locked."""
    for answer, change in ((before, -n), (after, n)):
        if answer:
            setattr(meeting, answer, getattr(meeting, answer) + change)
    meeting.save(update_fields=[answer for answer in (before, after) if answer])


class Attendance(models.Model):
    """A user's attendance at a meeting."""

    meeting = models.ForeignKey(Meeting, models.CASCADE, related_name="attendance")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("user"))

    class Meta:
        verbose_name = _("attendance")
        verbose_name_plural = _("attendance")
        constraints = [models.UniqueConstraint(fields=["meeting", "user"], name="meetings_attendance_once")]

    def __str__(self) -> str:
        return f"{self.user_id} at {self.meeting_id}"

    @classmethod
    @atomic_with_retry
    def set_attendance(cls, *, meeting: Meeting, by: User, users: Iterable[int]) -> None:
        """Replace the attendance of a meeting with `users`.

        Raises InvalidFieldError for a user who is neither a current nor a former member, and Conflict
        `meeting_cancelled`.
        """
        user_ids = sorted(set(users))
        lock_rows(User, [*user_ids, by.pk])
        meeting.club.lock()
        meeting.lock()
        if meeting.status == MeetingStatus.CANCELLED:
            raise Conflict("meeting_cancelled", _("This meeting is cancelled."), meeting=meeting.pk)
        members = set(_current_or_former_members(meeting, user_ids))
        invalid = next((index for index, user in enumerate(users) if user not in members), None)
        if invalid is not None:
            raise InvalidFieldError(
                f"attended.{invalid}", "does_not_exist", _("No current or former member has this id.")
            )
        cls.objects.filter(meeting=meeting).exclude(user__in=user_ids).delete()
        existing = set(cls.objects.filter(meeting=meeting).values_list("user", flat=True))
        Attendance.objects.bulk_create(
            Attendance(meeting=meeting, user_id=user) for user in user_ids if user not in existing
        )
        meeting.attended_count = len(user_ids)
        meeting.save(update_fields=["attended_count"])
        record_change(ChangeType.MEETING, meeting.pk, club=meeting.club_id)
        record_event("meeting.attendance_noted", actor=by.pk, object_ref=meeting.object_ref, club=meeting.club_id)


def _current_or_former_members(meeting: Meeting, users: Sequence[int]) -> models.QuerySet[Any]:
    """Return the ids of those users who are or were members of the club."""
    rows = Membership.objects.filter(club=meeting.club_id, user__in=users, joined_at__isnull=False)
    return rows.values_list("user", flat=True)
