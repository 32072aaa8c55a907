"""Serializers of availability."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.serializers import UserSummarySerializer
from availability.models import AccessAnswer, Availability, BookFormat
from core.api.serializers import IdField, ModelSerializer

FORMAT_SCHEMA = {"type": ["string", "null"], "enum": [*BookFormat.values, None]}
COUNT: dict[str, Any] = {"read_only": True, "allow_null": True}


@extend_schema_field(FORMAT_SCHEMA)
class FormatField(serializers.ChoiceField):
    """A format, or null; stored as an empty text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(BookFormat.choices, allow_null=True, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation(data) or ""

    def to_representation(self, value: Any) -> Any:
        return value or None


class MyAccessSerializer(ModelSerializer):
    """Whether the caller can get the book. Other members see only what is lent."""

    format = FormatField(required=False, default=None)
    lends = serializers.BooleanField(default=False, help_text=_("Only with the answer `have`."))
    lent_to = UserSummarySerializer(read_only=True, allow_null=True)

    class Meta:
        model = Availability
        fields = ["answer", "format", "lends", "lent_to"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require the book of a lender."""
        if attrs["lends"] and attrs["answer"] != AccessAnswer.HAVE:
            text = serializers.ErrorDetail(str(_("Only a member who has the book can lend it.")), "not_owned")
            raise serializers.ValidationError({"lends": text})
        return attrs


class NullableMyAccessSerializer(MyAccessSerializer):
    """Whether the caller can get the book, which they may not have answered yet."""

    answer = serializers.ChoiceField(AccessAnswer.choices, read_only=True, allow_null=True)


class LendingSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """To whom a book is lent."""

    to = IdField(allow_null=True, help_text=_("The id of a member; null when the book is back."))


class LenderSerializer(ModelSerializer):
    """A member who lends the book."""

    user = UserSummarySerializer(read_only=True)
    format = FormatField(read_only=True)
    lent_to = UserSummarySerializer(read_only=True, allow_null=True)

    class Meta:
        model = Availability
        fields = ["user", "format", "lent_to"]
        read_only_fields = fields


class FormatCountsSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Number of members with each format."""

    paper = serializers.IntegerField(read_only=True)
    ebook = serializers.IntegerField(read_only=True)
    audio = serializers.IntegerField(read_only=True)
    accessible = serializers.IntegerField(read_only=True)


class AccessSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """How many members can get the book. All counts are null in a club with fewer than three members."""

    have = serializers.IntegerField(**COUNT)
    can = serializers.IntegerField(**COUNT)
    cannot = serializers.IntegerField(**COUNT)
    unanswered = serializers.IntegerField(**COUNT)
    formats = FormatCountsSerializer(read_only=True, allow_null=True)
    lenders = LenderSerializer(many=True, read_only=True, help_text=_("Up to 100, by username."))
