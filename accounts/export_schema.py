"""Fields for exported columns, by which the OpenAPI document describes the data export."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

Field = serializers.Field[Any, Any, Any, Any]
# By the first class that a column is an instance of.
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
    # A section with such a column describes it itself.
    models.JSONField: serializers.JSONField,
}


def fields_of(queryset: QuerySet[Any, Any]) -> dict[str, Field]:
    """Return a field for each column of a query with `values()`."""
    query, model = queryset.query, queryset.model
    columns = {name: model._meta.get_field(name) for name in query.values_select}
    fields = {name: _field(column, is_null=column.null) for name, column in columns.items()}
    for name, expression in query.annotation_select.items():
        # What is not a column is shown only to users who may see it.
        column = getattr(expression, "target", None)
        is_null = column is None or column.null
        fields[name] = _field(expression.output_field, is_null=is_null)
    return fields


def _field(column: Any, *, is_null: bool) -> Field:
    found = (field for model_field, field in FIELD_CLASSES.items() if isinstance(column, model_field))
    return next(found)(allow_null=is_null)


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word if word.endswith("ss") else word.removesuffix("s")


def component(section: str, fields: dict[str, Field]) -> type[serializers.Serializer[Any]]:
    """Return a serializer for the rows of a section: the component `ExportedBlock` for `blocks`."""
    name = "Exported" + "".join(_singular(word).capitalize() for word in section.split("_"))
    return extend_schema_serializer(component_name=name)(type(f"{name}Serializer", (serializers.Serializer,), fields))
