"""Giving and reading opinions without a seal."""

import pytest

from accounts.blocks import Block
from activity.models import Event
from catalog.merges.services import merge_books, undo_merge
from catalog.models import Book
from clubs.models import Entry
from opinions.models import Opinion
from tests.clubs.helpers import bad_fields, bring_in, export
from tests.opinions.helpers import give, given, opinions, url

pytestmark = pytest.mark.django_db


def test_opinion_has_exactly_these_fields(as_bob, entry):
    nothing = as_bob.get(url(entry, "opinion/"))
    assert (nothing.status_code, nothing.json()) == (
        200,
        {"rating": None, "text": "", "read": None, "updated_at": None},
    )
    opinion = give(as_bob, entry, rating=4.5, text="Handsome, clever, and rich", read="part")
    assert opinion == {
        "rating": 4.5,
        "text": "Handsome, clever, and rich",
        "read": "part",
        "updated_at": opinion["updated_at"],
    }
    assert as_bob.get(url(entry, "opinion/")).json() == opinion


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"rating": "required"}),
        ({"rating": None, "text": "", "read": "part"}, {"rating": "required"}),
        ({"rating": 5.5}, {"rating": "no_half_step"}),
        ({"rating": 4.2}, {"rating": "no_half_step"}),
        ({"text": "\u200b"}, {"text": "invisible"}),
        ({"text": "x" * 2001}, {"text": "max_length"}),
        ({"rating": 4, "read": "half"}, {"read": "invalid_choice"}),
    ],
)
def test_invalid_opinion_is_rejected(as_bob, entry, body, errors):
    assert bad_fields(as_bob.put(url(entry, "opinion/"), body)) == errors
    assert not Opinion.objects.exists()


def test_who_has_read_nothing_needs_no_rating(as_bob, entry):
    assert give(as_bob, entry, read="none")["rating"] is None


def test_put_replaces_the_whole_opinion(as_bob, entry):
    give(as_bob, entry, rating=4, text="Good", read="part")
    assert give(as_bob, entry, text="Not my book")["rating"] is None
    assert as_bob.get(url(entry, "opinion/")).json()["read"] == "all"
    assert Opinion.objects.count() == 1


def test_members_read_opinions_that_were_never_sealed(as_alice, as_bob, entry):
    give(as_bob, entry, rating=4)
    give(as_alice, entry, rating=1.5)
    found = opinions(as_alice, entry)
    assert given(as_alice, entry) == [("alice", 1.5), ("bob", 4)]
    assert [row["rating_at_opening"] for row in found["results"]] == [None, None]
    summary = {name: found[name] for name in ("sealed", "opens_at", "given", "mean", "changed_minds")}
    assert summary == {"sealed": False, "opens_at": None, "given": 2, "mean": 2.75, "changed_minds": 0}
    assert found["histogram"]["1.5"] == found["histogram"]["4.0"] == 1
    assert sum(found["histogram"].values()) == 2


def test_mean_of_no_ratings_is_null(as_bob, entry):
    give(as_bob, entry, text="No idea")
    assert (opinions(as_bob, entry)["given"], opinions(as_bob, entry)["mean"]) == (1, None)


def test_deleting_an_opinion_is_idempotent(as_bob, entry):
    give(as_bob, entry, rating=4)
    assert [as_bob.delete(url(entry, "opinion/")).status_code for _ in range(2)] == [204, 204]
    assert opinions(as_bob, entry)["given"] == 0


def test_leaving_deletes_the_opinion(as_alice, as_bob, entry):
    give(as_bob, entry, rating=4)
    assert as_bob.post(f"/api/v1/clubs/{entry.club_id}/leave/").status_code == 204
    assert opinions(as_alice, entry)["given"] == 0


def test_deleting_the_account_deletes_the_opinion(as_alice, as_bob, entry):
    give(as_bob, entry, rating=4)
    assert as_bob.delete("/api/v1/users/me/", {"password": "correct horse battery"}).status_code == 204
    assert opinions(as_alice, entry)["given"] == 0


def test_block_hides_opinions_but_not_figures(as_alice, as_bob, alice, bob, entry):
    give(as_bob, entry, rating=4)
    give(as_alice, entry, rating=2)
    Block.objects.block(on=bob, by=alice)
    for client, name in ((as_alice, "alice"), (as_bob, "bob")):
        found = opinions(client, entry)
        assert [row["user"]["username"] for row in found["results"]] == [name]
        assert (found["given"], found["mean"]) == (2, 3)


def test_list_takes_five_queries(as_bob, as_alice, as_moe, entry, django_assert_num_queries):
    for client in (as_bob, as_alice, as_moe):
        give(client, entry, rating=4)
    # Session with user; club; entry with book; seal; opinions with users; ratings.
    with django_assert_num_queries(6):
        assert len(opinions(as_bob, entry)["results"]) == 3


def test_stale_etag_is_rejected_and_others_do_not_upset_it(as_bob, as_alice, entry):
    give(as_bob, entry, rating=4)
    etag = as_bob.get(url(entry, "opinion/"))["ETag"]
    give(as_alice, entry, rating=1)
    assert as_bob.put(url(entry, "opinion/"), {"rating": 5}, HTTP_IF_MATCH=etag).status_code == 200
    assert as_bob.put(url(entry, "opinion/"), {"rating": 3}, HTTP_IF_MATCH=etag).status_code == 412
    assert as_bob.delete(url(entry, "opinion/"), HTTP_IF_MATCH=etag).status_code == 412


def test_opinion_appears_only_in_the_users_own_log(as_bob, bob, entry):
    give(as_bob, entry, rating=4, text="Secret")
    as_bob.delete(url(entry, "opinion/"))
    events = Event.objects.filter(verb__startswith="opinion").order_by("pk")
    assert [(event.verb, event.actor_id, event.club_id) for event in events] == [
        ("opinion.set", bob.pk, None),
        ("opinion.deleted", bob.pk, None),
    ]


def test_export_contains_own_opinions_only(as_bob, as_alice, entry):
    give(as_bob, entry, rating=4.5, text="Mine")
    give(as_alice, entry, rating=1, text="Hers")
    section = export(as_bob)["opinions"]
    assert [(row["entry"], row["club"], row["rating"], row["text"]) for row in section] == [
        (entry.pk, entry.club_id, 4.5, "Mine")
    ]


def test_merge_keeps_the_newer_opinion_and_undo_restores_both(as_bob, as_alice, alice, bob, moe, club, entry, mallory):
    bring_in(club, mallory)
    other = Entry.add_entry(club=club, book=Book.create_book(by=None, title="Emma", authors=["J. Austen"]), by=alice)
    give(as_bob, entry, rating=1, text="Older")
    give(as_alice, entry, rating=3)
    give(as_bob, other, rating=5, text="Newer")
    merge = merge_books(target=other.book, source=entry.book, by=moe, reason="The same work")
    assert given(as_bob, other) == [("alice", 3), ("bob", 5)]
    archived = export(as_bob)["archived_opinions"]
    assert [(row["entry_id"], row["text"]) for row in archived] == [(entry.pk, "Older")]
    undo_merge(merge, by=moe, reason="Two works after all")
    assert given(as_bob, entry) == [("alice", 3), ("bob", 1)]
    assert given(as_bob, other) == [("bob", 5)]
