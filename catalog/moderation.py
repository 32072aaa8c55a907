"""Books as a target of reports."""

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from bookbridge.api.rows import hold
from catalog.models import Book, BookQuerySet
from moderation.targets import About, Context, Passage, Target


class BookTarget(Target):
    """A book, which belongs to the user who added it."""

    word = "book"
    label = _("book")

    def visible_to(self, user: User) -> BookQuerySet:
        return Book.objects.visible_to(user)

    def named(self, pk: int) -> int:
        """Return the id of the merge target for a merged book."""
        return Book.objects.survivor(pk)

    def find(self, pk: int) -> Book | None:
        return Book.objects.filter(pk=pk).first()

    def hold(self, row: Book, *, by: User) -> None:
        """Lock the users, then the book."""
        hold(User, [row.added_by_id, by.pk])
        try:
            row.refresh_from_db(from_queryset=Book.objects.select_for_update())
        except Book.DoesNotExist:
            raise Http404 from None

    def about(self, row: Book) -> About:
        return About(row.added_by_id, row.title, seen=f"{row.title}\n{row.author}\n{row.description}\n{row.cover_url}")

    def context(self, row: Book) -> Context:
        facts = [
            (_("book"), row.title, reverse("admin:catalog_book_change", args=[row.pk])),
            (_("author"), row.author, ""),
            ("ISBN", row.isbn13 or "", ""),
            (_("cover"), row.cover_url, ""),
        ]
        return Context(facts, [Passage(row.added_by, row.updated_at, row.description, is_target=True)])
