"""Redirects from a merged book to the book it was merged into."""

from typing import Any

from django.http import Http404
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request

from catalog.models import Book
from core.api.exceptions import APIProblem


def redirect_if_merged(request: Request, pk: int) -> None:
    """Raise a redirect to the same URL of the merge target, if the book was merged.

    The status is 307, which keeps method and body and is not cached, because a merge can be undone.
    """
    target = Book.objects.resolve_id(pk)
    if target != pk:
        location = request.get_full_path().replace(f"/books/{pk}", f"/books/{target}", 1)
        text = _("This book has been merged into another one.")
        book = Book.objects.get(pk=target).summary
        raise APIProblem(307, "book_merged", text, headers={"Location": location}, book=book)


class MergedBookRedirectMixin:
    """View mixin that redirects requests for merged books."""

    redirects_merged_books = True  # read by the schema generator

    def get_unlocked_object(self) -> Any:
        """Return the object of the URL, or raise a redirect if its book was merged."""
        try:
            return super().get_unlocked_object()  # type: ignore[misc]
        except Http404:
            redirect_if_merged(self.request, self.kwargs["book_id"])  # type: ignore[attr-defined]
            raise
