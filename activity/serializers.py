"""The shapes of the log and of notifications in the API."""

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
    """What something is about, as it was called then."""

    type = serializers.CharField(read_only=True)
    id = serializers.IntegerField(read_only=True)
    title = serializers.CharField(read_only=True)


class WhereSerializer(serializers.Serializer[Any]):
    """The club something happened in."""

    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(read_only=True)


class ActorSerializer(PersonOrDeletedSerializer):
    """Who did it: null where it was the platform, and somebody nameless where their account is gone."""

    def get_attribute(self, instance: Any) -> User | None:  # type: ignore[override]
        """The person, somebody nameless, or nobody."""
        return super().get_attribute(instance) if instance.actor or instance.actor_gone else None


class AboutSerializer(ModelSerializer):
    """What both have."""

    actor = ActorSerializer(read_only=True, allow_null=True)
    object = ThingSerializer(source="thing", read_only=True, allow_null=True)
    club = WhereSerializer(read_only=True, allow_null=True)


class EventSerializer(AboutSerializer):
    """Something that happened."""

    class Meta:
        model = Event
        fields = ["id", "at", "actor", "verb", "object", "club"]
        read_only_fields = fields


class NotificationSerializer(AboutSerializer):
    """What the caller is told."""

    text = serializers.CharField(read_only=True)
    read = serializers.SerializerMethodField()

    class Meta:
        model = Notification
        fields = ["id", "at", "kind", "actor", "object", "club", "text", "read"]
        read_only_fields = fields

    def get_read(self, row: Notification) -> bool:
        """Whether it was marked as read."""
        return row.read_at is not None


class ReadSerializer(serializers.Serializer[Any]):
    """Which notifications have been read: some `ids`, or `all`."""

    ids = serializers.ListField(child=IdField(), max_length=MOST_IDS, required=False)
    all = serializers.BooleanField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One or the other."""
        if not attrs.get("all") and "ids" not in attrs:
            raise InvalidField("ids", "required", _("Say which, or that all of them."))
        return attrs


class WishSerializer(serializers.Serializer[Any]):
    """How to be told of one kind."""

    app = serializers.BooleanField(required=False)
    email = serializers.BooleanField(required=False)


class SettingsSerializer(serializers.Serializer[Any]):
    """How the caller wants to be told of each kind."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """One for each kind."""
        return {kind.value: WishSerializer(required=False, help_text=kind.label) for kind in Kind}

    def to_internal_value(self, data: Any) -> dict[str, dict[str, bool]]:
        """The wishes that were sent. A kind there is not is ignored, as an unknown field is in every body."""
        wishes: dict[str, dict[str, bool]] = super().to_internal_value(data)
        for kind in ALWAYS & wishes.keys():
            for way, wanted in wishes[kind].items():
                if not wanted:
                    raise InvalidField(f"{kind}.{way}", "always_on", _("This cannot be turned off."))
        return wishes
