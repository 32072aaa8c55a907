"""Serializers of events, notifications and notification settings."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.models import User
from accounts.serializers import ClubRefSerializer, NullableUserSummarySerializer
from activity.choices import MANDATORY, NotificationKind
from activity.models import Event, Notification
from activity.verbs import OBJECT_TYPES, VERBS
from core.api.exceptions import InvalidFieldError
from core.api.serializers import IdField, ModelSerializer

MAX_IDS = 1000


class ObjectRefSerializer(serializers.Serializer[Any]):
    """An object, with its title at the time of the event."""

    type = serializers.ChoiceField(OBJECT_TYPES, read_only=True)
    id = serializers.IntegerField(read_only=True)
    title = serializers.CharField(read_only=True)


class ActorSerializer(NullableUserSummarySerializer):
    """The acting user: null for the platform, a placeholder if the account has been deleted."""

    def get_attribute(self, instance: Any) -> User | None:  # type: ignore[override]
        return super().get_attribute(instance) if instance.actor or instance.actor_deleted else None


class ActivityBaseSerializer(ModelSerializer):
    """Fields that events and notifications share."""

    at = serializers.DateTimeField(source="created_at", read_only=True)
    actor = ActorSerializer(read_only=True, allow_null=True)
    object = ObjectRefSerializer(source="object_ref", read_only=True, allow_null=True)
    club = ClubRefSerializer(read_only=True, allow_null=True)


class EventSerializer(ActivityBaseSerializer):
    """An event in the activity log."""

    verb = serializers.ChoiceField(tuple(VERBS), read_only=True)
    text = serializers.CharField(
        read_only=True, help_text=_("What happened, in the caller's language, without the actor.")
    )

    class Meta:
        model = Event
        fields = ["id", "at", "actor", "verb", "object", "club", "text"]
        read_only_fields = fields


class NotificationSerializer(ActivityBaseSerializer):
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


class MarkReadSerializer(serializers.Serializer[Any]):
    """The notifications to mark as read: some `ids`, or `all`."""

    ids = serializers.ListField(child=IdField(), max_length=MAX_IDS, required=False)
    all = serializers.BooleanField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.get("all") and "ids" not in attrs:
            raise InvalidFieldError("ids", "required", _("Send `ids` or `all`."))
        return attrs


class ChannelPreferenceSerializer(serializers.Serializer[Any]):
    """The channels of one kind of notification."""

    app = serializers.BooleanField(required=False)
    email = serializers.BooleanField(required=False)
    push = serializers.BooleanField(required=False)


class UnsubscribeSerializer(serializers.Serializer[Any]):
    """The token of an e-mail's link."""

    token = serializers.CharField(max_length=500, required=False, help_text=_("May also be a query parameter."))


class NotificationSettingsSerializer(serializers.Serializer[Any]):
    """The channels of each kind of notification."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            kind.value: ChannelPreferenceSerializer(required=False, help_text=kind.label) for kind in NotificationKind
        }

    def to_internal_value(self, data: Any) -> dict[str, dict[str, bool]]:
        preferences: dict[str, dict[str, bool]] = super().to_internal_value(data)
        for kind in MANDATORY & preferences.keys():
            for channel, enabled in (preferences[kind] or {}).items():
                if not enabled:
                    raise InvalidFieldError(f"{kind}.{channel}", "always_on", _("This cannot be turned off."))
        return preferences


class ClubNotificationSettingsSerializer(NotificationSettingsSerializer):
    """The channels of each kind of notification in one club; null where the settings for all clubs apply."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            kind.value: ChannelPreferenceSerializer(required=False, allow_null=True, help_text=kind.label)
            for kind in NotificationKind
        }
