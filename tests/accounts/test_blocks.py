"""Blocks: whoever has blocked somebody, or was blocked by them, does not find them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.blocks import Block, hidden_among
from accounts.models import User
from tests.accounts.conftest import V1, codes
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

USERS = f"{V1}users/"
BLOCKS = f"{USERS}me/blocks/"


def block(client, name):
    answer = client.put(f"{USERS}{name}/block/")
    assert (answer.status_code, answer.content) == (204, b"")


def names(answer):
    assert answer.status_code == 200, answer.content
    return [row["username"] for row in answer.json()["results"]]


@pytest.mark.django_db(transaction=True)  # InnoDB's full-text index sees rows after their commit
def test_a_block_hides_both_from_each_other_and_from_nobody_else(as_alice, as_mallory, bob, client_of):
    block(as_alice, "mallory")
    for client, other in ((as_alice, "mallory"), (as_mallory, "alice")):
        assert other not in names(client.get(USERS))
        assert names(client.get(USERS, {"search": other})) == []
        assert client.get(f"{USERS}{other}/").status_code == 404
    as_bob = client_of(bob)
    assert {"alice", "mallory"} <= set(names(as_bob.get(USERS)))
    assert as_bob.get(f"{USERS}mallory/").status_code == 200
    assert names(as_alice.get(USERS, {"search": "alice"})) == ["alice"]


def test_to_the_blocked_the_other_is_as_somebody_who_was_never_there(as_alice, as_mallory):
    block(as_alice, "mallory")
    for method, rest in (("get", ""), ("put", "block/"), ("delete", "block/")):
        hidden, absent = (
            getattr(as_mallory, method)(f"{USERS}{name}/{rest}", HTTP_X_REQUEST_ID="the-same")
            for name in ("alice", "nobody")
        )
        assert hidden.status_code == 404
        assert (hidden.content, dict(hidden.headers)) == (absent.content, dict(absent.headers))


def test_it_counts_once_and_is_taken_back_once(as_alice, as_mallory):
    block(as_alice, "mallory")
    block(as_alice, "MALLORY")
    assert Block.objects.count() == 1
    for _twice in range(2):
        assert as_alice.delete(f"{USERS}mallory/block/").status_code == 204
    assert as_mallory.get(f"{USERS}alice/").status_code == 200
    assert as_alice.get(f"{USERS}mallory/").status_code == 200


def test_who_takes_a_block_back_does_not_take_back_the_other_ones(alice, mallory, as_alice):
    Block.objects.place(on=mallory, by=alice)
    Block.objects.place(on=alice, by=mallory)
    block(as_alice, "mallory")  # of one's own one may know
    assert as_alice.delete(f"{USERS}mallory/block/").status_code == 204
    assert as_alice.get(f"{USERS}mallory/").status_code == 404
    assert as_alice.put(f"{USERS}mallory/block/").status_code == 404


def test_whom_one_has_blocked_is_told_to_oneself_alone(as_alice, as_mallory, bob, make_user):
    block(as_alice, "mallory")
    block(as_alice, "bob")
    make_user("closed")
    block(as_alice, "closed")
    User.objects.filter(username="closed").update(is_active=False)
    rows = as_alice.get(BLOCKS).json()["results"]
    assert [row["user"]["username"] for row in rows] == ["bob", "mallory"]
    assert rows[0].keys() == {"user", "created_at"}
    assert rows[0]["user"].keys() == {"id", "username", "display_name", "avatar_url"}
    assert as_mallory.get(BLOCKS).json()["results"] == []


def test_oneself_cannot_be_blocked(as_alice):
    for name in ("alice", "ALICE"):
        assert codes(as_alice.put(f"{USERS}{name}/block/")) == {"username": {"own_account"}}
    assert as_alice.delete(f"{USERS}alice/block/").status_code == 204


@pytest.mark.parametrize("name", ["nobody", "closed", "me", "%00", "x" * 500])
def test_unknown_names_are_404(as_alice, make_user, name):
    make_user("closed", is_active=False)
    for method in ("put", "delete"):
        assert getattr(as_alice, method)(f"{USERS}{name}/block/").status_code == 404


def test_needs_a_sign_in_and_these_methods(anonymous, as_alice, mallory):
    assert anonymous.put(f"{USERS}mallory/block/").status_code == 401
    assert anonymous.get(BLOCKS).status_code == 401
    for method in ("get", "post", "patch"):
        assert getattr(as_alice, method)(f"{USERS}mallory/block/").status_code == 405


def test_blocks_go_with_the_account(as_alice, as_mallory, alice):
    block(as_alice, "mallory")
    assert as_mallory.delete(f"{USERS}me/", {"password": PASSWORD}).status_code == 204
    assert not Block.objects.exists()


def test_the_list_costs_the_same_for_few_and_many(as_alice, alice, django_assert_num_queries):
    for size in (3, 300):
        missing = [f"r{n}" for n in range(Block.objects.count(), size)]
        User.objects.bulk_create(User(username=name, username_key=name, display_name="Reader") for name in missing)
        # Read back: MySQL does not tell the ids of rows that come in together.
        Block.objects.bulk_create(
            Block(blocker=alice, blocked=user) for user in User.objects.filter(username__in=missing)
        )
        # The sign-in with its account; the page.
        with django_assert_num_queries(2):
            assert len(as_alice.get(f"{BLOCKS}?page_size=100").json()["results"]) == min(size, 100)
        with django_assert_num_queries(2):
            assert names(as_alice.get(USERS)) == ["alice"]


def test_seeing_is_mutual(make_user):
    four = [make_user(f"four{n}") for n in range(4)]
    each = st.integers(0, 3)

    @given(pairs=st.sets(st.tuples(each, each).filter(lambda pair: pair[0] != pair[1])))
    def check(pairs):
        Block.objects.all().delete()
        Block.objects.bulk_create(Block(blocker=four[a], blocked=four[b]) for a, b in pairs)
        for a, viewer in enumerate(four):
            apart = {four[b] for b in range(4) if (a, b) in pairs or (b, a) in pairs}
            assert set(User.objects.visible_to(viewer)) == set(four) - apart
            assert hidden_among([user.pk for user in four], viewer.pk) == {user.pk for user in apart}

    check()
