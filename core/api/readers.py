"""Readers of serializer fields: what DRF determines for each instance is determined once for each class."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from copy import copy
from functools import partial
from typing import Any, NamedTuple, cast

from django.core.exceptions import ObjectDoesNotExist
from rest_framework import serializers

# Functions that are equivalent to the methods of DRF's fields.
_CONVERSIONS: dict[Any, Callable[[Any], Any]] = {
    serializers.CharField.to_representation: str,
    serializers.IntegerField.to_representation: int,
    serializers.FloatField.to_representation: float,
}


class Reader(NamedTuple):
    """How to read a field: the attribute of the instance ("" to call `field.get_attribute`) and the conversion."""

    name: str
    attribute: str
    is_column: bool
    convert: Callable[[Any], Any]
    field: Any

    @classmethod
    def for_field(cls, field: Any) -> Reader:
        """Return the reader of a bound field."""
        is_plain = type(field).get_attribute is serializers.Field.get_attribute and len(field.source_attrs) == 1
        attribute = field.source_attrs[0] if is_plain else ""
        columns = {column.attname for column in field.parent.Meta.model._meta.concrete_fields if not column.is_relation}
        return cls(field.field_name, attribute, attribute in columns, _get_conversion(field), field)

    def attach(self, parent: Any) -> Reader:
        """Return the reader of a copy of the field for another serializer."""
        field = _attach(self.field, parent)
        return self._replace(field=field, convert=_get_conversion(field))


def get_attribute(instance: Any, attribute: str, field: Any) -> Any:
    """Return the value of a field. Callables and missing attributes are left to the field's `get_attribute`."""
    if attribute:
        try:
            value = getattr(instance, attribute)
        except (AttributeError, ObjectDoesNotExist):
            pass
        else:
            if not callable(value):
                return value
    return field.get_attribute(instance)


def _get_conversion(field: Any) -> Callable[[Any], Any]:
    """Return a function that is equivalent to the field's `to_representation`."""
    if type(field) is serializers.SerializerMethodField:
        return cast(Callable[[Any], Any], getattr(field.parent, field.method_name))
    method = type(field).to_representation
    if method is serializers.DateTimeField.to_representation and not hasattr(field, "format"):
        return partial(_format_time, field)
    if method is serializers.BooleanField.to_representation:
        return partial(_read_boolean, field)
    return _CONVERSIONS.get(method, field.to_representation)


def _format_time(field: serializers.DateTimeField, value: Any) -> Any:
    """Return a time in UTC, the time zone of the project, as DRF formats it with DATETIME_FORMAT."""
    if type(value) is datetime.datetime and value.tzinfo is datetime.UTC:
        return value.isoformat(timespec="seconds")[: -len("+00:00")] + "Z"
    return field.to_representation(value)


def _read_boolean(field: serializers.BooleanField, value: Any) -> Any:
    return value if isinstance(value, bool) else field.to_representation(value)


def _attach(field: Any, parent: Any) -> Any:
    """Return a copy of a field for another parent."""
    field = copy(field)
    field.parent = parent
    for name in ("fields", "_readers"):  # bound to the original
        field.__dict__.pop(name, None)
    if hasattr(field, "child"):
        field.child = _attach(field.child, field)
    return field


def is_shared(field: Any) -> bool:
    """Return whether all instances of a serializer can share the field, because it uses neither parent nor context.

    This holds for the fields of DRF and of `core.api.serializers`, except method fields and file fields. Fields and
    serializers of the apps may use both.
    """
    is_plain = type(field).__module__ in ("rest_framework.fields", "core.api.serializers")
    uses_parent = isinstance(field, serializers.SerializerMethodField | serializers.FileField)
    return is_plain and not uses_parent and (not hasattr(field, "child") or is_shared(field.child))
