"""Reviews, and the figures that follow every change of one.

Whoever writes locks in one order: users, books, reviews, each by id.
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
from reviews.aside import LikeAside, SetAside  # noqa: F401  (Django looks for tables here)
from reviews.figures import Tally
from reviews.importing.models import Import, ImportedReview  # noqa: F401  (and here)
from reviews.likes import Like
from reviews.querysets import ReviewQuerySet, Visibility, already_reviewed

if TYPE_CHECKING:
    from collections.abc import Sequence

BODY_LENGTH = 10_000


class Review(models.Model):
    """What a reader thinks of a book: a rating, a text, or both. One for each reader and book.

    A review without an author is of a reader who has deleted their account.
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
        null=True, blank=True, db_index=True, editable=False, help_text=_("Since when it is kept from the others.")
    )
    # One column to ask: with `hidden_at IS NULL` in its place the databases would read every list by that index.
    audience = models.GeneratedField(
        expression=Case(When(hidden_at__isnull=True, then=F("visibility")), default=Value(Visibility.PRIVATE.value)),
        output_field=models.CharField(max_length=10, choices=Visibility.choices),
        db_persist=True,
        help_text=_("Who may read it now: what is hidden is left to its author."),
    )
    likes_count = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=now, editable=False)
    edited_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        # Each order of each list is a range of one index; the last two serve the filters by reader and language.
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
            # NULLs do not clash, so that a book may have the reviews of several deleted readers.
            models.UniqueConstraint(fields=["author", "book"], name="reviews_review_once"),
            models.CheckConstraint(
                condition=Q(rating__isnull=True) | Q(rating__range=(HALF_STARS[0], HALF_STARS[-1])),
                name="reviews_review_rating",
            ),
            models.CheckConstraint(
                # By length: MySQL takes a text of nothing but accents for an empty one.
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
        """Write `by`'s review of a book; `fields` are plain columns, the language the writer's where none is given.

        Raises Conflict `already_reviewed`; InvalidField without a rating or a text, or where the book has gone by now.
        """
        review = cls(book=book, author=by, **{"language": by.language.lower(), **fields})
        review._require_content()
        if not hold(User, [by.pk]):
            raise NotAuthenticated
        held = Book.objects.hold(book.pk)
        if held is None:
            raise InvalidField("book", "does_not_exist", _("There is no such book."))
        if held != book.pk:
            review.book = Book.objects.get(pk=held)
        with conflict_as(already_reviewed()):
            review.save(force_insert=True)
        tally = Tally()
        tally.count(review, +1)
        tally.write()
        review._log("review.posted", by)
        return review

    @retrying_atomic
    def change(self, **fields: Any) -> None:
        """Set plain columns; `edited_at` says when, if anything is new. Raises InvalidField without rating and text."""
        self.lock()
        changed = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if changed:
            self._set(**changed, edited_at=now())
            self._log("review.changed", self.author)

    @retrying_atomic
    def hide(self) -> None:
        """Keep the review from everybody but its author, and out of every figure, until it is restored."""
        self.lock()
        if self.hidden_at is None:
            self._set(hidden_at=now())

    @retrying_atomic
    def restore(self) -> None:
        """Show a hidden review again to whom it is for."""
        self.lock()
        if self.hidden_at is not None:
            self._set(hidden_at=None)

    @retrying_atomic
    def remove(self, *, by: User | None = None) -> None:
        """Delete the review with its likes, `by` its author or staff (None); its author may write another."""
        self.lock()
        self._log("review.deleted", by)
        tally, pk = Tally(), self.pk
        tally.count(self, -1)
        self.delete()
        target_gone("review", [pk])
        tally.write()

    @retrying_atomic
    def like(self, *, by: User) -> bool:
        """Note that `by` likes it, and count that once; whether they did not before."""
        if not hold(User, [by.pk]):
            raise NotAuthenticated
        self._hold()
        made = Like.objects.get_or_create(review=self, user=by)[1]
        if made:
            self._count_likes(+1)
            self._log("review.liked", by)
            self._tell_liked(by)
        return made

    @retrying_atomic
    def unlike(self, *, by: User) -> bool:
        """Forget that `by` likes it; whether they did."""
        hold(User, [by.pk])
        self._hold()
        removed = Like.objects.filter(review=self, user=by).delete()[0] > 0
        if removed:
            self._count_likes(-1)
            self._log("review.unliked", by)
        return removed

    @property
    def is_public(self) -> bool:
        """Whether everybody may read it, so that it counts: what `ReviewQuerySet.public` says of many."""
        return self.visibility == Visibility.PUBLIC and self.hidden_at is None

    @property
    def stars(self) -> float | None:
        """The rating in stars."""
        return None if self.rating is None else self.rating / 2

    @property
    def in_stars(self) -> str:
        """The rating as people write it: `4.5 ★`, and `4,5 ★` in Portuguese."""
        return "" if self.stars is None else f"{number_format(self.stars, 1)} ★"

    def lock(self, *, with_user: User | None = None) -> None:
        """Hold the rows of the author, the book and the review, and read this one afresh; 404 where it is gone.

        `with_user` is locked along with the author, for whoever will write something in that reader's name.
        """
        hold(User, [self.author_id, with_user.pk if with_user else None])
        self._read_book()
        hold(Book, [self.book_id])
        try:
            self.refresh_from_db(fields=CHANGING, from_queryset=Review.objects.select_for_update())
        except Review.DoesNotExist:
            raise Http404 from None
        # One without an author may have been moved between the two; of any other the author's row is held.
        if self.author_id is None and self._read_book():
            hold(Book, [self.book_id])

    @property
    def thing(self) -> Thing:
        """The review, as logs and notifications name it."""
        return Thing("review", self.pk, self.book.title)

    def _log(self, verb: str, by: User | None) -> None:
        """Write into the log of `by`, and of the author where staff (None) did it. No feed shows reviews."""
        record(verb, actor=by.pk if by else None, thing=self.thing, subject=None if by else self.author_id)

    def _tell_liked(self, by: User) -> None:
        """Tell the author, once of each reader."""
        if self.author_id:
            key = f"review_liked:{self.pk}:{by.pk}"
            notify(Kind.REVIEW_LIKED, [self.author_id], actor=by.pk, thing=self.thing, key=key)

    def _hold(self) -> None:
        if not hold(Review, [self.pk]):
            raise Http404
        self._read_book()

    def _read_book(self) -> bool:
        """See which book it is of by now; whether that has changed."""
        before = self.book_id
        self.book_id = Review.objects.filter(pk=self.pk).values_list("book", flat=True).first() or before
        return self.book_id != before

    def _set(self, **values: Any) -> None:
        """Write these columns and no others, and move the figures. The caller holds the lock."""
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
