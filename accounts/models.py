"""Users, their sessions and the tokens sent to them by e-mail."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotAuthenticated

from accounts.blocks import Block, not_blocked
from accounts.events import emit
from accounts.validators import EMAIL_LENGTH, LANGUAGE_TAGS, validate_email_key, validate_timezone, validate_username
from core.api.exceptions import Conflict, PermissionDeniedProblem
from core.counters import counters
from core.counters.versions import bump_versions
from core.db.fields import BinaryCollationCharField
from core.db.transactions import atomic_with_retry, conflict_on_integrity_error
from core.images import storage
from core.search.fields import SearchField, build_search_text, query_terms
from core.search.normalize import normalize_identifier

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


# The folder of the avatars in the media storage.
AVATAR_FOLDER = "avatars"
# The cache version of every response that contains user profiles.
USERS_VERSION = "people"
# The fields that `User.update_derived_fields` sets.
DERIVED_FIELDS = ("display_name", "username_key", "email_key", "search_text")


class UserQuerySet(models.QuerySet["User"]):
    """Queries on users."""

    def visible_to(self, viewer: User | AnonymousUser) -> UserQuerySet:
        """Return the active users, except those who have blocked `viewer` or are blocked by them."""
        return self.open().filter(not_blocked(viewer, "pk"))

    def open(self) -> UserQuerySet:
        """Return the users whose account is active."""
        return self.filter(is_active=True)

    def visible_or_blocked_by(self, viewer: User | AnonymousUser) -> UserQuerySet:
        """Return the users visible to `viewer` and those that `viewer` has blocked."""
        blocked_by_viewer = Block.objects.filter(blocker=viewer.pk, blocked=models.OuterRef("pk"))
        return self.open().filter(not_blocked(viewer, "pk") | Q(models.Exists(blocked_by_viewer)))

    def avatar_names(self, ids: Collection[int], names: Collection[str]) -> set[str]:
        """Return the image names of the avatars of the users with these `ids`."""
        return set(self.filter(pk__in=ids).exclude(avatar="").values_list("avatar", flat=True))

    def search(self, text: str) -> UserQuerySet:
        """Return the users whose username or display name has a word starting with each word of `text`.

        Case and accents are ignored.
        """
        terms = query_terms(text)
        return self.filter(search_text__words=terms) if terms else self.none()

    def by_username(self, username: str) -> UserQuerySet:
        """Return the user with that username, ignoring case; at most one."""
        return self.filter(username_key=normalize_identifier(username))

    def with_verified_email(self, email: str) -> UserQuerySet:
        """Return the user who has verified the e-mail address; at most one."""
        return self.filter(verified_email_key=normalize_identifier(email))


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Creates users."""

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> User:
        """Create a user. Raises Conflict `username_taken`, also when two requests race for the name."""
        user: User = self.model(username=username, **fields)
        user.set_password(password)
        user.update_derived_fields()
        with conflict_on_integrity_error(Conflict("username_taken", _("This name is taken."))):
            user.save(using=self._db, force_insert=True)
            # Checked after the insert, because account deletion adds the name in the transaction that frees it.
            if RetiredUsername.objects.filter(username_key=user.username_key).exists():
                raise IntegrityError("username of a deleted account")
            user.update_user_count(+1)
        return user

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> User:
        """Create a superuser (`manage.py createsuperuser`)."""
        validate_username(username)
        return self.create_user(username, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        """Return the user who signs in to the admin with this username, ignoring case."""
        user: User = self.by_username(username or "").get()
        return user


class PasswordChangedError(Exception):
    """The password has changed since the user was loaded."""


class ReviewsOnDeletion(models.TextChoices):
    """What happens to the reviews of a deleted account."""

    ANONYMISE = "anonymise", _("keep them without an author")
    DELETE = "delete", _("delete them")


class RetiredUsername(models.Model):
    """The username of a deleted account. It is never reused, so that nobody can impersonate the former user."""

    username_key = BinaryCollationCharField(max_length=30, unique=True)

    def __str__(self) -> str:
        return self.username_key


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
    reviews_count = models.PositiveIntegerField(default=0, editable=False, verbose_name=_("reviews count"))
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
        verbose_name = _("reader")
        verbose_name_plural = _("readers")
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
        """Return the URL of the avatar, or None."""
        return storage.image_url(self.avatar)

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
        """Return whether the account is suspended now."""
        return self.suspended_until is not None and self.suspended_until > now()

    @property
    def can_sign_in(self) -> bool:
        """Return whether tokens of this account are accepted now."""
        return self.is_active and not self.is_suspended

    def update_profile(self, **fields: Any) -> None:
        """Update the profile: `display_name`, `bio`, `language` or `timezone`.

        Raises NotAuthenticated if the account has been deleted in the meantime.
        """
        for name, value in fields.items():
            setattr(self, name, value)
        self.update_derived_fields()
        with transaction.atomic():
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
        locked = User.objects.select_for_update().open().filter(pk=self.pk).values_list("avatar", flat=True)
        before = locked.first()
        if before is None:
            raise NotAuthenticated
        self.avatar = name
        self._update_fields(["avatar"])
        storage.delete_on_commit(before)
        bump_versions(USERS_VERSION)
        if before or name:
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

        Raises Forbidden `staff_account` if `by` may not manage the account.
        """
        if by is not None and not by.can_manage(self):
            raise PermissionDeniedProblem("staff_account", _("Only administrators may change staff accounts."))
        self.suspended_until = until
        self.save(update_fields=["suspended_until"])
        if until is not None:
            AuthSession.objects.filter(user=self).revoke()
        emit("account.suspended" if until else "account.reinstated", self.pk, actor=by.pk if by else None)

    def lock(self, *, password: str) -> None:
        """Lock the row. Raises PasswordChangedError unless `password` is the stored hash."""
        unchanged = User.objects.select_for_update().filter(pk=self.pk, password=password)
        if not unchanged.values_list("pk").first():
            raise PasswordChangedError

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
            self.lock(password=expected_password)
        self.save(update_fields=["password"])
        emit(verb, self.pk)
        AuthSession.objects.filter(user=self).exclude(pk=keep.pk if keep else 0).revoke()
        EmailToken.objects.filter(user=self).exclude(purpose=EmailTokenPurpose.VERIFY).delete()


class AuthSessionQuerySet(models.QuerySet["AuthSession"]):
    """Queries on sessions."""

    def active(self) -> AuthSessionQuerySet:
        """Return the sessions whose tokens are accepted."""
        return self.filter(ended_at=None, expires_at__gt=now())

    def revoke(self) -> int:
        """Revoke the sessions, from the next request on. Returns their number."""
        return self.filter(ended_at=None).update(ended_at=now(), grace_token_pair="")

    def expired(self) -> AuthSessionQuerySet:
        """Return the sessions that ended more than 30 days ago. Newer ones are kept to detect stolen tokens."""
        long_ago = now() - datetime.timedelta(days=30)
        return self.filter(Q(ended_at__lt=long_ago) | Q(expires_at__lt=long_ago))


class AuthSession(models.Model):
    """A signed-in device: a family of refresh tokens, of which only the newest is valid (RFC 9700, 4.14).

    `jti` is the id of the newest token. Refreshing updates the row, so the table does not grow with refreshes.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="sessions", verbose_name=_("user"))
    device = models.CharField(max_length=100, blank=True, verbose_name=_("device"))
    created_at = models.DateTimeField(default=now, verbose_name=_("created at"))
    last_used_at = models.DateTimeField(default=now, verbose_name=_("last used at"))
    expires_at = models.DateTimeField(verbose_name=_("expires at"))
    ended_at = models.DateTimeField(null=True, blank=True, verbose_name=_("ended at"))
    jti = BinaryCollationCharField(max_length=32)
    previous_jti = BinaryCollationCharField(max_length=32, blank=True)
    rotated_at = models.DateTimeField(null=True, blank=True)
    grace_token_pair = models.TextField(
        blank=True, help_text=_("The newest token pair, encrypted, for repeated requests.")
    )

    objects = AuthSessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("sign-in")
        verbose_name_plural = _("sign-ins")
        indexes = [models.Index(fields=["expires_at"]), models.Index(fields=["ended_at"])]

    def __str__(self) -> str:
        return self.device or f"#{self.pk}"

    @property
    def is_active(self) -> bool:
        """Return whether tokens of this session are accepted."""
        return self.ended_at is None and self.expires_at > now()


