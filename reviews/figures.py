"""The figures that reviews move: a book's ratings, a reader's number of reviews, those of the reader's clubs, and the
totals of the platform. Public, visible reviews count.

They are moved by arithmetic in the database, in the transaction of the review, by whoever holds the rows of its author
and its book (`Review.lock`); `manage.py verify_figures` compares them with the rows.
"""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from django.db.models import Case, DecimalField, F, Model, Value, When

from accounts.models import User
from bookbridge.api import counters
from bookbridge.api.rows import batches
from catalog.models import Book, touched
from clubs.members import services as members
from reviews.signals import ratings_changed

if TYPE_CHECKING:
    from reviews.models import Review


class Tally:
    """What some writes change in the figures: each review is counted off as it was, and on as it has become.

    >>> tally = Tally()
    >>> tally.count(review, -1)
    >>> ...  # it changes
    >>> tally.count(review, +1)
    >>> tally.write()
    """

    def __init__(self) -> None:
        self.ratings: Counter[tuple[int, int]] = Counter()  # (book, half-stars) -> how many more
        self.reviews: Counter[int] = Counter()  # author -> how many more
        self.by_reader: Counter[tuple[int, int, int]] = Counter()  # (author, book, half-stars) -> how many more
        self.written: Counter[tuple[int, datetime.datetime]] = Counter()  # (author, when) -> how many more
        self.totals: Counter[str] = Counter()  # name -> how many more
        self.books: set[int] = set()

    def count(self, review: Review, sign: int) -> None:
        """Count a review on (1) or off (-1), if it is one that counts."""
        if not review.is_public:
            return
        self.books.add(review.book_id)
        self.totals.update({"reviews": sign, counters.month("reviews", review.created_at): sign})
        if review.author_id is not None:
            self.reviews[review.author_id] += sign
            self.written[review.author_id, review.created_at] += sign
        if review.rating is not None:
            self.ratings[review.book_id, review.rating] += sign
            self.totals[f"stars_{review.rating}"] += sign
            if review.author_id is not None:
                self.by_reader[review.author_id, review.book_id, review.rating] += sign

    def write(self) -> None:
        """Move the figures. The caller holds the rows of the books and the authors."""
        for (half_stars, more), books in _alike((book, (stars, n)) for (book, stars), n in self.ratings.items()):
            stars = f"stars_{half_stars}"
            _update(
                Book,
                books,
                ratings_count=F("ratings_count") + more,
                ratings_sum=F("ratings_sum") + more * half_stars,
                **{stars: F(stars) + more},
            )
        # From the new columns, in a statement of its own: MySQL would see them in the same one and SQLite would not.
        rated = sorted({book for (book, _stars), more in self.ratings.items() if more})
        _update(Book, rated, average_rating=mean("ratings_count", "ratings_sum"))
        for (more,), authors in _alike((author, (n,)) for author, n in self.reviews.items()):
            _update(User, authors, reviews_count=F("reviews_count") + more)
        self._tell_activity()
        ratings_changed.send(Tally, changes=self.by_reader)
        counters.add(self.totals)
        touched(self.books)

    def _tell_activity(self) -> None:
        """Move when the authors were last active in their clubs."""
        moved = [written for written, more in self.written.items() if more]
        if len(moved) == 1 and self.written[moved[0]] > 0:
            author, at = moved[0]
            members.was_active(author, at=at)
        elif moved:
            members.was_not_active({author for author, _at in moved})


def mean(count: str, half_stars: str) -> Case:
    """`average` as the database computes it from two columns: in whole numbers, so that all three round alike."""
    twice, total = F(count) * 2, F(half_stars) * 100 + F(count)
    hundredths = (total - total % twice) / twice
    mean = hundredths / Value(100.0)
    return Case(When(**{count: 0}, then=None), default=mean, output_field=DecimalField(max_digits=3, decimal_places=2))


def _alike(changes: Iterable[tuple[int, tuple[int, ...]]]) -> Iterator[tuple[tuple[int, ...], list[int]]]:
    """The rows that change in the same way, together; without those that do not change."""
    groups: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
    for pk, change in sorted(changes):
        if change[-1]:
            groups[change].append(pk)
    yield from groups.items()


def _update(model: type[Model], ids: Sequence[int], **values: Any) -> None:
    for batch in batches(ids):
        model._base_manager.filter(pk__in=batch).update(**values)
