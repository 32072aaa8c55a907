"""Counters that depend on reviews.

These are the ratings of books, the review counts of users, the statistics of their clubs, and the totals of the
platform. Only public reviews count, and in private clubs also those that the author shares with clubs. Counters are
updated by database arithmetic in the transaction of the review, with its author and book locked (`Review.lock`).
`manage.py verify_counters` compares them with the rows.
"""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from django.db.models import Case, DecimalField, F, Model, QuerySet, Value, When
from django.db.models.expressions import Combinable
from django.db.models.lookups import Exact

from accounts.models import User
from catalog.models import Book
from catalog.versions import book_versions
from clubs.members import activity as members
from core.counters import counters
from core.db.locking import batched
from core.db.prepared import prepared_update
from reviews.signals import ratings_changed

if TYPE_CHECKING:
    from reviews.models import Review

Change = TypeVar("Change", bound=Hashable)


class RatingDelta:
    """Collects counter changes: remove the review with its old values, add it with the new ones, then save.

    >>> delta = RatingDelta()
    >>> delta.remove_review(review)
    >>> review.rating = 10
    >>> delta.add_review(review)
    >>> delta.save()
    """

    def __init__(self) -> None:
        self.ratings: Counter[tuple[int, int]] = Counter()  # (book, half-stars) -> difference
        self.reviews: Counter[int] = Counter()  # author -> difference
        # (author, book, half-stars, whether public) -> difference
        self.user_ratings: Counter[tuple[int, int, int, bool]] = Counter()
        self.review_dates: Counter[tuple[int, datetime.datetime]] = Counter()  # (author, created_at) -> difference
        self.totals: Counter[str] = Counter()  # name -> difference
        self.books: set[int] = set()

    def add_review(self, review: Review) -> None:
        """Add a review, if it counts."""
        self._count(review, +1)

    def remove_review(self, review: Review) -> None:
        """Subtract a review, if it counts."""
        self._count(review, -1)

    def _count(self, review: Review, sign: int) -> None:
        if review.rating is not None and review.author_id is not None and review.is_shared_with_clubs:
            self.user_ratings[review.author_id, review.book_id, review.rating, review.is_public] += sign
        if not review.is_public:
            return
        self.books.add(review.book_id)
        self.totals["reviews"] += sign
        if review.created_at is not None:
            self.totals[counters.monthly_key("reviews", review.created_at)] += sign
        if review.author_id is not None:
            self.reviews[review.author_id] += sign
        if review.author_id is not None and review.created_at is not None:
            self.review_dates[review.author_id, review.created_at] += sign
        if review.rating is not None:
            self.ratings[review.book_id, review.rating] += sign
            self.totals[f"stars_{review.rating}"] += sign

    def lock_author(self, review: Review) -> bool:
        """Lock the author of a new review and update their `reviews_count`, in one statement.

        Return whether the account exists. Call `add_review` afterwards.
        """
        if review.author_id is None:
            return False
        counted = int(review.is_public)
        self.reviews[review.author_id] -= counted  # `add_review` would count it again
        return bool(_add_to_reviews_count(review.author_id, counted))

    def save(self) -> None:
        """Update the counters. The books and the authors must be locked."""
        self._update_ratings()
        for change, authors in _group_by_change(self.reviews).items():
            _update(User, authors, reviews_count=F("reviews_count") + change)
        self._update_activity()
        ratings_changed.send(RatingDelta, changes=self.user_ratings)
        counters.increment(self.totals, versions=book_versions(self.books))

    def _update_ratings(self) -> None:
        by_book: defaultdict[int, tuple[tuple[int, int], ...]] = defaultdict(tuple)
        for (book, half_stars), n in sorted(self.ratings.items()):
            if n:
                by_book[book] += ((half_stars, n),)
        for change, books in _group_by_change(by_book).items():
            if len(books) == len(change) == 1:
                ((half_stars, n),) = change
                _update_of_rating(half_stars)(books[0], n, half_stars * n)
            else:
                _update(Book, books, **_new_ratings(change))

    def _update_activity(self) -> None:
        """Update `last_active_at` of the authors' memberships."""
        changed = [key for key, change in self.review_dates.items() if change]
        if len(changed) == 1 and self.review_dates[changed[0]] > 0:
            author, at = changed[0]
            members.record_activity(author, at=at)
        elif changed:
            members.recompute_activity({author for author, _at in changed})


@prepared_update
def _add_to_reviews_count(user_id: int, difference: int) -> tuple[QuerySet[User], dict[str, Any]]:
    return User._base_manager.filter(pk=user_id), {"reviews_count": F("reviews_count") + difference}


@cache
def _update_of_rating(half_stars: int) -> Callable[[int, int, int], int]:
    """Return the update of a book whose number of ratings with `half_stars` changes, by far the most frequent one."""

    @prepared_update
    def update(book_id: int, n: int, sum_of_half_stars: int) -> tuple[QuerySet[Book], dict[str, Any]]:
        return Book._base_manager.filter(pk=book_id), _new_columns(n, sum_of_half_stars, {half_stars: n})

    return update


def _new_ratings(change: Iterable[tuple[int, int]]) -> dict[str, Any]:
    """Return the new values of a book's columns. `change` is the difference of each number of half-stars."""
    by_stars = dict(change)
    return _new_columns(sum(by_stars.values()), sum(stars * n for stars, n in by_stars.items()), by_stars)


def _new_columns(n: int, sum_of_half_stars: int, by_half_stars: Mapping[int, int]) -> dict[str, Any]:
    count, total = F("ratings_count") + n, F("ratings_sum") + sum_of_half_stars
    stars = {f"stars_{half_stars}": F(f"stars_{half_stars}") + n for half_stars, n in by_half_stars.items()}
    # The average comes first, because MySQL assigns from left to right and then uses the new values.
    return {"average_rating": rounded_mean(count, total), "ratings_count": count, "ratings_sum": total, **stars}


def rounded_mean(count: Combinable, half_stars: Combinable) -> Case:
    """Return the SQL form of `catalog.ratings.average`, in integer arithmetic so that all databases round alike."""
    doubled_count, total = count * 2, half_stars * 100 + count
    hundredths = (total - total % doubled_count) / doubled_count
    mean = hundredths / Value(100.0)
    no_ratings = When(Exact(count, 0), then=None)
    return Case(no_ratings, default=mean, output_field=DecimalField(max_digits=3, decimal_places=2))


def _group_by_change(changes: Mapping[int, Change]) -> dict[Change, list[int]]:
    """Group the rows that change in the same way; skip those that do not change."""
    groups: defaultdict[Change, list[int]] = defaultdict(list)
    for pk, change in sorted(changes.items()):
        if change:
            groups[change].append(pk)
    return groups


def _update(model: type[Model], ids: Sequence[int], **values: Any) -> None:
    for batch in batched(ids):
        model._base_manager.filter(pk__in=batch).update(**values)
