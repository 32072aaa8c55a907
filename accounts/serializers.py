"""The shapes of accounts in the API."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as DjangoValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.blocks import Block
from accounts.models import AuthSession, Leaving, User
from accounts.names import (
    EMAIL_LENGTH,
    LANGUAGE_TAGS,
    validate_chosen_username,
    validate_email_key,
    validate_timezone,
)
from bookbridge.api.errors import InvalidField
from bookbridge.api.serializers import LineField, ModelSerializer, TextField
from bookbridge.api.text import is_blank, language_tag


class LanguageField(serializers.ChoiceField):
    """One of the languages the product speaks, in any case."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=LANGUAGE_TAGS, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        """The tag as it is kept."""
        return super().to_internal_value(language_tag(data) if isinstance(data, str) else data)


class PasswordField(serializers.CharField):
    """A password as it was typed, up to 128 characters; new ones have at least 8."""

    # DRF's own words are wrong in Portuguese: more than 8.
    default_error_messages = {"min_length": _("At least {min_length} characters.")}

    def __init__(self, *, new: bool = False, **kwargs: Any) -> None:
        kwargs |= {"min_length": 8} if new else {}
        style = {"input_type": "password"}
        super().__init__(max_length=128, trim_whitespace=False, write_only=True, style=style, **kwargs)


class EmailField(TextField, serializers.EmailField):
    """An e-mail address that fits."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=EMAIL_LENGTH, **kwargs)
        self.validators.append(validate_email_key)


def check_new_password(password: str, user: User, *, field: str) -> None:
    """Django's validators, their complaints under `field`."""
    if is_blank(password):
        raise InvalidField(field, "blank", _("Enter at least one visible character."))
    try:
        validate_password(password, user)
    except DjangoValidationError as error:
        raise serializers.ValidationError({field: serializers.as_serializer_error(error)["non_field_errors"]}) from None


class PersonSerializer(ModelSerializer):
    """A person as they stand beside something they did."""

    avatar_url = serializers.URLField(read_only=True, allow_null=True)

    class Meta:
        model = User
        fields = ["id", "username", "display_name", "avatar_url"]
        read_only_fields = fields


class PersonOrDeletedSerializer(PersonSerializer):
    """A person who may have deleted their account since: then nothing is left but the words that say so."""

    id = serializers.IntegerField(read_only=True, allow_null=True)
    username = serializers.CharField(read_only=True, allow_null=True)

    def get_attribute(self, instance: Any) -> User:
        """The person, or somebody nameless."""
        deleted = User(username=cast(str, None), display_name=gettext("Deleted reader"))
        return super().get_attribute(instance) or deleted


class OwnUserSerializer(ModelSerializer):
    """One's own account."""

    display_name = LineField(max_length=60, required=False, allow_blank=True, help_text=_("Empty: the username."))
    email = EmailField(read_only=True, allow_blank=True)
    bio = TextField(max_length=1000, required=False, allow_blank=True)
    language = LanguageField(required=False)
    timezone = TextField(max_length=64, required=False, validators=[validate_timezone])
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
        """Write what was sent and nothing else."""
        instance.change_profile(**validated_data)
        return instance


class ProfileListSerializer(PersonSerializer):
    """A reader in a list of search results."""

    class Meta(PersonSerializer.Meta):
        fields = [*PersonSerializer.Meta.fields, "bio", "joined_at", "reviews_count"]
        read_only_fields = fields


# What apps above this one add to a profile: the field's name -> what it shows of a reader to a viewer.
profile_parts: dict[str, Callable[[User, User], Any]] = {}


class ProfileSerializer(ProfileListSerializer):
    """A reader's public profile."""

    clubs = serializers.SerializerMethodField()

    class Meta(ProfileListSerializer.Meta):
        fields = [*ProfileListSerializer.Meta.fields, "clubs"]
        read_only_fields = fields

    def get_clubs(self, user: User) -> list[dict[str, Any]]:
        """The public clubs the reader is in, as the clubs app tells them."""
        part = profile_parts.get("clubs")
        return part(user, self.context["request"].user) if part else []


