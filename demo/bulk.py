"""Bulk creation of any number of demo users and clubs, identical for the same seed on the same database.

The rows are what the models' own methods would have created: counters match the rows, positions are contiguous, and the
owner of each club is a member. All timestamps precede a fixed day, so that they do not differ between two runs.
"""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import models, transaction
from django.db.models.functions import Coalesce
from tqdm import tqdm

from accounts.models import User
from catalog.models import Book, invalidate_books
from clubs.club.choices import Visibility
from clubs.club.models import Club
from clubs.members.models import Membership
from clubs.reading import services
from clubs.reading.choices import EntryStatus, ReadingPosition, Unit, round_percent
from clubs.reading.models import Entry, EntryChange, Milestone, Progress
from clubs.roles import MembershipStatus, Role
from core.counters import counters
from core.db.locking import batched
from core.search.normalize import fold_case_and_accents
from demo.wordlists import CLUB_NAMES, DESCRIPTIONS, FIRST_NAMES, LAST_NAMES, ZONES
from stats import counters as statistics

TODAY = datetime.datetime(2026, 11, 1, 12, tzinfo=datetime.UTC)
BATCH_SIZE = 2000
MAX_BOOKS = 5000
SHARE_WITH_PROGRESS = 0.67

# Statuses of the entries of a reading list, from the top.
STATUSES = (
    EntryStatus.FINISHED,
    EntryStatus.FINISHED,
    EntryStatus.READING,
    EntryStatus.PLANNED,
    EntryStatus.PLANNED,
    EntryStatus.PROPOSED,
)


class SeedingError(Exception):
    """Nothing was created: there are no books or users to create clubs with, or a concurrent write interfered."""


