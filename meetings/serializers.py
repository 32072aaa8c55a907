"""Serializers of meetings."""

import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.serializers import UserSummarySerializer
from accounts.validators import validate_timezone
from clubs.members.models import Membership
from clubs.roles import Rank
from core.api.serializers import (
    AwareDateTimeField,
    DateField,
    IdField,
    IntegerField,
    ModelSerializer,
    SingleLineField,
    VisibleTextField,
)
from meetings.choices import CLIENT_CHOICES, MeetingStatus, RsvpStatus
from meetings.models import (
    MAX_CAPACITY,
    MAX_DURATION_MINUTES,
    MAX_OCCURRENCES,
    PLACE_LENGTH,
    TEXT_LENGTH,
    TITLE_LENGTH,
    URL_LENGTH,
    Meeting,
    MeetingSeries,
    Rsvp,
)
from meetings.recurrence import MAX_START, MIN_START, WEEKS, Frequency, Weekday

# The fields of a public club's meeting that non-members see.
PUBLIC_FIELDS = {"id", "title", "starts_at", "status"}


class MonthlyWeekdaySerializer(serializers.Serializer[Any]):
    """A weekday of each month, such as the first Thursday."""

    week = serializers.ChoiceField(WEEKS, help_text=_("-1 for the last one."))
    weekday = serializers.ChoiceField(Weekday.choices)


class RecurrenceSerializer(serializers.Serializer[Any]):
    """How a series of meetings repeats."""

    default_error_messages = {"not_monthly": _("Only a monthly series can be on a weekday of the month.")}

    every = serializers.ChoiceField(Frequency.choices)
    count = IntegerField(
        min_value=1, max_value=MAX_OCCURRENCES, help_text=_("Including the first meeting and the excluded days.")
    )
    on = MonthlyWeekdaySerializer(
        required=False, allow_null=True, help_text=_("Of a monthly series, which is on the same day otherwise.")
    )

    def get_fields(self) -> dict[str, Any]:
        """Add `except`, which is a keyword in Python."""
        days = serializers.ListField(
            child=DateField(),
            source="excluded_days",
            required=False,
            max_length=MAX_OCCURRENCES,
            help_text=_("Days without a meeting, in the time zone of the series."),
        )
        return {**super().get_fields(), "except": days}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return the columns of a series."""
        on = attrs.pop("on", None)
        if on and attrs["every"] != Frequency.MONTHLY:
            raise serializers.ValidationError({"on": [self.error_messages["not_monthly"]]}, "not_monthly")
        excluded = [day.isoformat() for day in attrs.get("excluded_days", [])]
        return {**attrs, **(on or {}), "excluded_days": excluded}

    def to_representation(self, instance: MeetingSeries) -> dict[str, Any]:
        on = {"week": instance.week, "weekday": instance.weekday} if instance.week is not None else None
        return {"every": instance.every, "count": instance.count, "on": on, "except": instance.excluded_days or []}


class RsvpCountsSerializer(serializers.Serializer[Any]):
    """How many members gave each answer."""

    yes = serializers.IntegerField()
    maybe = serializers.IntegerField()
    no = serializers.IntegerField()
    waitlisted = serializers.IntegerField()
    unconfirmed = serializers.IntegerField(
        help_text=_("How many answered yes before the meeting was rescheduled, and not since.")
    )


class RsvpSerializer(serializers.Serializer[Any]):
    """An RSVP to a meeting."""

    answer = serializers.ChoiceField(RsvpStatus.choices, allow_null=True)
    waitlist_position = serializers.IntegerField(
        allow_null=True, help_text=_("Position on the waitlist, starting at 1.")
    )
    before_change = serializers.BooleanField(
        help_text=_("Whether the meeting was rescheduled after this answer, which should be given again.")
    )

    def to_representation(self, instance: Rsvp) -> dict[str, Any]:
        waitlisted = instance.answer == RsvpStatus.WAITLISTED
        # `RsvpQuerySet.with_waitlist_position` adds `waitlist_position`.
        position = instance.waitlist_position if waitlisted else None  # type: ignore[attr-defined]
        return {
            "answer": instance.answer or None,
            "waitlist_position": position,
            "before_change": instance.before_change,
        }


class MemberRsvpSerializer(serializers.Serializer[Any]):
    """A member's RSVP to a meeting; with `?answer=none` a member without one, and the other fields are null."""

    user = UserSummarySerializer()
    answer = serializers.ChoiceField(RsvpStatus.choices, allow_null=True)
    waitlist_position = serializers.IntegerField(allow_null=True)
    before_change = serializers.BooleanField(allow_null=True)
    answered_at = serializers.DateTimeField(allow_null=True)

    def to_representation(self, instance: Rsvp | Membership) -> dict[str, Any]:
        fields = self.fields
        data: dict[str, Any] = dict.fromkeys(fields) | {"user": fields["user"].to_representation(instance.user)}
        if isinstance(instance, Rsvp):
            data |= RsvpSerializer(instance).data
            data["answered_at"] = fields["answered_at"].to_representation(instance.answered_at)
        return data


class RsvpUpdateSerializer(serializers.Serializer[Any]):
    """The caller's answer to a meeting."""

    answer = serializers.ChoiceField(CLIENT_CHOICES)


