"""Serializer fields with the rules for text, times and ids, and the base of model serializers."""

import datetime
import re
from typing import Any, ClassVar

from django.core.validators import BaseValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.search.normalize import is_blank, is_single_line


class VisibleTextField(serializers.CharField):
    """Text with at least one visible character; an optional text may also be `""`.

    NUL and lone surrogates are rejected by DRF's validators, and numbers here: DRF would accept 12 as "12".
    """

    default_error_messages = {"invisible": _("Enter at least one visible character.")}

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Return the text without surrounding whitespace."""
        # If "" is allowed, DRF would accept spaces for it.
        if isinstance(data, str) and data and is_blank(data) and (self.allow_blank or data.strip()):
            self.fail("invisible")
        if isinstance(data, int | float):
            self.fail("invalid")
        return super().run_validation(data)


class SingleLineField(VisibleTextField):
    """A name or a title: a single line, without control and bidirectional formatting characters."""

    default_error_messages = {"not_one_line": _("Enter a single line without control characters.")}

    def to_internal_value(self, data: Any) -> Any:
        """Return the line."""
        text: str = super().to_internal_value(data)
        if not is_single_line(text):
            self.fail("not_one_line")
        return text


class AwareDateTimeField(serializers.DateTimeField):
    """An RFC 3339 time with an offset, between `first` and `last` if given."""

    default_error_messages = {"no_offset": _("The time must have an offset, such as Z or +02:00.")}
    rfc_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?(?P<offset>[Zz]|[+-]\d\d:\d\d)?", re.ASCII)

    def __init__(
        self, *, first: datetime.datetime | None = None, last: datetime.datetime | None = None, **kwargs: Any
    ) -> None:
        limits: list[BaseValidator] = []
        if first is not None:
            limits.append(MinValueValidator(first))
        if last is not None:
            limits.append(MaxValueValidator(last))
        super().__init__(validators=limits, default_timezone=datetime.UTC, **kwargs)

    def to_internal_value(self, value: Any) -> datetime.datetime:
        """Return the time as an aware datetime."""
        match = self.rfc_3339.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            self.fail("invalid", format="YYYY-MM-DDThh:mm:ssZ")
        if not match["offset"]:
            self.fail("no_offset")
        time: datetime.datetime = super().to_internal_value(value.upper())
        return time


class IdField(serializers.IntegerField):
    """An id: a positive integer that fits into a column; SQLite raises OverflowError for larger ones."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=models.BigIntegerField.MAX_BIGINT, **kwargs)


class ModelSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    """DRF's model serializer, with SingleLineField and VisibleTextField for text columns."""

    serializer_field_mapping: ClassVar[dict[Any, Any]] = serializers.ModelSerializer.serializer_field_mapping | {
        models.CharField: SingleLineField,
        models.TextField: VisibleTextField,
    }


class StatisticsSerializer(serializers.Serializer[Any]):
    """Statistics: properties of `statistics_class`, whose docstrings are the descriptions in the schema."""

    statistics_class: type

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the fields, each with its property's docstring as help text."""
        fields = super().get_fields()
        for name, field in fields.items():
            field.help_text = " ".join((getattr(self.statistics_class, name).__doc__ or "").split())
        return fields
