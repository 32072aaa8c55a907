"""Creating, listing and deleting date polls."""

import pytest

from accounts.deletion import erase
from activity.models import Event
from catalog.models import Book
from clubs.models import Entry
from meetings.models import DatePoll
from tests.ballots.helpers import later
from tests.clubs.helpers import bad_fields, bad_parameters, problem
from tests.meetings.date_polls.helpers import answer, body, create, let_expire, option_ids, url
from tests.meetings.helpers import notified, ok

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry(club, alice):
    book = Book.create_book(by=None, title="Emma", authors=["Jane Austen"])
    return Entry.add_entry(club=club, book=book, by=alice)


def test_created_poll_has_exactly_these_fields(club, as_moe, as_bob, moe, entry):
    details = {"timezone": "America/Sao_Paulo", "duration_minutes": 90, "place": "Library", "capacity": 8}
    details |= {"url": "https://talk.example/a", "entry": entry.pk}
    sent = body((12, 10, 11), **details)
    poll = ok(as_moe.post(url(club), sent), 201)
    options = [
        {"id": pk, **option, "yes": 0, "maybe": 0}
        for pk, option in zip(option_ids(DatePoll.objects.get()), sent["options"], strict=True)
    ]
    assert poll == {
        "id": poll["id"],
        "title": "When?",
        "options": options,
        **details,
        "closes_at": sent["closes_at"],
        "status": "open",
        "answered_count": 0,
        "my_answer": None,
        "meeting": None,
        "outcome": None,
        "created_by": poll["created_by"],
        "created_at": poll["created_at"],
        "closed_at": None,
    }
    assert poll["created_by"]["id"] == moe.pk
    assert ok(as_bob.get(url(club, poll["id"]))) == poll
    assert ok(as_bob.get(url(club)))["results"] == [poll]


def test_optional_fields_have_defaults(club, as_moe):
    poll = ok(as_moe.post(url(club), body()), 201)
    names = ("timezone", "duration_minutes", "place", "url", "entry", "capacity")
    assert [poll[name] for name in names] == ["Europe/London", 60, "", "", None, None]


def test_dates_may_be_sent_without_an_object(club, as_moe):
    moments = [later(days=10), later(days=11)]
    poll = ok(as_moe.post(url(club), body(options=moments)), 201)
    assert [option["starts_at"] for option in poll["options"]] == moments


SOON, OTHER = {"starts_at": later(days=9)}, {"starts_at": later(days=10)}
SAME_MOMENT = {"starts_at": later(days=9).replace("Z", "+00:00")}


@pytest.mark.parametrize(
    ("fields", "bad"),
    [
        ({"title": ""}, {"title": "blank"}),
        ({"options": [SOON]}, {"options": "min_length"}),
        ({"options": []}, {"options": "min_length"}),
        ({"options": None}, {"options": "null"}),
        ({"options": [7, OTHER]}, {"options.0.non_field_errors": "invalid"}),
        ({"options": [{}, OTHER]}, {"options.0.starts_at": "required"}),
        ({"options": [OTHER, {"starts_at": "2020-01-01T10:00:00Z"}]}, {"options.1.starts_at": "past"}),
        ({"options": [OTHER, {"starts_at": "2101-01-01T00:00:00Z"}]}, {"options.1.starts_at": "too_far"}),
        ({"options": [OTHER, {"starts_at": "2027-01-01T10:00:00"}]}, {"options.1.starts_at": "no_offset"}),
        ({"options": [SOON, OTHER, SAME_MOMENT]}, {"options.2.starts_at": "duplicate"}),
        ({"closes_at": SOON["starts_at"], "options": [OTHER, SOON]}, {"closes_at": "closes_too_late"}),
        ({"closes_at": later(days=30)}, {"closes_at": "closes_too_late"}),
        ({"closes_at": later(days=-1)}, {"closes_at": "past"}),
        ({"closes_at": None}, {"closes_at": "null"}),
        ({"timezone": "Mars/Phobos"}, {"timezone": "invalid"}),
        ({"duration_minutes": 0}, {"duration_minutes": "min_value"}),
        ({"capacity": 0}, {"capacity": "min_value"}),
        ({"url": "ftp://x.example"}, {"url": "invalid_url"}),
        ({"entry": 10**9}, {"entry": "does_not_exist"}),
    ],
)
def test_invalid_poll_is_rejected(club, as_moe, fields, bad):
    assert bad_fields(as_moe.post(url(club), body() | fields)) == bad
    assert not DatePoll.objects.exists()


def test_number_of_dates_is_limited(club, as_moe):
    assert bad_fields(as_moe.post(url(club), body(tuple(range(8, 29))))) == {"options": "max_length"}
    ok(as_moe.post(url(club), body(tuple(range(8, 28)))), 201)


def test_entry_of_another_club_is_rejected(make_club, as_alice, entry):
    other = make_club("Other")
    assert bad_fields(as_alice.post(url(other), body(entry=entry.pk))) == {"entry": "does_not_exist"}


