"""`verify_counters` finds wrong values of every counter and repairs them; new checks are covered automatically."""

import datetime
from decimal import Decimal
from functools import partial

import pytest
from django.utils import timezone

from accounts.models import User
from catalog.models import Book
from clubs.models import Club, Entry, Progress
from clubs.reading.choices import ReadingPosition, Unit
from core.counters import counters
from core.models import Counter
from core.registry import column_checks, counter_checks
from discussions.models import Thread
from meetings.models import Meeting, Rsvp
from reviews.models import Review
from tests.reviews.helpers import counter_differences

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", autouse=True)
def data_for_every_counter(module_db):
    """Give every counter something to count, so that a zero is also wrong."""
    alice, bob = (User.objects.create_user(name) for name in ("alice", "bob"))
    club = Club.create_club(by=alice, name="Night readers")
    club.join(bob)
    for status in ("reading", "finished"):
        book = Book.create_book(by=None, title=status, authors=["A"], page_count=300)
        entry = Entry.add_entry(club=club, book=book, by=alice, status=status)
        for user, rating in ((alice, 7), (bob, 10)):
            Review.create_review(book=book, by=user, rating=rating).like(by=bob)
        Progress.set_progress(entry=entry, by=alice, position=ReadingPosition(Unit.PAGE, Decimal(12), Decimal(300)))
        Progress.set_progress(entry=entry, by=bob, position=ReadingPosition(Unit.PERCENT, Decimal(40)))
    tomorrow = timezone.now() + datetime.timedelta(1)
    full = Meeting.create_meeting(club=club, by=alice, title="Tea", starts_at=tomorrow, capacity=1)
    free = Meeting.create_meeting(club=club, by=alice, title="Cake", starts_at=tomorrow)
    for meeting, user, rsvp in ((full, alice, "yes"), (full, bob, "yes"), (free, alice, "maybe"), (free, bob, "no")):
        Rsvp.set_rsvp(meeting=meeting, by=user, answer=rsvp)
    entry.update_entry(by=alice, sealed_with=free.pk)
    Thread.create_thread(club=club, by=alice, title="Tea or cake?", body="Cake.")
    assert counter_differences() == (0, [])


COLUMNS = [(check, column) for check in column_checks.values() for column in check.empty]


def wrong(value):
    """Return a different value of the same type."""
    if value is None or isinstance(value, datetime.datetime):
        return timezone.now() + datetime.timedelta(1)
    return value + 1


@pytest.mark.parametrize(
    ("check", "column"), COLUMNS, ids=[f"{check.model.__name__}-{column}" for check, column in COLUMNS]
)
def test_wrong_column_is_found_and_repaired(check, column):
    rows = check.model._base_manager.order_by("pk")
    correct = list(rows.values_list("pk", column))
    damaged = [pk for pk, value in correct if value] or [correct[0][0]]
    for damage in {"another": wrong, "none": lambda value: check.empty[column]}.values():
        values = {pk: damage(value or check.empty[column] or 0) for pk, value in correct if pk in damaged}
        if column == "average_rating":
            values = dict.fromkeys(damaged, Decimal("4.99") if damage is wrong else None)
        for pk, value in values.items():
            check.model._base_manager.filter(pk=pk).update(**{column: value})
        expected = [pk for pk in damaged if dict(correct)[pk] != values[pk]]
        for arguments in ((), ("--repair", "--batch-size", "1")):
            status, lines = counter_differences(*arguments)
            assert [line.split()[1:3] for line in lines] == [[str(pk), f"{column}:"] for pk in expected]
            assert status == (1 if expected and not arguments else 0)
        assert list(rows.values_list("pk", column)) == correct
    assert counter_differences() == (0, [])


@pytest.mark.parametrize("name", counter_checks)
def test_wrong_total_is_found_and_repaired(name):
    correct = {key: n for key, n in counter_checks[name].count().items() if n}
    assert correct
    for key, n in correct.items():
        rows = Counter.objects.filter(pk__startswith=f"{key}#")
        for damage in (partial(counters.increment, {key: 5}), rows.delete):
            damage()
            status, lines = counter_differences()
            assert (status, [line.split(":")[0] for line in lines]) == (1, [f"total {key}"])
            assert counter_differences("--repair")[1] == lines
            assert counters.get_values([key]) == {key: n}
    assert counter_differences() == (0, [])
