"""The catalogue's tables and the rules about them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bookbridge.api import counters
from bookbridge.api.errors import Conflict
from bookbridge.api.fields import KeyField
from bookbridge.api.search import SearchField, index_text, query_terms
from bookbridge.api.text import fold
from bookbridge.api.transactions import retrying_atomic
from catalog.importing.models import ImportCheckpoint, ImportedAuthor, OtherOrigin  # noqa: F401
from catalog.ratings import HALF_STARS, histogram

if TYPE_CHECKING:
    from accounts.models import User

TRUSTED_EDITORS = "Trusted editors"

KEY_LENGTH = 191
FIRST_YEAR, LAST_YEAR = -3000, 2100
MOST_PAGES = 50_000

_YEARS = [MinValueValidator(FIRST_YEAR), MaxValueValidator(LAST_YEAR)]
_PAGES = [MinValueValidator(1), MaxValueValidator(MOST_PAGES)]


def key_of(text: str) -> str:
    """The form in which names and titles are compared and sorted."""
    return fold(text)[:KEY_LENGTH].rstrip()


def author_line(names: Sequence[str]) -> str:
    """Names on one line of at most 500 characters; those that do not fit are an ellipsis."""
    line = ", ".join(names)
    return line if len(line) <= 500 else line[:499].rstrip(" ,") + "…"


# Generations of kept answers: of what shows many books, and of what shows any one; each book has its own beside them.
CATALOGUE, ANY_BOOK = "catalogue", "any book"


def touched(books: Collection[int]) -> None:
    """Say that what answers show of these books has changed, in the transaction of the change."""
    each = [f"book:{book}" for book in books] if len(books) <= 50 else [ANY_BOOK]
    if books:
        counters.moved(CATALOGUE, *each)


class BookQuerySet(models.QuerySet["Book"]):
    """Rules about many books."""

    def visible_to(self, user: User | AnonymousUser) -> BookQuerySet:
        """What `user` may know of: the whole catalogue is public."""
        return self

    def search(self, text: str) -> BookQuerySet:
        """Books in whose title or authors each word of `text` begins a word, in any order, without case or accents.

        Ten words count. A text without any letter or digit finds nothing.
        """
        wanted = query_terms(text)
        return self.filter(search_text__words=wanted) if wanted else self.none()

    def by_author(self, name: str) -> BookQuerySet:
        """Books of an author, whose whole name is given, without case or accents."""
        return self.filter(pk__in=BookAuthor.objects.filter(key=key_of(name)).values("book"))

    def by_subject(self, name: str) -> BookQuerySet:
        """Books on a subject, whose whole name is given, without case or accents."""
        return self.filter(pk__in=BookSubject.objects.filter(key=key_of(name)).values("book"))

    def with_isbn(self, isbn13: str) -> BookQuerySet:
        """The book that has an edition with this ISBN-13 in normal form, if there is one."""
        return self.filter(pk__in=Edition.objects.filter(isbn13=isbn13).values("book"))

    def in_language(self, tag: str) -> BookQuerySet:
        """Books in a language: `pt` also finds `pt-br`."""
        # "." is the character after "-", so this is one range of the index.
        return self.filter(Q(language=tag) | Q(language__gte=f"{tag}-", language__lt=f"{tag}."))

    def for_list(self) -> BookQuerySet:
        """With what a row of a list shows, in three queries however many rows there are."""
        return self.defer("description", "search_text").prefetch_related("author_rows", "subject_rows")

    def for_detail(self) -> BookQuerySet:
        """With all that one book shows, in four queries."""
        return self.defer("search_text").prefetch_related("author_rows", "subject_rows", "editions")


def _counter() -> Any:
    return models.PositiveIntegerField(default=0, editable=False)


class Book(models.Model):
    """One work, whatever editions it has. Ratings of its editions are one sum."""

    title = models.CharField(max_length=500)
    title_key = KeyField(max_length=KEY_LENGTH, editable=False, help_text="The folded title, for the order by title.")
    author = models.CharField(max_length=500, help_text="The authors on one line.")
    published_year = models.SmallIntegerField(
        null=True, blank=True, validators=_YEARS, help_text="Of the work's first edition; negative is BCE."
    )
    language = KeyField(max_length=12, blank=True, help_text="A BCP 47 tag in lower case, such as en or pt-br.")
    page_count = models.PositiveIntegerField(null=True, blank=True, validators=_PAGES)
    description = models.TextField(blank=True, max_length=10_000)
    cover_url = models.URLField(blank=True, max_length=500)
    isbn13 = KeyField(max_length=13, null=True, editable=False, help_text="Of the main edition; see Edition.")
    origin = KeyField(
        max_length=KEY_LENGTH,
        null=True,
        unique=True,
        editable=False,
        help_text="Where the row came from, as source:key, such as goodbooks:2792775.",
    )
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
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
        return book

    @retrying_atomic
    def change(self, *, by: User | None, **fields: Any) -> Revision | None:
        """Set some of EDITABLE to new values and keep what they were; the revision, or None where nothing changed.

        `isbn13` is in normal form, or None for a book without one. Raises Conflict `duplicate_isbn`.
        """
        self._lock()
        changes = {
            name: {"before": getattr(self, name), "after": value}
            for name, value in fields.items()
            if getattr(self, name) != value
        }
        if not changes:
            return None
        number = (self.revisions.aggregate(last=models.Max("number"))["last"] or 0) + 1
        self._apply({name: change["after"] for name, change in changes.items()})
        return self.revisions.create(number=number, editor=by, changes=changes)

    @retrying_atomic
    def add_edition(self, *, isbn13: str, **known: Any) -> Edition:
        """Add a printing with what is known of it; the main one stays. Raises Conflict `duplicate_isbn`."""
        with _isbn_is_free(isbn13):
            edition = self.editions.create(isbn13=isbn13, **known)
        touched([self.pk])
        return edition

    @retrying_atomic
    def remove(self) -> None:
        """Take the book out of the catalogue. Raises Conflict `book_in_use` while a list or a review names it."""
        self._lock()
        pk = self.pk
        try:
            with transaction.atomic():
                self.delete()
        except (models.ProtectedError, models.RestrictedError, IntegrityError):
            raise Conflict("book_in_use", _("This book is on a list or has been reviewed.")) from None
        counters.add({"books": -1})
        touched([pk])

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

    def _lock(self) -> None:
        """Read the row afresh and hold it until the transaction ends; 404 where it is gone by now."""
        try:
            self.refresh_from_db(from_queryset=Book.objects.select_for_update())
        except Book.DoesNotExist:
            raise Http404 from None

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
        if {"title", "authors"} & values.keys():
            self._name_authors(values.get("authors", self.authors))
            columns |= dict.fromkeys(("title_key", "author", "search_text"))
        self.updated_at = timezone.now()
        self.save(update_fields=[*columns, "updated_at"])
        touched([self.pk])

    def _name_authors(self, names: Sequence[str]) -> None:
        """Set the columns that are made from the title and the authors."""
        self.title_key = key_of(self.title)
        self.author = author_line(names)
        self.search_text = index_text([self.title, *names])

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
            with _isbn_is_free(isbn13):
                renamed = main.update(isbn13=isbn13)
            if not renamed:
                self.add_edition(isbn13=isbn13, **self._main_edition())

    def _main_edition(self) -> dict[str, Any]:
        """What the book says of itself, said of its main edition."""
        return {name: getattr(self, name) for name in EDITION_FIELDS}


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


@contextmanager
def _isbn_is_free(isbn13: str) -> Iterator[None]:
    """Turn the unique key's refusal into Conflict `duplicate_isbn` with the book that has the ISBN."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        holder = Edition.objects.filter(isbn13=isbn13).values_list("book", flat=True).first()
        if holder is None:
            raise
        raise Conflict("duplicate_isbn", _("The catalogue has a book with this ISBN."), book=holder) from None