class BlockSerializer(ModelSerializer):
    """A reader whom the caller has blocked, and since when."""

    user = PersonSerializer(source="blocked", read_only=True)

    class Meta:
        model = Block
        fields = ["user", "created_at"]
        read_only_fields = fields


class RegisterSerializer(serializers.Serializer[User]):
    """What opens an account."""

    username = TextField(max_length=30, validators=[validate_chosen_username])
    password = PasswordField(new=True)
    email = EmailField(required=False, allow_blank=True)
    display_name = LineField(max_length=60, required=False, allow_blank=True)
    language = LanguageField(required=False)
    timezone = TextField(max_length=64, required=False, validators=[validate_timezone])
    device = LineField(max_length=100, required=False, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The password against Django's validators, which look at the other fields too."""
        about = {name: attrs[name] for name in ("username", "email", "display_name") if name in attrs}
        check_new_password(attrs["password"], User(**about), field="password")
        return attrs


class LoginSerializer(serializers.Serializer[User]):
    """A username or verified e-mail address, and the password."""

    username = serializers.CharField(max_length=254)
    password = PasswordField()
    device = LineField(max_length=100, required=False, allow_blank=True)


class PairSerializer(serializers.Serializer[Any]):
    """A new pair of tokens."""

    access = serializers.CharField(read_only=True)
    refresh = serializers.CharField(read_only=True)


class SignedInSerializer(PairSerializer):
    """The answer to a sign-in; `access_token` equals `access`, for clients of the older catalogue service."""

    access_token = serializers.CharField(read_only=True)
    user = OwnUserSerializer(read_only=True)


class RegisteredSerializer(OwnUserSerializer):
    """The answer to a sign-up: the own-user object and the tokens of its first sign-in."""

    access = serializers.CharField(read_only=True)
    refresh = serializers.CharField(read_only=True)
    access_token = serializers.CharField(read_only=True)

    class Meta(OwnUserSerializer.Meta):
        fields = [*OwnUserSerializer.Meta.fields, "access", "refresh", "access_token"]


class RefreshSerializer(serializers.Serializer[Any]):
    """A refresh token."""

    refresh = serializers.CharField(max_length=4096)


class TokenSerializer(serializers.Serializer[Any]):
    """A token."""

    token = serializers.CharField(max_length=4096)


class SessionSerializer(ModelSerializer):
    """One sign-in."""

    current = serializers.SerializerMethodField()

    class Meta:
        model = AuthSession
        fields = ["id", "device", "created_at", "last_used_at", "current"]
        read_only_fields = fields

    def get_current(self, session: AuthSession) -> bool:
        """Whether it is the one this call is made with."""
        current = self.context["request"].auth
        return isinstance(current, AuthSession) and current.pk == session.pk


class PasswordChangeSerializer(serializers.Serializer[Any]):
    """The old password and the new one."""

    current_password = PasswordField()
    new_password = PasswordField(new=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The new one against Django's validators."""
        check_new_password(attrs["new_password"], self.context["request"].user, field="new_password")
        return attrs


class DepartureSerializer(serializers.Serializer[Any]):
    """The password, and what becomes of one's reviews."""

    password = PasswordField()
    reviews = serializers.ChoiceField(choices=Leaving.choices, default=Leaving.ANONYMISE)


class EmailSerializer(serializers.Serializer[Any]):
    """An e-mail address."""

    email = EmailField()


class EmailChangeSerializer(EmailSerializer):
    """A new address, and the password."""

    current_password = PasswordField()


class PasswordResetSerializer(serializers.Serializer[Any]):
    """A mailed token and the new password."""

    token = serializers.CharField(max_length=200)
    new_password = PasswordField(new=True)
