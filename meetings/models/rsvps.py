"""RSVPs and waitlist of meetings.

Lock order: user, meeting, membership. The lock on the meeting serializes the counting of seats; several meetings are
locked in the order of their ids. Promotions from the waitlist are notified by a task, so that nobody waits for another
user's row while holding a lock on a meeting. Deleting a meeting updates the memberships of other users; it locks the
club first, as does everything that locks a membership before a meeting.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence

from django.conf import settings
from django.db import models
from django.db.models import Case, Count, Exists, OuterRef, Q, Subquery, When
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.blocks import not_blocked
from accounts.models import User
from activity.changes.models import ChangeType
from activity.changes.services import changes_of, record_changes_of
from activity.choices import NotificationKind
from activity.services import record_event
from clubs.members.activity import end_pause_by_moderator, recompute_activity, record_activity
from clubs.members.models import Membership, MembershipQuerySet
from core.api.exceptions import Conflict
from core.db.locking import lock_rows
from core.db.transactions import atomic_with_retry
from meetings import tasks
from meetings.choices import MeetingStatus, RsvpStatus
from meetings.models.attendance import Attendance
from meetings.models.meetings import COUNTS, Meeting

# The order of the list of RSVPs; the columns need `RsvpQuerySet.in_order`.
ANSWERS_IN_ORDER = (RsvpStatus.YES, RsvpStatus.WAITLISTED, RsvpStatus.MAYBE, RsvpStatus.NO)
RSVP_ORDER = ("place", "waitlist_order", "answered_at", "id")

# A user (id) and when they answered.
UserAndTime = tuple[int, datetime.datetime]


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
        unconfirmed = rows.filter(answer=RsvpStatus.YES, before_change=True)
        for meeting, _answer, n in unconfirmed:
            counts[meeting]["unconfirmed"] = n
        return counts

    def in_order(self) -> RsvpQuerySet:
        """Annotate `place`, so that `RSVP_ORDER` has the attendees first, then the waitlist, maybe and no."""
        answers = [When(answer=answer, then=number) for number, answer in enumerate(ANSWERS_IN_ORDER)]
        return self.annotate(place=Case(*answers, output_field=models.IntegerField()))

    def for_serializer(self, user: User) -> RsvpQuerySet:
        """Load the users, without those whom a block hides from `user`, and the waitlist positions."""
        rows = self.filter(not_blocked(user, "user")).with_waitlist_position().select_related("user")
        return rows.defer("user__bio", "user__search_text")

    def members_without(self, meeting: Meeting) -> MembershipQuerySet:
        """Return the members of the club who take part and have not answered."""
        members = Membership.objects.not_paused(meeting.club)
        return members.filter(~Exists(self.filter(meeting=meeting, user=OuterRef("user"))))

    def create_rsvps(self, meeting: Meeting, *, yes: Sequence[UserAndTime], maybe: Sequence[UserAndTime]) -> None:
        """Create the RSVPs of a new meeting for users who answered before, in the order of their answers.

        If seats are limited, the last to say yes are on the waitlist, and nobody has a maybe.
        """
        seats = len(yes) if meeting.capacity is None else meeting.capacity
        rsvps = [Rsvp(user_id=user, answer=RsvpStatus.YES, answered_at=at) for user, at in yes[:seats]]
        for order, (user, at) in enumerate(yes[seats:], start=1):
            waiting = Rsvp(user_id=user, answer=RsvpStatus.WAITLISTED, waitlist_order=order, answered_at=at)
            rsvps.append(waiting)
        if meeting.capacity is None:
            rsvps += [Rsvp(user_id=user, answer=RsvpStatus.MAYBE, answered_at=at) for user, at in maybe]
        for rsvp in rsvps:
            rsvp.meeting = meeting
        self.bulk_create(rsvps)
        _update_counters(meeting, Counter(str(rsvp.answer) for rsvp in rsvps))

    def mark_unconfirmed(self, meeting: Meeting) -> None:
        """Mark all answers to a rescheduled meeting, which must be locked, as given before the change."""
        self.filter(meeting=meeting).update(before_change=True)
        _update_counters(meeting, {"unconfirmed": meeting.yes - meeting.unconfirmed})

    def promote_waitlist(self, meeting: Meeting) -> None:
        """Give free seats to the first users on the waitlist. The meeting must be locked.

        Promotes no one if the meeting is cancelled or has started.
        """
        if not meeting.waitlisted or meeting.status == MeetingStatus.CANCELLED or meeting.has_started:
            return
        first = list(self.filter(meeting=meeting).waitlisted()[: seats_available(meeting)])
        if not first:
            return
        record_waitlist_changes(meeting)
        self.filter(pk__in=[rsvp.pk for rsvp in first]).update(answer=RsvpStatus.YES, waitlist_order=0)
        unconfirmed = sum(rsvp.before_change for rsvp in first)
        _update_counters(meeting, {"waitlisted": -len(first), "yes": len(first), "unconfirmed": unconfirmed})
        tasks.schedule_seat_notices(meeting, NotificationKind.SEAT_PROMOTED, [rsvp.user_id for rsvp in first])

    def release_seat(self, meeting: Meeting) -> None:
        """Give a seat that an attendee no longer needs to the next user. The meeting must be locked.

        Shortly before the meeting, the users on the waitlist are notified instead, once; the first to answer gets it.
        """
        if not meeting.starts_soon:
            self.promote_waitlist(meeting)
            return
        is_taken = meeting.has_started or meeting.status == MeetingStatus.CANCELLED or not seats_available(meeting)
        if is_taken or not meeting.waitlisted or meeting.waitlist_notified_at is not None:
            return
        meeting.waitlist_notified_at = timezone.now()
        meeting.save(update_fields=["waitlist_notified_at"])
        users = self.filter(meeting=meeting).waitlisted().values_list("user", flat=True)
        tasks.schedule_seat_notices(meeting, NotificationKind.SEAT_AVAILABLE, list(users))

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
    # Whether the meeting was rescheduled after the answer.
    before_change = models.BooleanField(default=False, db_default=False, editable=False)

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
        """Set the RSVP of `by`, and release a seat that becomes free.

        Return the RSVP, with its `waitlist_position` if it is waitlisted. Raises Http404 if the meeting was deleted or
        the user has left the club, and Conflict `meeting_cancelled`, `meeting_over` or `no_maybe`.
        """
        # Removing a member locks the user too, so the membership cannot change after it was read.
        lock_rows(User, [by.pk])
        meeting.lock(member=by)
        meeting.require_open()
        if answer == RsvpStatus.MAYBE and meeting.capacity is not None:
            raise Conflict("no_maybe", _("Seats are limited: answer yes or no."), meeting=meeting.pk)
        rsvp = cls.objects.filter(meeting=meeting, user=by).first() or cls(meeting=meeting, user=by)
        before = rsvp.answer
        if answer == RsvpStatus.YES and before != RsvpStatus.YES and not can_take_seat(meeting):
            answer = RsvpStatus.WAITLISTED
        if before != answer or rsvp.before_change:
            counts = Counter(dict.fromkeys(rsvp.counted_in, -1))
            rsvp._save_answer(answer)
            counts.update(rsvp.counted_in)
            _update_counters(meeting, counts)
            is_shorter = before == RsvpStatus.WAITLISTED != answer
            record_waitlist_changes(meeting, user=by.pk, is_shorter=is_shorter)
            if before == RsvpStatus.YES != answer:
                cls.objects.release_seat(meeting)
            record_event("meeting.answered", actor=by.pk, object_ref=meeting.object_ref)
            record_activity(by.pk, club_id=meeting.club_id, at=rsvp.answered_at)
        end_pause_by_moderator(by.pk, club_id=meeting.club_id)
        if rsvp.answer != RsvpStatus.WAITLISTED:
            return rsvp
        # Read while the meeting is locked; afterwards it may be deleted with its RSVPs.
        return cls.objects.with_waitlist_position().get(pk=rsvp.pk)

    @property
    def counted_in(self) -> list[str]:
        """The meeting's counters that count this RSVP."""
        is_unconfirmed = self.before_change and self.answer == RsvpStatus.YES
        return ([self.answer] if self.answer else []) + (["unconfirmed"] if is_unconfirmed else [])

    def _save_answer(self, answer: str) -> None:
        if answer != self.answer:
            self.answer, self.waitlist_order = answer, 0
            if answer == RsvpStatus.WAITLISTED:
                waitlist = Rsvp.objects.filter(meeting=self.meeting_id).waitlisted()
                self.waitlist_order = (waitlist.aggregate(last=models.Max("waitlist_order"))["last"] or 0) + 1
        self.answered_at, self.before_change = timezone.now(), False
        self.save()


