"""Books and the rules about them; with editions, names and revisions, all of the catalogue's tables."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from activity.models import Thing
from activity.services import record
from bookbridge.api import counters
from bookbridge.api.errors import Conflict
from bookbridge.api.fields import KeyField
from bookbridge.api.search import SearchField, index_text
from bookbridge.api.transactions import retrying_atomic
from catalog.covers import discard_all
from catalog.duplicates import print_key, work_key
from catalog.editions import FIRST_YEAR, LAST_YEAR, MOST_PAGES, PAGES, YEARS, Edition, isbn_is_free
from catalog.importing.models import ImportCheckpoint, ImportedAuthor, OtherOrigin  # noqa: F401
from catalog.merging.models import Merge, Moved
from catalog.names import KEY_LENGTH, BookAuthor, BookSubject, author_line, key_of
from catalog.querysets import BookQuerySet
from catalog.ratings import HALF_STARS, histogram
from catalog.revisions import Revision
from moderation.models import target_gone

if TYPE_CHECKING:
    from accounts.models import User

__all__ = [
    "ANY_BOOK",
    "CATALOGUE",
    "EDITABLE",
    "TRUSTED_EDITORS",
    "Book",
    "BookAuthor",
    "BookQuerySet",
    "BookSubject",
    "Edition",
    "Merge",
    "Moved",
    "Revision",
    "touched",
]

TRUSTED_EDITORS = gettext_noop("Trusted editors")

# Generations of kept answers: of what shows many books, and of what shows any one; each book has its own beside them.
CATALOGUE, ANY_BOOK = "catalogue", "any book"


def touched(books: Collection[int]) -> None:
    """Say that what answers show of these books has changed, in the transaction of the change."""
    each = [f"book:{book}" for book in books] if len(books) <= 50 else [ANY_BOOK]
    if books:
        counters.moved(CATALOGUE, *each)


def _counter() -> Any:
    return models.PositiveIntegerField(default=0, editable=False)


class Book(models.Model):
    """One work, whatever editions it has. Ratings of its editions are one sum."""

    title = models.CharField(max_length=500)
    title_key = KeyField(max_length=KEY_LENGTH, editable=False, help_text="The folded title, for the order by title.")
    author = models.CharField(max_length=500, help_text=_("The authors on one line."))
    published_year = models.SmallIntegerField(
        null=True, blank=True, validators=YEARS, help_text=_("Of the work's first edition; negative is BCE.")
    )
    language = KeyField(max_length=12, blank=True, help_text=_("A BCP 47 tag in lower case, such as en or pt-br."))
    page_count = models.PositiveIntegerField(null=True, blank=True, validators=PAGES)
    description = models.TextField(blank=True, max_length=10_000)
    # Not a URLField: what is kept here has a name, and no address of its own (`catalog.covers`).
    cover_url = models.CharField(blank=True, max_length=500)
    isbn13 = KeyField(max_length=13, null=True, editable=False, help_text="Of the main edition; see Edition.")
    origin = KeyField(
        max_length=KEY_LENGTH,
        null=True,
        unique=True,
        editable=False,
        help_text=_("Where the row came from, as source:key, such as goodbooks:2792775."),
    )
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    # No reference and no index, by which the databases would read every list of the books that have none.
    merged_into = models.BigIntegerField(null=True, editable=False, help_text="The id of the book it is part of now.")
    # What it may be the same as (`catalog.duplicates`); null where nothing is compared, and once it is part of another.
    work_key = KeyField(max_length=KEY_LENGTH, null=True, editable=False, help_text="Bare title and first author.")
    print_key = KeyField(max_length=KEY_LENGTH, null=True, editable=False, help_text="Bare title and publisher.")
    told_apart = models.BooleanField(default=False, editable=False, help_text="From all that had its keys then.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    search_text = SearchField(editable=False)

    # Moved by reviews and clubs, in the transaction of what they count.
    ratings_count = _counter()
    ratings_sum = models.PositiveIntegerField(default=0, editable=False, help_text="In half-stars.")
    average_rating = models.DecimalField(max_digits=3, decimal_places=2, null=True, editable=False)
    stars_1 = _counter()
    stars_2 = _counter()
    stars_3 = _counter()
    stars_4 = _counter()
    stars_5 = _counter()
    stars_6 = _counter()
    stars_7 = _counter()
    stars_8 = _counter()
    stars_9 = _counter()
    stars_10 = _counter()
    clubs_reading = _counter()
    clubs_finished = _counter()

    objects = BookQuerySet.as_manager()

    class Meta:
        # Each order of the list is a range of one index; then come a language filter and the platform's statistics.
        indexes = [
            models.Index(fields=["ratings_count", "id"], name="catalog_book_by_ratings"),
            models.Index(fields=["average_rating", "id"], name="catalog_book_by_average"),
            models.Index(fields=["title_key", "id"], name="catalog_book_by_title"),
            models.Index(fields=["published_year", "id"], name="catalog_book_by_year"),
            models.Index(fields=["created_at", "id"], name="catalog_book_by_age"),
            models.Index(fields=["language", "ratings_count", "id"], name="catalog_book_by_language"),
            models.Index(fields=["clubs_finished", "id"], name="catalog_book_by_clubs"),
            models.Index(fields=["work_key", "told_apart"], name="catalog_book_by_work"),
            models.Index(fields=["print_key", "told_apart"], name="catalog_book_by_print"),
            # Of each average the books with most ratings: the best rated ones with at least so many.
            models.Index(fields=["average_rating", "ratings_count", "id"], name="catalog_book_by_rank"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(published_year__isnull=True) | Q(published_year__range=(FIRST_YEAR, LAST_YEAR)),
                name="catalog_book_year",
            ),
            models.CheckConstraint(
                condition=Q(page_count__isnull=True) | Q(page_count__range=(1, MOST_PAGES)), name="catalog_book_pages"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title}, {self.author}"

    @property
    def authors(self) -> list[str]:
        """The authors' names in their order."""
        return [row.name for row in self.author_rows.all()]

    @property
    def subjects(self) -> list[str]:
        """The subjects in their order."""
        return [row.name for row in self.subject_rows.all()]

    @classmethod
    @retrying_atomic
    def add(
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
        """Put a work into the catalogue, with its authors, subjects and, where it has an ISBN, its main edition.

        `isbn13` is in normal form. `edition` is what is known of the main edition (format, publisher, language,
        page_count, published_year); without it, it is taken to be what the book says of itself. `fields` are plain
        columns. Raises Conflict `duplicate_isbn`, with the book that has the ISBN.
        """
        now = timezone.now()
        book = cls(added_by=by, title=title, isbn13=isbn13, created_at=now, updated_at=now, **fields)
        book._name_authors(authors)
        book.save(force_insert=True)
        book._write_authors(authors)
        book._write_subjects(subjects)
        if isbn13:
            book.add_edition(isbn13=isbn13, **(book._main_edition() if edition is None else edition))
        counters.add({"books": 1})
        touched([book.pk])
        book._log("book.added", by)
        return book

    @retrying_atomic
    def change(self, *, by: User | None, **fields: Any) -> Revision | None:
        """Set some of EDITABLE to new values and keep what they were; the revision, or None where nothing changed.

        `isbn13` is in normal form, or None for a book without one. Raises Conflict `duplicate_isbn`.
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

    @retrying_atomic
    def add_edition(self, *, isbn13: str, **known: Any) -> Edition:
        """Add a printing with what is known of it; the main one stays. Raises Conflict `duplicate_isbn`."""
        with isbn_is_free(isbn13):
            edition = self.editions.create(isbn13=isbn13, **known)
        touched([self.pk])
        return edition

    @retrying_atomic
    def remove(self, *, by: User | None = None) -> None:
        """Take the book out of the catalogue.

        Raises Conflict `book_in_use` while a list or a review names it, or another book is part of it.
        """
        self.lock()
        pk = self.pk
        if self.merges.standing().exists():
            raise Conflict("book_in_use", _("Another book is part of this one."))
        discard_all(self)
        try:
            with transaction.atomic():
                self.delete()
        except (models.ProtectedError, models.RestrictedError, IntegrityError):
            raise Conflict("book_in_use", _("This book is on a list or has been reviewed.")) from None
        target_gone("book", [pk])
        counters.add({"books": -1})
        touched([pk])
        self.pk = pk
        self._log("book.deleted", by)

    def may_be_changed_by(self, user: User | AnonymousUser) -> bool:
        """Whether `user` added the book or is a trusted editor."""
        return self.was_added_by(user) or user.groups.filter(name=TRUSTED_EDITORS).exists()

    def was_added_by(self, user: User | AnonymousUser) -> bool:
        """Whether `user` put the book into the catalogue."""
        return user.is_authenticated and self.added_by_id == user.pk

    @property
    def histogram(self) -> dict[str, int]:
        """How many ratings of each kind, from 0.5 to 5.0 stars."""
        return histogram({n: getattr(self, f"stars_{n}") for n in HALF_STARS})

    @property
    def thing(self) -> Thing:
        """The book, as logs name it."""
        return Thing("book", self.pk, self.title)

    def _log(self, verb: str, by: User | None) -> None:
        record(verb, actor=by.pk if by else None, thing=self.thing)

    def lock(self) -> None:
        """Read the row afresh and hold it until the transaction ends; 404 where it is gone by now.

        Raises Conflict `book_merged` where it is part of another book by now.
        """
        try:
            self.refresh_from_db(from_queryset=Book.objects.select_for_update())
        except Book.DoesNotExist:
            raise Http404 from None
        if self.merged_into is not None:
            raise Conflict("book_merged", _("This book is part of another one by now."), book=self.merged_into)

    def _apply(self, values: dict[str, Any]) -> None:
        """Write new values of some of EDITABLE, each where it is kept."""
        if "authors" in values:
            self._write_authors(values["authors"])
        if "subjects" in values:
            self._write_subjects(values["subjects"])
        for name in EDITION_FIELDS & values.keys():
            # What the main edition has from its book goes along; what was said of it alone stays.
            mirrored = self.editions.filter(isbn13=self.isbn13, **{name: getattr(self, name)})
            mirrored.update(**{name: values[name]})
        if "isbn13" in values:
            self._set_main_isbn(values["isbn13"])
        columns = {name: value for name, value in values.items() if name not in ("authors", "subjects")}
        for name, value in columns.items():
            setattr(self, name, value)
        if {"title", "authors", "isbn13"} & values.keys():
            self._name_authors(values.get("authors", self.authors))
            columns |= dict.fromkeys(("title_key", "author", "search_text", *COMPARED))
        self.updated_at = timezone.now()
        self.save(update_fields=[*columns, "updated_at"])
        touched([self.pk])

    def _name_authors(self, names: Sequence[str]) -> None:
        """Set the columns that are made from the title and the authors."""
        self.title_key = key_of(self.title)
        self.author = author_line(names)
        self.search_text = index_text([self.title, *names])
        self.compare(names)

    def compare(self, names: Sequence[str]) -> None:
        """Set the columns by which duplicates are found; who has another key is not told apart from anything."""
        keys = work_key(self.title, names), print_key(self.title, self.isbn13)
        if keys != (self.work_key, self.print_key):
            self.told_apart = False
        self.work_key, self.print_key = keys

    def _write_authors(self, names: Iterable[str]) -> None:
        self.author_rows.all().delete()
        BookAuthor.objects.bulk_create(BookAuthor.rows(self, names))

    def _write_subjects(self, names: Iterable[str]) -> None:
        self.subject_rows.all().delete()
        BookSubject.objects.bulk_create(BookSubject.rows(self, names))

    def _set_main_isbn(self, isbn13: str | None) -> None:
        """Give the main edition another ISBN, or choose another edition as the main one, or have none."""
        main = self.editions.filter(isbn13=self.isbn13)
        if isbn13 is None:
            main.delete()
        elif not self.editions.filter(isbn13=isbn13).exists():
            with isbn_is_free(isbn13):
                renamed = main.update(isbn13=isbn13)
            if not renamed:
                self.add_edition(isbn13=isbn13, **self._main_edition())

    def _main_edition(self) -> dict[str, Any]:
        """What the book says of itself, said of its main edition."""
        return {name: getattr(self, name) for name in EDITION_FIELDS}


COMPARED = ("work_key", "print_key", "told_apart")
EDITION_FIELDS = {"published_year", "language", "page_count"}
EDITABLE = (
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
