"""The shapes of reviews in the API."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.serializers import PersonOrDeletedSerializer
from bookbridge.api.serializers import LineField, ModelSerializer, TextField
from catalog.ratings import HALF_STARS
from catalog.serializers import BriefBookSerializer, LanguageTagField
from clubs.reading.serializers import BookIdField
from moderation.shown import ModerationSerializer
from reviews.models import BODY_LENGTH, Review


@extend_schema_field({"type": "number", "minimum": 0.5, "maximum": 5, "multipleOf": 0.5})
class RatingField(serializers.FloatField):
    """0.5 to 5 stars in half steps, a JSON number; the inner value is in half-stars."""

    default_error_messages = {"no_half_step": _("A rating is from 0.5 to 5, in steps of one half.")}

    def to_internal_value(self, data: Any) -> Any:
        """Half-stars."""
        if isinstance(data, bool):
            self.fail("invalid")
        half_stars = super().to_internal_value(data) * 2
        if half_stars not in HALF_STARS:
            self.fail("no_half_step")
        return int(half_stars)

    def to_representation(self, value: Any) -> Any:
        """Stars."""
        return value / 2


class ReviewSerializer(ModelSerializer):
    """A review. It has a rating or a text (a title or a body)."""

    book = BriefBookSerializer(read_only=True)
    author = PersonOrDeletedSerializer(read_only=True)
    rating = RatingField(required=False, allow_null=True)
    title = LineField(max_length=200, required=False, allow_blank=True)
    body = TextField(max_length=BODY_LENGTH, required=False, allow_blank=True)
    language = LanguageTagField(required=False, allow_blank=True, help_text=_("The writer's where none is given."))
    liked = serializers.BooleanField(read_only=True, help_text=_("Whether the caller likes it."))
    moderation = ModerationSerializer(help_text=_("For its author, while the review is hidden."))

    class Meta:
        model = Review
        fields = [
            *("id", "book", "author", "rating", "title", "body", "contains_spoilers", "language", "visibility"),
            *("likes_count", "liked", "moderation", "created_at", "edited_at"),
        ]
        read_only_fields = ["likes_count", "created_at", "edited_at"]
        # The model has the last word on what is unique.
        validators: list[Any] = []

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A whole review says something; what a change leaves of one is for the model to see."""
        if not self.partial and not any(attrs.get(name) for name in ("rating", "title", "body")):
            raise serializers.ValidationError({"rating": _("A review needs a rating or a text.")}, "required")
        return attrs


class NewReviewSerializer(ReviewSerializer):
    """A review with the book it is about, which never changes."""

    book = BookIdField(help_text=_("The book's id in the catalogue."))  # type: ignore[assignment]

    def to_representation(self, instance: Review) -> Any:
        """As everywhere."""
        return ReviewSerializer(instance, context=self.context).data