def seats_available(meeting: Meeting) -> int:
    """Return the number of free seats; without a limit, enough for the whole waitlist and one more."""
    return meeting.waitlisted + 1 if meeting.capacity is None else max(0, meeting.capacity - meeting.yes)


def can_take_seat(meeting: Meeting) -> bool:
    """Return whether a user who answers yes gets a seat. Once a meeting has started, its waitlist gets none."""
    is_waitlist_closed = meeting.has_started and meeting.waitlisted > 0
    return meeting.capacity is None or (meeting.yes < meeting.capacity and not is_waitlist_closed)


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
            _update_counters(meeting, dict.fromkeys(rsvp.counted_in, -1))
            if rsvp.answer == RsvpStatus.WAITLISTED:
                record_waitlist_changes(meeting)
            Rsvp.objects.release_seat(meeting)


def record_waitlist_changes(meeting: Meeting, *, user: int | None = None, is_shorter: bool = True) -> None:
    """Record that the meeting has changed for the user, and for the users on the waitlist if others left it."""
    is_affected = Q(user=user) | (Q(answer=RsvpStatus.WAITLISTED) if is_shorter else Q())
    rsvps = Rsvp.objects.filter(is_affected, meeting=meeting)
    record_changes_of(
        changes_of(rsvps, ChangeType.MEETING, object_id="meeting_id", club="meeting__club_id", user="user_id")
    )


def _update_counters(meeting: Meeting, changes: Mapping[str, int]) -> None:
    """Update the counters of a meeting, which must be locked."""
    changed = {name: n for name, n in changes.items() if n}
    for name, n in changed.items():
        setattr(meeting, name, getattr(meeting, name) + n)
    if changed:
        meeting.save(update_fields=list(changed))
