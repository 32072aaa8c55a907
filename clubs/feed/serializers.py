"""Serializers of changes."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from activity.changes.models import ChangeType


class ChangeSerializer(serializers.Serializer[Any]):
    """An object that has changed, or is deleted for the caller."""

    type = serializers.ChoiceField(ChangeType.choices, read_only=True)
    id = serializers.IntegerField(read_only=True)
    club = serializers.IntegerField(read_only=True, allow_null=True, help_text=_("The id of the club, if any."))
    deleted = serializers.BooleanField(
        read_only=True, help_text=_("Whether the object is deleted, or the caller may no longer see it.")
    )
    at = serializers.DateTimeField(read_only=True)
    url = serializers.CharField(read_only=True, help_text=_("The path of the object."))


class ChangePageSerializer(serializers.Serializer[Any]):
    """A page of changes."""

    cursor = serializers.CharField(read_only=True, help_text=_("Send it as `since` next time."))
    has_more = serializers.BooleanField(read_only=True)
    results = ChangeSerializer(many=True, read_only=True)
