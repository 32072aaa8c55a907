"""`If-Match` on the objects of a club: the activity of others and lost responses do not reject an edit."""

import datetime

import pytest
from django.utils import timezone

from tests.clubs.helpers import problem

pytestmark = pytest.mark.django_db

ME = "/api/v1/users/me/"


@pytest.fixture
def entry(put_on_list):
    return put_on_list("Emma", status="reading")


def test_repeated_write_whose_response_was_lost_succeeds(client_of, alice, bob, club, entry):
    """A proxy or the app repeats it with the same ETag; a different write is still rejected."""
    as_alice, base = client_of(alice), f"/api/v1/clubs/{club.pk}/"
    progress, meeting = f"{base}books/{entry.pk}/progress/", f"{base}meetings/"
    sent = {"title": "Tea", "starts_at": "2090-01-01T19:00:00Z", "timezone": "UTC"}
    rsvp = f"{as_alice.post(meeting, sent)['Location']}rsvp/"
    for read, method, write, body, other in (
        (base, "patch", base, {"description": "Torto Arado"}, {"description": "Solitária"}),
        (ME, "patch", ME, {"bio": "Reader"}, {"bio": "Writer"}),
        (f"{progress}mine/", "put", progress, {"percent": 30}, {"percent": 40}),
        (rsvp, "put", rsvp, {"answer": "yes"}, {"answer": "no"}),
    ):
        send, etag = getattr(as_alice, method), as_alice.get(read)["ETag"]
        assert [send(write, body, HTTP_IF_MATCH=etag).status_code for _ in range(3)] == [200, 200, 200], write
        problem(send(write, other, HTTP_IF_MATCH=etag), 412, "precondition_failed")
        expected = as_alice.get(read).json()
        assert all(expected[name] == value for name, value in body.items())


def test_repeated_write_over_the_change_of_another_user_is_412(client_of, alice, moe, club, entry):
    url = f"/api/v1/clubs/{club.pk}/books/{entry.pk}/"
    etag = client_of(alice).get(url)["ETag"]
    client_of(moe).patch(url, {"note": "From Moe"})
    problem(client_of(alice).patch(url, {"note": "From Alice"}, HTTP_IF_MATCH=etag), 412, "precondition_failed")
    assert client_of(alice).get(url).json()["note"] == "From Moe"


def test_repeated_write_to_a_series_does_not_overwrite_other_meetings(client_of, alice, moe, club):
    """It changes nothing of the meeting that the ETag is of, but the following ones."""
    as_alice, base = client_of(alice), f"/api/v1/clubs/{club.pk}/meetings/"
    sent = {"title": "Tea", "starts_at": "2027-01-02T19:00:00Z", "timezone": "UTC"}
    assert as_alice.post(base, {**sent, "repeats": {"every": "weekly", "count": 3}}).status_code == 201
    urls = [f"{base}{row['id']}/" for row in as_alice.get(base).json()["results"]]
    old = as_alice.get(urls[0])["ETag"]
    assert as_alice.patch(urls[0], {"title": "Coffee"}).status_code == 200
    assert client_of(moe).patch(urls[1], {"title": "Cake"}).status_code == 200
    change = {"title": "Coffee"}
    problem(as_alice.patch(f"{urls[0]}?scope=following", change, HTTP_IF_MATCH=old), 412, "precondition_failed")
    assert as_alice.patch(urls[0], change, HTTP_IF_MATCH=old).status_code == 200
    assert [as_alice.get(url).json()["title"] for url in urls] == ["Coffee", "Cake", "Tea"]


def test_activity_of_others_does_not_reject_an_edit(client_of, alice, bob, charlie, club, entry):
    """Likes, reactions, replies, RSVPs, joins and ratings move counters, not the object itself."""
    as_alice, as_bob, as_charlie = client_of(alice), client_of(bob), client_of(charlie)
    base, book = f"/api/v1/clubs/{club.pk}/", f"/api/v1/books/{entry.book_id}/"
    sent = {"title": "Tea", "starts_at": "2090-01-01T19:00:00Z", "timezone": "UTC"}
    meeting = as_alice.post(f"{base}meetings/", sent)["Location"]
    thread = as_alice.post(f"{base}threads/", {"title": "Hi", "body": "Hello"})["Location"]
    post = f"{base}posts/{as_alice.get(f'{thread}posts/').json()['results'][0]['id']}/"
    review = as_alice.post(f"{book}reviews/", {"rating": 4})["Location"]
    urls = {
        meeting: {"title": "Coffee"},
        thread: {"title": "Hello"},
        post: {"body": "Good morning"},
        review: {"rating": 5},
        base: {"description": "Readers"},
        f"{base}books/{entry.pk}/": {"note": "Bring tea"},
    }
    etags = {url: as_alice.get(url)["ETag"] for url in urls}
    changes = [
        as_bob.put(f"{meeting}rsvp/", {"answer": "yes"}),
        as_bob.post(f"{thread}posts/", {"body": "Reply"}),
        as_bob.put(f"{post}reactions/%F0%9F%91%8D/"),
        as_bob.put(f"{review}like/"),
        as_charlie.post(f"{base}join/"),
        as_bob.put(f"{base}books/{entry.pk}/progress/", {"percent": 100}),
        as_bob.post(f"{book}reviews/", {"rating": 1}),
    ]
    assert {response.status_code // 100 for response in changes} == {2}
    for url, body in urls.items():
        assert as_alice.get(url)["ETag"] != etags[url], url
        assert as_alice.patch(url, body, HTTP_IF_MATCH=etags[url]).status_code == 200, url


def test_vote_of_another_member_does_not_reject_a_vote(client_of, alice, bob, club, put_on_list):
    candidates = [put_on_list(title).pk for title in ("Emma", "Persuasion")]
    sent = {"title": "Next", "method": "approval", "candidates": candidates}
    closes_at = timezone.now() + datetime.timedelta(days=2)
    response = client_of(alice).post(f"/api/v1/clubs/{club.pk}/ballots/", sent | {"closes_at": closes_at})
    assert response.status_code == 201, response.content
    url = response["Location"]
    etag, first, second = client_of(bob).get(url)["ETag"], *candidates
    assert client_of(alice).put(f"{url}vote/", {"approved": [first]}).status_code == 200
    assert client_of(bob).put(f"{url}vote/", {"approved": [second]}, HTTP_IF_MATCH=etag).status_code == 200
    # Their own vote is part of the state.
    assert client_of(bob).put(f"{url}vote/", {"approved": [first]}, HTTP_IF_MATCH=etag).status_code == 412


def test_etag_of_a_club_with_its_list_is_accepted(client_of, alice, club, entry):
    as_alice, url = client_of(alice), f"/api/v1/clubs/{club.pk}/"
    etag = as_alice.get(f"{url}?include=books")["ETag"]
    assert as_alice.get(f"{url}?include=books", HTTP_IF_NONE_MATCH=etag).status_code == 304
    assert as_alice.patch(url, {"description": "Readers"}, HTTP_IF_MATCH=etag).status_code == 200
    assert as_alice.patch(url, {"description": "Others"}, HTTP_IF_MATCH=etag).status_code == 412
