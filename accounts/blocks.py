"""Blocks between users. A block hides both users from each other.

Every list of user content is filtered with `not_blocked`, and notifications with `blocked_ids`. Statistics still count
everyone. Attributions that a whole club shares stay visible (its owner, the member who added a book), and neither
user loses progress or permissions.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotAuthenticated

from accounts.events import emit
from core.api.exceptions import InvalidFieldError
from core.db.locking import lock_rows
from core.db.transactions import atomic_with_retry

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User


def not_blocked(viewer: User | AnonymousUser, column: str, *, before: str | None = None) -> Q:
    """Return the condition that there is no block between `viewer` and the user in `column`.

    >>> posts.filter(not_blocked(viewer, "author"))

    With `before`, only blocks that are older than the time in that column count. A NULL user is never blocked. Takes
    two index lookups per row and no additional query.
    """
    if not viewer.is_authenticated:
        return Q()
    old = {"created_at__lt": OuterRef(before)} if before else {}
    placed = Block.objects.filter(blocker=viewer.pk, blocked=OuterRef(column), **old)
    received = Block.objects.filter(blocked=viewer.pk, blocker=OuterRef(column), **old)
    return Q(~Exists(placed), ~Exists(received))


def blocked_ids(user_ids: Collection[int], user_id: int) -> set[int]:
    """Return which of the `user_ids` have blocked `user` or are blocked by them."""
    between = Q(blocker=user_id, blocked__in=user_ids) | Q(blocked=user_id, blocker__in=user_ids)
    pairs = Block.objects.filter(between).values_list("blocker", "blocked") if user_ids else ()
    return {pk for pair in pairs for pk in pair} - {user_id}


class BlockQuerySet(models.QuerySet["Block"]):
    """Queries for blocks."""

    def placed_by(self, user: User | AnonymousUser) -> BlockQuerySet:
        """Return the blocks by `user` of active accounts."""
        return self.filter(blocker=user.pk, blocked__is_active=True)

    @atomic_with_retry
    def block(self, *, on: User, by: User) -> None:
        """Block the user `on`. Idempotent.

        Raises InvalidFieldError `own_account`, or Http404 if `on` has been deleted in the meantime.
        """
        if on.pk == by.pk:
            raise InvalidFieldError("username", "own_account", _("You cannot block yourself."))
        existing = lock_rows(get_user_model(), [on.pk, by.pk])
        if by.pk not in existing:
            raise NotAuthenticated
        if on.pk not in existing:
            raise Http404
        if self.get_or_create(blocker=by, blocked=on)[1]:
            emit("user.blocked", by.pk, object_id=on.pk)

    @atomic_with_retry
    def unblock(self, *, on: User, by: User) -> None:
        """Remove the block of `on` by `by`, if any. A block in the other direction stays."""
        lock_rows(get_user_model(), [on.pk, by.pk])
        if self.filter(blocker=by, blocked=on).delete()[0]:
            emit("user.unblocked", by.pk, object_id=on.pk)


class Block(models.Model):
    """A block of one user by another. It hides both from each other."""

    blocker = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="blocks")
    blocked = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False, verbose_name=_("created at"))

    objects = BlockQuerySet.as_manager()

    class Meta:
        verbose_name = _("block")
        verbose_name_plural = _("blocks")
        constraints = [models.UniqueConstraint(fields=["blocker", "blocked"], name="accounts_block_once")]
        indexes = [models.Index(fields=["blocked", "blocker"], name="accounts_block_other_way")]

    def __str__(self) -> str:
        return f"{self.blocker_id} / {self.blocked_id}"
