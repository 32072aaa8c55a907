"""Serializers of opinions."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.serializers import UserSummarySerializer
from catalog.serializers import RatingField
from core.api.serializers import IdField, ModelSerializer, VisibleTextField
from opinions.models import TEXT_LENGTH, Opinion, ReadShare


class SealedWithField(IdField):
    """The meeting until whose start the opinions on an entry are sealed."""

    def __init__(self, **kwargs: Any) -> None:
        text = _("The id of an upcoming meeting. The members' opinions are sealed until it starts.")
        super().__init__(required=False, allow_null=True, help_text=text, **kwargs)


class MyOpinionSerializer(ModelSerializer):
    """The caller's own opinion. It needs a rating or a text, unless nothing was read."""

    rating = RatingField(required=False, allow_null=True)
    text = VisibleTextField(max_length=TEXT_LENGTH, required=False, allow_blank=True)
    read = serializers.ChoiceField(ReadShare.choices, default=ReadShare.ALL)

    class Meta:
        model = Opinion
        fields = ["rating", "text", "read", "updated_at"]
        read_only_fields = ["updated_at"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require a rating or a text. Omitted fields are empty, because PUT replaces the opinion."""
        attrs = {"rating": None, "text": ""} | attrs
        if attrs["rating"] is None and not attrs["text"] and attrs["read"] != ReadShare.NONE:
            raise serializers.ValidationError({"rating": _("An opinion needs a rating or a text.")}, "required")
        return attrs


class NullableMyOpinionSerializer(MyOpinionSerializer):
    """The caller's own opinion; without one, `text` is empty and the other fields are null."""

    rating = RatingField(read_only=True, allow_null=True)
    text = VisibleTextField(read_only=True)
    read = serializers.ChoiceField(ReadShare.choices, read_only=True, allow_null=True)
    updated_at = serializers.DateTimeField(read_only=True, allow_null=True)


class OpinionSerializer(ModelSerializer):
    """A member's opinion on a book."""

    user = UserSummarySerializer(read_only=True)
    rating = RatingField(read_only=True, allow_null=True)
    rating_at_opening = RatingField(
        read_only=True,
        allow_null=True,
        help_text=_("The rating when the opinions were opened; null if they were never sealed or it was given later."),
    )

    class Meta:
        model = Opinion
        fields = ["user", "rating", "text", "read", "rating_at_opening", "updated_at"]
        read_only_fields = fields
