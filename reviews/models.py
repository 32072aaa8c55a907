"""Reviews. Every change of a review updates the counters in the same transaction.

Lock order: users, books, reviews, each by id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Length
from django.db.models.lookups import GreaterThan
from django.http import Http404
from django.utils.formats import number_format
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotAuthenticated

from accounts.models import User
from activity.kinds import Kind
from activity.models import Thing
from activity.services import notify, record
from bookbridge.api.errors import InvalidField
from bookbridge.api.fields import KeyField
from bookbridge.api.rows import hold
from bookbridge.api.transactions import conflict_as, retrying_atomic
from catalog.models import Book, touched
from catalog.ratings import HALF_STARS
from moderation.models import target_gone
from reviews.aside import LikeAside, SetAside  # noqa: F401  (Django finds models here)
from reviews.figures import Tally
from reviews.importing.models import Import, ImportedReview  # noqa: F401  (same)
from reviews.likes import Like
from reviews.querysets import ReviewQuerySet, Visibility, already_reviewed

if TYPE_CHECKING:
    from collections.abc import Sequence

BODY_LENGTH = 10_000


class Review(models.Model):
    """A rating, a text, or both, by a user about a book. There is one review per user and book.

    Reviews of deleted accounts have no author.
    """

    book = models.ForeignKey(Book, models.PROTECT, related_name="reviews", db_index=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="reviews", db_index=False
    )
    rating = models.PositiveSmallIntegerField(null=True, blank=True, help_text=_("In half-stars, 1 to 10."))
    title = models.CharField(max_length=200, blank=True)
    body = models.TextField(max_length=BODY_LENGTH, blank=True)
    contains_spoilers = models.BooleanField(default=False)
    language = KeyField(max_length=12, blank=True, help_text=_("A BCP 47 tag in lower case, such as en or pt-br."))
    visibility = models.CharField(max_length=10, choices=Visibility.choices, default=Visibility.PUBLIC)
    hidden_at = models.DateTimeField(
        null=True, blank=True, db_index=True, editable=False, help_text=_("When the review was hidden.")
    )
    # A single column to filter by: with `hidden_at IS NULL` the databases would use that index for every list.
    audience = models.GeneratedField(
        expression=Case(When(hidden_at__isnull=True, then=F("visibility")), default=Value(Visibility.PRIVATE.value)),
        output_field=models.CharField(max_length=10, choices=Visibility.choices),
        db_persist=True,
        help_text=_("Effective visibility: a hidden review is private."),
    )
    likes_count = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=now, editable=False)
    edited_at = models.DateTimeField(null=True, blank=True, editable=False)

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
            # NULLs never collide in a unique index, so a book can have reviews of several deleted accounts.
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
    @retrying_atomic
    def write(cls, *, book: Book, by: User, **fields: Any) -> Review:
        """Create a review of `book` by a user. `fields` are plain columns; the language defaults to the user's.

        Raises Conflict `already_reviewed`, and InvalidField without a rating or a text or if the book is deleted.
        """
        review = cls(book=book, author=by, **{"language": by.language.lower(), **fields})
        review._require_content()
        if not hold(User, [by.pk]):
            raise NotAuthenticated
        locked = Book.objects.hold(book.pk)
        if locked is None:
            raise InvalidField("book", "does_not_exist", _("There is no such book."))
        if locked != book.pk:
            review.book = Book.objects.get(pk=locked)
        with conflict_as(already_reviewed()):
            review.save(force_insert=True)
        tally = Tally()
        tally.count(review, +1)
        tally.write()
        review._log("review.posted", by)
        return review

    @retrying_atomic
    def change(self, **fields: Any) -> None:
        """Update plain columns, and `edited_at` if a value differs. Raises InvalidField without a rating or a text."""
        self.lock()
        changed = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if changed:
            self._set(**changed, edited_at=now())
            self._log("review.changed", self.author)

    @retrying_atomic
    def hide(self) -> None:
        """Hide the review from everyone but its author, and exclude it from all counters."""
        self.lock()
        if self.hidden_at is None:
            self._set(hidden_at=now())

    @retrying_atomic
    def restore(self) -> None:
        """Make a hidden review visible again."""
        self.lock()
        if self.hidden_at is not None:
            self._set(hidden_at=None)

    @retrying_atomic
    def remove(self, *, by: User | None = None) -> None:
        """Delete the review with its likes. `by` is the author, or None for staff."""
        self.lock()
        self._log("review.deleted", by)
        tally, pk = Tally(), self.pk
        tally.count(self, -1)
        self.delete()
        target_gone("review", [pk])
        tally.write()

    @retrying_atomic
    def like(self, *, by: User) -> bool:
        """Like the review; return False if `by` already liked it."""
        if not hold(User, [by.pk]):
            raise NotAuthenticated
        self._hold()
        created = Like.objects.get_or_create(review=self, user=by)[1]
        if created:
            self._count_likes(+1)
            self._log("review.liked", by)
            self._tell_liked(by)
        return created

    @retrying_atomic
    def unlike(self, *, by: User) -> bool:
        """Remove the like of `by`; return False if there was none."""
        hold(User, [by.pk])
        self._hold()
        removed = Like.objects.filter(review=self, user=by).delete()[0] > 0
        if removed:
            self._count_likes(-1)
            self._log("review.unliked", by)
        return removed

    @property
    def is_public(self) -> bool:
        """Return whether everyone may read the review, so that it is counted. See also `ReviewQuerySet.public`."""
        return self.visibility == Visibility.PUBLIC and self.hidden_at is None

    @property
    def stars(self) -> float | None:
        """Return the rating in stars."""
        return None if self.rating is None else self.rating / 2

    @property
    def in_stars(self) -> str:
        """Return the localized rating: `4.5 ★`, or `4,5 ★` in Portuguese."""
        return "" if self.stars is None else f"{number_format(self.stars, 1)} ★"

    def lock(self, *, with_user: User | None = None) -> None:
        """Lock the author, the book and the review, and reload the review. Raises Http404 if it is deleted.

        `with_user` is locked along with the author, for callers that also write for that user.
        """
        hold(User, [self.author_id, with_user.pk if with_user else None])
        self._read_book()
        hold(Book, [self.book_id])
        try:
            self.refresh_from_db(fields=CHANGING, from_queryset=Review.objects.select_for_update())
        except Review.DoesNotExist:
            raise Http404 from None
        # Without an author to lock, a merge may have moved the review between the two queries.
        if self.author_id is None and self._read_book():
            hold(Book, [self.book_id])

    @property
    def thing(self) -> Thing:
        """Return the reference used by events and notifications."""
        return Thing("review", self.pk, self.book.title)

    def _log(self, verb: str, by: User | None) -> None:
        """Record an event of `by`, or about the author if staff (None) did it. Feeds do not show reviews."""
        record(verb, actor=by.pk if by else None, thing=self.thing, subject=None if by else self.author_id)

    def _tell_liked(self, by: User) -> None:
        """Notify the author, at most once per user."""
        if self.author_id:
            key = f"review_liked:{self.pk}:{by.pk}"
            notify(Kind.REVIEW_LIKED, [self.author_id], actor=by.pk, thing=self.thing, key=key)

    def _hold(self) -> None:
        if not hold(Review, [self.pk]):
            raise Http404
        self._read_book()

    def _read_book(self) -> bool:
        """Reload the book, which a merge may have changed; return whether it did."""
        before = self.book_id
        self.book_id = Review.objects.filter(pk=self.pk).values_list("book", flat=True).first() or before
        return self.book_id != before

    def _set(self, **values: Any) -> None:
        """Save only these columns, and update the counters. The review must be locked."""
        tally = Tally()
        tally.count(self, -1)
        for name, value in values.items():
            setattr(self, name, value)
        self._require_content()
        self.save(update_fields=values.keys())
        tally.count(self, +1)
        tally.write()

    def _require_content(self) -> None:
        if self.rating is None and not self.title and not self.body:
            raise InvalidField("rating", "required", _("A review needs a rating or a text."))

    def _count_likes(self, change: int) -> None:
        Review.objects.filter(pk=self.pk).update(likes_count=F("likes_count") + change)
        self.likes_count += change
        touched([self.book_id])


CHANGING: Sequence[str] = (
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
