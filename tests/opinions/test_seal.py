"""Sealed opinions: nobody else reads them before their meeting begins, in whatever way."""

import datetime
import json

import pytest
import time_machine
from django.utils import timezone

from activity.models import Event, Notification
from catalog.merges.services import merge_books, undo_merge
from catalog.models import Book
from clubs.models import Entry
from core.tasks.worker import run_pending
from meetings.models import Meeting
from opinions.models import Seal
from reviews.models import Review
from tests.clubs.helpers import CLUBS, bad_fields, bring_in, export, problem
from tests.opinions.helpers import give, given, opinions, url
from tests.reviews.helpers import counter_differences

pytestmark = pytest.mark.django_db
SECRET = "Unbearable heroine"


def meeting_url(meeting: Meeting) -> str:
    return f"{CLUBS}{meeting.club_id}/meetings/{meeting.pk}/"


def after(meeting: Meeting, seconds: int = 0) -> time_machine.travel:
    return time_machine.travel(meeting.starts_at + datetime.timedelta(seconds=seconds), tick=False)


def review(client, book, **fields):
    response = client.post("/api/v1/reviews/", {"book": book.pk, "rating": 2, "body": SECRET} | fields)
    assert response.status_code == 201, response.content


def test_moderator_seals_an_entry_with_a_meeting(as_moe, as_bob, entry, meeting, club):
    response = as_moe.patch(url(entry), {"sealed_with": meeting.pk})
    assert (response.status_code, response.json()["sealed_with"]) == (200, meeting.pk)
    assert as_bob.get(url(entry)).json()["sealed_with"] == meeting.pk
    found = opinions(as_bob, entry)
    assert (found["sealed"], found["opens_at"]) == (True, f"{meeting.starts_at:%Y-%m-%dT%H:%M:%SZ}")
    assert list(Event.objects.filter(verb="opinions.sealed").values_list("club", flat=True)) == [club.pk]


def test_meeting_of_another_club_or_in_the_past_seals_nothing(as_alice, alice, entry, make_club):
    other = make_club("Other")
    times = {"other": (other, 7), "begun": (entry.club, -1)}
    pks = {
        name: Meeting.create_meeting(
            club=club, by=alice, title="T", starts_at=timezone.now() + datetime.timedelta(days=days)
        ).pk
        for name, (club, days) in times.items()
    }
    for meeting, code in ((pks["other"], "does_not_exist"), (10**9, "does_not_exist"), (pks["begun"], "past")):
        assert bad_fields(as_alice.patch(url(entry), {"sealed_with": meeting, "note": "N"})) == {"sealed_with": code}
    assert bad_fields(as_alice.patch(url(entry), {"sealed_with": "soon"})) == {"sealed_with": "invalid"}
    entry.refresh_from_db()
    assert not entry.note
    assert not Seal.objects.exists()


def test_sealed_opinions_are_read_by_their_authors_alone(as_alice, as_bob, as_moe, sealed):
    give(as_bob, sealed, rating=2, text=SECRET)
    give(as_moe, sealed, rating=4)
    for client, names in ((as_alice, []), (as_moe, ["moe"]), (as_bob, ["bob"])):
        found = opinions(client, sealed)
        assert [row["user"]["username"] for row in found["results"]] == names
        assert {name: found[name] for name in ("sealed", "given", "mean", "histogram", "changed_minds")} == {
            "sealed": True,
            "given": 2,
            "mean": None,
            "histogram": None,
            "changed_minds": None,
        }


def test_opinions_open_by_the_clock(as_alice, as_bob, client_of, alice, sealed, meeting):
    give(as_bob, sealed, rating=2, text=SECRET)
    with after(meeting, -1):
        assert given(client_of(alice), sealed) == []
    with after(meeting):
        found = opinions(client_of(alice), sealed)
        assert (found["sealed"], found["mean"], found["results"][0]["text"]) == (False, 2, SECRET)
        assert found["results"][0]["rating_at_opening"] == 2


