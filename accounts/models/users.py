"""Users."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotAuthenticated

from accounts.events import emit
from accounts.models.email_tokens import EmailToken, EmailTokenPurpose
from accounts.models.sessions import AuthSession
from accounts.passwords import normalize_password, password_forms
from accounts.querysets import UserManager
from accounts.validators import EMAIL_LENGTH, LANGUAGE_TAGS, validate_email_key, validate_timezone, validate_username
from core.api.exceptions import PermissionDeniedProblem
from core.counters import counters
from core.counters.versions import bump_versions
from core.db.fields import BinaryCollationCharField
from core.db.transactions import atomic_with_retry
from core.images import storage
from core.search.fields import SearchField, build_search_text
from core.search.normalize import normalize_identifier

# The folder of the avatars in the media storage.
AVATAR_FOLDER = "avatars"
# The cache version of every response that contains user profiles.
USERS_VERSION = "user list"  # not "users", which counts the accounts
# The fields that `UserSummarySerializer` reads.
USER_SUMMARY = ("username", "display_name", "avatar")
# The fields that `User.update_derived_fields` sets.
DERIVED_FIELDS = ("display_name", "username_key", "email_key", "search_text")


class PasswordChangedError(Exception):
    """The password has changed since the user was loaded."""


class ReviewsOnDeletion(models.TextChoices):
    """What happens to the reviews of a deleted account."""

    ANONYMIZE = "anonymise", _("keep them without an author")
    DELETE = "delete", _("delete them")


class User(AbstractBaseUser, PermissionsMixin):
    """A user. `is_staff` gives access to the admin only; it has no effect in the API."""

    username = models.CharField(max_length=30, unique=True, validators=[validate_username], verbose_name=_("username"))
    username_key = BinaryCollationCharField(
        max_length=30, unique=True, editable=False, help_text=_("The username, normalized for comparison.")
    )
    display_name = models.CharField(max_length=60, blank=True, verbose_name=_("display name"))
    bio = models.TextField(max_length=1000, blank=True, verbose_name=_("bio"))
    avatar = BinaryCollationCharField(max_length=storage.NAME_LENGTH, blank=True, default="", editable=False)
    email = models.EmailField(max_length=EMAIL_LENGTH, blank=True, verbose_name=_("email"))
    email_key = BinaryCollationCharField(
        max_length=EMAIL_LENGTH,
        blank=True,
        editable=False,
        help_text=_("The e-mail address, normalized for comparison."),
    )
    email_verified = models.BooleanField(default=False, verbose_name=_("email verified"))
    # Several users may enter the same address, but only one may verify it: unverified ones are NULL, and NULLs are not
    # compared by a unique index.
    verified_email_key = models.GeneratedField(
        expression=models.Case(
            models.When(Q(email_verified=True) & ~Q(email_key=""), then=models.F("email_key")), default=None
        ),
        output_field=BinaryCollationCharField(max_length=EMAIL_LENGTH, null=True),
        max_length=EMAIL_LENGTH,  # required by Django's system check
        db_persist=True,
        unique=True,
    )
    language = models.CharField(
        max_length=10, default="en", choices=[(tag, tag) for tag in LANGUAGE_TAGS], verbose_name=_("language")
    )
    timezone = models.CharField(
        max_length=64, default="UTC", validators=[validate_timezone], verbose_name=_("timezone")
    )
    joined_at = models.DateTimeField(default=now, editable=False, verbose_name=_("joined at"))
    is_staff = models.BooleanField(default=False, verbose_name=_("is staff"))
    is_active = models.BooleanField(default=True, verbose_name=_("is active"))
    suspended_until = models.DateTimeField(null=True, blank=True, verbose_name=_("suspended until"))
    search_text = SearchField(default="", editable=False)
    reviews_count = models.PositiveIntegerField(default=0, editable=False, verbose_name=_("number of reviews"))
    reviews_on_deletion = models.CharField(
        max_length=10,
        choices=ReviewsOnDeletion.choices,
        blank=True,
        editable=False,
        help_text=_("Set while the account is being deleted."),
    )

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        permissions = [("appoint_staff", _("Can manage staff roles and permissions"))]
        indexes = [models.Index(fields=["email_key"]), models.Index(fields=["joined_at"])]

    def __str__(self) -> str:
        return self.username

    def clean(self) -> None:
        """Set the derived fields and validate their unique keys, which the admin form does not contain."""
        super().clean()
        if not self.username:
            return  # already reported by the field
        validate_email_key(self.email)
        self.update_derived_fields()
        others = User.objects.exclude(pk=self.pk)
        if others.filter(username_key=self.username_key).exists():
            raise ValidationError({"username": ValidationError(_("This name is taken."), "unique")})
        if self.email_verified and self.email_key and others.with_verified_email(self.email).exists():
            raise ValidationError({"email": ValidationError(_("Another account uses this address."), "unique")})

    def update_derived_fields(self) -> None:
        """Set the fields that are derived from the names and the e-mail address."""
        self.display_name = self.display_name or self.username
        self.username_key, self.email_key = normalize_identifier(self.username), normalize_identifier(self.email)
        self.search_text = build_search_text([self.username, self.display_name])

    @property
    def avatar_url(self) -> str | None:
        """The URL of the avatar, or None."""
        return storage.image_url(self.avatar)

    @property
    def summary(self) -> dict[str, Any]:
        """The user as included in error responses, in the shape of `UserSummarySerializer`."""
        names = ("username", "display_name", "avatar_url")
        return {"id": self.pk} | {name: getattr(self, name) for name in names}

    def can_manage(self, other: User) -> bool:
        """Return whether this staff user may change the account of `other`.

        Staff accounts require the permission `appoint_staff` and superusers require a superuser. Otherwise support
        staff could take over an administrator's account by resetting its password.
        """
        if self.is_superuser or self.pk == other.pk:
            return True
        return not other.is_superuser and (not other.is_staff or self.has_perm("accounts.appoint_staff"))

    @property
    def is_suspended(self) -> bool:
        """Whether the account is suspended now."""
        return self.suspended_until is not None and self.suspended_until > now()

    @property
    def can_sign_in(self) -> bool:
        """Whether tokens of this account are accepted now."""
        return self.is_active and not self.is_suspended

    @atomic_with_retry
    def update_profile(self, **fields: Any) -> None:
        """Update the profile: `display_name`, `bio`, `language` or `timezone`.

        Raises NotAuthenticated if the account has been deleted in the meantime.
        """
        for name, value in fields.items():
            setattr(self, name, value)
        self.update_derived_fields()
        self._update_fields([*fields, "search_text"] if "display_name" in fields else fields)
        if "display_name" in fields:
            bump_versions(USERS_VERSION)
        if fields:
            emit("profile.changed", self.pk)

    @atomic_with_retry
    def set_avatar(self, name: str) -> None:
        """Set the avatar to the stored image `name`, or remove it (""), and discard the previous one.

        Raises NotAuthenticated if the account has been deleted in the meantime.
        """
        locked = User.objects.select_for_update().active().filter(pk=self.pk).values_list("avatar", flat=True)
        previous = locked.first()
        if previous is None:
            raise NotAuthenticated
        self.avatar = name
        self._update_fields(["avatar"])
        storage.delete_on_commit(previous)
        bump_versions(USERS_VERSION)
        if previous or name:
            emit("profile.changed", self.pk)

    def _update_fields(self, columns: Iterable[str]) -> None:
        """Save only these fields. Unlike `save`, raises NotAuthenticated if the row has been deleted."""
        values = {name: getattr(self, name) for name in columns}
        if values and not User.objects.filter(pk=self.pk).update(**values):
            raise NotAuthenticated

    def update_user_count(self, change: int) -> None:
        """Adjust the user counters by 1 or -1, in the transaction that activates or deactivates the account."""
        counters.increment({"users": change, counters.monthly_key("users", self.joined_at): change})

    @atomic_with_retry
    def suspend(self, until: datetime.datetime | None, *, by: User | None) -> None:
        """Suspend the account until the given time and revoke its sessions, or lift the suspension (None).

        Raises PermissionDeniedProblem `staff_account` if `by` may not manage the account.
        """
        if by is not None and not by.can_manage(self):
            raise PermissionDeniedProblem("staff_account", _("Only administrators may change staff accounts."))
        self.suspended_until = until
        self.save(update_fields=["suspended_until"])
        if until is not None:
            AuthSession.objects.filter(user=self).revoke()
        emit("account.suspended" if until else "account.reinstated", self.pk, actor=by.pk if by else None)

    def lock(self, *, password_hash: str) -> None:
        """Lock the row. Raises PasswordChangedError unless the stored hash is still `password_hash`."""
        unchanged = User.objects.select_for_update().filter(pk=self.pk, password=password_hash)
        if not unchanged.values_list("pk").first():
            raise PasswordChangedError

    def set_password(self, raw_password: str | None) -> None:
        """Normalize the password, then hash it."""
        super().set_password(raw_password and normalize_password(raw_password))

    def check_password(self, raw_password: str | None) -> bool:
        """Return whether the password is correct: normalized or, for older hashes, as it was sent.

        An older hash is replaced, so that the password is correct in all its forms from now on.
        """
        normal, *others = password_forms(raw_password or "")
        if super().check_password(normal):
            return True
        if not any(map(super().check_password, others)):
            return False
        old_hash = self.password
        self.set_password(normal)
        self._password = None
        type(self).objects.filter(pk=self.pk, password=old_hash).update(password=self.password)
        return True

    def change_password(
        self, password: str, *, keep: AuthSession | None = None, verb: str = "password.changed"
    ) -> None:
        """Set a new password as `save_password` does."""
        self.set_password(password)
        self.save_password(keep=keep, verb=verb)

    @atomic_with_retry
    def save_password(
        self, *, keep: AuthSession | None = None, verb: str = "password.changed", expected_password: str | None = None
    ) -> None:
        """Save the password, revoke every session but `keep`, and delete the e-mail tokens that could undo the change.

        Raises PasswordChangedError if the stored hash is not `expected_password`.
        """
        if expected_password is not None:
            self.lock(password_hash=expected_password)
        self.save(update_fields=["password"])
        emit(verb, self.pk)
        AuthSession.objects.filter(user=self).exclude(pk=keep.pk if keep else 0).revoke()
        EmailToken.objects.filter(user=self).exclude(purpose=EmailTokenPurpose.VERIFY).delete()
