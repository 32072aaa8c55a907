"""A club's talk is reported, hidden and read by staff, and in no other way."""

import pytest

from accounts.models import User
from clubs.discussions.posts import Post
from clubs.models import Club
from moderation.models import Case, Opening
from tests.clubs.helpers import bring_in
from tests.moderation.helpers import QUEUE, appeal, bad_fields, case_of, decide, page_of, problem, report, undo
from tests.reviews.helpers import differences

pytestmark = pytest.mark.django_db


@pytest.fixture
def thread(as_alice, alice, readers):
    """Of a private club with everybody in it but Charlie."""
    club = Club.found(by=alice, name="Secret readers", visibility="private")
    for reader in (*readers, User.objects.get(username="bob")):
        bring_in(club, reader)
    body = {"title": "Under the roses", "body": "How do you like it?"}
    answer = as_alice.post(f"/api/v1/clubs/{club.pk}/threads/", body)
    assert answer.status_code == 201, answer.content
    return f"/api/v1/clubs/{club.pk}/threads/{answer.json()['id']}/"


@pytest.fixture
def post(as_bob, bob, thread):
    answer = as_bob.post(f"{thread}posts/", {"body": "You are all fools."})
    assert answer.status_code == 201, answer.content
    return Post.objects.get(pk=answer.json()["id"])


@pytest.fixture(autouse=True)
def bob_first(bob):
    return bob


def shown(client, thread, post):
    found = {row["id"]: row for row in client.get(f"{thread}posts/").json()["results"]}
    return found.get(post.pk)


def active(client, thread):
    """How many are active in the club of a thread."""
    return client.get(f"{thread.partition('threads/')[0]}stats/").json()["active_members_30d"]


def test_a_post_is_hidden_by_enough_reports_and_shown_to_its_author(clients, as_bob, as_charlie, thread, post):
    assert shown(as_bob, thread, post)["moderation"] is None
    for client in clients[:3]:
        assert report(client, post, reason="abuse").status_code == 201
    assert shown(clients[0], thread, post) is None
    own = shown(as_bob, thread, post)
    assert (own["body"], own["moderation"]["status"], own["moderation"]["reason"]) == (
        "You are all fools.",
        "pending",
        "abuse",
    )
    assert clients[0].get(thread).json()["posts_count"] == 1
    assert differences() == (0, [])
    assert appeal(as_bob, post).status_code == 201
    problem(appeal(as_bob, post), 409, "already_appealed")


def test_a_hidden_post_calls_nobody(clients, as_bob, as_alice, thread, post):
    for client in clients[:3]:
        report(client, post)
    for name in ("alice", "reader5"):
        assert as_bob.patch(f"{thread}posts/{post.pk}/", {"body": f"@{name} Fools!"}).status_code == 200
    for client in (as_alice, clients[5]):
        assert client.get("/api/v1/users/me/notifications/").json()["results"] == []


def test_only_who_is_in_the_club_reports(as_charlie, as_bob, as_alice, thread, post):
    assert bad_fields(report(as_charlie, post)) == {"target_id": "does_not_exist"}
    problem(report(as_bob, post), 403, "own_content")
    assert as_alice.put("/api/v1/users/bob/block/").status_code == 204
    # She owns the club, so she sees him all the same.
    assert report(as_alice, post).status_code == 201


def test_a_block_keeps_a_member_from_reporting_what_they_do_not_see(clients, as_bob, thread, post):
    assert clients[0].put("/api/v1/users/bob/block/").status_code == 204
    assert bad_fields(report(clients[0], post)) == {"target_id": "does_not_exist"}


def test_staff_read_it_with_what_stands_around_it_and_that_is_written_down(desk, moira, clients, as_bob, thread, post):
    as_bob.post(f"{thread}posts/", {"body": "And so am I."})
    report(clients[0], post)
    queue = desk.get(QUEUE).content.decode()
    assert "Under the roses" not in queue
    assert not Opening.objects.exists()
    page = desk.get(page_of(case_of(post))).content.decode()
    for text in ("Under the roses", "How do you like it?", "You are all fools.", "And so am I.", "Secret readers"):
        assert text in page, text
    assert [opening.by for opening in Opening.objects.all()] == [moira]


def test_staff_hide_and_restore_it(desk, clients, thread, post):
    report(clients[0], post)
    assert active(clients[0], thread) == 2
    decide(desk, case_of(post), "hide")
    assert shown(clients[0], thread, post) is None
    assert active(clients[0], thread) == 1  # Alice, who has opened the thread
    assert differences() == (0, [])
    undo(desk, case_of(post))
    assert shown(clients[0], thread, post)["body"] == "You are all fools."
    assert active(clients[0], thread) == 2
    assert differences() == (0, [])


@pytest.mark.parametrize("how", ["post", "thread", "club"])
def test_its_case_closes_when_it_goes(clients, as_alice, thread, post, how):
    report(clients[0], post)
    club = thread.partition("threads/")[0]
    address = {"post": f"{thread}posts/{post.pk}/", "thread": thread, "club": club}[how]
    assert as_alice.delete(address).status_code == 204
    assert Case.objects.get().state == "gone"
    assert bad_fields(report(clients[1], post)) == {"target_id": "does_not_exist"}


def test_a_block_hides_the_title_from_who_has_reported_a_post_in_it(clients, thread, post):
    assert report(clients[0], post).status_code == 201
    own = "/api/v1/users/me/activity/"
    assert "Under the roses" in clients[0].get(own).content.decode()
    assert clients[0].put("/api/v1/users/alice/block/").status_code == 204
    told = clients[0].get(own)
    assert "report.created" in told.content.decode()
    assert "Under the roses" not in told.content.decode()