def test_opening_follows_the_meeting(as_alice, as_bob, client_of, alice, sealed, meeting):
    give(as_bob, sealed, rating=2)
    later = meeting.starts_at + datetime.timedelta(days=3)
    as_alice.patch(meeting_url(meeting), {"starts_at": f"{later:%Y-%m-%dT%H:%M:%SZ}"})
    assert opinions(as_alice, sealed)["opens_at"] == f"{later:%Y-%m-%dT%H:%M:%SZ}"
    with after(meeting):
        assert given(client_of(alice), sealed) == []
    earlier = timezone.now().replace(microsecond=0) - datetime.timedelta(minutes=5)
    as_alice.patch(meeting_url(meeting), {"starts_at": f"{earlier:%Y-%m-%dT%H:%M:%SZ}"})
    assert given(as_alice, sealed) == [("bob", 2)]
    # Once open, they stay open.
    as_alice.patch(meeting_url(meeting), {"starts_at": f"{later:%Y-%m-%dT%H:%M:%SZ}"})
    assert given(as_alice, sealed) == [("bob", 2)]


def test_opening_follows_a_moved_series(as_alice, as_bob, alice, club, entry, client_of):
    first = Meeting.create_meeting(
        club=club,
        by=alice,
        title="T",
        starts_at=timezone.now() + datetime.timedelta(days=1),
        repeats={"every": "weekly", "count": 2},
    )
    second = Meeting.objects.filter(series=first.series).order_by("starts_at")[1]
    entry.update_entry(by=alice, sealed_with=second.pk)
    moved = first.starts_at + datetime.timedelta(hours=2)
    response = as_alice.patch(f"{meeting_url(first)}?scope=following", {"starts_at": f"{moved:%Y-%m-%dT%H:%M:%SZ}"})
    assert response.status_code == 200
    second.refresh_from_db()
    assert Seal.objects.get().opens_at == second.starts_at


def test_opening_follows_shifted_dates(as_moe, as_bob, alice, entry, meeting):
    meeting.update_meeting(by=alice, entry=entry)
    entry.update_entry(by=alice, sealed_with=meeting.pk)
    give(as_bob, entry, rating=2)
    shift = {"days": 5, "from": f"{timezone.now():%Y-%m-%d}", "meetings": True}
    response = as_moe.post(url(entry, "shift/"), shift)
    assert (response.status_code, response.json()["meetings"]) == (200, 1), response.content
    meeting.refresh_from_db()
    assert Seal.objects.get().opens_at == meeting.starts_at
    assert counter_differences() == (0, [])


@pytest.mark.parametrize("ending", ["cancel", "delete"])
def test_meeting_that_does_not_take_place_opens_nothing(as_alice, as_bob, client_of, alice, sealed, meeting, ending):
    give(as_bob, sealed, rating=2)
    if ending == "cancel":
        as_alice.patch(meeting_url(meeting), {"status": "cancelled"})
    else:
        as_alice.delete(meeting_url(meeting))
    assert opinions(as_alice, sealed)["opens_at"] is None
    with after(meeting, 3600):
        as_alice = client_of(alice)
        assert opinions(as_alice, sealed)["sealed"]
        assert given(as_alice, sealed) == []
        assert as_alice.post(url(sealed, "opinions/open/")).status_code == 200


def test_restored_meeting_opens_again(as_alice, sealed, meeting):
    as_alice.patch(meeting_url(meeting), {"status": "cancelled"})
    as_alice.patch(meeting_url(meeting), {"status": "scheduled"})
    assert Seal.objects.get().opens_at == meeting.starts_at


def test_moderator_opens_opinions_once(as_moe, as_bob, as_alice, sealed, meeting, alice, club):
    give(as_bob, sealed, rating=2, text=SECRET)
    opened = as_moe.post(url(sealed, "opinions/open/"))
    assert (opened.status_code, opened.json()["sealed"], opened.json()["mean"]) == (200, False, 2)
    assert given(as_alice, sealed) == [("bob", 2)]
    problem(as_moe.post(url(sealed, "opinions/open/")), 409, "already_open")
    starts_at = timezone.now() + datetime.timedelta(days=30)
    other = Meeting.create_meeting(club=club, by=alice, title="Later", starts_at=starts_at)
    for meeting_id in (other.pk, None):
        problem(as_moe.patch(url(sealed), {"sealed_with": meeting_id}), 409, "already_open")
    # The same value again is no change.
    assert as_moe.patch(url(sealed), {"sealed_with": meeting.pk}).status_code == 200
    assert given(as_alice, sealed) == [("bob", 2)]


