"""Serializers of date polls."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.serializers import NullableUserSummarySerializer, UserSummarySerializer
from core.api.serializers import FutureDateTimeField, IdField, ModelSerializer
from meetings.date_polls.choices import DatePollOutcome
from meetings.date_polls.models import MAX_OPTIONS, MIN_OPTIONS, DateAnswer, DateOption, DatePoll
from meetings.serializers import MeetingDetailsSerializer


class DateOptionCreateSerializer(serializers.Serializer[Any]):
    """A time to choose from."""

    starts_at = FutureDateTimeField()

    def to_internal_value(self, data: Any) -> Any:
        """Accept the time alone too."""
        return super().to_internal_value({"starts_at": data} if isinstance(data, str) else data)


class DatePollCreateSerializer(MeetingDetailsSerializer):
    """A new date poll, with the fields of the meeting that its close creates."""

    default_error_messages = {
        "duplicate": _("Each date may appear only once."),
        "closes_too_late": _("The poll must close before its first date."),
    }

    options = serializers.ListField(child=DateOptionCreateSerializer(), min_length=MIN_OPTIONS, max_length=MAX_OPTIONS)
    closes_at = FutureDateTimeField(help_text=_("Before the first date."))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        options = [option["starts_at"] for option in attrs["options"]]
        for index, starts_at in enumerate(options):
            if starts_at in options[:index]:
                duplicate = {"starts_at": [self.error_messages["duplicate"]]}
                raise serializers.ValidationError({"options": {str(index): duplicate}}, "duplicate")
        if attrs["closes_at"] >= min(options):
            too_late = [self.error_messages["closes_too_late"]]
            raise serializers.ValidationError({"closes_at": too_late}, "closes_too_late")
        return {**attrs, "options": options}


class DateAnswerSerializer(serializers.Serializer[Any]):
    """The dates that suit a member, and those that perhaps do. Both lists may be empty; one may be left out."""

    default_error_messages = {"duplicate": _("Each date may appear only once.")}

    yes = serializers.ListField(
        child=IdField(), max_length=MAX_OPTIONS, required=False, help_text=_("The ids of options.")
    )
    maybe = serializers.ListField(
        child=IdField(), max_length=MAX_OPTIONS, required=False, help_text=_("The ids of options.")
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError({"yes": [self.fields["yes"].error_messages["required"]]}, "required")
        seen: set[int] = set()
        for name in ("yes", "maybe"):
            for index, pk in enumerate(attrs.setdefault(name, [])):
                if pk in seen:
                    duplicate = [self.error_messages["duplicate"]]
                    raise serializers.ValidationError({name: {str(index): duplicate}}, "duplicate")
                seen.add(pk)
        return attrs


class DatePollCloseSerializer(serializers.Serializer[Any]):
    """The date to choose, if not the one that suits most members."""

    option = IdField(required=False, allow_null=True, help_text=_("The id of an option."))


class DateOptionSerializer(ModelSerializer):
    """A time to choose from, with how many members it suits."""

    yes = serializers.IntegerField()
    maybe = serializers.IntegerField()

    class Meta:
        model = DateOption
        fields = ["id", "starts_at", "yes", "maybe"]
        read_only_fields = fields


class DatePollSerializer(ModelSerializer):
    """A date poll. Its answers are not secret."""

    options = DateOptionSerializer(source="counted_options", many=True)
    entry = serializers.IntegerField(source="entry_id", allow_null=True)
    answered_count = serializers.IntegerField(help_text=_("How many members have answered."))
    my_answer = serializers.SerializerMethodField()
    meeting = serializers.IntegerField(
        source="existing_meeting", allow_null=True, help_text=_("The meeting that the close created.")
    )
    outcome = serializers.SerializerMethodField()
    created_by = NullableUserSummarySerializer()

    class Meta:
        model = DatePoll
        fields = [
            *("id", "title", "options", "timezone", "duration_minutes", "place", "url", "entry", "capacity"),
            *("closes_at", "status", "answered_count", "my_answer", "meeting", "outcome"),
            *("created_by", "created_at", "closed_at"),
        ]
        read_only_fields = fields

    @extend_schema_field(DateAnswerSerializer(allow_null=True))
    def get_my_answer(self, poll: Any) -> dict[str, list[int]] | None:
        return next(({"yes": answer.yes, "maybe": answer.maybe} for answer in poll.own_answers), None)

    @extend_schema_field(serializers.ChoiceField(DatePollOutcome.choices, allow_null=True))
    def get_outcome(self, poll: DatePoll) -> str | None:
        return poll.outcome or None


class MemberDateAnswerSerializer(ModelSerializer):
    """A member's answer to a date poll."""

    user = UserSummarySerializer(read_only=True)
    yes = serializers.ListField(child=IdField(), read_only=True)
    maybe = serializers.ListField(child=IdField(), read_only=True)

    class Meta:
        model = DateAnswer
        fields = ["user", "yes", "maybe", "answered_at"]
        read_only_fields = fields