class Edition(models.Model):
    """One printing of a work, known by its ISBN."""

    book = models.ForeignKey(Book, models.CASCADE, related_name="editions")
    isbn13 = KeyField(max_length=13, unique=True)
    format = models.CharField(max_length=50, blank=True)
    publisher = models.CharField(max_length=200, blank=True)
    language = KeyField(max_length=12, blank=True)
    page_count = models.PositiveIntegerField(null=True, blank=True, validators=_PAGES)
    published_year = models.SmallIntegerField(null=True, blank=True, validators=_YEARS)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.isbn13


class _Name(models.Model):
    """One of a book's names for something, in order, with the key that finds it."""

    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=200)
    key = KeyField(max_length=KEY_LENGTH, editable=False, help_text="The folded name.")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @classmethod
    def rows(cls, book: Book, names: Iterable[str]) -> list[Any]:
        """Rows, not saved yet, for `names` in their order, from position 0."""
        return [
            cls(book=book, position=n, name=name, key=key_of(name))  # type: ignore[misc]  # each subclass has it
            for n, name in enumerate(names)
        ]


class BookAuthor(_Name):
    """One author of a book."""

    book = models.ForeignKey(Book, models.CASCADE, related_name="author_rows")

    class Meta:
        ordering = ["position"]
        indexes = [models.Index(fields=["key", "book"], name="catalog_bookauthor_by_key")]
        constraints = [models.UniqueConstraint(fields=["book", "position"], name="catalog_bookauthor_once")]


class BookSubject(_Name):
    """One subject of a book."""

    book = models.ForeignKey(Book, models.CASCADE, related_name="subject_rows")

    class Meta:
        ordering = ["position"]
        indexes = [models.Index(fields=["key", "book"], name="catalog_booksubject_by_key")]
        constraints = [models.UniqueConstraint(fields=["book", "position"], name="catalog_booksubject_once")]


class Revision(models.Model):
    """One change of a book: which fields, from what to what, by whom."""

    book = models.ForeignKey(Book, models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField(help_text="From 1 for each book.")
    editor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    changes = models.JSONField(help_text="{field: {before, after}} of the fields that changed.")

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["book", "number"], name="catalog_revision_once")]

    def __str__(self) -> str:
        return f"{self.number}: {', '.join(self.changes)}"

    def undo(self, *, by: User | None) -> Revision | None:
        """Give the fields it changed their former values, which is a revision too; None where they have them already.

        Raises Conflict `duplicate_isbn` where another book has got the former ISBN since.
        """
        return self.book.change(by=by, **{name: change["before"] for name, change in self.changes.items()})
