import json

import pytest

from accounts.blocks import Block
from activity.models import Event, ObjectRef
from activity.services import record_event

pytestmark = pytest.mark.django_db
ACTIVITY = "/api/v1/users/me/activity/"


@pytest.fixture(autouse=True)
def empty_log(as_alice, as_bob, club):
    Event.objects.all().delete()


def verbs(client, **query):
    return [row["verb"] for row in client.get(ACTIVITY, query).json()["results"]]


def test_event_fields(as_alice, alice, club):
    record_event("book.listed", actor=alice.pk, object_ref=ObjectRef("entry", 7, "Dune"), club=club.pk)
    (row,) = as_alice.get(ACTIVITY).json()["results"]
    event = Event.objects.get()
    assert row == {
        "id": event.pk,
        "at": f"{event.created_at:%Y-%m-%dT%H:%M:%SZ}",
        "actor": {"id": alice.pk, "username": "alice", "display_name": "Alice", "avatar_url": None},
        "verb": "book.listed",
        "object": {"type": "entry", "id": 7, "title": "Dune"},
        "club": {"id": club.pk, "name": "Night readers"},
        "text": "Book added to the reading list: “Dune”",
    }
    (row,) = as_alice.get(ACTIVITY, headers={"Accept-Language": "pt-BR"}).json()["results"]
    assert row["text"] == "Livro adicionado à lista de leitura: “Dune”"


def test_log_lists_own_actions_and_changes_to_the_user(as_bob, alice, bob, charlie):
    record_event("session.created", actor=bob.pk)
    record_event("member.role_changed", actor=alice.pk, subject=bob.pk)
    record_event("session.created", actor=alice.pk)
    record_event("member.removed", actor=alice.pk, subject=charlie.pk)
    record_event("password.changed", actor=bob.pk, subject=bob.pk)
    assert verbs(as_bob) == ["password.changed", "member.role_changed", "session.created"]


def test_event_without_actor_and_object(as_bob, bob):
    record_event("member.removed", actor=None, subject=bob.pk)
    (row,) = as_bob.get(ACTIVITY).json()["results"]
    assert (row["actor"], row["object"], row["club"], row["text"]) == (None, None, None, "Member removed")


def test_club_no_longer_visible_is_omitted(as_bob, bob, alice, moe, private_club):
    record_event("book.listed", actor=bob.pk, club=private_club.pk)
    assert as_bob.get(ACTIVITY).json()["results"][0]["club"] == {"id": private_club.pk, "name": "Secret readers"}
    private_club.get_membership(bob).remove(by=alice)
    private_club.update_club(by=alice, name="Very secret readers")
    response = as_bob.get(ACTIVITY)
    assert all(row["club"] is None for row in response.json()["results"])
    assert "ecret" not in response.content.decode()


def test_pages_merge_actor_and_subject_events(as_bob, alice, bob):
    for n in range(7):
        record_event(f"{n}", actor=bob.pk if n % 2 else alice.pk, subject=bob.pk)
    seen, url = [], f"{ACTIVITY}?page_size=2"
    while url:
        page = as_bob.get(url).json()
        seen += [row["verb"] for row in page["results"]]
        url, back = page["next"], page["previous"]
    assert seen == [str(n) for n in reversed(range(7))]
    assert [row["verb"] for row in as_bob.get(back).json()["results"]] == ["2", "1"]


@pytest.mark.parametrize("rows", [3, 300])
def test_log_query_count_is_constant(as_bob, alice, bob, club, rows, django_assert_num_queries):
    for n in range(rows):
        record_event("x", actor=(alice, bob)[n % 2].pk, subject=bob.pk, club=club.pk)
    with django_assert_num_queries(6):
        # Session with user; ids as actor; ids as subject; events; actors; visible clubs.
        assert len(as_bob.get(ACTIVITY, {"page_size": 100}).json()["results"]) == min(rows, 100)


def test_unknown_parameter_is_400(as_bob):
    assert as_bob.get(ACTIVITY, {"verb": "x"}).json()["code"] == "invalid_parameter"


def test_block_hides_the_actor(as_bob, alice, bob):
    record_event("member.role_changed", actor=alice.pk, subject=bob.pk)
    Block.objects.block(on=bob, by=alice)
    assert [row["actor"] for row in as_bob.get(ACTIVITY).json()["results"]] == [None]


def test_export_contains_own_events_only(as_bob, alice, bob, charlie):
    record_event("profile.changed", actor=alice.pk)
    record_event("member.removed", actor=alice.pk, subject=charlie.pk)
    record_event("member.role_changed", actor=alice.pk, subject=bob.pk)
    record_event("profile.changed", actor=bob.pk)
    exported = json.loads(as_bob.get("/api/v1/users/me/export/").getvalue())["activity"]
    expected = {"profile.changed": "bob", "member.role_changed": "alice", "account.exported": "bob"}
    assert {row["verb"]: row["actor"]["username"] for row in exported} == expected
    assert len(exported) == 3
