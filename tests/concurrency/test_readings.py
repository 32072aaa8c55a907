"""Concurrent progress, readings, sections and re-listing: one row each, counters right, no response is a 5xx."""

from functools import partial

import pytest

from catalog.models import Book
from clubs.models import Club, Entry, Progress
from clubs.reading import services
from clubs.reading.models import Section
from readings.models import Reading
from tests.clubs.helpers import bring_in
from tests.concurrency.tools import ROUNDS, at_once, statuses
from tests.reviews.helpers import counter_differences

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner(make_user):
    return make_user("owner")


@pytest.fixture
def users(make_user):
    return [make_user(f"reader{number}") for number in range(6)]


@pytest.fixture
def clubs(owner, users):
    clubs = [Club.create_club(by=owner, name=name) for name in ("One", "Two")]
    for club in clubs:
        for user in users:
            bring_in(club, user, role="moderator")
    return clubs


@pytest.fixture
def book(db):
    return Book.create_book(by=None, title="Emma", authors=["Jane Austen"])


def url(entry, rest=""):
    return f"/api/v1/clubs/{entry.club_id}/books/{entry.pk}/{rest}"


def test_first_progress_during_status_changes(clubs, users, owner, client_of, book):
    clients, as_owner = [client_of(user) for user in users], client_of(owner)
    for number in range(ROUNDS):
        entry = Entry.add_entry(club=clubs[0], book=book, by=owner, status="reading")
        marks = [{"percent": 100} if number % 2 else {"percent": 10}, {"percent": 20, "spoilers_ok": True}]
        calls = [partial(client.put, url(entry, "progress/"), body) for client in clients for body in marks]
        calls += [partial(as_owner.patch, url(entry), {"status": "finished"})]
        assert statuses(at_once(calls)) == {200: len(calls)}
        found = Reading.objects.filter(entry=entry)
        assert sorted(found.values_list("user", flat=True)) == sorted(user.pk for user in users)
        by_user = dict(Progress.objects.filter(entry=entry).values_list("user", "percent"))
        assert dict(found.values_list("user", "percent")) == by_user
        assert counter_differences() == (0, [])
        entry.delete_entry(by=owner)


def test_progress_everywhere_from_both_clubs(clubs, users, owner, client_of, book):
    entries = [Entry.add_entry(club=club, book=book, by=owner, status="reading") for club in clubs]
    clients = [client_of(user) for user in users[:3]]
    for _round in range(ROUNDS):
        calls = [
            partial(client.put, url(entry, "progress/"), {"percent": percent, "everywhere": True})
            for client in clients
            for entry, percent in zip(entries, (30, 60), strict=True)
        ]
        calls += [partial(client.delete, url(entries[0], "progress/")) for client in clients[:1]]
        assert set(statuses(at_once(calls))) <= {200, 204}
        for user in users[1:3]:
            percents = set(Progress.objects.filter(user=user).values_list("percent", flat=True))
            assert len(percents) == 1
        assert Reading.objects.count() == Progress.objects.count()
        assert counter_differences() == (0, [])


def test_book_is_listed_again_once(clubs, users, owner, client_of, book):
    clients, address = [client_of(user) for user in users], f"/api/v1/clubs/{clubs[0].pk}/books/"
    for number in range(1, ROUNDS + 1):
        responses = at_once([partial(client.post, address, {"book": book.pk}) for client in clients])
        assert statuses(responses) == {201: 1, 409: len(clients) - 1}
        entry = Entry.objects.get(club=clubs[0], book=book, reading_number=number)
        reopened = [partial(clients[0].patch, url(entry), {"status": "dropped"})]
        assert statuses(at_once(reopened)) == {200: 1}
        assert list(services.miscounted()) == []


def test_closed_entry_is_opened_or_listed_again(clubs, users, owner, client_of, book):
    clients, address = [client_of(user) for user in users], f"/api/v1/clubs/{clubs[0].pk}/books/"
    old = Entry.add_entry(club=clubs[0], book=book, by=owner, status="dropped")
    for _round in range(ROUNDS):
        patch = partial(clients[0].patch, url(old), {"status": "planned"})
        post = partial(clients[1].post, address, {"book": book.pk})
        patched, posted = at_once([patch, post])
        assert (patched.status_code, posted.status_code) in {(200, 409), (409, 201)}
        assert Entry.objects.exclude(status__in=["finished", "dropped"]).count() == 1
        Entry.objects.exclude(status__in=["finished", "dropped"]).get().update_entry(by=owner, status="dropped")


def test_sections_are_replaced_as_a_whole(clubs, users, owner, client_of, book):
    entry = Entry.add_entry(club=clubs[0], book=book, by=owner, status="reading")
    clients = [client_of(user) for user in users]
    for _round in range(ROUNDS):
        calls = [
            partial(client.put, url(entry, "sections/"), {"sections": [{"title": f"{number}"}] * (number + 1)})
            for number, client in enumerate(clients)
        ]
        calls.append(partial(clients[0].put, url(entry, "progress/"), {"percent": 5}))
        assert statuses(at_once(calls)) == {200: len(calls)}
        titles = list(Section.objects.filter(entry=entry).values_list("title", flat=True))
        assert len(set(titles)) == 1
        assert len(titles) == int(titles[0]) + 1


def test_account_is_deleted_while_its_readings_are_written(make_user, client_of, owner, clubs, book):
    for number in range(ROUNDS):
        user = make_user(f"leaver{number}")
        bring_in(clubs[0], user)
        entry = Entry.add_entry(club=clubs[0], book=book, by=owner, status="reading")
        client = client_of(user)
        calls = [
            partial(client.put, url(entry, "progress/"), {"percent": 100}),
            partial(client.post, "/api/v1/users/me/readings/", {"book": book.pk}),
            partial(client.delete, "/api/v1/users/me/", {"password": "correct horse battery"}),
        ]
        *written, deleted = at_once(calls)
        assert deleted.status_code == 204
        assert set(statuses(written)) <= {200, 201, 401, 404}
        assert not Reading.objects.exists()
        entry.delete_entry(by=owner)
