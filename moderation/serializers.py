"""Serializers of reports and appeals."""

from typing import Any

from rest_framework import serializers

from core.api.serializers import IdField, VisibleTextField
from core.registry import report_targets
from moderation.choices import Reason
from moderation.models import APPEAL_LENGTH, NOTE_LENGTH


class TargetTypeField(serializers.ChoiceField):
    """A registered target type."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[(name, target.label) for name, target in sorted(report_targets.items())], **kwargs)


class ReportSerializer(serializers.Serializer[Any]):
    """A report of an object that is visible to the current user."""

    id = serializers.IntegerField(read_only=True)
    target_type = TargetTypeField(source="case.target_type")
    target_id = IdField(source="case.target_id")
    reason = serializers.ChoiceField(choices=Reason.choices)
    note = VisibleTextField(max_length=NOTE_LENGTH, required=False, allow_blank=True)
    created_at = serializers.DateTimeField(read_only=True)


class AppealSerializer(serializers.Serializer[Any]):
    """An appeal against the latest decision about content of the current user."""

    id = serializers.IntegerField(read_only=True)
    target_type = TargetTypeField(source="case.target_type")
    target_id = IdField(source="case.target_id")
    text = VisibleTextField(max_length=APPEAL_LENGTH)
    created_at = serializers.DateTimeField(read_only=True)
