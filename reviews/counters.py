"""Counters that depend on reviews.

These are the ratings of books, the review counts of users, the statistics of their clubs, and the totals of the
platform. Only public reviews count. Counters are updated by database arithmetic in the transaction of the review, with
its author and book locked (`Review.lock`). `manage.py verify_counters` compares them with the rows.
"""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from django.db.models import Case, DecimalField, F, Model, Value, When

from accounts.models import User
from catalog.models import Book, invalidate_books
from clubs.members import activity as members
from core.counters import counters
from core.db.locking import batched
from reviews.signals import ratings_changed

if TYPE_CHECKING:
    from reviews.models import Review


class RatingDelta:
    """Collects counter changes: subtract the review's old values, add the new ones, then save.

    >>> tally = Tally()
    >>> tally.count(review, -1)
    >>> ...  # change the review
    >>> tally.count(review, +1)
    >>> tally.write()
    """

    def __init__(self) -> None:
        self.ratings: Counter[tuple[int, int]] = Counter()  # (book, half-stars) -> difference
        self.reviews: Counter[int] = Counter()  # author -> difference
        self.by_reader: Counter[tuple[int, int, int]] = Counter()  # (author, book, half-stars) -> difference
        self.written: Counter[tuple[int, datetime.datetime]] = Counter()  # (author, created_at) -> difference
        self.totals: Counter[str] = Counter()  # name -> difference
        self.books: set[int] = set()

    def count(self, review: Review, sign: int) -> None:
        """Add (1) or subtract (-1) a review, if it is public."""
        if not review.is_public:
            return
        self.books.add(review.book_id)
        self.totals.update({"reviews": sign, counters.monthly_key("reviews", review.created_at): sign})
        if review.author_id is not None:
            self.reviews[review.author_id] += sign
            self.written[review.author_id, review.created_at] += sign
        if review.rating is not None:
            self.ratings[review.book_id, review.rating] += sign
            self.totals[f"stars_{review.rating}"] += sign
            if review.author_id is not None:
                self.by_reader[review.author_id, review.book_id, review.rating] += sign

    def save(self) -> None:
        """Update the counters. The books and the authors must be locked."""
        for (half_stars, more), books in _group_by_change(
            (book, (stars, n)) for (book, stars), n in self.ratings.items()
        ):
            stars = f"stars_{half_stars}"
            _update(
                Book,
                books,
                ratings_count=F("ratings_count") + more,
                ratings_sum=F("ratings_sum") + more * half_stars,
                **{stars: F(stars) + more},
            )
        # A separate statement: in the same one, MySQL would use the new values and SQLite the old ones.
        rated = sorted({book for (book, _stars), more in self.ratings.items() if more})
        _update(Book, rated, average_rating=rounded_mean("ratings_count", "ratings_sum"))
        for (more,), authors in _group_by_change((author, (n,)) for author, n in self.reviews.items()):
            _update(User, authors, reviews_count=F("reviews_count") + more)
        self._update_activity()
        ratings_changed.send(RatingDelta, changes=self.by_reader)
        counters.increment(self.totals)
        invalidate_books(self.books)

    def _update_activity(self) -> None:
        """Update when the authors were last active in their clubs."""
        changed = [written for written, more in self.written.items() if more]
        if len(changed) == 1 and self.written[changed[0]] > 0:
            author, at = changed[0]
            members.record_activity(author, at=at)
        elif changed:
            members.recompute_activity({author for author, _at in changed})


def rounded_mean(count: str, half_stars: str) -> Case:
    """Return the expression of `average`, in integer arithmetic so that all three databases round alike."""
    twice, total = F(count) * 2, F(half_stars) * 100 + F(count)
    hundredths = (total - total % twice) / twice
    mean = hundredths / Value(100.0)
    return Case(When(**{count: 0}, then=None), default=mean, output_field=DecimalField(max_digits=3, decimal_places=2))


def _group_by_change(changes: Iterable[tuple[int, tuple[int, ...]]]) -> Iterator[tuple[tuple[int, ...], list[int]]]:
    """Group the rows that change in the same way; skip those that do not change."""
    groups: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
    for pk, change in sorted(changes):
        if change[-1]:
            groups[change].append(pk)
    yield from groups.items()


def _update(model: type[Model], ids: Sequence[int], **values: Any) -> None:
    for batch in batched(ids):
        model._base_manager.filter(pk__in=batch).update(**values)
