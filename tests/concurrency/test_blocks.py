"""Concurrent blocks and account deletion."""

from functools import partial

import pytest

from accounts.blocks import Block
from tests.concurrency.tools import ROUNDS, at_once

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "correct horse battery"


def test_simultaneous_blocks_and_unblocks(alice, bob, client_of):
    as_alice, as_bob = client_of(alice), client_of(bob)
    for _round in range(ROUNDS):
        calls = [partial(as_alice.put, "/api/v1/users/bob/block/")] * 4
        responses = at_once([*calls, *[partial(as_bob.put, "/api/v1/users/alice/block/")] * 4])
        # A user who is already blocked gets 404.
        assert {response.status_code for response in responses} <= {204, 404}
        assert 204 in {response.status_code for response in responses}
        assert 1 <= Block.objects.count() <= 2
        calls = [partial(as_alice.delete, "/api/v1/users/bob/block/")] * 2
        assert max(a.status_code for a in at_once([*calls, partial(as_alice.put, "/api/v1/users/bob/block/")])) < 500
        Block.objects.all().delete()


def test_blocks_during_account_deletion(alice, make_user, client_of):
    as_alice = client_of(alice)
    for number in range(ROUNDS):
        leaver = make_user(f"leaver{number}")
        client = client_of(leaver)
        deleted, placed, received, repeated = at_once(
            [
                partial(client.delete, "/api/v1/users/me/", {"password": PASSWORD}),
                partial(client.put, "/api/v1/users/alice/block/"),
                partial(as_alice.put, f"/api/v1/users/{leaver.username}/block/"),
                partial(as_alice.put, f"/api/v1/users/{leaver.username}/block/"),
            ]
        )
        assert deleted.status_code == 204, deleted.content
        assert placed.status_code in (204, 401, 404), placed.content
        assert {received.status_code, repeated.status_code} <= {204, 404}
        assert not Block.objects.exists()
