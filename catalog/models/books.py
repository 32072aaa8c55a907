"""Books and their business rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, models, transaction
from django.db.models import Q, prefetch_related_objects
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from activity.models import ObjectRef
from activity.services import record_event
from catalog.covers import delete_covers
from catalog.duplicate_keys import edition_key, work_key
from catalog.identity import KEY_LENGTH, WorkTitle
from catalog.local_titles import find_local_title
from catalog.models.counters import BookCounters
from catalog.models.editions import (
    EDITION_COLUMNS,
    FIRST_YEAR,
    LAST_YEAR,
    MAX_PAGES,
    PAGE_VALIDATORS,
    YEAR_VALIDATORS,
    Edition,
    conflict_on_duplicate_isbn,
)
from catalog.models.names import BookAuthor, BookSubject, join_authors, title_sort_key
from catalog.models.revisions import Revision
from catalog.querysets import BookQuerySet
from catalog.versions import invalidate_books
from core.api.exceptions import Conflict
from core.counters import counters
from core.db.fields import BinaryCollationCharField
from core.db.transactions import atomic_with_retry
from core.images.storage import image_url
from core.search.fields import SearchField, build_search_text
from moderation.models import close_cases_for_deleted

if TYPE_CHECKING:
    from accounts.models import User

TRUSTED_EDITORS = gettext_noop("Trusted editors")

# Of one book. The detail view shows all of them.
MAX_EDITIONS = 2000
# Titles of editions that the search finds.
MAX_SEARCHED_TITLES = 200

# The fields that `BookSummarySerializer` reads.
BOOK_SUMMARY = ("title", "author", "cover_url")


class BookMerged(Conflict):
    """409 `book_merged`; `book` is the one that the book was merged into."""

    def __init__(self, book: Book) -> None:
        super().__init__("book_merged", _("This book has been merged into another one."), book=book.summary)


class Book(BookCounters):
    """A work with all of its editions; reviews and ratings belong to the work."""

    title = models.CharField(max_length=500, verbose_name=_("title"))
    title_key = BinaryCollationCharField(
        max_length=KEY_LENGTH, editable=False, help_text="Normalized title without its article, used for sorting."
    )
    match_key = BinaryCollationCharField(
        max_length=KEY_LENGTH, editable=False, help_text="Key shared by all spellings of the title."
    )
    author = models.CharField(
        max_length=500, help_text=_("All authors, separated by commas."), verbose_name=_("author")
    )
    published_year = models.SmallIntegerField(
        null=True,
        blank=True,
        validators=YEAR_VALIDATORS,
        help_text=_("Year of the first edition; negative years are BCE."),
        verbose_name=_("published year"),
    )
    language = BinaryCollationCharField(
        max_length=12,
        blank=True,
        help_text=_("A BCP 47 tag in lower case, such as en or pt-br."),
        verbose_name=_("language"),
    )
    page_count = models.PositiveIntegerField(
        null=True, blank=True, validators=PAGE_VALIDATORS, verbose_name=_("number of pages")
    )
    description = models.TextField(blank=True, max_length=10_000, verbose_name=_("description"))
    # Not a URLField, because it may contain the name of a stored image (`catalog.covers`).
    cover_url = models.CharField(blank=True, max_length=500, verbose_name=_("cover url"))
    isbn13 = BinaryCollationCharField(
        max_length=13, null=True, editable=False, help_text="ISBN of the main edition.", verbose_name=_("isbn13")
    )
    origin = BinaryCollationCharField(
        max_length=KEY_LENGTH,
        null=True,
        unique=True,
        editable=False,
        help_text=_("Source and key of the imported record, such as goodbooks:2792775."),
        verbose_name=_("origin"),
    )
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("added by"),
    )
    # Not a foreign key and not indexed: the databases would use the index for `IS NULL`, which selects most books.
    merged_into = models.BigIntegerField(null=True, editable=False, help_text="Id of the book it was merged into.")
    # Duplicate keys (`catalog.duplicate_keys`); null if they cannot be computed, and for merged books.
    work_key = BinaryCollationCharField(
        max_length=KEY_LENGTH, null=True, editable=False, help_text="Key made of title and first author."
    )
    edition_key = BinaryCollationCharField(
        max_length=KEY_LENGTH, null=True, editable=False, help_text="Key made of title and publisher."
    )
    confirmed_distinct = models.BooleanField(
        default=False, editable=False, help_text="Staff confirmed that no book with the same keys is a duplicate."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False, verbose_name=_("created at"))
    updated_at = models.DateTimeField(default=timezone.now, editable=False, verbose_name=_("updated at"))
    search_text = SearchField(editable=False)

    objects = BookQuerySet.as_manager()

    class Meta:
        verbose_name = _("book")
        verbose_name_plural = _("books")
        # One per ordering of the list, then those for the language filter, the statistics and the duplicate keys.
        indexes = [
            models.Index(fields=["ratings_count", "id"], name="catalog_book_by_ratings"),
            models.Index(fields=["average_rating", "id"], name="catalog_book_by_average"),
            models.Index(fields=["title_key", "id"], name="catalog_book_by_title"),
            models.Index(fields=["match_key"], name="catalog_book_by_match"),
            models.Index(fields=["published_year", "id"], name="catalog_book_by_year"),
            models.Index(fields=["created_at", "id"], name="catalog_book_by_age"),
            models.Index(fields=["language", "ratings_count", "id"], name="catalog_book_by_language"),
            models.Index(fields=["clubs_finished", "id"], name="catalog_book_by_clubs"),
            models.Index(fields=["work_key", "confirmed_distinct"], name="catalog_book_by_work"),
            models.Index(fields=["edition_key", "confirmed_distinct"], name="catalog_book_by_print"),
            # For the best-rated books with a minimum number of ratings.
            models.Index(fields=["average_rating", "ratings_count", "id"], name="catalog_book_by_rank"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(published_year__isnull=True) | Q(published_year__range=(FIRST_YEAR, LAST_YEAR)),
                name="catalog_book_year",
            ),
            models.CheckConstraint(
                condition=Q(page_count__isnull=True) | Q(page_count__range=(1, MAX_PAGES)), name="catalog_book_pages"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title}, {self.author}"

    @property
    def authors(self) -> list[str]:
        """The names of the authors in order."""
        if "loaded_authors" in self.__dict__:
            return [name for _position, name in sorted(self.__dict__["loaded_authors"] or ())]
        return [row.name for row in self.author_rows.all()]

    @property
    def subjects(self) -> list[str]:
        """The subjects in order."""
        if "loaded_subjects" in self.__dict__:
            return [name for _position, name in sorted(self.__dict__["loaded_subjects"] or ())]
        return [row.name for row in self.subject_rows.all()]

    @property
    def all_editions(self) -> list[Edition]:
        """The editions in order."""
        if "loaded_editions" in self.__dict__:
            rows = sorted(self.__dict__["loaded_editions"] or (), key=lambda row: row[0])
            return [Edition(**dict(zip(EDITION_COLUMNS, row, strict=True))) for row in rows]
        prefetch_related_objects([self], "editions")
        return list(self.editions.all())

    def get_local_title(self, language: str) -> str | None:
        """Return the title in a language (`catalog.local_titles`), None without one."""
        if "loaded_local_title" in self.__dict__:
            return cast(str | None, self.__dict__["loaded_local_title"])
        return find_local_title(self.all_editions, language)

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        """Reload the book and discard the related rows loaded by `BookQuerySet.for_list` and `for_detail`."""
        for name in ("loaded_authors", "loaded_subjects", "loaded_editions", "loaded_local_title"):
            self.__dict__.pop(name, None)
        super().refresh_from_db(*args, **kwargs)

    @classmethod
    @atomic_with_retry
    def create_book(
        cls,
        *,
        by: User | None,
        title: str,
        authors: Sequence[str],
        subjects: Sequence[str] = (),
        isbn13: str | None = None,
        edition: dict[str, Any] | None = None,
        **fields: Any,
    ) -> Book:
        """Create a book with its authors, subjects and, if it has an ISBN, its main edition.

        `isbn13` is normalized. `edition` has the fields of the main edition (format, publisher, language, page_count,
        published_year), by default those of the book. `fields` are plain columns. Raises DuplicateISBN.
        """
        now = timezone.now()
        book = cls(added_by=by, title=title, isbn13=isbn13, created_at=now, updated_at=now, **fields)
        book._update_derived_fields(authors)
        book.save(force_insert=True)
        book._write_authors(authors)
        book._write_subjects(subjects)
        if isbn13:
            book._insert_edition(isbn13, book._main_edition() if edition is None else edition)
        counters.increment({"books": 1})
        invalidate_books([book.pk])
        book._log("book.added", by)
        return book

    @atomic_with_retry
    def update_book(self, *, by: User | None, **fields: Any) -> Revision | None:
        """Update some of EDITABLE_FIELDS and return the revision with the old values, None if nothing changed.

        `isbn13` is normalized, None removes it. Raises DuplicateISBN.
        """
        self.lock()
        changes = {
            name: {"before": getattr(self, name), "after": value}
            for name, value in fields.items()
            if getattr(self, name) != value
        }
        if not changes:
            return None
        number = (self.revisions.aggregate(last=models.Max("number"))["last"] or 0) + 1
        self._apply({name: change["after"] for name, change in changes.items()})
        self._log("book.changed", by)
        return self.revisions.create(number=number, editor=by, changes=changes)

    @atomic_with_retry
    def add_edition(self, *, isbn13: str, by: User | None = None, **fields: Any) -> Edition:
        """Add an edition with the given fields.

        Raises DuplicateISBN, Conflict `too_many_editions`, and what `lock` raises.
        """
        self.lock()
        if self.editions.count() >= MAX_EDITIONS:
            raise Conflict("too_many_editions", _("The book has too many editions."), book=self.summary)
        edition = self._insert_edition(isbn13, fields)
        if by is not None:
            self._log("book.changed", by)
        return edition

    @atomic_with_retry
    def delete_book(self, *, by: User | None = None) -> None:
        """Delete the book.

        Raises Conflict `book_in_use` if it is on a reading list, has reviews, or if another book was merged into it.
        """
        self.lock()
        pk = self.pk
        if self.merges.not_undone().exists():
            raise Conflict("book_in_use", _("Another book has been merged into this one."), book=self.summary)
        delete_covers(self)
        try:
            with transaction.atomic():
                self.delete()
        except (models.ProtectedError, models.RestrictedError, IntegrityError):
            raise Conflict(
                "book_in_use", _("This book is on a list or has been reviewed."), book=self.summary
            ) from None
        close_cases_for_deleted("book", [pk])
        counters.increment({"books": -1})
        invalidate_books([pk])
        self.pk = pk
        self._log("book.deleted", by)

    def _insert_edition(self, isbn13: str, fields: dict[str, Any]) -> Edition:
        with conflict_on_duplicate_isbn(isbn13):
            edition = self.editions.create(isbn13=isbn13, **fields)
        if edition.title:
            self.update_search_text()
        invalidate_books([self.pk])
        return edition

    def can_be_edited_by(self, user: User | AnonymousUser) -> bool:
        """Return whether `user` added the book or is a trusted editor."""
        return self.was_added_by(user) or user.groups.filter(name=TRUSTED_EDITORS).exists()

    def was_added_by(self, user: User | AnonymousUser) -> bool:
        """Return whether `user` added the book."""
        return user.is_authenticated and self.added_by_id == user.pk

    @property
    def summary(self) -> dict[str, Any]:
        """The book as shown in error responses, in the format of `BookSummarySerializer`."""
        return {"id": self.pk, "title": self.title, "author": self.author, "cover_url": image_url(self.cover_url)}

    @property
    def object_ref(self) -> ObjectRef:
        """The reference to the book that is stored in logs."""
        return ObjectRef("book", self.pk, self.title)

    def _log(self, verb: str, by: User | None) -> None:
        record_event(verb, actor=by.pk if by else None, object_ref=self.object_ref)

    def lock(self) -> None:
        """Refresh the book and lock its row until the transaction ends.

        Raises Http404 if it was deleted, and BookMerged if it was merged into another book.
        """
        try:
            self.refresh_from_db(from_queryset=Book.objects.select_for_update())
        except Book.DoesNotExist:
            raise Http404 from None
        if self.merged_into is not None:
            raise BookMerged(Book.objects.merge_target(self.pk))

    def _apply(self, values: dict[str, Any]) -> None:
        """Save new values of some of EDITABLE_FIELDS, with the derived columns and the main edition."""
        if "authors" in values:
            self._write_authors(values["authors"])
        if "subjects" in values:
            self._write_subjects(values["subjects"])
        for name in EDITION_FIELDS & values.keys():
            # Update the main edition only if it has the book's old value; keep a different one.
            main = self.editions.filter(isbn13=self.isbn13, **{name: getattr(self, name)})
            main.update(**{name: values[name]})
        if "isbn13" in values:
            self._set_main_isbn(values["isbn13"])
        columns = {name: value for name, value in values.items() if name not in ("authors", "subjects")}
        for name, value in columns.items():
            setattr(self, name, value)
        if {"title", "authors", "isbn13", "language"} & values.keys():
            self._update_derived_fields(values.get("authors", self.authors))
            columns |= dict.fromkeys(("title_key", "match_key", "author", "search_text", *DUPLICATE_FIELDS))
        self.updated_at = timezone.now()
        self.save(update_fields=[*columns, "updated_at"])
        invalidate_books([self.pk])

    def _update_derived_fields(self, names: Sequence[str]) -> None:
        """Set the columns that are derived from title, authors and language."""
        self.title_key = title_sort_key(self.title, self.language)
        self.match_key = WorkTitle.parse(self.title).key
        self.author = join_authors(names)
        self.search_text = self._build_search_text(names)
        self.update_duplicate_keys(names)

    def update_duplicate_keys(self, names: Sequence[str]) -> None:
        """Set the duplicate keys; a changed key resets `confirmed_distinct`."""
        keys = work_key(self.title, names), edition_key(self.title, self.isbn13)
        if keys != (self.work_key, self.edition_key):
            self.confirmed_distinct = False
        self.work_key, self.edition_key = keys

    def update_search_text(self) -> None:
        """Write the search column again, after editions were added or moved. The book must be locked."""
        self.search_text = self._build_search_text(self.authors)
        Book.objects.filter(pk=self.pk).update(search_text=self.search_text)

    def _build_search_text(self, names: Iterable[str]) -> str:
        editions = self.editions.exclude(title="").order_by("pk") if self.pk else Edition.objects.none()
        titles = editions.values_list("title", flat=True)[:MAX_SEARCHED_TITLES]
        return build_search_text([self.title, *names, *titles])

    def _write_authors(self, names: Iterable[str]) -> None:
        self.author_rows.all().delete()
        BookAuthor.objects.bulk_create(BookAuthor.build(self, names))

    def _write_subjects(self, names: Iterable[str]) -> None:
        self.subject_rows.all().delete()
        BookSubject.objects.bulk_create(BookSubject.build(self, names))

    def _set_main_isbn(self, isbn13: str | None) -> None:
        """Change the ISBN of the main edition, make another edition the main one, or remove the main edition."""
        main = self.editions.filter(isbn13=self.isbn13)
        if isbn13 is None:
            main.delete()
        elif not self.editions.filter(isbn13=isbn13).exists():
            with conflict_on_duplicate_isbn(isbn13):
                updated = main.update(isbn13=isbn13)
            if not updated:
                self._insert_edition(isbn13, self._main_edition())

    def _main_edition(self) -> dict[str, Any]:
        """Return the fields of the main edition with the values of the book."""
        return {name: getattr(self, name) for name in EDITION_FIELDS}


DUPLICATE_FIELDS = ("work_key", "edition_key", "confirmed_distinct")
EDITION_FIELDS = {"published_year", "language", "page_count"}
EDITABLE_FIELDS = (
    "title",
    "authors",
    "isbn13",
    "published_year",
    "language",
    "page_count",
    "description",
    "subjects",
    "cover_url",
)
