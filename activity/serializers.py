"""Serializers of events, notifications and notification settings."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.models import User
from accounts.serializers import PersonOrDeletedSerializer
from activity.kinds import ALWAYS, Kind
from activity.models import Event, Notification
from bookbridge.api.errors import InvalidField
from bookbridge.api.serializers import IdField, ModelSerializer

MOST_IDS = 1000


class ThingSerializer(serializers.Serializer[Any]):
    """An object, with its title at the time of the event."""

    type = serializers.CharField(read_only=True)
    id = serializers.IntegerField(read_only=True)
    title = serializers.CharField(read_only=True)


class WhereSerializer(serializers.Serializer[Any]):
    """A club."""

    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(read_only=True)


class ActorSerializer(PersonOrDeletedSerializer):
    """The acting user: null for the platform, a placeholder if the account has been deleted."""

    def get_attribute(self, instance: Any) -> User | None:  # type: ignore[override]
        return super().get_attribute(instance) if instance.actor or instance.actor_gone else None


class AboutSerializer(ModelSerializer):
    """Fields that events and notifications share."""

    actor = ActorSerializer(read_only=True, allow_null=True)
    object = ThingSerializer(source="thing", read_only=True, allow_null=True)
    club = WhereSerializer(read_only=True, allow_null=True)


class EventSerializer(AboutSerializer):
    """An event in the activity log."""

    class Meta:
        model = Event
        fields = ["id", "at", "actor", "verb", "object", "club"]
        read_only_fields = fields


class NotificationSerializer(AboutSerializer):
    """A notification of the authenticated user."""

    text = serializers.CharField(read_only=True)
    read = serializers.SerializerMethodField()

    class Meta:
        model = Notification
        fields = ["id", "at", "kind", "actor", "object", "club", "text", "read"]
        read_only_fields = fields

    def get_read(self, row: Notification) -> bool:
        """Whether the notification has been marked as read."""
        return row.read_at is not None


class ReadSerializer(serializers.Serializer[Any]):
    """The notifications to mark as read: some `ids`, or `all`."""

    ids = serializers.ListField(child=IdField(), max_length=MOST_IDS, required=False)
    all = serializers.BooleanField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.get("all") and "ids" not in attrs:
            raise InvalidField("ids", "required", _("Send `ids` or `all`."))
        return attrs


class WishSerializer(serializers.Serializer[Any]):
    """The channels of one kind of notification."""

    app = serializers.BooleanField(required=False)
    email = serializers.BooleanField(required=False)


class SettingsSerializer(serializers.Serializer[Any]):
    """The channels of each kind of notification."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {kind.value: WishSerializer(required=False, help_text=kind.label) for kind in Kind}

    def to_internal_value(self, data: Any) -> dict[str, dict[str, bool]]:
        preferences: dict[str, dict[str, bool]] = super().to_internal_value(data)
        for kind in ALWAYS & preferences.keys():
            for channel, enabled in preferences[kind].items():
                if not enabled:
                    raise InvalidField(f"{kind}.{channel}", "always_on", _("This cannot be turned off."))
        return preferences
