"""Who may change reviews."""

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from reviews.models import Review


class IsAuthor(BasePermission):
    """Who wrote the review."""

    def has_object_permission(self, request: Request, view: APIView, obj: Review) -> bool:
        """Nobody wrote one whose author has gone."""
        return obj.author_id is not None and obj.author_id == request.user.pk