def test_removing_the_seal_opens_given_opinions_for_good(as_moe, as_bob, as_alice, sealed, meeting):
    assert as_moe.patch(url(sealed), {"sealed_with": None}).status_code == 200
    assert not opinions(as_bob, sealed)["sealed"]
    # Nothing was given, so it can be sealed again.
    assert as_moe.patch(url(sealed), {"sealed_with": meeting.pk}).status_code == 200
    give(as_bob, sealed, rating=2)
    assert as_moe.patch(url(sealed), {"sealed_with": None}).json()["sealed_with"] is None
    assert given(as_alice, sealed) == [("bob", 2)]
    problem(as_moe.patch(url(sealed), {"sealed_with": meeting.pk}), 409, "already_open")


def test_changed_minds_are_counted_after_the_opening(as_moe, as_bob, as_alice, sealed):
    give(as_bob, sealed, rating=1)
    give(as_bob, sealed, rating=2)
    give(as_moe, sealed, rating=3)
    as_moe.post(url(sealed, "opinions/open/"))
    give(as_bob, sealed, rating=4)
    give(as_alice, sealed, rating=5)
    found = opinions(as_alice, sealed)
    ratings = {row["user"]["username"]: (row["rating"], row["rating_at_opening"]) for row in found["results"]}
    assert ratings == {"alice": (5, None), "bob": (4, 2), "moe": (3, 3)}
    assert (found["changed_minds"], found["mean"]) == (1, 4)


def test_opinions_given_before_the_seal_are_sealed_too(as_moe, as_bob, as_alice, entry, meeting):
    give(as_bob, entry, rating=2)
    as_moe.patch(url(entry), {"sealed_with": meeting.pk})
    assert given(as_alice, entry) == []
    as_moe.post(url(entry, "opinions/open/"))
    assert opinions(as_alice, entry)["results"][0]["rating_at_opening"] == 2


def test_reviews_are_left_out_while_sealed(as_alice, as_bob, anonymous, client_of, alice, sealed, book, meeting):
    review(as_bob, book)
    place = f"{CLUBS}{sealed.club_id}/reviews/"
    assert len(as_bob.get(place).json()["results"]) == 1
    for client in (as_alice, anonymous):
        assert client.get(place).json()["results"] == []
        assert client.get(place, {"book": book.pk}).json()["results"] == []
    with after(meeting):
        assert len(client_of(alice).get(place).json()["results"]) == 1


def test_figures_leave_sealed_books_out(as_alice, as_bob, client_of, alice, sealed, book, meeting, club):
    place = f"{CLUBS}{club.pk}/"

    def figures(client):
        entries = [client.get(url(sealed)).json(), client.get(f"{place}books/").json()["results"][0]]
        entries.append(client.get(f"{place}?include=books").json()["books"][0])
        stats = client.get(f"{place}stats/").json()
        return {entry["club_average_rating"] for entry in entries} | {stats["mean_rating"]}, stats["rating_histogram"]

    before = figures(as_alice)
    review(as_bob, book)
    assert figures(as_alice) == before
    assert before[0] == {None}
    with after(meeting):
        means, histogram = figures(client_of(alice))
    assert means == {2}
    assert histogram["2.0"] == 1


def test_nothing_sealed_is_told_elsewhere(as_alice, as_bob, client_of, sealed, mailoutbox, club):
    give(as_bob, sealed, rating=0.5, text=SECRET)
    run_pending()
    places = ("activity/", "posts/?search=Unbearable", f"books/{sealed.pk}/", f"books/{sealed.pk}/opinions/", "stats/")
    found = [as_alice.get(f"{CLUBS}{club.pk}/{place}") for place in places]
    found += [
        as_alice.get(f"/api/v1/{place}")
        for place in (
            *("users/me/home/", "users/me/notifications/", "users/me/changes/"),
            *("users/bob/", "books/?search=Unbearable", "reviews/", f"books/{sealed.book_id}/"),
        )
    ]
    for response in found:
        assert response.status_code == 200, response.content
        assert SECRET not in response.getvalue().decode()
        assert "opinion.set" not in response.getvalue().decode()
    assert SECRET not in str(export(as_alice))
    texts = Notification.objects.values_list("object_title", "detail")
    assert SECRET not in str(list(texts))
    assert SECRET not in json.dumps([str(mail.body) for mail in mailoutbox])


