"""Who can get a book, and who lends it."""

import pytest

from accounts.blocks import Block
from activity.models import Event
from availability.models import Availability
from catalog.merges.services import merge_books, undo_merge
from catalog.models import Book
from clubs.models import Entry
from tests.availability.helpers import access, counts, say, url
from tests.clubs.helpers import CLUBS, bad_fields, bring_in, export, problem

pytestmark = pytest.mark.django_db
NOTHING = {"answer": None, "format": None, "lends": False, "lent_to": None}


def test_answer_has_exactly_these_fields(as_bob, entry):
    assert as_bob.get(url(entry, "mine/")).json() == NOTHING
    answer = say(as_bob, entry, "have", format="paper", lends=True)
    assert answer == {"answer": "have", "format": "paper", "lends": True, "lent_to": None}
    assert as_bob.get(url(entry, "mine/")).json() == answer
    assert say(as_bob, entry, "can") == NOTHING | {"answer": "can"}


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"answer": "required"}),
        ({"answer": None}, {"answer": "null"}),
        ({"answer": "maybe"}, {"answer": "invalid_choice"}),
        ({"answer": "have", "format": "scroll"}, {"format": "invalid_choice"}),
        ({"answer": "have", "format": 5}, {"format": "invalid_choice"}),
        ({"answer": "have", "lends": "perhaps"}, {"lends": "invalid"}),
        ({"answer": "can", "lends": True}, {"lends": "not_owned"}),
    ],
)
def test_invalid_answer_is_rejected(as_bob, entry, body, errors):
    assert bad_fields(as_bob.put(url(entry, "mine/"), body)) == errors
    assert not Availability.objects.exists()


def test_null_and_missing_format_are_the_same(as_bob, entry):
    assert say(as_bob, entry, "have", format=None)["format"] is None
    assert say(as_bob, entry, "have", format="ebook")["format"] == "ebook"
    assert say(as_bob, entry, "have")["format"] is None


def test_withdrawing_an_answer_is_idempotent(as_bob, entry):
    say(as_bob, entry, "cannot")
    assert [as_bob.delete(url(entry, "mine/")).status_code for _ in range(2)] == [204, 204]
    assert as_bob.get(url(entry, "mine/")).json() == NOTHING


def test_members_see_counts_and_lenders(as_alice, as_bob, as_moe, entry, bob):
    say(as_alice, entry, "have", format="paper")
    say(as_bob, entry, "have", format="ebook", lends=True)
    assert counts(as_moe, entry) == [2, 0, 0, 1]
    say(as_moe, entry, "can", format="ebook")
    found = access(as_alice, entry)
    assert found == {
        "have": 2,
        "can": 1,
        "cannot": 0,
        "unanswered": 0,
        "formats": {"paper": 1, "ebook": 2, "audio": 0, "accessible": 0},
        "lenders": [{"user": found["lenders"][0]["user"], "format": "ebook", "lent_to": None}],
    }
    assert found["lenders"][0]["user"]["id"] == bob.pk


def test_lender_records_who_has_the_copy(as_alice, as_bob, as_moe, entry, moe, alice, charlie):
    say(as_bob, entry, "have", lends=True)
    lent = as_bob.put(url(entry, "lent/"), {"to": moe.pk})
    assert (lent.status_code, lent.json()["lent_to"]["username"]) == (200, "moe")
    assert access(as_alice, entry)["lenders"][0]["lent_to"]["id"] == moe.pk
    # An answer that is sent again keeps it.
    assert say(as_bob, entry, "have", lends=True)["lent_to"]["id"] == moe.pk
    assert as_bob.put(url(entry, "lent/"), {"to": None}).json()["lent_to"] is None
    as_bob.put(url(entry, "lent/"), {"to": moe.pk})
    assert say(as_bob, entry, "have", lends=False)["lent_to"] is None


def test_only_lenders_lend(as_alice, as_bob, entry, bob):
    say(as_bob, entry, "have")
    for client in (as_alice, as_bob):
        problem(client.put(url(entry, "lent/"), {"to": bob.pk}), 403, "lender_only")


def test_book_is_lent_to_other_members_only(as_bob, entry, bob, charlie, mallory, club):
    say(as_bob, entry, "have", lends=True)
    bring_in(club, mallory)
    Block.objects.block(on=bob, by=mallory)
    for to, code in (
        *((bob.pk, "yourself"), (charlie.pk, "not_a_member"), (10**9, "not_a_member"), (mallory.pk, "not_a_member")),
        *((10**30, "max_value"), ("moe", "invalid")),
    ):
        assert bad_fields(as_bob.put(url(entry, "lent/"), {"to": to})) == {"to": code}
    assert bad_fields(as_bob.put(url(entry, "lent/"), {})) == {"to": "required"}


def test_leaving_takes_answers_and_loans_along(as_alice, as_bob, as_moe, entry, moe, make_user, club):
    bring_in(club, make_user("dora"))
    say(as_bob, entry, "have", lends=True)
    as_bob.put(url(entry, "lent/"), {"to": moe.pk})
    assert as_moe.post(f"{CLUBS}{club.pk}/leave/").status_code == 204
    assert access(as_alice, entry)["lenders"][0]["lent_to"] is None
    assert as_bob.post(f"{CLUBS}{club.pk}/leave/").status_code == 204
    assert access(as_alice, entry)["lenders"] == []
    assert not Availability.objects.exists()


