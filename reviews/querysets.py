"""Queries for reviews: visibility, and bulk writes that update the counters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Value

from accounts.blocks import not_blocked
from accounts.models import USER_SUMMARY, User
from catalog.models import BOOK_SUMMARY, Book
from clubs.club.models import Club
from clubs.members.models import Membership
from clubs.reading.models import Entry
from core.db.joins import other_columns, select_related_left
from core.db.locking import batched, lock_rows
from core.db.transactions import atomic_with_retry
from core.languages import language_condition
from moderation.author_notice import annotate_moderation
from moderation.models import close_cases_for_deleted
from opinions.models import Seal
from reviews.choices import ReviewVisibility
from reviews.counters import RatingDelta
from reviews.models.likes import Like

if TYPE_CHECKING:
    from reviews.models import Review

# Fields needed to count a review.
COUNTED_FIELDS = ("book", "author", "rating", "visibility", "hidden_at", "created_at")


class ReviewQuerySet(models.QuerySet["Review"]):
    """Queries for reviews."""

    def public(self) -> ReviewQuerySet:
        """Return the reviews everyone may read; only these are counted. See also `Review.is_public`."""
        return self.filter(audience=ReviewVisibility.PUBLIC)

    def visible_to(self, user: User | AnonymousUser) -> ReviewQuerySet:
        """Return the reviews `user` may read: public ones, their own, and club reviews of members of a shared club.

        Hidden reviews are visible only to their author. Users who blocked each other do not see each other's reviews.
        """
        if not user.is_authenticated:
            return self.public()
        active = Membership.objects.active()
        shared = active.filter(user=OuterRef("author"), club__in=active.filter(user=user.pk).values("club"))
        audience = (
            Q(audience=ReviewVisibility.PUBLIC)
            | Q(author=user.pk)
            | (Q(audience=ReviewVisibility.CLUBS) & Exists(shared))
        )
        return self.filter(audience, not_blocked(user, "author"))

    def for_club(self, club: Club, user: User | AnonymousUser) -> ReviewQuerySet:
        """Return the reviews by active members of a club of books on its reading list.

        While opinions on a book are sealed, `user` sees only their own review of it here.
        """
        members = Membership.objects.active().filter(club=club)
        sealed = Seal.objects.closed().filter(entry__club=club, entry__book=OuterRef("book"))
        return self.filter(
            Q(author=user.pk) | ~Exists(sealed),
            author__in=members.values("user"),
            book__in=Entry.objects.filter(club=club).values("book"),
        )

    def for_book(self, book_id: int) -> ReviewQuerySet:
        """Return the reviews of one book. Lists must order by `-book_id` first.

        The filter is a range because of MariaDB: with `book_id = 7` it starts at the first review of the book and scans
        all index entries before the requested page.
        """
        return self.filter(book_id__gte=book_id, book_id__lte=book_id)

    def in_language(self, tag: str) -> ReviewQuerySet:
        """Return the reviews in a language, given in lower case; `pt` also matches `pt-br`."""
        return self.filter(language_condition(tag))

    def for_serializer(self, user: User | AnonymousUser) -> ReviewQuerySet:
        """Load everything the serializer shows to `user`, including `liked`, in one query."""
        annotations: dict[str, Any] = {"liked": Value(False, output_field=models.BooleanField())}
        if user.is_authenticated:
            annotations = annotate_moderation("review", when=Q(author=user.pk, hidden_at__isnull=False))
            annotations["liked"] = Exists(Like.objects.filter(review=OuterRef("pk"), user=user.pk))
        rows = select_related_left(self.select_related("author"), "book").annotate(**annotations)
        return rows.defer(*other_columns("book", Book, *BOOK_SUMMARY), *other_columns("author", User, *USER_SUMMARY))

    @atomic_with_retry
    def bulk_create_reviews(self, reviews: Iterable[Review]) -> int:
        """Create reviews atomically and update the counters; return their number.

        For demo data and benchmarks. The rows are not validated.
        """
        rows = list(reviews)
        lock_rows(User, (review.author_id for review in rows))
        lock_rows(Book, (review.book_id for review in rows))
        self.bulk_create(rows, batch_size=1000)
        delta = RatingDelta()
        for review in rows:
            delta.add_review(review)
        delta.save()
        return len(rows)

    @atomic_with_retry
    def detach_user(self, user: User, *, anonymize: bool) -> None:
        """Detach a deleted account from its reviews and likes.

        With `anonymize`, public reviews and their ratings stay without an author; all others are deleted, because
        nobody could read them. Without it, all reviews are deleted.
        """
        lock_rows(User, [user.pk])
        own = list(self.filter(author=user).only(*COUNTED_FIELDS))
        deleted = [row for row in own if not (anonymize and row.visibility == ReviewVisibility.PUBLIC)]
        lock_rows(Book, (row.book_id for row in deleted))
        liked = list(Like.objects.filter(user=user).values_list("review", flat=True))
        lock_rows(self.model, [*liked, *(row.pk for row in own)])
        delta = RatingDelta()
        for row in own:
            delta.remove_review(row)
        for ids in batched(sorted(liked)):
            self.filter(pk__in=ids).update(likes_count=F("likes_count") - 1)
            delta.books.update(self.filter(pk__in=ids).values_list("book", flat=True))
            Like.objects.filter(user=user, review__in=ids).delete()
        for ids in batched(row.pk for row in deleted):
            self.filter(pk__in=ids).delete()
            close_cases_for_deleted("review", ids)
        self.filter(author=user).update(author=None)
        for row in set(own) - set(deleted):
            row.author = None
            delta.add_review(row)
        delta.save()
