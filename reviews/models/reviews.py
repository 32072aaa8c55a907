"""Reviews. Every change of a review updates the counters in the same transaction.

Lock order: users, books, reviews, each by id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import IntegrityError, models
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.db.models.functions import Length
from django.db.models.lookups import GreaterThan
from django.http import Http404
from django.utils.formats import number_format
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotAuthenticated

from accounts.models import User
from activity.choices import NotificationKind
from activity.models import ObjectRef
from activity.services import notify, record_event
from catalog.models import Book
from catalog.ratings import HALF_STARS
from catalog.versions import invalidate_books
from clubs.members.models import Membership
from core.api.exceptions import Conflict, InvalidFieldError
from core.db.fields import BinaryCollationCharField
from core.db.locking import lock_rows
from core.db.prepared import prepared
from core.db.transactions import atomic_with_retry
from moderation.models import close_cases_for_deleted
from reviews.choices import ReviewVisibility
from reviews.counters import RatingDelta
from reviews.models.archive import ArchivedLike, ArchivedReview  # noqa: F401  (Django finds models here)
from reviews.models.imports import ImportedReview, ReviewImport  # noqa: F401  (same)
from reviews.models.likes import Like
from reviews.querysets import ReviewQuerySet

if TYPE_CHECKING:
    from collections.abc import Sequence

BODY_LENGTH = 10_000


class Review(models.Model):
    """A rating, a text, or both, by a user about a book. A user has at most one review of a book.

    Reviews of deleted accounts have no author.
    """

    book = models.ForeignKey(Book, models.PROTECT, related_name="reviews", db_index=False, verbose_name=_("book"))
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="reviews",
        db_index=False,
        verbose_name=_("author"),
    )
    rating = models.PositiveSmallIntegerField(null=True, blank=True, help_text=_("In half-stars, 1 to 10."))
    title = models.CharField(max_length=200, blank=True, verbose_name=_("title"))
    body = models.TextField(max_length=BODY_LENGTH, blank=True, verbose_name=_("body"))
    contains_spoilers = models.BooleanField(default=False, verbose_name=_("contains spoilers"))
    language = BinaryCollationCharField(
        max_length=12,
        blank=True,
        help_text=_("A BCP 47 tag in lower case, such as en or pt-br."),
        verbose_name=_("language"),
    )
    visibility = models.CharField(
        max_length=10, choices=ReviewVisibility.choices, default=ReviewVisibility.PUBLIC, verbose_name=_("visibility")
    )
    hidden_at = models.DateTimeField(
        null=True,
        blank=True,
        db_index=True,
        editable=False,
        help_text=_("When the review was hidden."),
        verbose_name=_("hidden at"),
    )
    # A single column to filter by: with `hidden_at IS NULL` the databases would use that index for every list.
    audience = models.GeneratedField(
        expression=Case(
            When(hidden_at__isnull=True, then=F("visibility")), default=Value(ReviewVisibility.PRIVATE.value)
        ),
        output_field=models.CharField(max_length=10, choices=ReviewVisibility.choices),
        db_persist=True,
        help_text=_("Effective visibility: a hidden review is private."),
    )
    likes_count = models.PositiveIntegerField(default=0, editable=False, verbose_name=_("number of likes"))
    created_at = models.DateTimeField(
        default=now,
        null=True,
        editable=False,
        help_text=_("Of an imported review, when the book was read; null if the import had no certain date."),
        verbose_name=_("created at"),
    )
    edited_at = models.DateTimeField(null=True, blank=True, editable=False, verbose_name=_("edited at"))

    objects = ReviewQuerySet.as_manager()

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        # Every ordering of every list is one index range; the last two serve the filters by author and language.
        indexes = [
            models.Index(fields=["created_at", "id"], name="reviews_review_by_age"),
            models.Index(fields=["rating", "id"], name="reviews_review_by_rating"),
            models.Index(fields=["likes_count", "id"], name="reviews_review_by_likes"),
            models.Index(fields=["book", "created_at", "id"], name="reviews_review_book_age"),
            models.Index(fields=["book", "rating", "id"], name="reviews_review_book_rating"),
            models.Index(fields=["book", "likes_count", "id"], name="reviews_review_book_likes"),
            models.Index(fields=["author", "created_at", "id"], name="reviews_review_author_age"),
            models.Index(fields=["language", "created_at", "id"], name="reviews_review_language"),
        ]
        constraints = [
            # NULLs are distinct in a unique index, so a book can have reviews of several deleted accounts.
            models.UniqueConstraint(fields=["author", "book"], name="reviews_review_once"),
            models.CheckConstraint(
                condition=Q(rating__isnull=True) | Q(rating__range=(HALF_STARS[0], HALF_STARS[-1])),
                name="reviews_review_rating",
            ),
            models.CheckConstraint(
                # By length, because MySQL considers a text of combining accents equal to an empty one.
                condition=Q(rating__isnull=False)
                | Q(GreaterThan(Length("body"), 0))
                | Q(GreaterThan(Length("title"), 0)),
                name="reviews_review_not_empty",
            ),
        ]

    def __str__(self) -> str:
        return self.title or f"#{self.pk}"

    @classmethod
    def create_review(cls, *, book: Book | int, by: User, **fields: Any) -> Review:
        """Create a review of `book` by a user. `fields` are plain columns; the language defaults to the user's.

        If a `Book` was merged in the meantime, the review is of the merge target; the id of a merged book is invalid.
        Raises Conflict `already_reviewed`, and InvalidFieldError without a rating or a text or if the book is deleted.
        """
        pk, is_loaded = (book.pk, True) if isinstance(book, Book) else (book, False)
        review = cls(book_id=pk, author=by, **{"language": by.language.lower(), **fields})
        review._check_content()
        try:
            review._insert(follow_merges=is_loaded)
        except IntegrityError as violation:
            raise review._already_reviewed() or violation from violation
        return review

    @atomic_with_retry
    def _insert(self, *, follow_merges: bool) -> None:
        delta = RatingDelta()
        if not delta.lock_author(self):
            raise NotAuthenticated
        # The locks on the author and the book keep memberships and reading lists from changing afterwards.
        book = next(iter(book_to_lock(self.book_id, self.author_id)), None)
        while follow_merges and book is not None and book.merged_into is not None:
            book = next(iter(book_to_lock(book.merged_into, self.author_id)), None)
        if book is None or book.merged_into is not None:
            raise InvalidFieldError("book", "does_not_exist", _("There is no such book."))
        self.book = book
        self.save(force_insert=True)
        delta.add_review(self)
        if not book.is_listed:
            delta.user_ratings.clear()  # no reading list has the book
        delta.save()
        self._log("review.posted", self.author_id)

    @atomic_with_retry
    def update_review(self, **fields: Any) -> None:
        """Update the fields, and `edited_at` if a value differs. Raises InvalidFieldError without rating and text."""
        self.lock()
        changed = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if changed:
            self._update_fields(**changed, edited_at=now())
            self._log("review.changed", self.author_id)

    @atomic_with_retry
    def hide(self) -> None:
        """Hide the review from everyone but its author, and exclude it from all counters."""
        self.lock()
        if self.hidden_at is None:
            self._update_fields(hidden_at=now())

    @atomic_with_retry
    def restore(self) -> None:
        """Make a hidden review visible again."""
        self.lock()
        if self.hidden_at is not None:
            self._update_fields(hidden_at=None)

    @atomic_with_retry
    def delete_review(self, *, by: User | None = None) -> None:
        """Delete the review with its likes. `by` is the author, or None for staff."""
        self.lock()
        self._log("review.deleted", by.pk if by else None)
        delta, pk = RatingDelta(), self.pk
        delta.remove_review(self)
        self.delete()
        close_cases_for_deleted("review", [pk])
        delta.save()

    @atomic_with_retry
    def like(self, *, by: User) -> bool:
        """Like the review; return False if `by` already liked it."""
        if not lock_rows(User, [by.pk]):
            raise NotAuthenticated
        self._lock_row()
        created = Like.objects.get_or_create(review=self, user=by)[1]
        if created:
            self._count_likes(+1)
            self._log("review.liked", by.pk)
            self._notify_liked(by)
        return created

    @atomic_with_retry
    def unlike(self, *, by: User) -> bool:
        """Remove the like of `by`; return False if there was none."""
        lock_rows(User, [by.pk])
        self._lock_row()
        removed = Like.objects.filter(review=self, user=by).delete()[0] > 0
        if removed:
            self._count_likes(-1)
            self._log("review.unliked", by.pk)
        return removed

    @property
    def is_public(self) -> bool:
        """Whether everyone may read the review, so that it is counted. See also `ReviewQuerySet.public`."""
        return self.visibility == ReviewVisibility.PUBLIC and self.hidden_at is None

    @property
    def is_shared_with_clubs(self) -> bool:
        """Whether the active members of the author's clubs may read the review."""
        return self.visibility != ReviewVisibility.PRIVATE and self.hidden_at is None

    @property
    def stars(self) -> float | None:
        """The rating in stars."""
        return None if self.rating is None else self.rating / 2

    @property
    def stars_display(self) -> str:
        """The localized rating: `4.5 ★`, or `4,5 ★` in Portuguese."""
        return "" if self.stars is None else f"{number_format(self.stars, 1)} ★"

    def lock(self, *, with_user: User | None = None) -> None:
        """Lock the author, the book and the review, and reload the review. Raises Http404 if it is deleted.

        `with_user` is locked along with the author, for callers that also write for that user.
        """
        lock_rows(User, [self.author_id, with_user.pk if with_user else None])
        self._refresh_book()
        lock_rows(Book, [self.book_id])
        try:
            rows = Review.objects.select_for_update().select_related("author")
            self.refresh_from_db(fields=MUTABLE_FIELDS, from_queryset=rows)
        except Review.DoesNotExist:
            raise Http404 from None
        # Without an author to lock, a merge may have moved the review between the two queries.
        if self.author_id is None and self._refresh_book():
            lock_rows(Book, [self.book_id])

    @property
    def object_ref(self) -> ObjectRef:
        """The reference used by events and notifications."""
        return ObjectRef("review", self.pk, self.book.title)

    def _log(self, verb: str, by: int | None) -> None:
        """Record an event by the user `by`, or by staff (None) about the author. Club feeds do not show reviews."""
        record_event(verb, actor=by, object_ref=self.object_ref, subject=None if by else self.author_id)

    def _notify_liked(self, by: User) -> None:
        """Notify the author, at most once per user."""
        if self.author_id:
            key = f"review_liked:{self.pk}:{by.pk}"
            notify(NotificationKind.REVIEW_LIKED, [self.author_id], actor=by.pk, object_ref=self.object_ref, key=key)

    def _lock_row(self) -> None:
        book = Review.objects.select_for_update().filter(pk=self.pk).values_list("book", flat=True).first()
        if book is None:
            raise Http404
        self.book_id = book

    def _refresh_book(self) -> bool:
        """Reload the book, which a merge may have changed; return whether it did."""
        before = self.book_id
        self.book_id = Review.objects.filter(pk=self.pk).values_list("book", flat=True).first() or before
        return self.book_id != before

    def _update_fields(self, **values: Any) -> None:
        """Save only these columns, and update the counters. The review must be locked."""
        delta = RatingDelta()
        delta.remove_review(self)
        for name, value in values.items():
            setattr(self, name, value)
        self._check_content()
        self.save(update_fields=values.keys())
        delta.add_review(self)
        delta.save()

    def _check_content(self) -> None:
        if self.rating is None and not self.title and not self.body:
            raise InvalidFieldError("rating", "required", _("A review needs a rating or a text."))

    def _already_reviewed(self) -> Conflict | None:
        """Return the error that names the author's other review of the book, None if there is none."""
        other = Review.objects.filter(author=self.author_id, book=self.book_id).values_list("pk", flat=True).first()
        if other is None:
            return None
        text = _("You have already reviewed this book.")
        return Conflict("already_reviewed", text, review=other, book=self.book.summary)

    def _count_likes(self, change: int) -> None:
        Review.objects.filter(pk=self.pk).update(likes_count=F("likes_count") + change)
        self.likes_count += change
        invalidate_books([self.book_id])


MUTABLE_FIELDS: Sequence[str] = (
    "author",
    "rating",
    "title",
    "body",
    "contains_spoilers",
    "language",
    "visibility",
    "hidden_at",
    "likes_count",
    "edited_at",
)


@prepared
def book_to_lock(book_id: int, author_id: int | None) -> Any:
    """Return the query that locks a book and tells whether a club of the author has it on its list (`is_listed`)."""
    clubs = Membership.objects.active().filter(user=author_id, club__entries__book=OuterRef("pk"))
    rows = Book.objects.annotate(is_listed=Exists(clubs)).only("title", "author", "cover_url", "merged_into")
    return rows.filter(pk=book_id).select_for_update()
