"""load: create the tables and import the data set; reset: undo the writes of a run.

The rows are written through the project's models, as its importer and its demo data write them. Then every stored
counter is set to what `manage.py verify_counters` expects, and that command must find no mismatch.
"""

import csv
import os
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.insert(0, os.environ["BOOKBRIDGE"])
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookbridge.settings")

import django

django.setup()

from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection, transaction

from accounts.models import AuthSession, User
from activity.models import Event, Notification
from catalog.imports.languages import language_tag
from catalog.models import EDITION_FIELDS, Book, BookAuthor, Edition
from catalog.versions import ANY_BOOK_VERSION, CATALOG_VERSION
from clubs.models import Club, Entry, EntryChange, JoinPolicy, Membership, Visibility
from clubs.reading.choices import EntryStatus
from clubs.roles import MembershipStatus, Role
from core.audit.models import AuditEntry
from core.counters.versions import bump_versions
from core.models import IdempotencyRecord
from core.registry import column_checks, counter_checks
from core.tasks.models import QueuedTask
from reviews.counters import RatingDelta
from reviews.models import Review

DATA_DIR = Path(os.environ["BENCH_DATA_DIR"])
BATCH_SIZE = 2000
# Tables that only a run of the benchmark writes to.
WRITTEN_BY_RUNS = (Event, Notification, AuditEntry, AuthSession, IdempotencyRecord, QueuedTask)
# Before the first review of the data set.
CREATED_AT = datetime(2019, 1, 1, tzinfo=UTC)