def test_open_polls_of_a_club_are_limited(club, as_moe):
    polls = [create(club) for _ in range(10)]
    problem(as_moe.post(url(club), body()), 409, "too_many_polls")
    ok(as_moe.post(url(club, polls[0], "close/")))
    ok(as_moe.post(url(club), body()), 201)
    problem(as_moe.post(url(club), body()), 409, "too_many_polls")
    let_expire(polls[1])
    ok(as_moe.post(url(club), body()), 201)


def test_polls_are_listed_newest_first_and_by_status(club, as_bob, as_moe):
    first, second, third = (create(club) for _ in range(3))
    ok(as_moe.post(url(club, second, "close/")))

    def found(**query):
        return [row["id"] for row in ok(as_bob.get(url(club), query))["results"]]

    assert found() == [third.pk, second.pk, first.pk]
    assert found(status="open") == [third.pk, first.pk]
    assert found(status="closed") == [second.pk]
    assert bad_parameters(as_bob.get(url(club), {"status": "due"})) == {"status"}


def test_list_of_polls_takes_a_constant_number_of_queries(club, as_bob, members, django_assert_num_queries):
    for _ in range(3):
        poll = create(club)
        for client in (as_bob, *members.values()):
            answer(client, poll, "0", maybe="1")
    # Session with user; club with membership; due polls; polls; dates with counts; own answers; their choices.
    with django_assert_num_queries(7):
        rows = ok(as_bob.get(url(club)))["results"]
    assert [row["answered_count"] for row in rows] == [5] * 3
    # Session with user; club with membership; poll; answers with users; choices.
    with django_assert_num_queries(5):
        assert len(ok(as_bob.get(url(club, poll, "answers/")))["results"]) == 5


def test_members_are_notified_of_a_new_poll(club, as_moe, as_bob):
    ok(as_moe.post(url(club), body()), 201)
    assert notified("date_poll_opened") == [("alice", "When?"), ("bob", "When?")]
    row = ok(as_bob.get("/api/v1/users/me/notifications/"))["results"][0]
    assert (row["object"]["type"], row["object"]["title"]) == ("date_poll", "When?")


def test_deleted_poll_is_gone_with_its_answers_but_its_meeting_stays(club, poll, as_bob, as_moe):
    answer(as_bob, poll, "0")
    meeting = ok(as_moe.post(url(club, poll, "close/")))["meeting"]
    tag = as_moe.get(url(club, poll))["ETag"]
    problem(as_moe.delete(url(club, poll), headers={"If-Match": '"stale"'}), 412, "precondition_failed")
    assert as_moe.delete(url(club, poll), headers={"If-Match": tag}).status_code == 204
    problem(as_bob.get(url(club, poll)), 404, "not_found")
    problem(as_bob.get(url(club, poll, "answers/")), 404, "not_found")
    ok(as_bob.get(f"/api/v1/clubs/{club.pk}/meetings/{meeting}/"))


def test_deleted_meeting_of_a_poll_is_not_named(club, poll, as_bob, as_moe):
    answer(as_bob, poll, "0")
    meeting = ok(as_moe.post(url(club, poll, "close/")))["meeting"]
    ok(as_moe.delete(f"/api/v1/clubs/{club.pk}/meetings/{meeting}/"), 204)
    shown = ok(as_bob.get(url(club, poll)))
    assert (shown["meeting"], shown["outcome"]) == (None, "chosen")


def test_poll_of_another_club_is_not_found(poll, make_club, as_alice):
    other = make_club("Other")
    for rest in ("", "answers/"):
        problem(as_alice.get(url(other, poll, rest)), 404, "not_found")
    problem(as_alice.put(url(other, poll, "answer/"), {"yes": []}), 404, "not_found")
    problem(as_alice.post(url(other, poll, "close/")), 404, "not_found")


def test_each_change_is_one_event(club, as_moe, as_bob, moe, bob):
    Event.objects.all().delete()
    pk = ok(as_moe.post(url(club), body()), 201)["id"]
    poll = DatePoll.objects.get(pk=pk)
    answer(as_bob, poll, "0")
    answer(as_bob, poll, "0")
    ok(as_moe.post(url(club, poll, "close/")))
    ok(as_moe.delete(url(club, poll)), 204)
    events = Event.objects.filter(object_type="date_poll").order_by("pk")
    assert list(events.values_list("verb", "actor", "club")) == [
        ("date_poll.opened", moe.pk, club.pk),
        ("date_poll.answered", bob.pk, None),
        ("date_poll.closed", moe.pk, club.pk),
        ("date_poll.deleted", moe.pk, club.pk),
    ]


def test_poll_stays_without_a_name_after_account_deletion(club, as_moe, as_bob, moe):
    pk = ok(as_moe.post(url(club), body()), 201)["id"]
    erase(moe)
    assert ok(as_bob.get(url(club, pk)))["created_by"]["id"] is None
