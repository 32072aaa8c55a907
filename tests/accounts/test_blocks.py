import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.blocks import Block, blocked_ids
from accounts.models import User
from tests.accounts.conftest import V1, codes
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

USERS = f"{V1}users/"
BLOCKS = f"{USERS}me/blocks/"


def block(client, name):
    response = client.put(f"{USERS}{name}/block/")
    assert (response.status_code, response.content) == (204, b"")


def names(response):
    assert response.status_code == 200, response.content
    return [row["username"] for row in response.json()["results"]]


@pytest.mark.django_db(transaction=True)  # InnoDB's full-text index sees rows after their commit
def test_block_hides_both_users_from_each_other(as_alice, as_mallory, bob, client_of):
    block(as_alice, "mallory")
    for client, other in ((as_alice, "mallory"), (as_mallory, "alice")):
        assert other not in names(client.get(USERS))
        assert names(client.get(USERS, {"search": other})) == []
        assert client.get(f"{USERS}{other}/").status_code == 404
    as_bob = client_of(bob)
    assert {"alice", "mallory"} <= set(names(as_bob.get(USERS)))
    assert as_bob.get(f"{USERS}mallory/").status_code == 200
    assert names(as_alice.get(USERS, {"search": "alice"})) == ["alice"]


def test_blocker_looks_nonexistent_to_blocked_user(as_alice, as_mallory):
    block(as_alice, "mallory")
    for method, rest in (("get", ""), ("put", "block/"), ("delete", "block/")):
        hidden, absent = (
            getattr(as_mallory, method)(f"{USERS}{name}/{rest}", HTTP_X_REQUEST_ID="the-same")
            for name in ("alice", "nobody")
        )
        assert hidden.status_code == 404
        assert (hidden.content, dict(hidden.headers)) == (absent.content, dict(absent.headers))


def test_block_and_unblock_are_idempotent(as_alice, as_mallory):
    block(as_alice, "mallory")
    block(as_alice, "MALLORY")
    assert Block.objects.count() == 1
    for _twice in range(2):
        assert as_alice.delete(f"{USERS}mallory/block/").status_code == 204
    assert as_mallory.get(f"{USERS}alice/").status_code == 200
    assert as_alice.get(f"{USERS}mallory/").status_code == 200


def test_unblock_keeps_block_in_other_direction(alice, mallory, as_alice):
    Block.objects.block(on=mallory, by=alice)
    Block.objects.block(on=alice, by=mallory)
    block(as_alice, "mallory")  # still found, because Alice has blocked Mallory herself
    assert as_alice.delete(f"{USERS}mallory/block/").status_code == 204
    assert as_alice.get(f"{USERS}mallory/").status_code == 404
    assert as_alice.put(f"{USERS}mallory/block/").status_code == 404


def test_list_shows_own_blocks_only(as_alice, as_mallory, bob, make_user):
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


def test_users_cannot_block_themselves(as_alice):
    for name in ("alice", "ALICE"):
        assert codes(as_alice.put(f"{USERS}{name}/block/")) == {"username": {"own_account"}}
    assert as_alice.delete(f"{USERS}alice/block/").status_code == 204


@pytest.mark.parametrize("name", ["nobody", "closed", "me", "%00", "x" * 500])
def test_unknown_usernames_are_404(as_alice, make_user, name):
    make_user("closed", is_active=False)
    for method in ("put", "delete"):
        assert getattr(as_alice, method)(f"{USERS}{name}/block/").status_code == 404


def test_blocks_require_authentication(anonymous, as_alice, mallory):
    assert anonymous.put(f"{USERS}mallory/block/").status_code == 401
    assert anonymous.get(BLOCKS).status_code == 401
    for method in ("get", "post", "patch"):
        assert getattr(as_alice, method)(f"{USERS}mallory/block/").status_code == 405


def test_account_deletion_deletes_blocks(as_alice, as_mallory, alice):
    block(as_alice, "mallory")
    assert as_mallory.delete(f"{USERS}me/", {"password": PASSWORD}).status_code == 204
    assert not Block.objects.exists()


def test_list_query_count_is_constant(as_alice, alice, django_assert_num_queries):
    for size in (3, 300):
        missing = [f"r{n}" for n in range(Block.objects.count(), size)]
        User.objects.bulk_create(User(username=name, username_key=name, display_name="Reader") for name in missing)
        # Read back, because MySQL returns no ids from bulk inserts.
        Block.objects.bulk_create(
            Block(blocker=alice, blocked=user) for user in User.objects.filter(username__in=missing)
        )
        # Session with user; the page.
        with django_assert_num_queries(2):
            assert len(as_alice.get(f"{BLOCKS}?page_size=100").json()["results"]) == min(size, 100)
        with django_assert_num_queries(2):
            assert names(as_alice.get(USERS)) == ["alice"]


def test_visibility_is_mutual(make_user):
    four = [make_user(f"four{n}") for n in range(4)]
    each = st.integers(0, 3)

    @given(pairs=st.sets(st.tuples(each, each).filter(lambda pair: pair[0] != pair[1])))
    def check(pairs):
        Block.objects.all().delete()
        Block.objects.bulk_create(Block(blocker=four[a], blocked=four[b]) for a, b in pairs)
        for a, viewer in enumerate(four):
            blocked = {four[b] for b in range(4) if (a, b) in pairs or (b, a) in pairs}
            assert set(User.objects.visible_to(viewer)) == set(four) - blocked
            assert blocked_ids([user.pk for user in four], viewer.pk) == {user.pk for user in blocked}

    check()
