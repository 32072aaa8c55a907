"""Serializers of sections."""

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from clubs.reading.choices import HUNDRED_PERCENT, round_percent
from clubs.reading.models import MAX_SECTIONS, SECTION_TITLE_LENGTH
from clubs.reading.serializers import PercentField
from core.api.exceptions import InvalidFieldError
from core.api.serializers import SingleLineField


class SectionSerializer(serializers.Serializer[Any]):
    """A section of a book."""

    number = serializers.IntegerField(read_only=True, min_value=1)
    title = serializers.CharField(read_only=True, allow_null=True, help_text=_("Null until you have reached it."))
    up_to_percent = PercentField(read_only=True, help_text=_("Where the section ends."))


class SectionListSerializer(serializers.Serializer[Any]):
    """The sections of a book in order; empty if it has none."""

    sections = SectionSerializer(many=True, read_only=True)


class SectionUpdateSerializer(serializers.Serializer[Any]):
    """A section to save."""

    title = SingleLineField(max_length=SECTION_TITLE_LENGTH)
    up_to_percent = PercentField(required=False, allow_null=True, help_text=_("For all sections or for none."))


class SectionsUpdateSerializer(serializers.Serializer[Any]):
    """All sections of a book in order. Without percentages they get equal shares."""

    sections = serializers.ListField(child=SectionUpdateSerializer(), min_length=1, max_length=MAX_SECTIONS)

    def validate_sections(self, rows: list[dict[str, Any]]) -> list[tuple[str, Decimal]]:
        """Return titles and ends. Raises InvalidFieldError unless these ascend to 100."""
        ends = [row.get("up_to_percent") for row in rows]
        if not any(end is not None for end in ends):
            ends = [round_percent(HUNDRED_PERCENT * number / len(rows)) for number in range(1, len(rows) + 1)]
        previous = Decimal(0)
        for index, end in enumerate(ends):
            if end is None:
                raise _invalid(index, "required", _("Send up_to_percent for all sections or for none."))
            if end <= previous:
                raise _invalid(index, "not_ascending", _("Must be greater than that of the section before."))
            previous = end
        if previous != HUNDRED_PERCENT:
            raise _invalid(len(ends) - 1, "not_whole", _("The last section must end at 100."))
        return [(row["title"], end) for row, end in zip(rows, ends, strict=True) if end is not None]


def _invalid(index: int, code: str, detail: Any) -> InvalidFieldError:
    return InvalidFieldError(f"{index}.up_to_percent", code, detail)
