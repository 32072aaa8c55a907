"""Reviews and likes: who may read which, and the figures that follow every change of one.

Whoever writes locks in one order: users, books, reviews, each by id.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.db.models.functions import Length
from django.db.models.lookups import GreaterThan
from django.http import Http404
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotAuthenticated

from accounts.blocks import unblocked
from accounts.models import User
from activity.kinds import Kind
from activity.models import Thing
from activity.services import notify, record
from bookbridge.api.errors import Conflict, InvalidField
from bookbridge.api.fields import KeyField
from bookbridge.api.joins import looking_up
from bookbridge.api.transactions import conflict_as, retrying_atomic
from catalog.models import Book, touched
from catalog.ratings import HALF_STARS
from clubs.models import Club, Entry, Membership
from moderation.models import target_gone
from moderation.shown import moderation_of
from reviews.aside import LikeAside, SetAside  # noqa: F401  (and here)
from reviews.figures import Tally, batches, hold
from reviews.importing.models import Import, ImportedReview  # noqa: F401  (Django looks for tables here)

if TYPE_CHECKING:
    from collections.abc import Sequence

BODY_LENGTH = 10_000
# What counting a review needs of it.
COUNTED = ("book", "author", "rating", "visibility", "hidden_at", "created_at")


class Visibility(models.TextChoices):
    """Who may read a review; its author may in any case."""

    PUBLIC = "public", _("everybody")
    CLUBS = "clubs", _("clubs")
    PRIVATE = "private", _("nobody else")


class ReviewQuerySet(models.QuerySet["Review"]):
    """Rules about many reviews."""

    def public(self) -> ReviewQuerySet:
        """Those that everybody may read: they make up the figures. `Review.is_public` says the same of one."""
        return self.filter(audience=Visibility.PUBLIC)

    def visible_to(self, user: User | AnonymousUser) -> ReviewQuerySet:
        """The reviews `user` may read: public ones, their own, and those for clubs of authors they share a club with.

        A hidden one is left to its author alone, and a block keeps two readers' from each other.
        """
        if not user.is_authenticated:
            return self.public()
        active = Membership.objects.active()
        shared = active.filter(user=OuterRef("author"), club__in=active.filter(user=user.pk).values("club"))
        audience = Q(audience=Visibility.PUBLIC) | Q(author=user.pk) | (Q(audience=Visibility.CLUBS) & Exists(shared))
        return self.filter(audience, unblocked(user, "author"))

    def of_club(self, club: Club) -> ReviewQuerySet:
        """What the active members of a club say about the books on its list."""
        members = Membership.objects.active().filter(club=club)
        return self.filter(author__in=members.values("user"), book__in=Entry.objects.filter(club=club).values("book"))

    def of_book(self, book: int) -> ReviewQuerySet:
        """Reviews of one book. In a list, order them by `-book_id` first.

        It is a range for MariaDB's sake, which given `book_id = 7` finds the first review of the book by the index and
        walks from there to the page that is asked for, however far that is.
        """
        return self.filter(book_id__gte=book, book_id__lte=book)

    def in_language(self, tag: str) -> ReviewQuerySet:
        """Reviews in a language, given in lower case: `pt` also finds `pt-br`."""
        # "." is the character after "-", so this is one range of the index.
        return self.filter(Q(language=tag) | Q(language__gte=f"{tag}-", language__lt=f"{tag}."))

    def for_answer(self, user: User | AnonymousUser) -> ReviewQuerySet:
        """With all that an answer to `user` shows, `liked` included, in one query."""
        liked: Any = Value(False, output_field=models.BooleanField())
        if user.is_authenticated:
            liked = Exists(Like.objects.filter(review=OuterRef("pk"), user=user.pk))
        decided = (
            moderation_of("review", when=Q(author=user.pk, hidden_at__isnull=False)) if user.is_authenticated else {}
        )
        rows = looking_up(self.select_related("author"), "book").annotate(liked=liked, **decided)
        return rows.defer("book__description", "book__search_text", "author__bio", "author__search_text")

    @retrying_atomic
    def add_many(self, reviews: Iterable[Review]) -> int:
        """Write new reviews, all or none, with the figures; how many. Raises Conflict `already_reviewed`.

        For imports and demo data. The rows are taken as they are.
        """
        rows = list(reviews)
        hold(User, (review.author_id for review in rows))
        hold(Book, (review.book_id for review in rows))
        with conflict_as(_already_reviewed()):
            self.bulk_create(rows, batch_size=1000)
        tally = Tally()
        for review in rows:
            tally.count(review, +1)
        tally.write()
        return len(rows)

    @retrying_atomic
    def part_from(self, user: User, *, anonymise: bool) -> None:
        """Part an account that goes from its reviews and likes.

        `anonymise` keeps the reviews that were written for everybody, and their ratings, without their author; those
        for clubs or for nobody else could be read by no one then, and go. Otherwise all of them go.
        """
        hold(User, [user.pk])
        own = list(self.filter(author=user).only(*COUNTED))
        gone = [row for row in own if not (anonymise and row.visibility == Visibility.PUBLIC)]
        hold(Book, (row.book_id for row in gone))
        liked = list(Like.objects.filter(user=user).values_list("review", flat=True))
        hold(Review, [*liked, *(row.pk for row in own)])
        tally = Tally()
        for row in own:
            tally.count(row, -1)
        for ids in batches(sorted(liked)):
            self.filter(pk__in=ids).update(likes_count=F("likes_count") - 1)
            tally.books.update(self.filter(pk__in=ids).values_list("book", flat=True))
            Like.objects.filter(user=user, review__in=ids).delete()
        for ids in batches(row.pk for row in gone):
            self.filter(pk__in=ids).delete()
            target_gone("review", ids)
        self.filter(author=user).update(author=None)
        for row in set(own) - set(gone):
            row.author = None
            tally.count(row, +1)
        tally.write()


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
        return f"{self.book_id}: {self.title or self.rating or '…'}"

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
        with conflict_as(_already_reviewed()):
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


def _already_reviewed() -> Conflict:
    return Conflict("already_reviewed", _("You have reviewed this book already."))


class Like(models.Model):
    """That a reader likes a review."""

    review = models.ForeignKey(Review, models.CASCADE, related_name="likes", db_index=False)
    # Not CASCADE: that would pass by the review's counter (`ReviewQuerySet.part_from`).
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="review_likes")
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        verbose_name = _("like")
        verbose_name_plural = _("likes")
        constraints = [models.UniqueConstraint(fields=["review", "user"], name="reviews_like_once")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.review_id}"
