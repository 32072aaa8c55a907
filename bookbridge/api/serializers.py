"""Serializers whose text fields hold the contract's rules about text (api.md, decision 7)."""

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from bookbridge.api.text import is_blank


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


class ModelSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    """DRF's, with TextField for text columns."""

    serializer_field_mapping: ClassVar[dict[Any, Any]] = serializers.ModelSerializer.serializer_field_mapping | {
        models.CharField: TextField,
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
