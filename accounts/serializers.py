"""Serializers of accounts."""

import datetime
from contextlib import suppress
from typing import Any, cast

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as DjangoValidationError
from django.utils.translation import get_language, get_supported_language_variant, gettext
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.blocks import Block
from accounts.models import AuthSession, EmailToken, ReviewsOnDeletion, User
from accounts.passwords import normalize_password
from accounts.two_factor.models import RecoveryCode, TOTPDevice
from accounts.validators import (
    EMAIL_LENGTH,
    LANGUAGE_TAGS,
    validate_chosen_username,
    validate_email_key,
    validate_timezone,
)
from core.api.serializers import ModelSerializer, SingleLineField, VisibleTextField
from core.languages import shortest_tag
from core.registry import profile_fields
from core.search.normalize import is_blank, language_tag


class LanguageField(serializers.ChoiceField):
    """A supported language tag, or one with a nearest match as in Accept-Language: `pt` and `pt-PT` become `pt-BR`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=LANGUAGE_TAGS, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, str):
            with suppress(LookupError):
                data = language_tag(get_supported_language_variant(shortest_tag(data)))
        return super().to_internal_value(data)


class PasswordField(serializers.CharField):
    """A password of up to 128 characters, not trimmed. New passwords have at least 8."""

    default_error_messages = {
        "blank": _("Enter at least one visible character."),
    }

    def __init__(self, *, new: bool = False, **kwargs: Any) -> None:
        kwargs |= {"min_length": 8} if new else {}
        style = {"input_type": "password"}
        super().__init__(max_length=128, trim_whitespace=False, write_only=True, style=style, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if isinstance(data, str) and is_blank(data):
            self.fail("blank")
        return super().run_validation(data)

    def run_validators(self, value: Any) -> None:
        """Count the characters of the form that is hashed."""
        super().run_validators(normalize_password(value))


class EmailField(VisibleTextField, serializers.EmailField):
    """An e-mail address whose normalized form fits into the column."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=EMAIL_LENGTH, **kwargs)
        self.validators.append(validate_email_key)


def validate_new_password(password: str, user: User, *, field: str) -> None:
    """Run Django's password validators. Raises ValidationError with their errors on `field`."""
    try:
        validate_password(normalize_password(password), user)
    except DjangoValidationError as error:
        raise serializers.ValidationError({field: serializers.as_serializer_error(error)["non_field_errors"]}) from None


class UserSummarySerializer(ModelSerializer):
    """A user, as shown next to their content."""

    avatar_url = serializers.URLField(read_only=True, allow_null=True)

    class Meta:
        model = User
        fields = ["id", "username", "display_name", "avatar_url"]
        read_only_fields = fields


class NullableUserSummarySerializer(UserSummarySerializer):
    """A user, or a placeholder without id and username if the account has been deleted."""

    id = serializers.IntegerField(read_only=True, allow_null=True)
    username = serializers.CharField(read_only=True, allow_null=True)

    def get_attribute(self, instance: Any) -> User:
        user: User | None = super().get_attribute(instance)
        return user or User(username=cast(str, None), display_name=gettext("Deleted reader"))


class CurrentUserSerializer(ModelSerializer):
    """The account of the authenticated user."""

    display_name = SingleLineField(
        max_length=60, required=False, allow_blank=True, help_text=_("The username is used if this is empty.")
    )
    email = EmailField(read_only=True, allow_blank=True)
    bio = VisibleTextField(max_length=1000, required=False, allow_blank=True)
    language = LanguageField(required=False)
    timezone = VisibleTextField(max_length=64, required=False, validators=[validate_timezone])
    avatar_url = serializers.URLField(read_only=True, allow_null=True)

    class Meta:
        model = User
        fields = [
            "id",
            "username",
            "email",
            "email_verified",
            "display_name",
            "bio",
            "language",
            "timezone",
            "joined_at",
            "is_staff",
            "avatar_url",
        ]
        read_only_fields = ["id", "username", "email", "email_verified", "joined_at", "is_staff"]

    def update(self, instance: User, validated_data: dict[str, Any]) -> User:
        instance.update_profile(**validated_data)
        return instance


class ExportedAccountSerializer(CurrentUserSerializer):
    """The account."""

    class Meta(CurrentUserSerializer.Meta):
        fields = [*CurrentUserSerializer.Meta.fields, "suspended_until", "last_login", "reviews_count"]
        read_only_fields = fields


class ExportedEmailTokenSerializer(serializers.Serializer[EmailToken]):
    """A link that was sent to an address, without the token."""

    purpose = serializers.CharField()
    email = serializers.CharField()
    expires_at = serializers.DateTimeField()


class ExportedSecretsSerializer(serializers.Serializer[User]):
    """Which secrets exist, without their values."""

    second_factor_since = serializers.SerializerMethodField()
    recovery_codes = serializers.SerializerMethodField()
    email_tokens = serializers.SerializerMethodField()

    def get_second_factor_since(self, user: User) -> datetime.datetime | None:
        return TOTPDevice.objects.filter(user=user).values_list("created_at", flat=True).first()

    def get_recovery_codes(self, user: User) -> int:
        return RecoveryCode.objects.filter(device__user=user).count()

    @extend_schema_field(ExportedEmailTokenSerializer(many=True))
    def get_email_tokens(self, user: User) -> list[dict[str, Any]]:
        rows = EmailToken.objects.filter(user=user)
        return [dict(row) for row in rows.values("purpose", "email", "expires_at")]


