"""Serializers of clubs."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.serializers import UserSummarySerializer
from accounts.validators import validate_timezone
from catalog.serializers import LanguageTagField
from clubs.club.choices import JoinPolicy, Visibility
from clubs.club.models import MAX_MEMBERS, MIN_MEMBERS, Club
from clubs.reading.serializers import CurrentEntrySerializer
from clubs.roles import PUBLIC_ROLES, PUBLIC_STATUSES
from core.api.serializers import IdField, IntegerField, ModelSerializer, SingleLineField, VisibleTextField
from core.registry import club_fields


class ClubSummarySerializer(ModelSerializer):
    """Id and name of a club."""

    class Meta:
        model = Club
        fields = ["id", "name"]
        read_only_fields = fields


class ClubSerializer(ClubSummarySerializer):
    """A club."""

    name = SingleLineField(max_length=100)
    description = VisibleTextField(max_length=2000, required=False, allow_blank=True)
    visibility = serializers.ChoiceField(choices=Visibility.choices, required=False)
    join_policy = serializers.ChoiceField(
        choices=JoinPolicy.choices, required=False, help_text=_("Always `invite` for private clubs.")
    )
    member_limit = IntegerField(
        min_value=MIN_MEMBERS,
        max_value=MAX_MEMBERS,
        required=False,
        allow_null=True,
        help_text=_("Maximum number of members, including the owner; null for no limit."),
    )
    language = LanguageTagField(required=False, allow_blank=True)
    timezone = VisibleTextField(max_length=64, required=False, validators=[validate_timezone])
    cover_url = serializers.URLField(read_only=True, allow_null=True)
    owner = UserSummarySerializer(read_only=True)
    current_entry = serializers.SerializerMethodField()
    my_role = serializers.ChoiceField(choices=PUBLIC_ROLES, read_only=True, allow_null=True)
    my_status = serializers.ChoiceField(choices=PUBLIC_STATUSES, read_only=True, allow_null=True)

    class Meta:
        model = Club
        fields = [
            *("id", "name", "description", "visibility", "join_policy", "member_limit", "language", "timezone"),
            *(
                "cover_url",
                "owner",
                "members_count",
                "current_entry",
                "next_meeting",
                "my_role",
                "my_status",
                "created_at",
            ),
        ]
        read_only_fields = ["members_count", "created_at"]

    def build_unknown_field(self, field_name: str, model_class: type[Any]) -> Any:
        """Build a field that another app has registered in `club_fields`."""
        if field_name in club_fields:
            return club_fields[field_name], {}
        return super().build_unknown_field(field_name, model_class)

    @extend_schema_field(CurrentEntrySerializer(allow_null=True))
    def get_current_entry(self, club: Club) -> dict[str, Any] | None:
        entries = club.current_entries  # type: ignore[attr-defined]
        return next((CurrentEntrySerializer(entry).data for entry in entries), None)


class TransferSerializer(serializers.Serializer[Any]):
    """The new owner of a club."""

    user = IdField(help_text=_("User id of an active member."))


class JoinSerializer(serializers.Serializer[Any]):
    """A request to join a club."""

    message = VisibleTextField(
        max_length=500,
        required=False,
        allow_blank=True,
        help_text=_("Message to the moderators, if the club has to approve the request."),
    )
