"""What `GET users/me/changes/` lists."""

import pytest

from discussions.models import Thread
from tests.clubs.changes import changed, names, read, read_all

pytestmark = pytest.mark.django_db


def test_smoke(as_alice, as_bob, club, alice, bob):
    thread = Thread.create_thread(club=club, by=alice, title="T", body="B")
    rows, cursor = read_all(as_bob)
    print(rows)
    assert names(rows) == [
        ("club", club.pk, False),
        ("thread", thread.pk, False),
        ("post", thread.posts.get().pk, False),
    ]
    assert changed(as_bob, cursor) == []
    assert read(as_bob, cursor)["cursor"] == cursor
