"""Serializers of reading lists, milestones and progress."""

from decimal import Decimal
from typing import Any, cast

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import BigIntegerField
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.serializers import NullableUserSummarySerializer, UserSummarySerializer
from catalog.serializers import BookIdField, BookSummarySerializer
from clubs.reading.choices import (
    FIRST_DAY,
    HUNDRED_PERCENT,
    LAST_DAY,
    MAX_MINUTES,
    MAX_PAGES,
    EntryStatus,
    ReadingPosition,
    Unit,
    round_percent,
)
from clubs.reading.models import MAX_CHAPTERS, MAX_SECTIONS, NOTE_LENGTH, Entry, Milestone, Progress
from core.api.serializers import (
    DateField,
    DecimalField,
    IntegerField,
    ModelSerializer,
    SingleLineField,
    VisibleTextField,
)
from core.registry import entry_setters

FINISHED_ON_HELP = _("Only with status `finished`; by default today in the club's time zone.")
SPOILERS_OK_HELP = _("Whether all posts about the book are open to you, until you send false.")
MAX_SHIFT_DAYS = 365


@extend_schema_field(OpenApiTypes.FLOAT)
class PercentField(DecimalField):
    """A percentage from 0 to 100, as a JSON number. Rounded half up to two decimals."""

    def __init__(self, **kwargs: Any) -> None:
        if not kwargs.get("read_only"):
            kwargs |= {"min_value": 0, "max_value": 100}
        super().__init__(max_digits=None, decimal_places=None, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Round after the limits were checked."""
        value = super().run_validation(data)
        return round_percent(value) if isinstance(value, Decimal) else value

    def to_representation(self, value: Any) -> Any:
        return None if value is None else float(value)


class BoundedDateField(DateField):
    """A date from 1900 to 2100."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validators=[MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)], **kwargs)


class PastDateField(DateField):
    """A date since 1900. The model rejects later dates than today as `in_future`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validators=[MinValueValidator(FIRST_DAY)], **kwargs)


class MyProgressSerializer(ModelSerializer):
    """The caller's own progress."""

    percent = PercentField(read_only=True)
    finished_on = serializers.DateField(read_only=True, allow_null=True)
    spoilers_ok = serializers.BooleanField(read_only=True, help_text=SPOILERS_OK_HELP)

    class Meta:
        model = Progress
        fields = ["percent", "hidden", "stopped", "finished_on", "spoilers_ok", "updated_at"]
        read_only_fields = fields


class NullableMyProgressSerializer(MyProgressSerializer):
    """The caller's own progress, with nulls if there is none."""

    percent = PercentField(read_only=True, allow_null=True)
    updated_at = serializers.DateTimeField(read_only=True, allow_null=True)


class EntrySerializer(ModelSerializer):
    """A book on a club's list."""

    book = BookSummarySerializer(read_only=True)
    added_by = NullableUserSummarySerializer(read_only=True)
    finished_on = serializers.DateField(
        read_only=True,
        allow_null=True,
        help_text=_("Day on which the club finished the book, in its time zone. Null unless the status is `finished`."),
    )
    reading_number = serializers.IntegerField(
        read_only=True, help_text=_("1, or more if the club reads the book again.")
    )
    my_progress = serializers.SerializerMethodField()
    members_finished = serializers.IntegerField(
        read_only=True, help_text=_("Number of members with visible progress of 100 %.")
    )
    club_average_rating = serializers.FloatField(
        read_only=True, allow_null=True, help_text=_("Null while the members' opinions are sealed.")
    )
    sealed_with = serializers.IntegerField(
        read_only=True,
        allow_null=True,
        help_text=_("The meeting until whose start the members' opinions are sealed, or were sealed."),
    )
    times_considered = serializers.IntegerField(
        read_only=True, help_text=_("Number of closed ballots in which the book was a candidate but not chosen.")
    )

    class Meta:
        model = Entry
        fields = [
            *("id", "book", "reading_number", "status", "position", "added_by"),
            *("starts_on", "ends_on", "finished_on", "note"),
            *("my_progress", "members_finished", "club_average_rating", "times_considered", "sealed_with"),
            "created_at",
        ]
        read_only_fields = fields

    @extend_schema_field({"oneOf": [{"$ref": "#/components/schemas/MyProgress"}, {"type": "null"}]})
    def get_my_progress(self, entry: Entry) -> Any:
        if entry.own_percent is None:  # type: ignore[attr-defined]
            return None
        own: dict[str, Any] = {name: getattr(entry, f"own_{name}") for name in MyProgressSerializer.Meta.fields}
        return MyProgressSerializer(own).data


class EntryCreateSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A book to add to the list."""

    book = BookIdField(help_text=_("The book's id in the catalog."))
    status = serializers.ChoiceField(
        EntryStatus.choices, default=EntryStatus.PROPOSED, help_text=_("Only moderators may set another status.")
    )
    note = VisibleTextField(max_length=NOTE_LENGTH, required=False, allow_blank=True)
    starts_on = BoundedDateField(required=False, allow_null=True, help_text=_("Only moderators may set dates."))
    ends_on = BoundedDateField(required=False, allow_null=True)
    finished_on = PastDateField(required=False, allow_null=True, help_text=FINISHED_ON_HELP)


class EntryUpdateSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Changes to an entry."""

    status = serializers.ChoiceField(EntryStatus.choices, required=False)
    position = IntegerField(min_value=1, max_value=BigIntegerField.MAX_BIGINT, required=False)
    starts_on = BoundedDateField(required=False, allow_null=True)
    ends_on = BoundedDateField(required=False, allow_null=True)
    finished_on = PastDateField(required=False, allow_null=True, help_text=FINISHED_ON_HELP)
    note = VisibleTextField(max_length=NOTE_LENGTH, required=False, allow_blank=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the fields, with those that higher apps have registered."""
        return super().get_fields() | {name: field() for name, (field, _set) in entry_setters.items()}


class ShiftSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """How to move the dates of a book."""

    default_error_messages = {"zero": _("Send a number of days other than 0.")}

    days = IntegerField(
        min_value=-MAX_SHIFT_DAYS, max_value=MAX_SHIFT_DAYS, help_text=_("Negative to move the dates back.")
    )
    meetings = serializers.BooleanField(default=False, help_text=_("Whether to move the coming meetings too."))

    def get_fields(self) -> dict[str, Any]:
        """Add `from`, which is a keyword of Python."""
        since = BoundedDateField(help_text=_("First day to move: milestones and meetings before it stay."))
        since.source = "since"
        return {**super().get_fields(), "from": since}

    def validate_days(self, days: int) -> int:
        if days == 0:
            self.fail("zero")
        return days


class ShiftResultSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """How many objects were moved."""

    milestones = serializers.IntegerField()
    meetings = serializers.IntegerField()


class CurrentEntrySerializer(ModelSerializer):
    """The book that a club is reading."""

    book = BookSummarySerializer(read_only=True)

    class Meta:
        model = Entry
        fields = ["id", "book", "status", "position", "starts_on", "ends_on"]
        read_only_fields = fields


class MilestoneSerializer(ModelSerializer):
    """A step of the schedule: up to a percentage or a chapter, never both."""

    title = SingleLineField(max_length=200)
    up_to_percent = PercentField(required=False, allow_null=True)
    up_to_chapter = IntegerField(min_value=1, max_value=MAX_CHAPTERS, required=False, allow_null=True)
    due_on = BoundedDateField()

    class Meta:
        model = Milestone
        fields = ["id", "title", "up_to_percent", "up_to_chapter", "due_on"]
        read_only_fields = ["id"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require exactly one goal. In an update, a new goal replaces the other one."""
        given = [name for name in ("up_to_percent", "up_to_chapter") if attrs.get(name) is not None]
        if len(given) == 2:
            raise _invalid("up_to_chapter", "one_goal", _("Send up_to_percent or up_to_chapter, not both."))
        if given:
            attrs = {"up_to_percent": None, "up_to_chapter": None} | attrs
        elif not self.partial or {"up_to_percent", "up_to_chapter"} & attrs.keys():
            raise _invalid("up_to_percent", "required", _("Send up_to_percent or up_to_chapter."))
        return attrs


class ProgressSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Progress as a percentage, a section, a page of the user's own edition, or minutes of an audiobook."""

    percent = PercentField(required=False, allow_null=True)
    page = IntegerField(min_value=0, max_value=MAX_PAGES, required=False, allow_null=True)
    page_count = IntegerField(min_value=1, max_value=MAX_PAGES, required=False, allow_null=True)
    minutes = IntegerField(min_value=0, max_value=MAX_MINUTES, required=False, allow_null=True)
    total_minutes = IntegerField(min_value=1, max_value=MAX_MINUTES, required=False, allow_null=True)
    section = IntegerField(
        min_value=1,
        max_value=MAX_SECTIONS,
        required=False,
        allow_null=True,
        help_text=_("The number of the last section read."),
    )
    hidden = serializers.BooleanField(required=False, help_text=_("Unchanged if not sent; initially false."))
    stopped = serializers.BooleanField(
        required=False,
        help_text=_("You have stopped reading the book and are left out of the mean. New progress ends that."),
    )
    finished_on = PastDateField(
        required=False, allow_null=True, help_text=_("Only with 100 %; by default today in your time zone.")
    )
    spoilers_ok = serializers.BooleanField(required=False, help_text=SPOILERS_OK_HELP)
    everywhere = serializers.BooleanField(
        default=False, help_text=_("Save the same progress in all open entries of the book in your clubs.")
    )

    # By unit: the fields of the amount and of the total. A percentage has no total.
    FIELDS_BY_UNIT = {
        Unit.PERCENT: ("percent", None),
        Unit.PAGE: ("page", "page_count"),
        Unit.MINUTES: ("minutes", "total_minutes"),
        Unit.SECTION: ("section", None),
    }
    # Fields that may be sent without a position.
    OTHER_FIELDS = ("hidden", "stopped", "spoilers_ok")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of `update_progress`: `position` or `section`, and the other fields that were sent."""
        sent = {name for name, value in attrs.items() if value is not None}
        others = {name: attrs[name] for name in (*self.OTHER_FIELDS, "finished_on", "everywhere") if name in sent}
        units = [unit for unit, fields in self.FIELDS_BY_UNIT.items() if sent & {*fields}]
        if not units and sent & {"stopped", "spoilers_ok"}:
            return others
        if not units:
            raise _invalid(
                "percent", "required", _("Send percent, section, page with page_count, or minutes with total_minutes.")
            )
        if len(units) > 1:
            field = next(name for name in self.FIELDS_BY_UNIT[units[1]] if name in sent)
            raise _invalid(field, "one_way", _("Send progress in one unit only."))
        amount, total = self.FIELDS_BY_UNIT[units[0]]
        for name in filter(None, (amount, total)):
            if name not in sent:
                raise _invalid(name, "required", self.error_messages["required"])
        if units == [Unit.SECTION]:
            return others | {"section": attrs["section"]}
        whole = attrs[total] if total else HUNDRED_PERCENT
        if attrs[amount] > whole:
            raise _invalid(amount, "max_value", _("Must not be greater than the total."))
        position = ReadingPosition(units[0], Decimal(attrs[amount]), Decimal(whole))
        return others | {"position": position}


class MemberProgressSerializer(ModelSerializer):
    """A member's progress, compared with the schedule."""

    user = UserSummarySerializer(read_only=True)
    percent = PercentField(read_only=True)
    on_track = serializers.SerializerMethodField()

    class Meta:
        model = Progress
        fields = ["user", "percent", "stopped", "updated_at", "on_track"]
        read_only_fields = fields

    def get_on_track(self, progress: Progress) -> bool | None:
        """Compare with `percent_due`; null without goals in percent, and for members who have stopped."""
        due = cast(Decimal | None, self.context.get("percent_due"))
        return None if due is None or progress.stopped else progress.percent >= due


def _invalid(field: str, code: str, detail: Any) -> serializers.ValidationError:
    return serializers.ValidationError({field: serializers.ErrorDetail(str(detail), code)})
