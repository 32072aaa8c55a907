"""Queries for users, and their manager."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import BaseUserManager
from django.db import IntegrityError, models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.blocks import Block, not_blocked
from accounts.models.usernames import RetiredUsername
from accounts.validators import validate_username
from core.api.exceptions import Conflict
from core.db.transactions import conflict_on_integrity_error
from core.search.fields import query_terms
from core.search.normalize import normalize_identifier

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User


class UserQuerySet(models.QuerySet["User"]):
    """Queries for users."""

    def visible_to(self, viewer: User | AnonymousUser) -> UserQuerySet:
        """Return the active users, except those who have blocked `viewer` or are blocked by them."""
        return self.active().filter(not_blocked(viewer, "pk"))

    def active(self) -> UserQuerySet:
        """Return the users whose account is active."""
        return self.filter(is_active=True)

    def visible_or_blocked_by(self, viewer: User | AnonymousUser) -> UserQuerySet:
        """Return the users visible to `viewer` and those that `viewer` has blocked."""
        blocked_by_viewer = Block.objects.filter(blocker=viewer.pk, blocked=models.OuterRef("pk"))
        return self.active().filter(not_blocked(viewer, "pk") | Q(models.Exists(blocked_by_viewer)))

    def avatar_names(self, ids: Collection[int], names: Collection[str]) -> set[str]:
        """Return the image names of the avatars of the users with these `ids`."""
        return set(self.filter(pk__in=ids).exclude(avatar="").values_list("avatar", flat=True))

    def search(self, text: str) -> UserQuerySet:
        """Return the users whose username or display name has a word starting with each word of `text`.

        Case and accents are ignored.
        """
        terms = query_terms(text)
        return self.filter(search_text__words=terms) if terms else self.none()

    def with_username(self, username: str) -> UserQuerySet:
        """Return the user with that username, ignoring case; at most one."""
        return self.filter(username_key=normalize_identifier(username))

    def with_verified_email(self, email: str) -> UserQuerySet:
        """Return the user who has verified the e-mail address; at most one."""
        return self.filter(verified_email_key=normalize_identifier(email))


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Creates users."""

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> User:
        """Create a user. Raises Conflict `username_taken`, even if a concurrent request takes the name."""
        user: User = self.model(username=username, **fields)
        user.set_password(password)
        user.update_derived_fields()
        with conflict_on_integrity_error(Conflict("username_taken", _("This name is taken."), username=username)):
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
        user: User = self.with_username(username or "").get()
        return user
