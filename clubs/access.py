"""The one door to everything below `clubs/{id}/`: who may know of the club, and who may do what in it.

The matrix at the end of the HTTP contract, as levels. A view derives from `ClubScoped` and says in `levels` what each
of its actions needs; an action without a level does not run.
"""

from collections.abc import Mapping
from enum import Enum
from functools import cached_property
from typing import Any, ClassVar

from django.shortcuts import get_object_or_404
from rest_framework import status
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from clubs.clubs.models import Club, ClubQuerySet
from clubs.roles import Standing, refusal


class Level(Enum):
    """What an action needs. Whoever may not know of the club gets 404 at each, without a sign-in 401 at the last five.

    CARD: nothing more. ANYONE: nothing more in a public club, an active membership in a private one. SIGNED_IN: a
    sign-in. APPLICANT: a membership or a request for one. MEMBER, MODERATOR, OWNER: that rank or one above it.
    """

    CARD = "card"
    ANYONE = "anyone"
    SIGNED_IN = "signed in"
    APPLICANT = "applicant"
    MEMBER = "member"
    MODERATOR = "moderator"
    OWNER = "owner"

    @property
    def needs_sign_in(self) -> bool:
        """Whether a caller without a sign-in is turned away before anything is looked up."""
        return self not in (Level.CARD, Level.ANYONE)


LEAST = {
    Level.CARD: Standing.OUTSIDER,
    Level.ANYONE: Standing.OUTSIDER,
    Level.SIGNED_IN: Standing.OUTSIDER,
    Level.APPLICANT: Standing.PENDING,
    Level.MEMBER: Standing.MEMBER,
    Level.MODERATOR: Standing.MODERATOR,
    Level.OWNER: Standing.OWNER,
}


def require(club: Club, level: Level) -> None:
    """Raise Forbidden where the reader for whom `club` was read stands below `level`."""
    needed = Standing.MEMBER if level is Level.ANYONE and club.is_private else LEAST[level]
    if club.my_standing < needed:
        raise refusal(needed)


class HasLevel(BasePermission):
    """The caller may know of the view's club, else 404, and stands at the action's level, else 403."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Raises, so that each refusal has its own code."""
        require(view.club, view.level)
        return True


class ClubScoped:
    """View mixin: `self.club` is the club of the path, with the caller's standing in it.

    `levels` maps each action (or the method, in small letters, of a view that is no viewset) to its Level.
    """

    levels: ClassVar[Mapping[str, Level]] = {}

    request: Any
    kwargs: Any
    http_method_names: Any

    @property
    def level(self) -> Level | None:
        """What this call needs; None where the answer is 405 or tells of the route only (OPTIONS)."""
        method = (self.request.method or "").lower() if self.request else "get"
        if method == "options" or method not in self.http_method_names:
            return None
        action = getattr(self, "action", {"head": "get"}.get(method, method))
        return None if action is None or not hasattr(self, action) else self.levels[action]

    def get_permissions(self) -> list[BasePermission]:
        """The sign-in first: without it nothing is looked up."""
        level = self.level
        if level is None:
            return [AllowAny()]
        return [IsAuthenticated() if level.needs_sign_in else AllowAny(), HasLevel()]

    def clubs(self) -> ClubQuerySet:
        """The clubs the caller may know of, with their standing in each."""
        user = self.request.user
        return Club.objects.visible_to(user).with_standing_of(user)

    def lock(self, obj: object) -> None:
        """For a conditional write: hold the club, which every change below it locks first, and read it afresh."""
        self.club.lock()
        del self.club

    @cached_property
    def club(self) -> Club:
        """The club of the path; 404 where the caller may not know of it."""
        return get_object_or_404(self.clubs(), pk=self.kwargs["club_id"])


class ClubRows(ClubScoped):
    """View mixin of a viewset whose rows are a club's."""

    def find_object(self) -> Any:
        """The row, whose club is the one that is at hand."""
        row = super().find_object()  # type: ignore[misc]
        row.club = self.club
        return row

    def shown(self, row: Any, status_code: int = status.HTTP_200_OK) -> Response:
        """The answer about a row that was just written, read back with all that the answer shows."""
        view: Any = self
        fresh = get_object_or_404(view.get_queryset(), pk=row.pk)
        return Response(view.get_serializer(fresh).data, status=status_code)
