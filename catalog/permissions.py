"""Who may change books."""

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from catalog.models import Book


class MayChangeBook(BasePermission):
    """Who added the book, and trusted editors."""

    def has_object_permission(self, request: Request, view: APIView, obj: Book) -> bool:
        """As the model says."""
        return obj.may_be_changed_by(request.user)


class AddedBook(BasePermission):
    """Who added the book."""

    def has_object_permission(self, request: Request, view: APIView, obj: Book) -> bool:
        """As the model says."""
        return obj.was_added_by(request.user)
