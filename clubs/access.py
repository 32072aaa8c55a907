"""Access levels of all actions below `clubs/{id}/`; tested by `tests/clubs/test_matrix.py`.

A view derives from `ClubAccessMixin` and maps each of its actions to an `AccessLevel`; an action without a level raises
`KeyError`.
"""

from collections.abc import Mapping
from enum import Enum
from functools import cached_property
from typing import Any, ClassVar

from django.contrib.auth.models import AnonymousUser
from django.shortcuts import get_object_or_404
from rest_framework import status
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from clubs.club.models import Club
from clubs.club.querysets import ClubQuerySet
from clubs.roles import Rank, permission_denied
from core.db.prepared import prepared


@prepared
def visible_clubs(user: User | AnonymousUser) -> ClubQuerySet:
    """Return the clubs that `user` may see, annotated with their membership."""
    return Club.objects.visible_to(user).with_membership_of(user)


class AccessLevel(Enum):
    """Access level of an action.

    Without access to the club every level results in 404, or in 401 for anonymous users if `needs_sign_in` is true.

    PUBLIC_SUMMARY: visibility of the club. ANYONE: an active membership if the club is private. SIGNED_IN:
    authentication. APPLICANT: a membership or a join request. MEMBER, MODERATOR, OWNER: at least that rank.
    """

    PUBLIC_SUMMARY = "public summary"
    ANYONE = "anyone"
    SIGNED_IN = "signed in"
    APPLICANT = "applicant"
    MEMBER = "member"
    MODERATOR = "moderator"
    OWNER = "owner"

    @property
    def needs_sign_in(self) -> bool:
        """Whether anonymous users are rejected before any lookup."""
        return self not in (AccessLevel.PUBLIC_SUMMARY, AccessLevel.ANYONE)


MIN_RANK = {
    AccessLevel.PUBLIC_SUMMARY: Rank.OUTSIDER,
    AccessLevel.ANYONE: Rank.OUTSIDER,
    AccessLevel.SIGNED_IN: Rank.OUTSIDER,
    AccessLevel.APPLICANT: Rank.PENDING,
    AccessLevel.MEMBER: Rank.MEMBER,
    AccessLevel.MODERATOR: Rank.MODERATOR,
    AccessLevel.OWNER: Rank.OWNER,
}


def require_level(club: Club, level: AccessLevel) -> None:
    """Raise PermissionDeniedProblem if the user's rank, annotated on `club`, is below `level`."""
    needed = Rank.MEMBER if level is AccessLevel.ANYONE and club.is_private else MIN_RANK[level]
    if club.my_rank < needed:
        raise permission_denied(needed)


class HasClubAccess(BasePermission):
    """Require access to the view's club (else 404) and the level of the action (else 403)."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Raise PermissionDeniedProblem with the error code of the missing rank."""
        require_level(view.club, view.level)
        return True


class ClubAccessMixin:
    """Load the club named in the URL as `self.club`, annotated with the user's rank.

    `access_levels` maps each action (or lower-case HTTP method, for plain views) to its access level.
    """

    access_levels: ClassVar[Mapping[str, AccessLevel]] = {}

    request: Any
    kwargs: Any
    http_method_names: Any
    action_map: Any

    @property
    def level(self) -> AccessLevel | None:
        """Access level of this request; None for OPTIONS and for methods that are not allowed (405)."""
        method = (self.request.method or "").lower() if self.request else "get"
        if method == "options" or method not in self.http_method_names:
            return None
        action = getattr(self, "action", {"head": "get"}.get(method, method))
        if action == "metadata":
            # The response to OPTIONS describes the methods that the user may call.
            return self.access_levels.get(self.action_map.get(method))
        return None if action is None or not hasattr(self, action) else self.access_levels[action]

    def get_permissions(self) -> list[BasePermission]:
        """Check authentication before the club is looked up."""
        level = self.level
        if level is None:
            return [AllowAny()]
        return [IsAuthenticated() if level.needs_sign_in else AllowAny(), HasClubAccess()]

    def get_club_queryset(self) -> ClubQuerySet:
        """Return the clubs visible to the user, annotated with their membership."""
        return visible_clubs(self.request.user)

    def lock_object(self, obj: object) -> None:
        """Lock and reload the club, which is also the first lock of the write itself."""
        self.club.lock()
        del self.club

    @cached_property
    def club(self) -> Club:
        """The club named in the URL; raises Http404 if the user may not see it."""
        return get_object_or_404(self.get_club_queryset(), pk=self.kwargs["club_id"])


class ClubChildViewSetMixin(ClubAccessMixin):
    """Mixin for viewsets of objects that belong to a club."""

    def get_unlocked_object(self) -> Any:
        """Return the object, reusing the loaded club."""
        row = super().get_unlocked_object()  # type: ignore[misc]
        row.club = self.club
        return row

    def serialize(self, row: Any, status_code: int = status.HTTP_200_OK) -> Response:
        """Serialize the saved object, reloaded with the annotations of `get_queryset`."""
        view: Any = self
        annotated = get_object_or_404(view.get_queryset(), pk=row.pk)
        return Response(view.get_serializer(annotated).data, status=status_code)
