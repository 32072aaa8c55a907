"""Blocks: two readers, one of whom wants nothing to do with the other, do not see each other.

Whatever lists what people made goes through `unblocked`; whatever tells one of another's doing goes through
`hidden_among`. Figures count everybody as before. What stands beside something that all of a club share (its owner,
who put a book on its list) stays, and so do the marks and rights of both.
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

from accounts.happenings import happened
from bookbridge.api.errors import InvalidField
from bookbridge.api.rows import hold
from bookbridge.api.transactions import retrying_atomic

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User


def unblocked(viewer: User | AnonymousUser, person: str) -> Q:
    """The condition that no block stands between `viewer` and the one whom the column `person` names, if anybody.

    >>> posts.filter(unblocked(viewer, "author"))

    Two looks into an index for each row, in whatever order the rows are read; no query of its own.
    """
    if not viewer.is_authenticated:
        return Q()
    placed = Block.objects.filter(blocker=viewer.pk, blocked=OuterRef(person))
    suffered = Block.objects.filter(blocked=viewer.pk, blocker=OuterRef(person))
    return Q(~Exists(placed), ~Exists(suffered))


def hidden_among(people: Collection[int], user: int) -> set[int]:
    """Those of `people` (ids) between whom and `user` a block stands."""
    between = Q(blocker=user, blocked__in=people) | Q(blocked=user, blocker__in=people)
    pairs = Block.objects.filter(between).values_list("blocker", "blocked") if people else ()
    return {person for pair in pairs for person in pair} - {user}


class BlockQuerySet(models.QuerySet["Block"]):
    """Rules about many blocks."""

    def of(self, user: User | AnonymousUser) -> BlockQuerySet:
        """Those that `user` has placed, on accounts that are open."""
        return self.filter(blocker=user.pk, blocked__is_active=True)

    @retrying_atomic
    def place(self, *, on: User, by: User) -> None:
        """Hide two readers from each other; nothing happens where `by` has done so before.

        Raises InvalidField for oneself; 404 where the other has gone by now.
        """
        if on.pk == by.pk:
            raise InvalidField("username", "own_account", _("You cannot block yourself."))
        there = hold(get_user_model(), [on.pk, by.pk])
        if by.pk not in there:
            raise NotAuthenticated
        if on.pk not in there:
            raise Http404
        if self.get_or_create(blocker=by, blocked=on)[1]:
            happened("user.blocked", by.pk, object_id=on.pk)

    @retrying_atomic
    def lift(self, *, on: User, by: User) -> None:
        """Take back the block that `by` has placed on the other, if any; one in the other direction stays."""
        hold(get_user_model(), [on.pk, by.pk])
        if self.filter(blocker=by, blocked=on).delete()[0]:
            happened("user.unblocked", by.pk, object_id=on.pk)


class Block(models.Model):
    """That one reader has blocked another. It hides both from each other."""

    blocker = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="blocks")
    blocked = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = BlockQuerySet.as_manager()

    class Meta:
        verbose_name = _("block")
        verbose_name_plural = _("blocks")
        constraints = [models.UniqueConstraint(fields=["blocker", "blocked"], name="accounts_block_once")]
        indexes = [models.Index(fields=["blocked", "blocker"], name="accounts_block_other_way")]

    def __str__(self) -> str:
        return f"{self.blocker_id} / {self.blocked_id}"
