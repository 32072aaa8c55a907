"""Rules about many reviews: who may read which, and the figures that follow what is written at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Value
from django.utils.translation import gettext_lazy as _

from accounts.blocks import unblocked
from accounts.models import User
from bookbridge.api.errors import Conflict
from bookbridge.api.joins import looking_up
from bookbridge.api.rows import batches, hold
from bookbridge.api.transactions import conflict_as, retrying_atomic
from catalog.models import Book
from clubs.clubs.models import Club
from clubs.members.models import Membership
from clubs.reading.models import Entry
from moderation.models import target_gone
from moderation.shown import moderation_of
from reviews.figures import Tally
from reviews.likes import Like

if TYPE_CHECKING:
    from reviews.models import Review

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
        with conflict_as(already_reviewed()):
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
        hold(self.model, [*liked, *(row.pk for row in own)])
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


def already_reviewed() -> Conflict:
    """What a second review of one book by one reader is."""
    return Conflict("already_reviewed", _("You have reviewed this book already."))
