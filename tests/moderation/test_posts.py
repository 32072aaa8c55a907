"""Moderation of posts in private clubs, which staff can only read through a case."""

import pytest

from accounts.models import User
from clubs.models import Club
from discussions.models import Post
from moderation.models import Case, CaseView
from tests.clubs.helpers import bring_in
from tests.moderation.helpers import QUEUE, appeal, bad_fields, case_of, decide, page_of, problem, report, undo
from tests.reviews.helpers import counter_differences

pytestmark = pytest.mark.django_db


@pytest.fixture
def thread(as_alice, alice, users):
    """A thread of a private club; only Charlie is not a member."""
    club = Club.create_club(by=alice, name="Secret readers", visibility="private")
    for user in (*users, User.objects.get(username="bob")):
        bring_in(club, user)
    body = {"title": "Under the roses", "body": "How do you like it?"}
    response = as_alice.post(f"/api/v1/clubs/{club.pk}/threads/", body)
    assert response.status_code == 201, response.content
    return f"/api/v1/clubs/{club.pk}/threads/{response.json()['id']}/"


@pytest.fixture
def post(as_bob, bob, thread):
    response = as_bob.post(f"{thread}posts/", {"body": "You are all fools."})
    assert response.status_code == 201, response.content
    return Post.objects.get(pk=response.json()["id"])


@pytest.fixture(autouse=True)
def bob_first(bob):
    return bob


def listed(client, thread, post):
    rows = {row["id"]: row for row in client.get(f"{thread}posts/").json()["results"]}
    return rows.get(post.pk)


def active_members(client, thread):
    """Return the number of active members of the thread's club."""
    return client.get(f"{thread.partition('threads/')[0]}stats/").json()["active_members_30d"]


def test_reports_hide_a_post_from_all_but_its_author(clients, as_bob, as_charlie, thread, post):
    assert listed(as_bob, thread, post)["moderation"] is None
    for client in clients[:3]:
        assert report(client, post, reason="abuse").status_code == 201
    assert listed(clients[0], thread, post) is None
    own = listed(as_bob, thread, post)
    assert (own["body"], own["moderation"]["status"], own["moderation"]["reason"]) == (
        "You are all fools.",
        "pending",
        "abuse",
    )
    assert clients[0].get(thread).json()["posts_count"] == 1
    assert counter_differences() == (0, [])
    assert appeal(as_bob, post).status_code == 201
    problem(appeal(as_bob, post), 409, "already_appealed")


def test_mentions_in_a_hidden_post_do_not_notify(clients, as_bob, as_alice, thread, post):
    for client in clients[:3]:
        report(client, post)
    for name in ("alice", "reader5"):
        assert as_bob.patch(f"{thread}posts/{post.pk}/", {"body": f"@{name} Fools!"}).status_code == 200
    for client in (as_alice, clients[5]):
        assert client.get("/api/v1/users/me/notifications/").json()["results"] == []


def test_only_members_can_report_a_post(as_charlie, as_bob, as_alice, thread, post):
    assert bad_fields(report(as_charlie, post)) == {"target_id": "does_not_exist"}
    problem(report(as_bob, post), 403, "own_content")
    assert as_alice.put("/api/v1/users/bob/block/").status_code == 204
    # Owners see the posts of members they have blocked.
    assert report(as_alice, post).status_code == 201


def test_blocking_member_cannot_report_the_post(clients, as_bob, thread, post):
    assert clients[0].put("/api/v1/users/bob/block/").status_code == 204
    assert bad_fields(report(clients[0], post)) == {"target_id": "does_not_exist"}


def test_case_page_shows_surrounding_posts_and_logs_view(as_moira, moira, clients, as_bob, thread, post):
    as_bob.post(f"{thread}posts/", {"body": "And so am I."})
    report(clients[0], post)
    queue = as_moira.get(QUEUE).content.decode()
    assert "Under the roses" not in queue
    assert not CaseView.objects.exists()
    page = as_moira.get(page_of(case_of(post))).content.decode()
    for text in ("Under the roses", "How do you like it?", "You are all fools.", "And so am I.", "Secret readers"):
        assert text in page, text
    assert [view.by for view in CaseView.objects.all()] == [moira]


def test_moderator_hides_and_restores_a_post(as_moira, clients, thread, post):
    report(clients[0], post)
    assert active_members(clients[0], thread) == 2
    decide(as_moira, case_of(post), "hide")
    assert listed(clients[0], thread, post) is None
    assert active_members(clients[0], thread) == 1  # Alice, who created the thread
    assert counter_differences() == (0, [])
    undo(as_moira, case_of(post))
    assert listed(clients[0], thread, post)["body"] == "You are all fools."
    assert active_members(clients[0], thread) == 2
    assert counter_differences() == (0, [])


@pytest.mark.parametrize("how", ["post", "thread", "club"])
def test_deletion_closes_the_case_of_a_post(clients, as_alice, thread, post, how):
    report(clients[0], post)
    club = thread.partition("threads/")[0]
    url = {"post": f"{thread}posts/{post.pk}/", "thread": thread, "club": club}[how]
    assert as_alice.delete(url).status_code == 204
    assert Case.objects.get().status == "deleted"
    assert bad_fields(report(clients[1], post)) == {"target_id": "does_not_exist"}


def test_block_hides_the_thread_title_from_the_reporter(clients, thread, post):
    assert report(clients[0], post).status_code == 201
    own = "/api/v1/users/me/activity/"
    assert "Under the roses" in clients[0].get(own).content.decode()
    assert clients[0].put("/api/v1/users/alice/block/").status_code == 204
    activity = clients[0].get(own)
    assert "report.created" in activity.content.decode()
    assert "Under the roses" not in activity.content.decode()