class UserListSerializer(UserSummarySerializer):
    """A user in lists and search results."""

    class Meta(UserSummarySerializer.Meta):
        fields = [*UserSummarySerializer.Meta.fields, "bio", "joined_at", "reviews_count"]
        read_only_fields = fields


class ClubRefSerializer(serializers.Serializer[Any]):
    """A club."""

    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(read_only=True)


class UserProfileSerializer(UserListSerializer):
    """The public profile of a user."""

    clubs = serializers.SerializerMethodField()

    class Meta(UserListSerializer.Meta):
        fields = [*UserListSerializer.Meta.fields, "clubs"]
        read_only_fields = fields

    @extend_schema_field(ClubRefSerializer(many=True))
    def get_clubs(self, user: User) -> list[dict[str, Any]]:
        """The public clubs of the user."""
        get_clubs = profile_fields.get("clubs")
        return get_clubs(user, self.context["request"].user) if get_clubs else []


class BlockSerializer(ModelSerializer):
    """A user blocked by the authenticated user."""

    user = UserSummarySerializer(source="blocked", read_only=True)

    class Meta:
        model = Block
        fields = ["user", "created_at"]
        read_only_fields = fields


class RegisterSerializer(serializers.Serializer[User]):
    """The data of a new account."""

    username = VisibleTextField(max_length=30, validators=[validate_chosen_username])
    password = PasswordField(new=True)
    email = EmailField(required=False, allow_blank=True)
    display_name = SingleLineField(max_length=60, required=False, allow_blank=True)
    language = LanguageField(required=False, help_text=_("By default that of the request's Accept-Language."))
    timezone = VisibleTextField(max_length=64, required=False, validators=[validate_timezone])
    device = SingleLineField(max_length=100, required=False, allow_blank=True)
    invite = VisibleTextField(
        max_length=200, required=False, allow_blank=True, help_text=_("Code of an invitation to a club.")
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs.setdefault("language", language_tag(get_language() or "en"))
        # Django's validators compare the password with these fields.
        profile = {name: attrs[name] for name in ("username", "email", "display_name") if name in attrs}
        validate_new_password(attrs["password"], User(**profile), field="password")
        return attrs


class LoginSerializer(serializers.Serializer[User]):
    """A username or verified e-mail address, and the password."""

    username = VisibleTextField(max_length=254)
    password = PasswordField()
    device = SingleLineField(max_length=100, required=False, allow_blank=True)


class TokenPairSerializer(serializers.Serializer[Any]):
    """A new pair of access and refresh token."""

    access = serializers.CharField(read_only=True)
    refresh = serializers.CharField(read_only=True)
    expires_in = serializers.IntegerField(read_only=True, help_text=_("Seconds until the access token expires."))
    refresh_expires_in = serializers.IntegerField(
        read_only=True, help_text=_("Seconds until the refresh token expires.")
    )


class NewTokensSerializer(TokenPairSerializer):
    """A new pair of tokens. `access_token` equals `access`, for clients of the older catalog service."""

    access_token = serializers.CharField(source="access", read_only=True)


class LoginResponseSerializer(NewTokensSerializer):
    """The response to a sign-in."""

    user = CurrentUserSerializer(read_only=True)


class RegisterResponseSerializer(NewTokensSerializer, CurrentUserSerializer):
    """The response to a registration: the new account and the tokens of its first session."""

    club = serializers.SerializerMethodField(help_text=_("The club that the user joined by `invite`, or null."))

    class Meta(CurrentUserSerializer.Meta):
        fields = [
            *CurrentUserSerializer.Meta.fields,
            *("access", "refresh", "expires_in", "refresh_expires_in", "access_token", "club"),
        ]

    @extend_schema_field({"oneOf": [{"$ref": "#/components/schemas/ClubSummary"}, {"type": "null"}]})
    def get_club(self, user: User) -> None:
        """Declare the field for the OpenAPI document; the view sets its value."""


class RefreshSerializer(serializers.Serializer[Any]):
    """A refresh token."""

    refresh = VisibleTextField(max_length=4096)


class TokenSerializer(serializers.Serializer[Any]):
    """A token."""

    token = VisibleTextField(max_length=4096)


class SessionSerializer(ModelSerializer):
    """A session of the authenticated user."""

    current = serializers.SerializerMethodField()

    class Meta:
        model = AuthSession
        fields = ["id", "device", "created_at", "last_used_at", "current"]
        read_only_fields = fields

    def get_current(self, session: AuthSession) -> bool:
        """Whether the request was made with this session."""
        current = self.context["request"].auth
        return isinstance(current, AuthSession) and current.pk == session.pk


class PasswordChangeSerializer(serializers.Serializer[Any]):
    """The current and the new password."""

    current_password = PasswordField()
    new_password = PasswordField(new=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        validate_new_password(attrs["new_password"], self.context["request"].user, field="new_password")
        return attrs


class AccountDeletionSerializer(serializers.Serializer[Any]):
    """The password, and what happens to the reviews of the deleted account."""

    password = PasswordField()
    reviews = serializers.ChoiceField(choices=ReviewsOnDeletion.choices, default=ReviewsOnDeletion.ANONYMIZE)


class EmailSerializer(serializers.Serializer[Any]):
    """An e-mail address."""

    email = EmailField()


class EmailChangeSerializer(EmailSerializer):
    """The new e-mail address and the current password."""

    current_password = PasswordField()


class PasswordResetConfirmSerializer(serializers.Serializer[Any]):
    """The token from the password reset e-mail and the new password."""

    token = VisibleTextField(max_length=200)
    new_password = PasswordField(new=True)
