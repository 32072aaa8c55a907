"""Permissions for books."""

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from catalog.models import Book


class CanEditBook(BasePermission):
    """Allow the user who added the book, and trusted editors."""

    def has_object_permission(self, request: Request, view: APIView, obj: Book) -> bool:
        return obj.can_be_edited_by(request.user)


class IsBookCreator(BasePermission):
    """Allow the user who added the book."""

    def has_object_permission(self, request: Request, view: APIView, obj: Book) -> bool:
        return obj.was_added_by(request.user)
