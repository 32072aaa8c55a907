"""Serializers whose text fields hold the contract's rules about text (api.md, decision 7)."""

import datetime
import re
from typing import Any, ClassVar

from django.core.validators import BaseValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from bookbridge.api.text import is_blank, is_one_line


class TextField(serializers.CharField):
    """Text that can be seen. `""` is a legal empty optional text; nothing but spaces or invisible characters is not.

    NUL and lone surrogates are refused by DRF's own validators, numbers here: DRF would take 12 for "12".
    """

    default_error_messages = {"invisible": _("This has no visible character.")}

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """The text, without the space around it."""
        # Where "" is allowed, DRF takes spaces for it.
        if isinstance(data, str) and data and is_blank(data) and (self.allow_blank or data.strip()):
            self.fail("invisible")
        if isinstance(data, int | float):
            self.fail("invalid")
        return super().run_validation(data)


class LineField(TextField):
    """A name or a title: one line, without control characters and without marks that turn what stands beside it."""

    default_error_messages = {"not_one_line": _("This must be one line, without control characters.")}

    def to_internal_value(self, data: Any) -> Any:
        """The line. What stands around it has been cut off by then."""
        text: str = super().to_internal_value(data)
        if not is_one_line(text):
            self.fail("not_one_line")
        return text


class MomentField(serializers.DateTimeField):
    """A moment as RFC 3339 has it, from `first` to `last` if given. Without an offset it could be anywhere: refused."""

    default_error_messages = {"no_offset": _("A time must say its offset, such as Z or +02:00.")}
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
        """The moment."""
        said = self.rfc_3339.fullmatch(value) if isinstance(value, str) else None
        if said is None:
            self.fail("invalid", format="YYYY-MM-DDThh:mm:ssZ")
        if not said["offset"]:
            self.fail("no_offset")
        moment: datetime.datetime = super().to_internal_value(value.upper())
        return moment


class IdField(serializers.IntegerField):
    """An id: a whole number that a column can hold, since SQLite would choke on a larger one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=models.BigIntegerField.MAX_BIGINT, **kwargs)


class ModelSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    """DRF's, with LineField and TextField for text columns."""

    serializer_field_mapping: ClassVar[dict[Any, Any]] = serializers.ModelSerializer.serializer_field_mapping | {
        models.CharField: LineField,
        models.TextField: TextField,
    }


class FiguresSerializer(serializers.Serializer[Any]):
    """Figures: the properties of an object of the class `figures`, each described in the schema by its docstring."""

    figures: type

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """The fields, each with its figure's definition."""
        fields = super().get_fields()
        for name, field in fields.items():
            field.help_text = " ".join((getattr(self.figures, name).__doc__ or "").split())
        return fields
