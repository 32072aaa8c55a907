"""Serializers of memberships and invitations."""

import datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.serializers import NullableUserSummarySerializer, UserSummarySerializer
from catalog.serializers import LanguageTagField
from clubs.club.serializers import ClubSummarySerializer
from clubs.members.bulk import MAX_BULK_USERS, BulkAction
from clubs.members.models import MAX_HOURS, MAX_USES, Invitation, Membership
from clubs.roles import DECISIONS, PUBLIC_ROLES, PUBLIC_STATUSES, Role
from core.api.serializers import DateField, IdField, IntegerField, ModelSerializer, VisibleTextField


class MemberSerializer(ModelSerializer):
    """Membership of a user in a club."""

    user = UserSummarySerializer(read_only=True)
    role = serializers.ChoiceField(choices=PUBLIC_ROLES, source="effective_role", read_only=True)
    status = serializers.ChoiceField(choices=PUBLIC_STATUSES, read_only=True)
    joined_at = serializers.DateTimeField(read_only=True, allow_null=True, help_text=_("Null for a join request."))
    paused = serializers.BooleanField(source="is_paused", read_only=True)
    paused_until = serializers.SerializerMethodField(
        help_text=_("Shown to moderators; null if the membership is not paused, or has no day on which the pause ends.")
    )
    last_active_at = serializers.SerializerMethodField(
        help_text=_("Time of the last activity that other members can see. Shown to moderators.")
    )

    class Meta:
        model = Membership
        fields = ["user", "role", "status", "joined_at", "message", "paused", "paused_until", "last_active_at"]
        read_only_fields = ["message"]

    @extend_schema_field({"type": ["string", "null"], "format": "date"})
    def get_paused_until(self, membership: Membership) -> datetime.date | None:
        return membership.pause["until"] if self.context.get("is_moderator") else None

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_last_active_at(self, membership: Membership) -> Any:
        if not self.context.get("is_moderator"):
            return None
        field = serializers.DateTimeField()
        return membership.last_active_at and field.to_representation(membership.last_active_at)


class MemberUpdateSerializer(MemberSerializer):
    """Change of a membership."""

    status = serializers.ChoiceField(choices=DECISIONS, required=False)
    role = serializers.ChoiceField(choices=Role.choices, required=False)

    def to_representation(self, instance: Membership) -> dict[str, Any]:
        return MemberSerializer(instance, context=self.context).data


class OwnMembershipSerializer(MemberSerializer):
    """Membership or join request of the caller."""

    club = ClubSummarySerializer(read_only=True)

    class Meta(MemberSerializer.Meta):
        fields = ["club", "user", "role", "status", "joined_at"]


class PauseSerializer(serializers.Serializer[Any]):
    """The pause of a membership, with nulls if it is not paused."""

    since = serializers.DateTimeField(read_only=True, allow_null=True)
    until = DateField(
        default=None,
        allow_null=True,
        help_text=_("Last day of the pause in the club's time zone, at most a year ahead; null for no end."),
    )


class BulkActionSerializer(serializers.Serializer[Any]):
    """An action on several users."""

    action = serializers.ChoiceField(
        BulkAction.choices,
        help_text=_("`approve` and `refuse` are for join requests, `remove` and `pause` for members."),
    )
    users = serializers.ListField(child=IdField(), min_length=1, max_length=MAX_BULK_USERS)


class RefusedUserSerializer(serializers.Serializer[Any]):
    """A user for whom the action is refused."""

    user = serializers.IntegerField(read_only=True)
    code = serializers.CharField(
        read_only=True, help_text=_("The error code of the single action; `not_found` for an unknown user.")
    )


class BulkResultSerializer(serializers.Serializer[Any]):
    """The result of an action on several users."""

    done = serializers.ListField(child=serializers.IntegerField(), read_only=True)
    refused = RefusedUserSerializer(many=True, read_only=True)


class InvitationSerializer(ModelSerializer):
    """An invitation without its code."""

    created_by = UserSummarySerializer(read_only=True, allow_null=True)

    class Meta:
        model = Invitation
        fields = ["id", "created_by", "created_at", "expires_at", "max_uses", "uses"]
        read_only_fields = ["created_at", "expires_at", "uses"]


class InvitationCreateSerializer(InvitationSerializer):
    """A new invitation. Its code is returned only once."""

    expires_in_hours = IntegerField(min_value=1, max_value=MAX_HOURS, default=168, write_only=True)
    max_uses = IntegerField(
        min_value=1,
        max_value=MAX_USES,
        default=None,
        allow_null=True,
        help_text=_("Null for no limit other than the member limit of the club."),
    )
    code = serializers.CharField(read_only=True)
    url = serializers.SerializerMethodField()

    class Meta(InvitationSerializer.Meta):
        fields = [*InvitationSerializer.Meta.fields, "expires_in_hours", "code", "url"]

    def get_url(self, invitation: Invitation) -> str:
        return f"{settings.APP_URL}/invite?code={invitation.code}"  # type: ignore[attr-defined]  # set on creation


class InvitationAcceptSerializer(serializers.Serializer[Any]):
    """Code of an invitation."""

    code = VisibleTextField(max_length=200)


class InvitedClubSerializer(ClubSummarySerializer):
    """A club as shown in an invitation."""

    language = LanguageTagField(read_only=True, allow_blank=True)
    cover_url = serializers.URLField(read_only=True, allow_null=True)

    class Meta(ClubSummarySerializer.Meta):
        fields = ["id", "name", "description", "cover_url", "language", "members_count"]
        read_only_fields = fields


class InvitationPreviewSerializer(ModelSerializer):
    """An invitation as shown before it is accepted."""

    club = InvitedClubSerializer(read_only=True)
    invited_by = NullableUserSummarySerializer(source="created_by", read_only=True)
    full = serializers.BooleanField(
        source="club.is_full", read_only=True, help_text=_("Whether the club has no room for another member.")
    )

    class Meta:
        model = Invitation
        fields = ["club", "invited_by", "expires_at", "full"]
        read_only_fields = ["expires_at"]
