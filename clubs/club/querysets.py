"""Querysets of clubs."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Case, CharField, F, FilteredRelation, Q, Value, When

from accounts.models import User
from clubs.club.choices import Visibility
from clubs.roles import OWNER, STATUSES_WITH_ACCESS, MembershipStatus
from core.languages import language_condition
from core.search.fields import query_terms

if TYPE_CHECKING:
    from clubs.club.models import Club  # noqa: F401  (in the base class below)


class ClubQuerySet(models.QuerySet["Club"]):
    """Queries for clubs."""

    def visible_to(self, user: User | AnonymousUser) -> ClubQuerySet:
        """Return public clubs, and private ones that `user` is in or has asked to join."""
        public = Q(visibility=Visibility.PUBLIC)
        if not user.is_authenticated:
            return self.filter(public)
        # A user has at most one membership per club, so the join does not multiply rows.
        joined = self.alias(viewer_membership=FilteredRelation("memberships", condition=Q(memberships__user=user.pk)))
        return joined.filter(public | Q(viewer_membership__status__in=STATUSES_WITH_ACCESS))

    def with_membership_of(self, user: User | AnonymousUser) -> ClubQuerySet:
        """Annotate `my_role` and `my_status` of `user`, None without a membership."""
        if not user.is_authenticated:
            null = Value(None, output_field=CharField(null=True))
            return self.annotate(my_status=null, my_role=null)
        rows = self.alias(own=FilteredRelation("memberships", condition=Q(memberships__user=user.pk)))
        return rows.annotate(
            my_status=Case(When(own__status=MembershipStatus.LEFT, then=None), default=F("own__status")),
            my_role=Case(
                When(~Q(own__status=MembershipStatus.ACTIVE), then=None),
                When(owner=user.pk, then=Value(OWNER)),
                default=F("own__role"),
            ),
        )

    def joined_by(self, user: User | AnonymousUser) -> ClubQuerySet:
        """Return the clubs that `user` is in or has asked to join."""
        if not user.is_authenticated:
            return self.none()
        rows = user.memberships.filter(status__in=STATUSES_WITH_ACCESS)
        return self.filter(pk__in=rows.values("club"))

    def public(self) -> ClubQuerySet:
        """Return the public clubs."""
        return self.filter(visibility=Visibility.PUBLIC)

    def cover_names(self, ids: Collection[int], names: Collection[str]) -> set[str]:
        """Return the file names of the covers of these clubs."""
        return set(self.filter(pk__in=ids).exclude(cover="").values_list("cover", flat=True))

    def search(self, text: str) -> ClubQuerySet:
        """Return clubs in whose name or description each word of `text` starts a word, ignoring case and accents.

        Only the first ten words count. A text without letters and digits matches nothing.
        """
        terms = query_terms(text)
        return self.filter(search_text__words=terms) if terms else self.none()

    def in_language(self, tag: str) -> ClubQuerySet:
        """Filter by a lower-case language tag: `pt` also matches `pt-br`."""
        return self.filter(language_condition(tag))
