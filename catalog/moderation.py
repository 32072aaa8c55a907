"""Books as a target of reports."""

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from catalog.models import Book, BookQuerySet
from core.db.locking import lock_rows
from moderation.targets.base import Excerpt, ReportTarget, TargetContext, TargetSnapshot


class BookTarget(ReportTarget):
    """A book, which belongs to the user who added it."""

    target_type = "book"
    label = _("book")

    def visible_to(self, user: User) -> BookQuerySet:
        return Book.objects.visible_to(user)

    def resolve_id(self, pk: int) -> int:
        """Return the id of the merge target for a merged book."""
        return Book.objects.resolve_id(pk)

    def get(self, pk: int) -> Book | None:
        return Book.objects.filter(pk=pk).first()

    def lock(self, row: Book, *, by: User) -> None:
        """Lock the users, then the book."""
        lock_rows(User, [row.added_by_id, by.pk])
        try:
            row.refresh_from_db(from_queryset=Book.objects.select_for_update())
        except Book.DoesNotExist:
            raise Http404 from None

    def snapshot(self, row: Book) -> TargetSnapshot:
        return TargetSnapshot(
            row.added_by_id, row.title, seen=f"{row.title}\n{row.author}\n{row.description}\n{row.cover_url}"
        )

    def context(self, row: Book) -> TargetContext:
        facts = [
            (_("book"), row.title, reverse("admin:catalog_book_change", args=[row.pk])),
            (_("author"), row.author, ""),
            ("ISBN", row.isbn13 or "", ""),
            (_("cover"), row.cover_url, ""),
        ]
        return TargetContext(facts, [Excerpt(row.added_by, row.updated_at, row.description, is_target=True)])
