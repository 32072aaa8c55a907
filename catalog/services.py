"""What reaches beyond the catalogue's own tables."""

from contextlib import suppress

from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from bookbridge.api.errors import Conflict, Problem
from catalog.models import Book
from catalog.providers import Found, Provider, default_provider


def look_up(isbn13: str, *, by: User, provider: Provider | None = None) -> tuple[Book, bool]:
    """The book with this ISBN, and whether it is new here: what only the outside provider knows is added.

    Raises Problem 404 `unknown_isbn`, or Unavailable `provider_unavailable` where the provider gives no sane answer.
    """
    known = Book.objects.with_isbn(isbn13).first()
    if known:
        return known, False
    found = (provider or default_provider()).by_isbn(isbn13)
    if found is None:
        raise Problem(404, "unknown_isbn", _("Nobody here or outside knows this ISBN."))
    return _keep(found, isbn13, by=by)


def _keep(found: Found, isbn13: str, *, by: User) -> tuple[Book, bool]:
    """Add what was found; whoever comes second at the same moment gets the first one's book."""
    fields = found.as_fields()
    try:
        return Book.add(by=by, isbn13=isbn13, **fields), True
    except Conflict as lost:
        return Book.objects.get(pk=lost.extra["book"]), False
    except IntegrityError:
        # The provider's edition is here already, perhaps under another of its ISBNs.
        known = found.origin and Book.objects.filter(origin=found.origin).first()
        if not known:
            raise
        if known.merged_into is not None:
            known = Book.objects.get(pk=Book.objects.survivor(known.pk))
    with suppress(Conflict):
        known.add_edition(isbn13=isbn13, **fields["edition"])
    return known, False
