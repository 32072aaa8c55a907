"""Books as something to report."""

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from bookbridge.api.rows import hold
from catalog.models import Book, BookQuerySet
from moderation.targets import About, Context, Passage, Target


class BookTarget(Target):
    """A book in the catalogue; it is whoever's who added it."""

    word = "book"
    label = _("book")

    def visible_to(self, user: User) -> BookQuerySet:
        """As everywhere."""
        return Book.objects.visible_to(user)

    def named(self, pk: int) -> int:
        """A merged book's id stands for the kept one, as in any body."""
        return Book.objects.survivor(pk)

    def find(self, pk: int) -> Book | None:
        """The book."""
        return Book.objects.filter(pk=pk).first()

    def hold(self, row: Book, *, by: User) -> None:
        """The readers' rows, then the book's."""
        hold(User, [row.added_by_id, by.pk])
        try:
            row.refresh_from_db(from_queryset=Book.objects.select_for_update())
        except Book.DoesNotExist:
            raise Http404 from None

    def about(self, row: Book) -> About:
        """What the catalogue says of it."""
        return About(row.added_by_id, row.title, seen=f"{row.title}\n{row.author}\n{row.description}\n{row.cover_url}")

    def context(self, row: Book) -> Context:
        """What the catalogue says of it."""
        facts = [
            (_("book"), row.title, reverse("admin:catalog_book_change", args=[row.pk])),
            (_("author"), row.author, ""),
            ("ISBN", row.isbn13 or "", ""),
            (_("cover"), row.cover_url, ""),
        ]
        return Context(facts, [Passage(row.added_by, row.updated_at, row.description, is_target=True)])
