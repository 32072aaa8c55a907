"""Serializers of imports."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.serializers import ModelSerializer, UploadField
from reviews.choices import ReviewVisibility
from reviews.imports.errors import REASON_MESSAGES, REMARK_MESSAGES, ROW_MESSAGES
from reviews.imports.files import SOURCES
from reviews.models import ReviewImport


class ImportCreateSerializer(serializers.Serializer[ReviewImport]):
    """An export file to import."""

    file = UploadField(
        help_text=_(
            "The export as downloaded or as a spreadsheet saved it: CSV with commas, semicolons or tabs, in UTF-8, "
            "UTF-16 or Windows-1252, at most 5 MB."
        )
    )
    source = serializers.ChoiceField(  # type: ignore[assignment]
        choices=sorted(SOURCES),
        help_text=_(
            "`skoob` is the layout that Goodreads imports, as the exporters of Skoob write it; `bookbridge` is that of "
            "`GET users/me/export.csv`."
        ),
    )
    visibility = serializers.ChoiceField(
        choices=ReviewVisibility.choices, default=ReviewVisibility.PUBLIC, help_text=_("Who may read the reviews.")
    )


def _list_codes(messages: Iterable[str]) -> str:
    return ", ".join(f"`{code}`" for code in messages)


class RowErrorSerializer(serializers.Serializer[Any]):
    """A row that could not be imported, and why."""

    line = serializers.IntegerField(help_text=_("Line number in the file where the row starts, counting from 1."))
    code = serializers.CharField(help_text=_list_codes(ROW_MESSAGES))
    reason = serializers.CharField()


class ImportWarningSerializer(serializers.Serializer[Any]):
    """A warning and how many rows it applies to: why they were skipped, or what was changed in them."""

    code = serializers.CharField(help_text=_list_codes(REMARK_MESSAGES))
    reason = serializers.CharField()
    rows = serializers.IntegerField()


class ImportSerializer(ModelSerializer):
    """An import. Of its `rows`, `done` have been `created`, `updated`, `skipped` or `failed`."""

    source = serializers.ChoiceField(choices=sorted(SOURCES), read_only=True)  # type: ignore[assignment]
    visibility = serializers.ChoiceField(choices=ReviewVisibility.choices, read_only=True)
    done = serializers.IntegerField(source="rows_processed", read_only=True)
    failure = serializers.SerializerMethodField(help_text=_("Why the whole import failed; null if it did not."))
    errors = serializers.SerializerMethodField(  # type: ignore[assignment]
        help_text=_("The first 1,000 rows that failed.")
    )
    remarks = serializers.SerializerMethodField()

    class Meta:
        model = ReviewImport
        fields = [
            *("id", "source", "visibility", "status", "failure", "rows", "done", "created", "updated", "skipped"),
            *("failed", "errors", "remarks", "created_at", "ended_at"),
        ]
        read_only_fields = fields

    def get_failure(self, review_import: ReviewImport) -> str | None:
        return str(REASON_MESSAGES[review_import.failure]) if review_import.failure else None

    @extend_schema_field(RowErrorSerializer(many=True))
    def get_errors(self, review_import: ReviewImport) -> list[dict[str, Any]]:
        return [
            {"line": line, "code": code, "reason": str(REASON_MESSAGES[code])} for line, code in review_import.errors
        ]

    @extend_schema_field(ImportWarningSerializer(many=True))
    def get_remarks(self, review_import: ReviewImport) -> list[dict[str, Any]]:
        return [
            {"code": code, "reason": str(REASON_MESSAGES[code]), "rows": rows}
            for code, rows in review_import.remarks.items()
        ]
