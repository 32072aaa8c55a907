"""Serializers of reviews."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.serializers import NullableUserSummarySerializer
from catalog.models import Book
from catalog.serializers import BookIdField, BookSummarySerializer, LanguageTagField, RatingField
from core.api.serializers import ModelSerializer, SingleLineField, VisibleTextField
from moderation.author_notice import ModerationSerializer
from reviews.models import BODY_LENGTH, Review


@extend_schema_field({"type": ["integer", "null"], "format": "int64"})
class MyReviewField(serializers.Field):  # type: ignore[type-arg]
    """The id of the user's own review of a book; null without one, and for anonymous users. Takes one query."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(source="*", read_only=True, **kwargs)

    def to_representation(self, value: Book) -> int | None:
        user = self.context["request"].user
        if not user.is_authenticated:
            return None
        return Review.objects.filter(author=user, book=value).values_list("pk", flat=True).first()


class ReviewSerializer(ModelSerializer):
    """A review. It needs a rating or some text (a title or a body)."""

    book = BookSummarySerializer(read_only=True)
    author = NullableUserSummarySerializer(read_only=True)
    rating = RatingField(required=False, allow_null=True)
    title = SingleLineField(max_length=200, required=False, allow_blank=True)
    body = VisibleTextField(max_length=BODY_LENGTH, required=False, allow_blank=True)
    language = LanguageTagField(required=False, allow_blank=True, help_text=_("Defaults to the author's language."))
    liked = serializers.BooleanField(read_only=True, help_text=_("Whether the current user likes the review."))
    moderation = ModerationSerializer(help_text=_("Only for the author, while the review is hidden; null otherwise."))

    class Meta:
        model = Review
        fields = [
            *("id", "book", "author", "rating", "title", "body", "contains_spoilers", "language", "visibility"),
            *("likes_count", "liked", "moderation", "created_at", "edited_at"),
        ]
        read_only_fields = ["likes_count", "created_at", "edited_at"]
        # The model checks uniqueness under a lock.
        validators: list[Any] = []

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require a rating or some text. Partial updates are checked by the model."""
        if not self.partial and not any(attrs.get(name) for name in ("rating", "title", "body")):
            raise serializers.ValidationError({"rating": _("A review needs a rating or a text.")}, "required")
        return attrs


class ReviewCreateSerializer(ReviewSerializer):
    """A review with its book, which cannot be changed later."""

    book = BookIdField(help_text=_("The id of the book."))  # type: ignore[assignment]

    def to_representation(self, instance: Review) -> Any:
        return ReviewSerializer(instance, context=self.context).data
