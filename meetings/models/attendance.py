"""Attendance of meetings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.blocks import not_blocked
from accounts.models import User
from activity.changes.models import ChangeType
from activity.changes.services import record_change
from activity.services import record_event
from clubs.members.models import Membership
from core.api.exceptions import Conflict, InvalidFieldError
from core.db.locking import lock_rows
from core.db.transactions import atomic_with_retry
from meetings.choices import MeetingStatus
from meetings.models.meetings import Meeting


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
    def set_attendance(cls, *, meeting: Meeting, by: User, users: Sequence[int], others: int = 0) -> None:
        """Replace the attendance of a meeting with `users`, and `others` who have no account.

        Attendees whom a block hides from `by`, who therefore cannot name them, stay.

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
        before = cls.objects.filter(meeting=meeting)
        before.filter(not_blocked(by, "user")).exclude(user__in=user_ids).delete()
        existing = set(before.values_list("user", flat=True))
        added = [user for user in user_ids if user not in existing]
        Attendance.objects.bulk_create(Attendance(meeting=meeting, user_id=user) for user in added)
        meeting.others_attended, meeting.attended_count = others, len(existing) + len(added) + others
        meeting.save(update_fields=["others_attended", "attended_count"])
        record_change(ChangeType.MEETING, meeting.pk, club=meeting.club_id)
        record_event("meeting.attendance_noted", actor=by.pk, object_ref=meeting.object_ref, club=meeting.club_id)


def _current_or_former_members(meeting: Meeting, users: Sequence[int]) -> models.QuerySet[Any]:
    """Return the ids of those users who are or were members of the club."""
    rows = Membership.objects.filter(club=meeting.club_id, user__in=users, joined_at__isnull=False)
    return rows.values_list("user", flat=True)