def new_jti() -> str:
    """Return a token id with 122 random bits."""
    return uuid.uuid4().hex


class EmailTokenPurpose(models.TextChoices):
    """The purpose of a token sent by e-mail."""

    VERIFY = "verify", _("verify an e-mail address")
    CHANGE = "change", _("change the e-mail address")
    RESET = "reset", _("set a new password")


class EmailToken(models.Model):
    """A token sent by e-mail. It is valid once, for a limited time, and only until a newer one replaces it.

    Only its SHA-256 is stored, so that a leaked table contains no usable token.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("user"))
    purpose = models.CharField(max_length=10, choices=EmailTokenPurpose.choices)
    email = models.EmailField(max_length=EMAIL_LENGTH, verbose_name=_("email"))
    digest = BinaryCollationCharField(max_length=64, unique=True)
    expires_at = models.DateTimeField(db_index=True, verbose_name=_("expires at"))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "purpose"], name="mailtoken_newest_only")]

    def __str__(self) -> str:
        return f"{self.purpose} ({self.user_id})"

    @property
    def is_superseded(self) -> bool:
        """Return whether the user has changed their e-mail address since the token was sent."""
        return self.purpose != EmailTokenPurpose.CHANGE and self.email != self.user.email


from accounts.two_factor.models import RecoveryCode, TOTPDevice  # noqa: E402, F401  (Django loads models from here)
