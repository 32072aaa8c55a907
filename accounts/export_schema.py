"""Serializer fields for exported columns, which describe the data export in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

Field = serializers.Field[Any, Any, Any, Any]
# The first class of which a model field is an instance applies.
FIELD_CLASSES: dict[type[models.Field[Any, Any]], type[Field]] = {
    models.BooleanField: serializers.BooleanField,
    models.DateTimeField: serializers.DateTimeField,
    models.DateField: serializers.DateField,
    models.DecimalField: serializers.FloatField,
    models.CharField: serializers.CharField,
    models.TextField: serializers.CharField,
    models.IntegerField: serializers.IntegerField,
    models.ForeignKey: serializers.IntegerField,
    models.AutoField: serializers.IntegerField,
    # Sections with such a column replace this field by a more specific one.
    models.JSONField: serializers.JSONField,
}


def build_fields(queryset: QuerySet[Any, Any]) -> dict[str, Field]:
    """Return a serializer field for each column of a `values()` query."""
    query, model = queryset.query, queryset.model
    columns = {name: model._meta.get_field(name) for name in query.values_select}
    fields = {name: _build_field(column, allow_null=column.null) for name, column in columns.items()}
    for name, expression in query.annotation_select.items():
        # Expressions that are not columns are NULL where the user may not see the value.
        column = getattr(expression, "target", None)
        fields[name] = _build_field(expression.output_field, allow_null=column is None or column.null)
    return fields


def _build_field(column: Any, *, allow_null: bool) -> Field:
    classes = (field for model_field, field in FIELD_CLASSES.items() if isinstance(column, model_field))
    return next(classes)(allow_null=allow_null)


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word if word.endswith("ss") else word.removesuffix("s")


def build_row_serializer(section: str, fields: dict[str, Field]) -> type[serializers.Serializer[Any]]:
    """Return a serializer class for the rows of a section. Its component for `blocks` is `ExportedBlock`."""
    name = "Exported" + "".join(_singular(word).capitalize() for word in section.split("_"))
    return extend_schema_serializer(component_name=name)(type(f"{name}Serializer", (serializers.Serializer,), fields))
