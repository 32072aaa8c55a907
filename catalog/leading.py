"""Redirects from a merged book to the book it was merged into."""

from typing import Any

from django.http import Http404
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request

from bookbridge.api.errors import Problem
from catalog.models import Book


def lead_on(request: Request, pk: int) -> None:
    """Raise a redirect to the same URL below the merge target, if the book was merged.

    The status is 307, which keeps method and body and is not cached, because a merge can be undone.
    """
    target = Book.objects.survivor(pk)
    if target != pk:
        location = request.get_full_path().replace(f"/books/{pk}", f"/books/{target}", 1)
        text = _("This book has been merged into another one.")
        raise Problem(307, "book_merged", text, headers={"Location": location}, book=target)


class LeadsOn:
    """View mixin that redirects requests for merged books."""

    leads_on = True  # read by the schema generator

    def find_object(self) -> Any:
        """Return the object of the URL, or raise a redirect if its book was merged."""
        try:
            return super().find_object()  # type: ignore[misc]
        except Http404:
            lead_on(self.request, self.kwargs["book_id"])  # type: ignore[attr-defined]
            raise
