"""Sections of a user's data export that come from meetings."""

from collections.abc import Iterator

from rest_framework import serializers

from accounts.export import BATCH_SIZE, ExportRows, Row, iter_rows
from accounts.models import User
from meetings.date_polls.models import DateAnswer, DatePoll
from meetings.models import Attendance, CalendarToken, Meeting, Rsvp


def date_answers(user: User) -> ExportRows:
    """Return the user's answers to date polls, with the times that suit them and perhaps do."""
    ids = {name: serializers.IntegerField() for name in ("id", "date_poll", "club")}
    times = {name: serializers.ListField(child=serializers.DateTimeField()) for name in ("yes", "maybe")}
    return ExportRows(
        _date_answers(user), get_fields=lambda: {**ids, **times, "answered_at": serializers.DateTimeField()}
    )


def _date_answers(user: User) -> Iterator[Row]:
    rows, last = DateAnswer.objects.filter(user=user).select_related("poll").order_by("pk"), 0
    while page := list(rows.filter(pk__gt=last).prefetch_related("choices__option")[:BATCH_SIZE]):
        last = page[-1].pk
        for answer in page:
            choices = sorted(answer.choices.all(), key=lambda choice: choice.option.starts_at)
            times = {
                name: [choice.option.starts_at for choice in choices if choice.is_yes == is_yes]
                for name, is_yes in (("yes", True), ("maybe", False))
            }
            poll = {"date_poll": answer.poll_id, "club": answer.poll.club_id}
            yield {"id": answer.pk, **poll, **times, "answered_at": answer.answered_at}


EXPORT_SECTIONS = {
    "meetings_created": lambda user: iter_rows(Meeting.objects.filter(created_by=user), "club", "created_at"),
    "rsvps": lambda user: iter_rows(
        Rsvp.objects.filter(user=user), "meeting", "answer", "answered_at", "before_change", club="meeting__club"
    ),
    "attendance": lambda user: iter_rows(Attendance.objects.filter(user=user), "meeting", club="meeting__club"),
    "date_polls_opened": lambda user: iter_rows(DatePoll.objects.filter(created_by=user), "club", "created_at"),
    "date_answers": date_answers,
    "calendar_token": lambda user: iter_rows(CalendarToken.objects.filter(user=user), "created_at"),
}