def read(name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a file of the data set."""
    with (DATA_DIR / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def parse_time(text: str) -> datetime:
    """Return a time of the data set, which is in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def parse_date(text: str) -> date | None:
    """Return a date of the data set, None for an empty field."""
    return date.fromisoformat(text) if text else None


def insert(model: Any, rows: Iterable[Any]) -> None:
    """Insert rows in batches."""
    rows = iter(rows)
    while batch := list(islice(rows, BATCH_SIZE)):
        model.objects.bulk_create(batch)


def build_users() -> Iterator[User]:
    """Yield the users, who share one password."""
    password = make_password(next(read("bench_users"))["password"])
    for row in read("users"):
        user = User(
            id=int(row["id"]),
            username=row["username"],
            email=row["email"],
            password=password,
            joined_at=parse_time(row["joined_at"]),
        )
        user.update_derived_fields()
        yield user


def load_books() -> None:
    """Import the books, with the authors' names as they are in the file."""
    books, names = [], {}
    for row in read("books"):
        book = Book(
            id=int(row["id"]),
            origin=f"bench:{row['id']}",
            title=row["title"],
            isbn13=row["isbn13"] or None,
            published_year=int(row["published_year"]) if row["published_year"] else None,
            language=language_tag(row["language"]),
            created_at=CREATED_AT,
            updated_at=CREATED_AT,
        )
        names[book.pk] = row["authors"].split(", ")
        book._update_derived_fields(names[book.pk])
        books.append(book)
    insert(Book, books)
    insert(BookAuthor, (author for book in books for author in BookAuthor.build(book, names[book.pk])))
    main_editions = ({name: getattr(book, name) for name in EDITION_FIELDS} | {"book": book} for book in books)
    insert(Edition, (Edition(isbn13=f["book"].isbn13, **f) for f in main_editions if f["book"].isbn13))


def load_clubs() -> None:
    """Import the clubs with their members and reading lists."""
    clubs = {club.pk: club for club in map(build_club, read("clubs"))}
    insert(Club, clubs.values())
    # The club names its owner; the role of an owner's membership is not used.
    insert(
        Membership,
        (
            Membership(
                id=int(row["id"]),
                club_id=int(row["club_id"]),
                user_id=int(row["user_id"]),
                role=Role.MODERATOR if row["role"] == "moderator" else Role.MEMBER,
                status=MembershipStatus.ACTIVE,
                joined_at=parse_time(row["joined_at"]),
                updated_at=parse_time(row["joined_at"]),
            )
            for row in read("memberships")
        ),
    )
    entries = [build_entry(row, clubs[int(row["club_id"])]) for row in read("reading_list")]
    insert(Entry, entries)
    insert(EntryChange, map(build_entry_change, entries))


def build_club(row: dict[str, str]) -> Club:
    """Return a club."""
    private = row["is_private"] == "1"
    club = Club(
        id=int(row["id"]),
        name=row["name"],
        description=row["description"],
        owner_id=int(row["owner_id"]),
        visibility=Visibility.PRIVATE if private else Visibility.PUBLIC,
        join_policy=JoinPolicy.INVITE if private else JoinPolicy.OPEN,
        created_at=parse_time(row["created_at"]),
        updated_at=parse_time(row["created_at"]),
    )
    club.update_derived_fields()
    return club


def build_entry(row: dict[str, str], club: Club) -> Entry:
    """Return an entry of the club's reading list."""
    finished_on = parse_date(row["finished_on"])
    is_finished = row["status"] == EntryStatus.FINISHED
    return Entry(
        id=int(row["id"]),
        club_id=club.pk,
        book_id=int(row["book_id"]),
        position=int(row["position"]),
        status=EntryStatus(row["status"]),
        added_by_id=club.owner_id,
        created_at=club.created_at,
        starts_on=parse_date(row["started_on"]),
        ends_on=finished_on,
        finished_on=finished_on if is_finished else None,
    )


def build_entry_change(entry: Entry) -> EntryChange:
    """Return the first row of an entry's history."""
    return EntryChange(
        club_id=entry.club_id,
        book_id=entry.book_id,
        field="status",
        new=entry.status,
        actor_id=entry.added_by_id,
        created_at=entry.created_at,
    )


def build_reviews() -> Iterator[Review]:
    """Yield the reviews. Ratings are doubled, because the project stores half-stars and the data set stars."""
    for row in read("reviews"):
        yield Review(
            id=int(row["id"]),
            author_id=int(row["user_id"]),
            book_id=int(row["book_id"]),
            rating=2 * int(row["rating"]),
            body=row["text"],
            language="en",
            created_at=parse_time(row["created_at"]),
        )


def update_counters() -> None:
    """Set every stored counter to its expected value."""
    for check in column_checks.values():
        for ids in check.batches(BATCH_SIZE):
            expected = check.count(ids)
            rows = [check.model(pk=pk, **{**check.empty, **values}) for pk, values in expected.items()]
            with transaction.atomic():
                check.model._base_manager.bulk_update(rows, list(check.empty), batch_size=200)
    for counter_check in counter_checks.values():
        counter_check.differences(repair=True)
    bump_versions(CATALOG_VERSION, ANY_BOOK_VERSION)


def load() -> None:
    """Create the tables and import the data set."""
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SET foreign_key_checks = 0, unique_checks = 0")
    with transaction.atomic():
        insert(User, build_users())
        load_books()
        load_clubs()
    rows = build_reviews()
    while batch := list(islice(rows, 10 * BATCH_SIZE)):
        with transaction.atomic():
            insert(Review, batch)
    with connection.cursor() as cursor:
        cursor.execute("SET foreign_key_checks = 1, unique_checks = 1")
    update_counters()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"ANALYZE TABLE `{table}`")
            cursor.fetchall()
    call_command("verify_counters")  # exits with status 1 if one is wrong


def last_review_id() -> int:
    """Return the id of the last review of the data set."""
    with (DATA_DIR / "reviews.csv").open("rb") as file:
        file.seek(max(file.seek(0, os.SEEK_END) - 4096, 0))
        return int(file.read().decode("utf-8", "replace").strip().rsplit("\n", 1)[-1].split(",", 1)[0])


def reset() -> None:
    """Delete what a run wrote, and subtract it from the counters."""
    written = Review.objects.filter(pk__gt=last_review_id()).order_by("pk")
    while batch := list(written[:BATCH_SIZE]):
        with transaction.atomic():
            delta = RatingDelta()
            for review in batch:
                delta.remove_review(review)
            Review.objects.filter(pk__in=[review.pk for review in batch]).delete()
            delta.save()
    with transaction.atomic():
        for model in WRITTEN_BY_RUNS:
            model._base_manager.all()._raw_delete("default")  # type: ignore[attr-defined]
        bump_versions(CATALOG_VERSION, ANY_BOOK_VERSION)


{"load": load, "reset": reset}[sys.argv[1]]()
# Reloading restarts the cache versions, so old cached responses would be taken for current ones.
cache.delete_pattern("*")