def test_deleting_the_account_deletes_answers_and_loans(as_alice, as_bob, as_moe, entry, moe):
    say(as_bob, entry, "have", lends=True)
    as_bob.put(url(entry, "lent/"), {"to": moe.pk})
    for client in (as_moe, as_bob):
        assert client.delete("/api/v1/users/me/", {"password": "correct horse battery"}).status_code == 204
    assert not Availability.objects.exists()


def test_export_contains_own_answers_and_what_was_borrowed(as_bob, as_moe, entry, moe, bob):
    say(as_bob, entry, "have", format="paper", lends=True)
    as_bob.put(url(entry, "lent/"), {"to": moe.pk})
    say(as_moe, entry, "cannot")
    found = export(as_moe)
    assert [row["answer"] for row in found["access_answers"]] == ["cannot"]
    assert [(row["user"], row["entry"]) for row in found["books_borrowed"]] == [(bob.pk, entry.pk)]


def test_access_takes_six_queries(as_bob, as_alice, as_moe, entry, django_assert_num_queries):
    for client in (as_bob, as_alice, as_moe):
        say(client, entry, "have", lends=True)
    # Session with user; club; entry with book; lenders; members; answers.
    with django_assert_num_queries(6):
        assert len(access(as_bob, entry)["lenders"]) == 3


def test_stale_etag_is_rejected(as_bob, entry, moe):
    say(as_bob, entry, "have", lends=True)
    etag = as_bob.get(url(entry, "mine/"))["ETag"]
    assert as_bob.put(url(entry, "lent/"), {"to": moe.pk}, HTTP_IF_MATCH=etag).status_code == 200
    assert as_bob.put(url(entry, "mine/"), {"answer": "can"}, HTTP_IF_MATCH=etag).status_code == 412
    assert as_bob.delete(url(entry, "mine/"), HTTP_IF_MATCH=etag).status_code == 412


def test_answers_follow_their_entry_through_a_merge(as_alice, as_bob, alice, moe, club, entry):
    other = Entry.add_entry(club=club, book=Book.create_book(by=None, title="Emma", authors=["J. Austen"]), by=alice)
    say(as_bob, entry, "have", lends=True)
    merge = merge_books(target=other.book, source=entry.book, by=moe, reason="The same work")
    assert counts(as_alice, other) == [1, 0, 0, 2]
    undo_merge(merge, by=moe, reason="Two works after all")
    assert counts(as_alice, entry) == [1, 0, 0, 2]


class TestWhoCannot:
    """Nobody learns who cannot get the book."""

    @pytest.fixture(autouse=True)
    def answers(self, as_bob, as_moe, entry):
        say(as_moe, entry, "have", lends=True)
        say(as_bob, entry, "cannot", format="accessible")

    @pytest.fixture
    def figures(self, as_alice, entry):
        return lambda: access(as_alice, entry)

    def test_format_of_who_cannot_is_not_counted(self, figures):
        assert figures()["cannot"] == 1
        assert figures()["formats"]["accessible"] == 0

    def test_counts_of_two_members_are_null(self, as_alice, as_moe, as_bob, entry, figures, club):
        as_moe.post(f"{CLUBS}{club.pk}/leave/")
        found = figures()
        assert {found[name] for name in ("have", "can", "cannot", "unanswered", "formats")} == {None}

    def test_paused_members_are_not_counted(self, as_bob, club, make_user, figures):
        bring_in(club, make_user("dora"))
        assert as_bob.put(f"{CLUBS}{club.pk}/pause/", {"until": None}).status_code == 200
        found = figures()
        assert [found[name] for name in ("have", "can", "cannot", "unanswered")] == [1, 0, 0, 2]

    def test_counts_of_three_with_a_paused_member_are_null(self, as_bob, club, figures):
        as_bob.put(f"{CLUBS}{club.pk}/pause/", {"until": None})
        assert figures()["have"] is None

    def test_block_changes_no_count(self, as_alice, alice, bob, moe, figures):
        before = figures()
        Block.objects.block(on=bob, by=alice)
        assert figures() == before
        Block.objects.block(on=moe, by=alice)
        assert figures() == before | {"lenders": []}

    def test_copy_lent_to_a_blocked_member_is_not_shown(self, as_moe, as_alice, as_bob, bob, alice, entry, figures):
        as_moe.put(url(entry, "lent/"), {"to": bob.pk})
        assert [row["lent_to"]["id"] for row in figures()["lenders"]] == [bob.pk]
        Block.objects.block(on=alice, by=bob)
        assert figures()["lenders"] == []

    def test_former_member_is_not_counted_after_coming_back(self, as_alice, as_bob, bob, club, make_user, figures):
        bring_in(club, make_user("dora"))
        as_bob.post(f"{CLUBS}{club.pk}/leave/")
        bring_in(club, bob)
        assert (figures()["cannot"], figures()["unanswered"]) == (0, 3)

    def test_answer_shows_nowhere_else(self, as_alice, as_moe, bob, entry, club, as_bob):
        def snapshot():
            return [
                client.get(place).json()
                for client in (as_alice, as_moe)
                for place in (
                    *(f"{CLUBS}{club.pk}/{rest}" for rest in ("activity/", "members/", "stats/", "books/")),
                    *("/api/v1/users/bob/", "/api/v1/users/me/changes/", "/api/v1/users/me/notifications/"),
                )
            ]

        as_bob.delete(url(entry, "mine/"))
        before = snapshot()
        for answer in ("have", "can", "cannot"):
            say(as_bob, entry, answer)
            assert snapshot() == before
        assert set(Event.objects.filter(verb__startswith="access.").values_list("club", flat=True)) == {None}

    def test_staff_have_no_page_with_answers(self):
        from django.contrib import admin

        assert Availability not in admin.site._registry
