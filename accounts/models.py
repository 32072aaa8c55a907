"""Readers and their sign-ins."""

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

from accounts.blocks import Block, unblocked
from accounts.happenings import happened
from accounts.names import EMAIL_LENGTH, LANGUAGE_TAGS, validate_email_key, validate_timezone, validate_username
from bookbridge.api import counters, pictures
from bookbridge.api.errors import Conflict, Forbidden
from bookbridge.api.fields import KeyField
from bookbridge.api.search import SearchField, index_text, query_terms
from bookbridge.api.text import identifier_key
from bookbridge.api.transactions import conflict_as, retrying_atomic

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


# Where the readers' pictures are.
AVATARS = "avatars"
# The generation of whatever shows people.
PEOPLE = "people"
# The columns that `User.derive_columns` sets.
DERIVED = ("display_name", "username_key", "email_key", "search_text")


class UserQuerySet(models.QuerySet["User"]):
    """Rules about many readers."""

    def visible_to(self, viewer: User | AnonymousUser) -> UserQuerySet:
        """The readers whose profile `viewer` may see: everybody whose account is open, unless one blocks the other."""
        return self.open().filter(unblocked(viewer, "pk"))

    def open(self) -> UserQuerySet:
        """Those whose account is open."""
        return self.filter(is_active=True)

    def known_to(self, viewer: User | AnonymousUser) -> UserQuerySet:
        """Those of whom `viewer` may know: the visible ones, and whom they have blocked themselves."""
        own = Block.objects.filter(blocker=viewer.pk, blocked=models.OuterRef("pk"))
        return self.open().filter(unblocked(viewer, "pk") | Q(models.Exists(own)))

    def avatars(self, ids: Collection[int], names: Collection[str]) -> set[str]:
        """The names of these readers' pictures."""
        return set(self.filter(pk__in=ids).exclude(avatar="").values_list("avatar", flat=True))

    def search(self, text: str) -> UserQuerySet:
        """Readers in whose username or display name each word of `text` begins a word, without case or accents."""
        wanted = query_terms(text)
        return self.filter(search_text__words=wanted) if wanted else self.none()

    def named(self, username: str) -> UserQuerySet:
        """The reader of that name, in any case; at most one."""
        return self.filter(username_key=identifier_key(username))

    def with_verified_email(self, email: str) -> UserQuerySet:
        """The reader who has shown that the address is theirs; at most one."""
        return self.filter(verified_email_key=identifier_key(email))


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Makes accounts; the queries are UserQuerySet's."""

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> User:
        """Open an account. Raises Conflict `username_taken`, also when two ask for the name at once."""
        user: User = self.model(username=username, **fields)
        user.set_password(password)
        user.derive_columns()
        with conflict_as(Conflict("username_taken", _("This name is taken."))):
            user.save(using=self._db, force_insert=True)
            # After the insert: an account that goes leaves its name here in the same transaction.
            if RetiredName.objects.filter(username_key=user.username_key).exists():
                raise IntegrityError("the name of a deleted account")
            user.count(+1)
        return user

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> User:
        """Open an account that may do everything in the admin (`manage.py createsuperuser`)."""
        validate_username(username)
        return self.create_user(username, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        """The account that signs in to the admin under this name."""
        user: User = self.named(username or "").get()
        return user


class PasswordMovedError(Exception):
    """The account's password is not what it was when the account was read."""


class Leaving(models.TextChoices):
    """What becomes of the reviews of a reader whose account goes."""

    ANONYMISE = "anonymise", _("stay without their author")
    DELETE = "delete", _("go too")


class RetiredName(models.Model):
    """The name of a deleted account, which is not given again: it would pass for its first bearer."""

    username_key = KeyField(max_length=30, unique=True)

    def __str__(self) -> str:
        return self.username_key


class User(AbstractBaseUser, PermissionsMixin):
    """A reader. `is_staff` opens the admin and nothing in the API."""

    username = models.CharField(max_length=30, unique=True, validators=[validate_username])
    username_key = KeyField(max_length=30, unique=True, editable=False, help_text=_("The name without case."))
    display_name = models.CharField(max_length=60, blank=True)
    bio = models.TextField(max_length=1000, blank=True)
    avatar = KeyField(max_length=pictures.NAME_LENGTH, blank=True, default="", editable=False)
    email = models.EmailField(max_length=EMAIL_LENGTH, blank=True)
    email_key = KeyField(max_length=EMAIL_LENGTH, blank=True, editable=False, help_text=_("The address without case."))
    email_verified = models.BooleanField(default=False)
    # Several may claim an address and one may have it: null for every claim, and NULLs do not clash.
    verified_email_key = models.GeneratedField(
        expression=models.Case(
            models.When(Q(email_verified=True) & ~Q(email_key=""), then=models.F("email_key")), default=None
        ),
        output_field=KeyField(max_length=EMAIL_LENGTH, null=True),
        max_length=EMAIL_LENGTH,  # Django's check looks for it here
        db_persist=True,
        unique=True,
    )
    language = models.CharField(max_length=10, default="en", choices=[(tag, tag) for tag in LANGUAGE_TAGS])
    timezone = models.CharField(max_length=64, default="UTC", validators=[validate_timezone])
    joined_at = models.DateTimeField(default=now, editable=False)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    suspended_until = models.DateTimeField(null=True, blank=True)
    search_text = SearchField(default="", editable=False)
    reviews_count = models.PositiveIntegerField(default=0, editable=False)
    leaving = models.CharField(
        max_length=10, choices=Leaving.choices, blank=True, editable=False, help_text=_("Set while the account goes.")
    )

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("reader")
        verbose_name_plural = _("readers")
        permissions = [("appoint_staff", _("Can give roles and rights of staff"))]
        indexes = [models.Index(fields=["email_key"]), models.Index(fields=["joined_at"])]

    def __str__(self) -> str:
        return self.username

    def clean(self) -> None:
        """For forms (the admin): set the derived columns, and say kindly what their unique keys would refuse."""
        super().clean()
        if not self.username:
            return  # its own field has said so already
        validate_email_key(self.email)
        self.derive_columns()
        others = User.objects.exclude(pk=self.pk)
        if others.filter(username_key=self.username_key).exists():
            raise ValidationError({"username": ValidationError(_("This name is taken."), "unique")})
        if self.email_verified and self.email_key and others.with_verified_email(self.email).exists():
            raise ValidationError({"email": ValidationError(_("Another account has this address."), "unique")})

    def derive_columns(self) -> None:
        """Set the columns that are made from the names and the address."""
        self.display_name = self.display_name or self.username
        self.username_key, self.email_key = identifier_key(self.username), identifier_key(self.email)
        self.search_text = index_text([self.username, self.display_name])

    @property
    def avatar_url(self) -> str | None:
        """Where the picture is, if there is one."""
        return pictures.url_of(self.avatar)

    def may_manage(self, other: User) -> bool:
        """Whether this member of the staff may act on another's account: on staff's only who appoints them.

        Else whoever may help readers could give an administrator another password. On superusers only superusers.
        """
        if self.is_superuser or self.pk == other.pk:
            return True
        return not other.is_superuser and (not other.is_staff or self.has_perm("accounts.appoint_staff"))

    @property
    def is_suspended(self) -> bool:
        """Whether staff have shut the reader out at this moment."""
        return self.suspended_until is not None and self.suspended_until > now()

    @property
    def may_sign_in(self) -> bool:
        """Whether tokens of this account are accepted now."""
        return self.is_active and not self.is_suspended

    def change_profile(self, **fields: Any) -> None:
        """Set what readers say of themselves: display_name, bio, language, timezone.

        Raises NotAuthenticated where the account went at the same moment.
        """
        for name, value in fields.items():
            setattr(self, name, value)
        self.derive_columns()
        with transaction.atomic():
            self._write([*fields, "search_text"] if "display_name" in fields else fields)
            if "display_name" in fields:
                counters.moved(PEOPLE)
            if fields:
                happened("profile.changed", self.pk)

    @retrying_atomic
    def change_avatar(self, name: str) -> None:
        """Show the picture of this name, or none (""); the one before goes.

        Raises NotAuthenticated where the account went at the same moment.
        """
        held = User.objects.select_for_update().open().filter(pk=self.pk).values_list("avatar", flat=True)
        before = held.first()
        if before is None:
            raise NotAuthenticated
        self.avatar = name
        self._write(["avatar"])
        pictures.discard(before)
        counters.moved(PEOPLE)
        if before or name:
            happened("profile.changed", self.pk)

    def _write(self, columns: Iterable[str]) -> None:
        """Write these columns and no others. `save` would raise a bare DatabaseError where the row is gone."""
        values = {name: getattr(self, name) for name in columns}
        if values and not User.objects.filter(pk=self.pk).update(**values):
            raise NotAuthenticated

    def count(self, change: int) -> None:
        """Count an account that is opened (1) or shut (-1), in the transaction of that."""
        counters.add({"users": change, counters.month("users", self.joined_at): change})

    @retrying_atomic
    def suspend(self, until: datetime.datetime | None, *, by: User | None) -> None:
        """Shut the reader out until a moment, their sign-ins ended at once; None lets them in again.

        Raises Forbidden `staff_account` to whoever may not act on it.
        """
        if by is not None and not by.may_manage(self):
            raise Forbidden("staff_account", _("This is an account of the staff; administrators see to it."))
        self.suspended_until = until
        self.save(update_fields=["suspended_until"])
        if until is not None:
            AuthSession.objects.filter(user=self).end()
        happened("account.suspended" if until else "account.reinstated", self.pk, actor=by.pk if by else None)

    def hold(self, *, password: str) -> None:
        """Lock the account until the transaction ends. Raises PasswordMovedError where its password is another one."""
        unchanged = User.objects.select_for_update().filter(pk=self.pk, password=password)
        if not unchanged.values_list("pk").first():
            raise PasswordMovedError

    def change_password(
        self, password: str, *, keep: AuthSession | None = None, verb: str = "password.changed"
    ) -> None:
        """Set a new password; see `save_password`."""
        self.set_password(password)
        self.save_password(keep=keep, verb=verb)

    @retrying_atomic
    def save_password(
        self, *, keep: AuthSession | None = None, verb: str = "password.changed", instead_of: str | None = None
    ) -> None:
        """Write the password, end every sign-in but `keep`, and void the mailed links that could undo it.

        Raises PasswordMovedError where the one before is not `instead_of`.
        """
        if instead_of is not None:
            self.hold(password=instead_of)
        self.save(update_fields=["password"])
        happened(verb, self.pk)
        AuthSession.objects.filter(user=self).exclude(pk=keep.pk if keep else 0).end()
        MailToken.objects.filter(user=self).exclude(purpose=MailTokenPurpose.VERIFY).delete()


class AuthSessionQuerySet(models.QuerySet["AuthSession"]):
    """Rules about many sign-ins."""

    def live(self) -> AuthSessionQuerySet:
        """Those whose tokens may be accepted."""
        return self.filter(ended_at=None, expires_at__gt=now())

    def end(self) -> int:
        """End them all; their tokens are refused from the next request on. Returns how many."""
        return self.filter(ended_at=None).update(ended_at=now(), successor="")

    def over(self) -> AuthSessionQuerySet:
        """Those that ended or ran out more than 30 days ago, kept until then to recognise stolen tokens."""
        long_ago = now() - datetime.timedelta(days=30)
        return self.filter(Q(ended_at__lt=long_ago) | Q(expires_at__lt=long_ago))


class AuthSession(models.Model):
    """One sign-in on one device: a family of refresh tokens of which one at a time can be spent (RFC 9700, 4.14).

    `jti` is the id of that one. The table grows with devices, not with refreshes.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="sessions")
    device = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(default=now)
    last_used_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    jti = KeyField(max_length=32)
    previous_jti = KeyField(max_length=32, blank=True)
    rotated_at = models.DateTimeField(null=True, blank=True)
    successor = models.TextField(blank=True, help_text=_("The newest pair, encrypted, for a double send."))

    objects = AuthSessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("sign-in")
        verbose_name_plural = _("sign-ins")
        indexes = [models.Index(fields=["expires_at"]), models.Index(fields=["ended_at"])]

    def __str__(self) -> str:
        return self.device or f"#{self.pk}"

    @property
    def is_live(self) -> bool:
        """Whether tokens of this sign-in may be accepted."""
        return self.ended_at is None and self.expires_at > now()


def new_jti() -> str:
    """A token id of 122 random bits."""
    return uuid.uuid4().hex


class MailTokenPurpose(models.TextChoices):
    """What a token in a mail is for."""

    VERIFY = "verify", _("verify an e-mail address")
    CHANGE = "change", _("change the e-mail address")
    RESET = "reset", _("set a new password")


class MailToken(models.Model):
    """A token that was mailed: it serves once, for a limited time, and only the newest of its purpose.

    Only its SHA-256 is kept: whoever reads the table can use none.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    purpose = models.CharField(max_length=10, choices=MailTokenPurpose.choices)
    email = models.EmailField(max_length=EMAIL_LENGTH)
    digest = KeyField(max_length=64, unique=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "purpose"], name="mailtoken_newest_only")]

    def __str__(self) -> str:
        return f"{self.purpose} ({self.user_id})"

    @property
    def is_superseded(self) -> bool:
        """Whether it went to an address that the reader has given up since."""
        return self.purpose != MailTokenPurpose.CHANGE and self.email != self.user.email


from accounts.staff.models import RecoveryCode, SecondFactor  # noqa: E402, F401  (Django looks for tables here)
