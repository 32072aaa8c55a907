"""Serializer fields with the rules for text, numbers, times and ids, and the base of model serializers."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from copy import copy, deepcopy
from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import BaseValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.relations import PKOnlyObject

from core.api.exceptions import APIProblem
from core.api.numbers import is_number
from core.api.readers import Reader, get_attribute, is_shared
from core.search.normalize import is_blank, is_single_line

FUTURE_BEFORE = datetime.datetime(2101, 1, 1, tzinfo=datetime.UTC)


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
    rfc_3339 = re.compile(
        r"\d{4}-\d\d-\d\d[Tt ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?"
        r"(?P<offset>[Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)?",
        re.ASCII,
    )

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
        """Return the time as an aware datetime, without the fraction of a second that responses do not have."""
        match = self.rfc_3339.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            self.fail("invalid", format="YYYY-MM-DDThh:mm:ssZ")
        if not match["offset"]:
            self.fail("no_offset")
        time: datetime.datetime = super().to_internal_value(value.upper())
        return time.replace(microsecond=0)


class FutureDateTimeField(AwareDateTimeField):
    """A future time before 2101."""

    default_error_messages = {"past": _("Must be in the future."), "too_far": _("Must be before 2101.")}

    def to_internal_value(self, value: Any) -> datetime.datetime:
        """Return the time."""
        moment = super().to_internal_value(value)
        if moment <= timezone.now():
            self.fail("past")
        if moment >= FUTURE_BEFORE:
            self.fail("too_far")
        return moment


class DateField(serializers.DateField):
    """A date as `YYYY-MM-DD`; DRF would also accept `20261129`, `2026-W48-7` and the digits of other scripts."""

    iso_date = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

    def to_internal_value(self, value: Any) -> datetime.date:
        """Return the date."""
        if not isinstance(value, str) or not self.iso_date.fullmatch(value):
            self.fail("invalid", format="YYYY-MM-DD")
        date: datetime.date = super().to_internal_value(value)
        return date


class NumberTextMixin:
    """Accept a number also as text, but only in the notation of JSON (`core.api.numbers`); reject booleans."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the number."""
        field: Any = self
        if isinstance(data, bool) or (isinstance(data, str) and not is_number(data)):
            field.fail("invalid")
        return super().to_internal_value(data)  # type: ignore[misc]


class IntegerField(NumberTextMixin, serializers.IntegerField):
    """An integer."""


class FloatField(NumberTextMixin, serializers.FloatField):
    """A number."""


class DecimalField(NumberTextMixin, serializers.DecimalField):
    """A decimal number."""


class UploadField(serializers.FileField):
    """An uploaded file. One that is larger than MAX_UPLOAD_BYTES is 413 `too_large`."""

    def to_internal_value(self, data: Any) -> Any:
        file = super().to_internal_value(data)
        if file.size > settings.MAX_UPLOAD_BYTES:
            raise APIProblem(413, "too_large", _("The file is larger than this server accepts."))
        return file


class IdField(IntegerField):
    """An id: a positive integer that fits into a column; SQLite raises OverflowError for larger ones."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=models.BigIntegerField.MAX_BIGINT, **kwargs)


STRICT_FIELDS: dict[Any, Any] = {
    serializers.IntegerField: IntegerField,
    serializers.FloatField: FloatField,
    serializers.DecimalField: DecimalField,
    serializers.DateField: DateField,
}


class ModelSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    """DRF's model serializer, with the fields of this module.

    DRF builds the fields anew for each serializer, which takes as long as serializing a page of rows. Here they are
    built once for each class, so they must not depend on the request; a subclass may change the copies that
    `get_fields()` returns.
    """

    serializer_field_mapping: ClassVar[dict[Any, Any]] = {
        column: STRICT_FIELDS.get(field, field)
        for column, field in serializers.ModelSerializer.serializer_field_mapping.items()
    } | {models.CharField: SingleLineField, models.TextField: VisibleTextField}
    _class_fields: ClassVar[dict[type, dict[str, Any]]] = {}
    _class_readers: ClassVar[dict[type, list[tuple[Reader, bool]]]] = {}

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return copies of the fields of the class."""
        fields = self._class_fields.get(type(self))
        if fields is None:
            fields = self._class_fields[type(self)] = super().get_fields()
        # A child is bound to its parent by the parent's constructor, which DRF's deep copy calls.
        return {name: (deepcopy if hasattr(f, "child") else copy)(f) for name, f in fields.items()}

    @classmethod
    def get_class_readers(cls) -> list[tuple[Reader, bool]]:
        """Return the reader of each readable field, and whether all instances can share it."""
        readers = cls._class_readers.get(cls)
        if readers is None:
            fields: Iterable[Any] = cls()._readable_fields
            readers = cls._class_readers[cls] = [(Reader.for_field(field), is_shared(field)) for field in fields]
        return readers

    @cached_property
    def _readers(self) -> list[Reader]:
        return [reader if is_shared else reader.attach(self) for reader, is_shared in self.get_class_readers()]

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Return the same data as DRF, in fewer steps."""
        if not isinstance(instance, self.Meta.model):
            return super().to_representation(instance)
        data: dict[str, Any] = {}
        for name, attribute, is_column, convert, field in self._readers:
            if is_column:
                value = getattr(instance, attribute)
                data[name] = None if value is None else convert(value)
                continue
            try:
                value = get_attribute(instance, attribute, field)
            except serializers.SkipField:
                continue
            is_null = value is None or (isinstance(value, PKOnlyObject) and value.pk is None)
            data[name] = None if is_null else convert(value)
        return data


class StatisticsSerializer(serializers.Serializer[Any]):
    """Statistics: properties of `statistics_class`, whose docstrings are the descriptions in the schema."""

    statistics_class: type

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the fields, each with its property's docstring as help text."""
        fields = super().get_fields()
        for name, field in fields.items():
            field.help_text = " ".join((getattr(self.statistics_class, name).__doc__ or "").split())
        return fields
