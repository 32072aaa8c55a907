"""Report target for books."""

from collections.abc import Collection

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from catalog.models import Book
from catalog.querysets import BookQuerySet
from core.db.locking import lock_rows
from moderation.targets.base import Excerpt, ReportTarget, TargetContext, TargetSnapshot


class BookTarget(ReportTarget[Book]):
    """A book; its author in cases is the user who added it."""

    target_type = "book"
    label = _("book")

    def visible_to(self, user: User) -> BookQuerySet:
        return Book.objects.visible_to(user)

    def resolve_id(self, pk: int) -> int:
        """Return the id of the merge target for a merged book."""
        return Book.objects.resolve_id(pk)

    def get(self, pk: int) -> Book | None:
        return Book.objects.filter(pk=pk).first()

    def lock(self, obj: Book, *, by: User) -> None:
        """Lock the users, then the book."""
        lock_rows(User, [obj.added_by_id, by.pk])
        try:
            obj.refresh_from_db(from_queryset=Book.objects.select_for_update())
        except Book.DoesNotExist:
            raise Http404 from None

    def snapshot(self, obj: Book) -> TargetSnapshot:
        return TargetSnapshot(
            obj.added_by_id,
            obj.title,
            text=f"{obj.title}\n{obj.author}\n{obj.description}\n{obj.cover_url}",
            language=obj.language,
        )

    def texts(self, ids: Collection[int]) -> dict[int, str]:
        rows = Book.objects.filter(pk__in=ids).values_list("pk", "author", "description")
        return {pk: f"{author}\n{description}" for pk, author, description in rows}

    def context(self, obj: Book) -> TargetContext:
        facts = [
            (_("book"), obj.title, reverse("admin:catalog_book_change", args=[obj.pk])),
            (_("author"), obj.author, ""),
            ("ISBN", obj.isbn13 or "", ""),
            (_("cover"), obj.cover_url, ""),
        ]
        return TargetContext(facts, [Excerpt(obj.added_by, obj.updated_at, obj.description, is_target=True)])