class AttendanceSerializer(serializers.Serializer[Any]):
    """Who attended a meeting."""

    attended = serializers.ListField(
        child=IdField(),
        max_length=MAX_CAPACITY,
        help_text=_("The ids of current or former members."),
    )
    others = IntegerField(
        min_value=0, max_value=MAX_CAPACITY, default=0, help_text=_("How many attended without an account.")
    )
    attended_count = serializers.IntegerField(
        read_only=True, allow_null=True, help_text=_("How many attended altogether; null if not recorded.")
    )


class RemindedSerializer(serializers.Serializer[Any]):
    """How many members were reminded."""

    notified = serializers.IntegerField()


class HTTPURLField(VisibleTextField):
    """An http or https URL; may be blank."""

    default_error_messages = {"invalid_url": _("Enter an http or https URL.")}

    def to_internal_value(self, data: Any) -> str:
        text: str = super().to_internal_value(data)
        try:
            if text:
                URLValidator(schemes=["http", "https"])(text)
        except ValidationError:
            self.fail("invalid_url")
        return text


class MeetingDetailsSerializer(serializers.Serializer[Any]):
    """What members say about a meeting, or about a date poll for one."""

    title = SingleLineField(max_length=TITLE_LENGTH)
    timezone = VisibleTextField(
        max_length=64, required=False, validators=[validate_timezone], help_text=_("Defaults to the club’s time zone.")
    )
    duration_minutes = IntegerField(min_value=1, max_value=MAX_DURATION_MINUTES, required=False)
    place = SingleLineField(max_length=PLACE_LENGTH, required=False, allow_blank=True)
    url = HTTPURLField(max_length=URL_LENGTH, required=False, allow_blank=True)
    entry = IdField(
        source="entry_id", required=False, allow_null=True, help_text=_("An entry of the club’s reading list.")
    )
    capacity = IntegerField(
        min_value=1, max_value=MAX_CAPACITY, required=False, allow_null=True, help_text=_("Null for no limit.")
    )


class MeetingCreateSerializer(MeetingDetailsSerializer):
    """A meeting, or with `repeats` a series."""

    starts_at = AwareDateTimeField(first=MIN_START, last=MAX_START - datetime.timedelta(microseconds=1))
    agenda = VisibleTextField(max_length=TEXT_LENGTH, required=False, allow_blank=True)
    status = serializers.ChoiceField(MeetingStatus.choices, required=False)
    notes = VisibleTextField(max_length=TEXT_LENGTH, required=False, allow_blank=True)
    repeats = RecurrenceSerializer(required=False, allow_null=True)


class MeetingUpdateSerializer(MeetingCreateSerializer):
    """Changes to a meeting. How it repeats cannot be changed."""

    repeats = None  # type: ignore[assignment]  # None removes a declared field in DRF


class MeetingSerializer(ModelSerializer):
    """A meeting. Non-members of a public club see its id, title, start and status; the other fields are null."""

    timezone = serializers.CharField(allow_null=True)
    duration_minutes = serializers.IntegerField(allow_null=True)
    place = serializers.CharField(allow_null=True)
    url = serializers.CharField(allow_null=True)
    entry = serializers.IntegerField(source="entry_id", allow_null=True)
    agenda = serializers.CharField(allow_null=True)
    notes = serializers.CharField(allow_null=True)
    counts = RsvpCountsSerializer(source="*", allow_null=True)
    my_rsvp = serializers.SerializerMethodField()
    repeats = RecurrenceSerializer(source="series", allow_null=True)
    series = serializers.IntegerField(
        source="series_id", allow_null=True, help_text=_("The id shared by all meetings of the series.")
    )

    class Meta:
        model = Meeting
        fields = [
            *("id", "title", "starts_at", "timezone", "duration_minutes", "place", "url", "entry", "agenda"),
            *("capacity", "status", "notes", "counts", "my_rsvp", "repeats", "series", "attended_count"),
        ]
        read_only_fields = fields

    def to_representation(self, instance: Meeting) -> dict[str, Any]:
        if self.context["is_member"]:
            return super().to_representation(instance)
        return {
            str(name): field.to_representation(getattr(instance, str(name))) if name in PUBLIC_FIELDS else None
            for name, field in self.fields.items()
        }

    @extend_schema_field({"oneOf": [{"$ref": "#/components/schemas/Rsvp"}, {"type": "null"}]})
    def get_my_rsvp(self, meeting: Meeting) -> dict[str, Any] | None:
        own = meeting.own_rsvps  # type: ignore[attr-defined]
        return RsvpSerializer(own[0]).data if own else None


@extend_schema_field({"anyOf": [{"$ref": "#/components/schemas/Meeting"}, {"type": "null"}]})
class NextMeetingField(serializers.Field):  # type: ignore[type-arg]
    """The next meeting of a club; null for users who have asked to join a private club."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(source="*", read_only=True, **kwargs)

    def to_representation(self, value: Any) -> dict[str, Any] | None:
        # `meetings.contributions` prefetches `next_meetings`.
        is_member = value.my_rank >= Rank.MEMBER
        if value.is_private and not is_member:
            return None
        meetings = value.next_meetings
        return next((MeetingSerializer(meeting, context={"is_member": is_member}).data for meeting in meetings), None)
