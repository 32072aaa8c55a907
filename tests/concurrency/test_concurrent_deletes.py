"""Updates during a deletion get 404, never a 5xx."""

import datetime
from functools import partial

import pytest

from catalog.models import Book
from clubs.models import Club, Entry, Invitation, Milestone
from tests.clubs.helpers import CLUBS
from tests.concurrency.tools import ROUNDS, at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_milestone_update_during_deletion(alice, client_of):
    client = client_of(alice)
    entry = Entry.add_entry(
        club=Club.create_club(by=alice, name="Hasty"),
        book=Book.create_book(by=None, title="T", authors=["A"]),
        by=alice,
    )
    for _round in range(ROUNDS):
        milestone = Milestone.create_milestone(
            entry=entry, title="Half", up_to_percent=50, due_on=datetime.date(2026, 1, 1)
        )
        url = f"{CLUBS}{entry.club_id}/books/{entry.pk}/milestones/{milestone.pk}/"
        changes = [{"title": "Later"}, {"up_to_chapter": 3}, {"due_on": "2026-02-02"}]
        responses = at_once(
            [*(partial(client.patch, url, change) for change in changes), *[partial(client.delete, url)] * 2]
        )
        assert {response.status_code for response in responses[:3]} <= {200, 404}, responses
        assert {response.status_code for response in responses[3:]} <= {204, 404}, responses
        assert not Milestone.objects.exists()


def test_invitations_during_club_deletion(alice, client_of):
    client = client_of(alice)
    for _round in range(ROUNDS):
        club = Club.create_club(by=alice, name="Short")
        invitation, _code = Invitation.create_with_code(club, by=alice, expires_in_hours=1, max_uses=1)
        url = f"{CLUBS}{club.pk}/"
        revoke = partial(client.delete, f"{url}invites/{invitation.pk}/")
        deleted, created, *revoked = at_once(
            [partial(client.delete, url), partial(client.post, f"{url}invites/"), *[revoke] * 3]
        )
        assert deleted.status_code == 204
        assert created.status_code in (201, 404)
        assert {response.status_code for response in revoked} <= {204, 404}
        assert [response.status_code for response in revoked].count(204) <= 1
        assert not Invitation.objects.exists()