def test_outsider_does_not_read_opinions_after_the_opening(as_moe, as_bob, as_charlie, sealed):
    give(as_bob, sealed, rating=2, text=SECRET)
    as_moe.post(url(sealed, "opinions/open/"))
    problem(as_charlie.get(url(sealed, "opinions/")), 403, "members_only")


def test_merge_never_opens_a_seal(as_alice, as_bob, alice, moe, club, sealed):
    give(as_bob, sealed, rating=2)
    other = Entry.add_entry(club=club, book=Book.create_book(by=None, title="Emma", authors=["J. Austen"]), by=alice)
    merge = merge_books(target=other.book, source=sealed.book, by=moe, reason="The same work")
    assert opinions(as_alice, other)["sealed"]
    assert given(as_alice, other) == []
    undo_merge(merge, by=moe, reason="Two works after all")
    assert (opinions(as_alice, sealed)["sealed"], opinions(as_alice, other)["sealed"]) == (True, False)


def test_year_leaves_sealed_books_out(as_alice, as_bob, alice, club, sealed, book):
    sealed.update_entry(by=alice, status="finished")
    review(as_bob, book)
    place = f"{CLUBS}{club.pk}/year/{timezone.localdate().year}/"
    year = as_alice.get(place).json()
    assert (year["books_finished"], year["best_rated"]) == (1, None)
    as_alice.post(url(sealed, "opinions/open/"))
    assert as_alice.get(place).json()["best_rated"]["average_rating"] == 2


def test_second_reading_does_not_show_sealed_ratings(as_alice, as_bob, alice, club, entry, book, meeting):
    entry.update_entry(by=alice, status="finished")
    again = Entry.add_entry(club=club, book=book, by=alice)
    again.update_entry(by=alice, sealed_with=meeting.pk)
    review(as_bob, book)
    assert {row["club_average_rating"] for row in as_alice.get(f"{CLUBS}{club.pk}/books/").json()["results"]} == {None}


def test_sealed_ratings_change_nothing_in_any_figure(as_bob, alice, club, sealed, make_user, client_of):
    readers = [make_user(f"reader{n}") for n in range(6)]
    for reader in readers:
        bring_in(club, reader)
    other = Book.create_book(by=None, title="Persuasion", authors=["Jane Austen"])
    for rating, reader in zip((6, 7, 6, 7, 6, 7), readers, strict=True):
        Review.create_review(book=other, by=reader, rating=rating, visibility="clubs")
    day = club.today
    for entry in (sealed, Entry.add_entry(club=club, book=other, by=alice, status="reading")):
        entry.update_entry(by=alice, status="finished", finished_on=day)
    paths = [f"year/{day.year}/", f"year/{day.year}/card.png", "stats/", "books/", "reviews/", "?include=books"]
    paths += [f"books/{sealed.pk}/", f"books/{sealed.pk}/opinions/"]
    before = {path: as_bob.get(f"{CLUBS}{club.pk}/{path}").content for path in paths}
    assert b"Persuasion" in before[f"year/{day.year}/"]
    # The best mean and the largest spread, if they counted.
    for rating, reader in zip((10, 10, 1, 10, 10, 10), readers, strict=True):
        Review.create_review(book=sealed.book, by=reader, rating=rating, visibility="clubs", body=SECRET)
    assert {path: as_bob.get(f"{CLUBS}{club.pk}/{path}").content for path in paths} == before
    # Not in the own years of members either, whose most divisive book is that of public ratings.
    for user in (readers[2], alice):
        year = client_of(user).get(f"/api/v1/users/me/year/{day.year}/").json()
        assert year["most_divisive"] is None
