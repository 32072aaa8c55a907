"""Permissions of reviews."""

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from reviews.models import Review


class IsAuthor(BasePermission):
    """Allow only the author of the review."""

    def has_object_permission(self, request: Request, view: APIView, obj: Review) -> bool:
        """Return whether the user is the author. Reviews of deleted accounts have none."""
        return obj.author_id is not None and obj.author_id == request.user.pk
