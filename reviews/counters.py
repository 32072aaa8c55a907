"""Counters that depend on reviews.

These are the ratings of books, the review counts of users, the statistics of their clubs, and the totals of the
platform. Only public reviews count, and in private clubs also those that the author shares with clubs. Counters are
updated by database arithmetic in the transaction of the review, with its author and book locked (`Review.lock`).
`manage.py verify_counters` compares them with the rows.
"""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from django.db.models import Case, DecimalField, F, Model, Value, When
from django.db.models.expressions import Combinable
from django.db.models.lookups import Exact

from accounts.models import User
from catalog.models import Book, book_versions
from clubs.members import activity as members
from core.counters import counters
from core.db.locking import batched
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
        author = User._base_manager.filter(pk=review.author_id)
        return bool(author.update(reviews_count=F("reviews_count") + counted))

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
            count = F("ratings_count") + sum(n for _half_stars, n in change)
            total = F("ratings_sum") + sum(half_stars * n for half_stars, n in change)
            stars = {f"stars_{half_stars}": F(f"stars_{half_stars}") + n for half_stars, n in change}
            # The average comes first, because MySQL assigns from left to right and then uses the new values.
            average = rounded_mean(count, total)
            _update(Book, books, average_rating=average, ratings_count=count, ratings_sum=total, **stars)

    def _update_activity(self) -> None:
        """Update `last_active_at` of the authors' memberships."""
        changed = [key for key, change in self.review_dates.items() if change]
        if len(changed) == 1 and self.review_dates[changed[0]] > 0:
            author, at = changed[0]
            members.record_activity(author, at=at)
        elif changed:
            members.recompute_activity({author for author, _at in changed})


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
