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
from accounts.passwords import normalize_password
from activity.changes.models import ChangeType
from activity.changes.services import record_missing
from catalog.models import Book
from catalog.versions import invalidate_books
from clubs.club.choices import Visibility
from clubs.club.models import Club
from clubs.members.models import Membership
from clubs.reading import services
from clubs.reading.choices import HUNDRED_PERCENT, EntryStatus, ReadingPosition, Unit, round_percent
from clubs.reading.models import Entry, EntryChange, Milestone, Progress
from clubs.roles import MembershipStatus, Role
from core.counters import counters
from core.db.locking import batched
from core.search.normalize import fold_case_and_accents
from demo.wordlists import CLUB_NAMES, DESCRIPTIONS, FIRST_NAMES, LAST_NAMES, ZONES
from stats import counters as entry_counters

REFERENCE_TIME = datetime.datetime(2026, 11, 1, 12, tzinfo=datetime.UTC)
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
        self.random = Random(self.seed)

    @transaction.atomic
    def run(self, *, users: int, clubs: int, create_more: Callable[[Seeder], None] = lambda seeder: None) -> None:
        """Create the rows and call `create_more`, all in one transaction. Raises SeedingError."""
        new_users = self.create_users(users)
        if clubs:
            self.create_clubs(
                clubs, new_users or list(User.objects.order_by("pk").values_list("pk", flat=True)[:100_000])
            )
        record_missing(Club.objects.all(), ChangeType.CLUB, club="pk")
        record_missing(Entry.objects.all(), ChangeType.ENTRY)
        record_missing(Milestone.objects.all(), ChangeType.MILESTONE, club="entry__club_id", parent_id="entry_id")
        create_more(self)

    def create_users(self, count: int) -> list[int]:
        """Create `count` users with the same password hash and return their ids."""
        # All users share one hash, because hashing a million passwords would take half a day.
        password = make_password(self.password and normalize_password(self.password))
        last_id = _last_id(User)
        self.save(User, count, (self._user(last_id + number, password) for number in range(1, count + 1)))
        counters.increment(counters.expected_counts("users", User.objects.filter(pk__gt=last_id), "joined_at"))
        return _ids_after(User, last_id, count)

    def create_clubs(self, count: int, users: Sequence[int]) -> None:
        """Create `count` clubs of `users`, with reading lists of existing books."""
        books = list(Book.objects.order_by("-ratings_count", "id").values_list("pk", flat=True)[:MAX_BOOKS])
        if not users or not books:
            raise SeedingError("Clubs need users and books: pass --users, and load books first (load_demo).")
        member_lists = [self._members(users) for _ in range(count)]
        last_id = _last_id(Club)
        self.save(Club, count, map(self._club, member_lists))
        members_by_club = dict(zip(_ids_after(Club, last_id, count), member_lists, strict=True))
        self.save(Membership, sum(map(len, member_lists)), self._memberships(members_by_club))
        counters.increment(
            counters.expected_counts("clubs", Club.objects.public().filter(pk__gt=last_id), "created_at")
        )
        self._create_entries(members_by_club, books)

    def _create_entries(self, members_by_club: dict[int, list[int]], books: Sequence[int]) -> None:
        last_id = _last_id(Entry)
        new_entries = list(self._entries(members_by_club, books))
        self.save(Entry, len(new_entries), new_entries)
        created = Entry.objects.filter(pk__gt=last_id).order_by("pk")
        entries = list(created)
        self.save(EntryChange, len(entries), map(self._entry_change, entries))
        started = [entry for entry in entries if entry.status in (EntryStatus.READING, EntryStatus.FINISHED)]
        self.save(
            Milestone, 3 * len(started), (milestone for entry in started for milestone in self._milestones(entry))
        )
        users = sum(len(members_by_club[entry.club_id]) for entry in started)
        progress = (row for entry in started for row in self._progress(entry, members_by_club[entry.club_id]))
        self.save(Progress, round(users * SHARE_WITH_PROGRESS), progress)
        _update_counters(created, members_by_club)

    def _user(self, number: int, password: str) -> User:
        first_name, last_name = self.random.choice(FIRST_NAMES), self.random.choice(LAST_NAMES)
        language = self.random.choice(("pt-BR", "en"))
        user = User(
            username=f"{fold_case_and_accents(first_name)}.{fold_case_and_accents(last_name)}{number}"[-30:],
            display_name=f"{first_name} {last_name}",
            password=password,
            language=language,
            timezone=self.random.choice(ZONES[language.lower()]),
            joined_at=self.random_time(900),
        )
        user.update_derived_fields()
        return user

    def _members(self, users: Sequence[int]) -> list[int]:
        """Return the members of a club, the owner first: mostly one or two dozen, sometimes a few hundred."""
        size = min(int(self.random.paretovariate(1.6) * 8), 500, len(users))
        return self.random.sample(users, max(size, 1))

    def _club(self, member_ids: list[int]) -> Club:
        language = self.random.choice(tuple(CLUB_NAMES))
        patterns, places = CLUB_NAMES[language]
        visibility, policy = self.random.choices(
            (("public", "open"), ("public", "request"), ("public", "invite"), ("private", "invite")), (60, 20, 5, 15)
        )[0]
        club = Club(
            name=self.random.choice(patterns).format(self.random.choice(places).replace("-", " ")),
            description=self.random.choice(DESCRIPTIONS[language]),
            visibility=visibility,
            join_policy=policy,
            language=language,
            timezone=self.random.choice(ZONES[language]),
            owner_id=member_ids[0],
            members_count=len(member_ids),
            created_at=self.random_time(700),
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
                    joined_at=self.random_time(600),
                )

    def _entries(self, members_by_club: dict[int, list[int]], books: Sequence[int]) -> Iterator[Entry]:
        for club, member_ids in members_by_club.items():
            length = self.random.randint(1, min(12, len(books)))
            for position, book in enumerate(self._choose_books(books, length), 1):
                status = STATUSES[min(position, len(STATUSES)) - 1]
                entry = Entry(club_id=club, book_id=book, status=status, position=position)
                entry.added_by_id = self.random.choice(member_ids[:5])
                entry.created_at = self.random_time(500)
                if status != EntryStatus.PROPOSED:
                    entry.starts_on = (REFERENCE_TIME + datetime.timedelta((position - 3) * 35 - 10)).date()
                    entry.ends_on = entry.starts_on + datetime.timedelta(28)
                entry.finished_on = (
                    REFERENCE_TIME.date() - datetime.timedelta(10) if status == EntryStatus.FINISHED else None
                )
                yield entry

    def _choose_books(self, books: Sequence[int], length: int) -> Iterable[int]:
        """Return different books; popular ones are far more likely."""
        chosen: dict[int, None] = {}
        while len(chosen) < length:
            index = int(len(books) * self.random.random() ** 3)
            chosen[books[index]] = None
        return chosen

    def _entry_change(self, entry: Entry) -> EntryChange:
        change = EntryChange(club_id=entry.club_id, book_id=entry.book_id, field="status", new=entry.status)
        change.actor_id, change.created_at = entry.added_by_id, entry.created_at
        return change

    def _milestones(self, entry: Entry) -> Iterator[Milestone]:
        for number in (1, 2, 3):
            due = (entry.starts_on or REFERENCE_TIME.date()) + datetime.timedelta(number * 9)
            yield Milestone(
                entry=entry, title=f"{number}/3", up_to_percent=round_percent(Decimal(number * 100) / 3), due_on=due
            )

    def _progress(self, entry: Entry, member_ids: list[int]) -> Iterator[Progress]:
        """Yield progress for two of three members."""
        for user in member_ids:
            if self.random.random() < SHARE_WITH_PROGRESS:
                pages = self.random.randint(90, 900)
                done = entry.status == EntryStatus.FINISHED and self.random.random() < 0.8
                position = ReadingPosition(
                    Unit.PAGE, Decimal(pages if done else self.random.randint(0, pages)), Decimal(pages)
                )
                updated_at = self.random_time(30)
                yield Progress(
                    entry=entry,
                    user_id=user,
                    percent=position.percent,
                    unit=position.unit,
                    amount=position.amount,
                    total=pages,
                    hidden=self.random.random() < 0.05,
                    updated_at=updated_at,
                    finished_on=updated_at.date() if position.percent == HUNDRED_PERCENT else None,
                )

    def random_time(self, days: int) -> datetime.datetime:
        """Return a random time within `days` before REFERENCE_TIME."""
        return REFERENCE_TIME - datetime.timedelta(seconds=self.random.randrange(days * 86_400))

    def save(
        self, model: Any, total: int, rows: Iterable[models.Model], bulk_create: Callable[[Any], object] | None = None
    ) -> None:
        """Save the rows in batches, with `bulk_create` or the method of the manager.

        `total` is their approximate number, for the progress bar.
        """
        bulk_create = bulk_create or model.objects.bulk_create
        label = str(model._meta.verbose_name_plural)
        with tqdm(total=total, desc=label, unit=" rows", unit_scale=True, file=self.stream, disable=None) as bar:
            saved = 0
            for batch in batched(rows, BATCH_SIZE):
                bulk_create(batch)
                saved += len(batch)
                bar.update(len(batch))
        if bar.disable:
            self.stream.write(f"{label}: {saved:,}\n")


