"""The address of a book that is part of another by now leads on to that one's."""

from typing import Any

from django.http import Http404
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request

from bookbridge.api.errors import Problem
from catalog.models import Book


def lead_on(request: Request, pk: int) -> None:
    """Raise the answer that leads from an address below a book to the same below the one that it is part of, if it is.

    307: the method and the body come along, and nobody remembers it, since a merge can be undone.
    """
    now = Book.objects.survivor(pk)
    if now != pk:
        location = request.get_full_path().replace(f"/books/{pk}", f"/books/{now}", 1)
        text = _("This book is part of another one by now.")
        raise Problem(307, "book_merged", text, headers={"Location": location}, book=now)


class LeadsOn:
    """View mixin: the address of a book that was merged into another one leads on to that."""

    leads_on = True  # as the schema says

    def find_object(self) -> Any:
        """The book of the path."""
        try:
            return super().find_object()  # type: ignore[misc]
        except Http404:
            lead_on(self.request, self.kwargs["book_id"])  # type: ignore[attr-defined]
            raise