@dataclass
class Seeder:
    """Creates users and clubs. Shows a progress bar on a terminal, else writes a line per table to `stream`."""

    seed: int
    password: str | None = None
    stream: Any = sys.stderr

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)

    @transaction.atomic
    def run(self, *, users: int, clubs: int, then: Callable[[Seeder], None] = lambda seeder: None) -> None:
        """Create the given numbers of rows, all or none; `then` adds more. Raises SeedingError."""
        new_users = self.users(users)
        if clubs:
            self.clubs(clubs, new_users or list(User.objects.order_by("pk").values_list("pk", flat=True)[:100_000]))
        then(self)

    def users(self, count: int) -> list[int]:
        """Create `count` users with the same password hash and return their ids."""
        # All users share one hash, because hashing a million passwords would take half a day.
        password = make_password(self.password)
        last = _last(User)
        self.write(User, count, (self._user(last + number, password) for number in range(1, count + 1)))
        counters.increment(counters.expected_counts("users", User.objects.filter(pk__gt=last), "joined_at"))
        return _since(User, last, count)

    def clubs(self, count: int, users: Sequence[int]) -> None:
        """Create `count` clubs of `users`, with reading lists of existing books."""
        books = list(Book.objects.order_by("-ratings_count", "id").values_list("pk", flat=True)[:MAX_BOOKS])
        if not users or not books:
            raise SeedingError("Clubs need users and books: pass --users, and load books first (load_demo).")
        member_lists = [self._members(users) for _ in range(count)]
        last = _last(Club)
        self.write(Club, count, map(self._club, member_lists))
        members_by_club = dict(zip(_since(Club, last, count), member_lists, strict=True))
        self.write(Membership, sum(map(len, member_lists)), self._memberships(members_by_club))
        counters.increment(counters.expected_counts("clubs", Club.objects.public().filter(pk__gt=last), "created_at"))
        self._lists(members_by_club, books)

    def _lists(self, members_by_club: dict[int, list[int]], books: Sequence[int]) -> None:
        last = _last(Entry)
        listed = list(self._entries(members_by_club, books))
        self.write(Entry, len(listed), listed)
        written = Entry.objects.filter(pk__gt=last).order_by("pk")
        entries = list(written)
        self.write(EntryChange, len(entries), map(self._entry_change, entries))
        started = [entry for entry in entries if entry.status in (EntryStatus.READING, EntryStatus.FINISHED)]
        self.write(Milestone, 3 * len(started), (step for entry in started for step in self._milestones(entry)))
        users = sum(len(members_by_club[entry.club_id]) for entry in started)
        progress = (row for entry in started for row in self._progress(entry, members_by_club[entry.club_id]))
        self.write(Progress, round(users * SHARE_WITH_PROGRESS), progress)
        _count(written.values("book"))
        finished = written.filter(club__visibility=Visibility.PUBLIC, status=EntryStatus.FINISHED)
        counters.increment(counters.expected_counts("finished", finished, "finished_at"))
        statistics.recompute([entry.pk for entry in entries])
        rows = Membership.objects.filter(club__in=members_by_club).order_by("pk")
        Membership.objects.refresh_last_active(list(rows.values_list("pk", flat=True)))

    def _user(self, number: int, password: str) -> User:
        first, family = self.chance.choice(FIRST_NAMES), self.chance.choice(LAST_NAMES)
        language = self.chance.choice(("pt-BR", "en"))
        user = User(
            username=f"{fold_case_and_accents(first)}.{fold_case_and_accents(family)}{number}"[-30:],
            display_name=f"{first} {family}",
            password=password,
            language=language,
            timezone=self.chance.choice(ZONES[language.lower()]),
            joined_at=self.past(900),
        )
        user.update_derived_fields()
        return user

    def _members(self, users: Sequence[int]) -> list[int]:
        """Return the members of a club, the owner first: mostly one or two dozen, sometimes a few hundred."""
        size = min(int(self.chance.paretovariate(1.6) * 8), 500, len(users))
        return self.chance.sample(users, max(size, 1))

    def _club(self, member_ids: list[int]) -> Club:
        language = self.chance.choice(tuple(CLUB_NAMES))
        patterns, places = CLUB_NAMES[language]
        visibility, policy = self.chance.choices(
            (("public", "open"), ("public", "request"), ("public", "invite"), ("private", "invite")), (60, 20, 5, 15)
        )[0]
        club = Club(
            name=self.chance.choice(patterns).format(self.chance.choice(places).replace("-", " ")),
            description=self.chance.choice(DESCRIPTIONS[language]),
            visibility=visibility,
            join_policy=policy,
            language=language,
            timezone=self.chance.choice(ZONES[language]),
            owner_id=member_ids[0],
            members_count=len(member_ids),
            created_at=self.past(700),
        )
        club.updated_at = club.created_at
        club.update_derived_fields()
        return club

    def _memberships(self, members_by_club: dict[int, list[int]]) -> Iterator[Membership]:
        for club, member_ids in members_by_club.items():
            for number, user in enumerate(member_ids):
                yield Membership(
                    club_id=club,
                    user_id=user,
                    role=Role.MODERATOR if 1 <= number <= 1 + len(member_ids) // 50 else Role.MEMBER,
                    status=MembershipStatus.ACTIVE,
                    joined_at=self.past(600),
                )

    def _entries(self, members_by_club: dict[int, list[int]], books: Sequence[int]) -> Iterator[Entry]:
        for club, member_ids in members_by_club.items():
            length = self.chance.randint(1, min(12, len(books)))
            for position, book in enumerate(self._choice_of(books, length), 1):
                status = STATUSES[min(position, len(STATUSES)) - 1]
                entry = Entry(club_id=club, book_id=book, status=status, position=position)
                entry.added_by_id = self.chance.choice(member_ids[:5])
                entry.created_at = self.past(500)
                if status != EntryStatus.PROPOSED:
                    entry.starts_on = (TODAY + datetime.timedelta((position - 3) * 35 - 10)).date()
                    entry.ends_on = entry.starts_on + datetime.timedelta(28)
                entry.finished_at = TODAY - datetime.timedelta(10) if status == EntryStatus.FINISHED else None
                yield entry

    def _choice_of(self, books: Sequence[int], length: int) -> Iterable[int]:
        """Different books, the well-known ones far more often."""
        chosen: dict[int, None] = {}
        while len(chosen) < length:
            place = int(len(books) * self.chance.random() ** 3)
            chosen[books[place]] = None
        return chosen

    def _entry_change(self, entry: Entry) -> EntryChange:
        listed = EntryChange(club_id=entry.club_id, book_id=entry.book_id, field="status", new=entry.status)
        listed.actor_id, listed.created_at = entry.added_by_id, entry.created_at
        return listed

    def _milestones(self, entry: Entry) -> Iterator[Milestone]:
        for part in (1, 2, 3):
            due = (entry.starts_on or TODAY.date()) + datetime.timedelta(part * 9)
            yield Milestone(
                entry=entry, title=f"{part}/3", up_to_percent=round_percent(Decimal(part * 100) / 3), due_on=due
            )

    def _progress(self, entry: Entry, member_ids: list[int]) -> Iterator[Progress]:
        """Yield progress for two of three members."""
        for user in member_ids:
            if self.chance.random() < SHARE_WITH_PROGRESS:
                pages = self.chance.randint(90, 900)
                done = entry.status == EntryStatus.FINISHED and self.chance.random() < 0.8
                position = ReadingPosition(
                    Unit.PAGE, Decimal(pages if done else self.chance.randint(0, pages)), Decimal(pages)
                )
                yield Progress(
                    entry=entry,
                    user_id=user,
                    percent=position.percent,
                    unit=position.unit,
                    amount=position.amount,
                    total=pages,
                    hidden=self.chance.random() < 0.05,
                    updated_at=self.past(30),
                )

    def past(self, days: int) -> datetime.datetime:
        """Return a random time within `days` before TODAY."""
        return TODAY - datetime.timedelta(seconds=self.chance.randrange(days * 86_400))

    def write(
        self, model: Any, total: int, rows: Iterable[models.Model], add: Callable[[Any], object] | None = None
    ) -> None:
        """Save the rows in batches, with `add` or `bulk_create`.

        `total` is their approximate number, for the progress bar.
        """
        add = add or model.objects.bulk_create
        label = str(model._meta.verbose_name_plural)
        with tqdm(total=total, desc=label, unit=" rows", unit_scale=True, file=self.stream, disable=None) as bar:
            written = 0
            for batch in batched(rows, BATCH_SIZE):
                add(batch)
                written += len(batch)
                bar.update(len(batch))
        if bar.disable:
            self.stream.write(f"{label}: {written:,}\n")


def _count(books: models.QuerySet[Any, Any]) -> None:
    """Update the counters of these books from the reading lists."""
    wrong = services.miscounted().filter(pk__in=books)
    values = wrong.values_list("pk", "right_clubs_reading", "right_clubs_finished")
    right = [Book(pk=pk, clubs_reading=reading, clubs_finished=finished) for pk, reading, finished in values]
    Book.objects.bulk_update(right, ["clubs_reading", "clubs_finished"], batch_size=500)
    invalidate_books([book.pk for book in right])


def _last(model: Any) -> int:
    return int(model.objects.aggregate(last=Coalesce(models.Max("pk"), 0))["last"])


def _since(model: Any, last: int, count: int) -> list[int]:
    """Return the ids of the rows just created in order; `bulk_create` does not return them on MySQL."""
    ids = list(model.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True))
    if len(ids) != count:
        raise SeedingError("Rows were created concurrently; nothing was saved.")
    return ids
