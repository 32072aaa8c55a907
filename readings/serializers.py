"""Serializers of readings."""

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from catalog.serializers import BookIdField, BookSummarySerializer
from clubs.reading.serializers import PastDateField, PercentField
from core.api.serializers import ModelSerializer
from readings.models import Reading, ReadingState

STATE_HELP = _("By default `finished` with `finished_on` or 100 %, otherwise `reading`.")


class ReadingSerializer(ModelSerializer):
    """A reading of a book. A book that was read twice has two."""

    book = BookSummarySerializer(read_only=True)
    entry = serializers.IntegerField(
        source="entry_id",
        read_only=True,
        allow_null=True,
        help_text=_("The entry whose progress this is. Null if the source is not `club` or the entry was deleted."),
    )
    percent = PercentField(required=False, help_text=_("100 if the book is finished, and only then."))
    state = serializers.ChoiceField(ReadingState.choices, required=False, help_text=STATE_HELP)
    started_on = PastDateField(required=False, allow_null=True)
    finished_on = PastDateField(
        required=False, allow_null=True, help_text=_("The last day of a finished or stopped reading, if it is known.")
    )

    class Meta:
        model = Reading
        fields = ["id", "book", "state", "percent", "started_on", "finished_on", "source", "entry", "created_at"]
        read_only_fields = ["source", "created_at"]


class ReadingCreateSerializer(ReadingSerializer):
    """A reading to save."""

    book = BookIdField(help_text=_("The book's id in the catalog."))  # type: ignore[assignment]