def _update_counters(entries: models.QuerySet[Entry, Entry], members_by_club: dict[int, list[int]]) -> None:
    """Update everything that depends on new entries: books, totals, statistics and activity of members."""
    _update_book_counters(entries.values("book"))
    finished = entries.filter(club__visibility=Visibility.PUBLIC, status=EntryStatus.FINISHED)
    counters.increment(counters.expected_counts("finished", finished, "finished_on"))
    entry_counters.recompute(list(entries.values_list("pk", flat=True)))
    memberships = Membership.objects.filter(club__in=members_by_club).order_by("pk")
    Membership.objects.refresh_last_active(list(memberships.values_list("pk", flat=True)))


def _update_book_counters(books: models.QuerySet[Any, Any]) -> None:
    """Update the counters of these books from the reading lists."""
    miscounted = services.miscounted().filter(pk__in=books)
    values = miscounted.values_list("pk", "expected_clubs_reading", "expected_clubs_finished")
    books_to_update = [Book(pk=pk, clubs_reading=reading, clubs_finished=finished) for pk, reading, finished in values]
    Book.objects.bulk_update(books_to_update, ["clubs_reading", "clubs_finished"], batch_size=500)
    invalidate_books([book.pk for book in books_to_update])


def _last_id(model: Any) -> int:
    return int(model.objects.aggregate(last=Coalesce(models.Max("pk"), 0))["last"])


def _ids_after(model: Any, last_id: int, count: int) -> list[int]:
    """Return the ids of the rows just created in order; `bulk_create` does not return them on MySQL."""
    ids = list(model.objects.filter(pk__gt=last_id).order_by("pk").values_list("pk", flat=True))
    if len(ids) != count:
        raise SeedingError("Rows were created concurrently; nothing was saved.")
    return ids
