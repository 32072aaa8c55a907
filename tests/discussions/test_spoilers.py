"""Spoiler protection: who may read a post, and how `spoiler_percent` is set."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.models import Book
from clubs.models import Entry, Progress
from discussions.models import Post, Thread
from tests.clubs.helpers import bad_fields, bring_in, problem
from tests.discussions.helpers import bodies, check_spoiler_percents, check_thread_counters, posts, rows, threads

pytestmark = pytest.mark.django_db


def spoiler_state(client, club, post):
    response = client.get(posts(club, post)).json()
    return response["locked"], response["body"], response["unlocks_at_percent"], response["spoiler_percent"]


@pytest.mark.parametrize(
    ("progress", "at", "locked"),
    [
        (None, 0, False),
        (None, 0.01, True),
        (0, 1, True),
        (40, 40, False),
        (40, 41, True),
        (40, 40.01, True),
        (33.33, 33.33, False),
        (99.99, 100, True),
        (100, 100, False),
    ],
)
def test_post_is_unlocked_by_progress(club, make_post, set_progress, alice, bob, as_bob, progress, at, locked):
    post = make_post(alice, "She marries", at=at)
    if progress is not None:
        set_progress(bob, progress)
    expected = (True, None, at, at) if locked else (False, "She marries", None, at)
    assert spoiler_state(as_bob, club, post) == expected
    row = rows(as_bob.get(threads(club, post.thread, "posts/")))[1]
    assert (row["locked"], row["body"], row["unlocks_at_percent"], row["spoiler_percent"]) == expected


def test_post_is_locked_for_moderators_too(club, make_post, bob, as_alice, as_moe, as_bob):
    post = make_post(bob, "She marries", at=90)
    for client in (as_alice, as_moe):
        assert spoiler_state(client, club, post) == (True, None, 90, 90)
    assert spoiler_state(as_bob, club, post) == (False, "She marries", None, 90)


def test_hidden_progress_unlocks_posts(club, make_post, set_progress, alice, bob, moe, as_bob, as_moe):
    post = make_post(alice, "She marries", at=90)
    set_progress(bob, 95, hidden=True)
    assert spoiler_state(as_bob, club, post)[1] == "She marries"
    assert spoiler_state(as_moe, club, post)[1] is None


def test_lowered_progress_locks_posts_again(club, make_post, set_progress, alice, bob, as_bob):
    post = make_post(alice, "She marries", at=50)
    set_progress(bob, 50)
    assert spoiler_state(as_bob, club, post)[0] is False
    set_progress(bob, 49.99)
    assert spoiler_state(as_bob, club, post)[0] is True


def test_progress_in_another_book_unlocks_nothing(club, make_post, alice, bob, as_bob):
    post = make_post(alice, "She marries", at=50)
    other = Entry.add_entry(
        club=club, book=Book.create_book(by=None, title="Persuasion", authors=["Jane Austen"]), by=alice
    )
    Progress.objects.create(entry=other, user=bob, percent=100, unit="percent", amount=100, total=100)
    assert spoiler_state(as_bob, club, post)[0] is True


def test_spoiler_percent_defaults_to_author_progress(club, thread, set_progress, bob, as_bob):
    url = threads(club, thread, "posts/")

    def guard(**body):
        return as_bob.post(url, {"body": "Hm.", **body}).json()["spoiler_percent"]

    # Nobody knows how much an author without progress tells.
    assert guard() == 100
    set_progress(bob, 33.33)
    assert guard() == 33.33
    assert guard(spoiler_percent=None) == 33.33
    assert guard(spoiler_percent=0) == 0
    assert guard(spoiler_percent=99.5) == 99.5
    opened = as_bob.post(threads(club), {"title": "T", "body": "B", "entry": thread.entry_id}).json()
    assert rows(as_bob.get(threads(club, opened["id"], "posts/")))[0]["spoiler_percent"] == 33.33


def test_spoiler_percent_does_not_reveal_hidden_progress(club, thread, set_progress, bob, as_bob):
    """All members see `spoiler_percent`, so it must not reveal hidden progress."""
    set_progress(bob, 41.5, hidden=True)
    url = threads(club, thread, "posts/")
    assert as_bob.post(url, {"body": "Hm."}).json()["spoiler_percent"] == 100
    assert as_bob.post(url, {"body": "Hm.", "spoiler_percent": 5}).json()["spoiler_percent"] == 5


def test_thread_without_book_has_no_spoilers(club, chat, as_bob, as_moe):
    url = threads(club, chat, "posts/")
    response = as_bob.post(url, {"body": "Me"}).json()
    assert (response["spoiler_percent"], response["locked"], response["unlocks_at_percent"]) == (None, False, None)
    assert as_bob.post(url, {"body": "Me", "spoiler_percent": 0}).json()["spoiler_percent"] is None
    assert bad_fields(as_bob.post(url, {"body": "Me", "spoiler_percent": 1})) == {"spoiler_percent": "no_entry"}
    assert bodies(as_moe.get(url)) == ["Who brings them?", "Me", "Me"]


def test_reply_has_at_least_parent_spoiler_percent(club, thread, make_post, alice, as_bob):
    post = make_post(alice, at=60)
    url = threads(club, thread, "posts/")
    # Bob has no progress and replies to a locked post.
    for sent, kept in ((10, 60), (None, 100), (60, 60), (80, 80)):
        body = {"body": "Hm.", "reply_to": post.pk, "spoiler_percent": sent}
        response = as_bob.post(url, body).json()
        assert (response["spoiler_percent"], response["reply_to"]) == (kept, post.pk)
    assert as_bob.patch(posts(club, response["id"]), {"spoiler_percent": 5}).json()["spoiler_percent"] == 60
    check_spoiler_percents(Post.objects.all())


def test_raising_spoiler_percent_raises_replies(club, make_post, alice, bob, moe, as_alice):
    top = make_post(alice, at=10)
    low, high = make_post(bob, to=top, at=10), make_post(moe, to=top, at=70)
    below = make_post(alice, to=low, at=20)
    beside = make_post(bob, at=10)
    assert as_alice.patch(posts(club, top), {"spoiler_percent": 50}).json()["spoiler_percent"] == 50
    guards = [Post.objects.get(pk=post.pk).spoiler_percent for post in (top, low, high, below, beside)]
    assert guards == [50, 50, 70, 50, 10]
    # Lowering it does not change the replies.
    as_alice.patch(posts(club, top), {"spoiler_percent": 0})
    guards = [Post.objects.get(pk=post.pk).spoiler_percent for post in (top, low, high, below, beside)]
    assert guards == [0, 50, 70, 50, 10]


def test_raised_spoiler_percent_locks_post_again(club, make_post, set_progress, alice, bob, as_bob, as_alice):
    post = make_post(alice, "She marries", at=10)
    set_progress(bob, 30)
    assert spoiler_state(as_bob, club, post)[1] == "She marries"
    as_alice.patch(posts(club, post), {"spoiler_percent": 31})
    assert spoiler_state(as_bob, club, post)[1] is None


def test_moderators_may_only_raise_spoiler_percent(club, charlie, make_post, bob, as_moe, as_charlie):
    bring_in(club, charlie)
    post = make_post(bob, "She marries", at=10)
    response = as_moe.patch(posts(club, post), {"spoiler_percent": 90})
    assert (response.status_code, response.json()["body"], response.json()["spoiler_percent"]) == (200, None, 90)
    for body in ({"spoiler_percent": 80}, {"body": "Mine"}):
        problem(as_moe.patch(posts(club, post), body), 403, "author_only")
    problem(as_charlie.patch(posts(club, post), {"spoiler_percent": 95}), 403, "moderators_only")


def test_reveal_is_permanent_and_personal(club, make_post, set_progress, alice, bob, as_bob, as_moe, as_alice):
    post = make_post(alice, "She marries", at=90)
    response = as_bob.put(posts(club, post, "reveal/"))
    assert response.status_code == 200
    assert (response.json()["body"], response.json()["locked"]) == ("She marries", False)
    assert as_bob.put(posts(club, post, "reveal/")).json() == response.json()
    assert spoiler_state(as_moe, club, post)[0] is True
    as_alice.patch(posts(club, post), {"body": "She does marry", "spoiler_percent": 100})
    set_progress(bob, 1)
    assert spoiler_state(as_bob, club, post)[1] == "She does marry"
    # A revealed post does not reveal its replies.
    assert spoiler_state(as_bob, club, make_post(alice, "Him!", to=post))[1] is None


def test_locked_post_cannot_be_reacted_to(club, make_post, alice, as_bob):
    post = make_post(alice, "She marries", at=90)
    url = posts(club, post, "reactions/💍/")
    problem(as_bob.put(url), 403, "post_locked")
    assert as_bob.delete(url).status_code == 204
    as_bob.put(posts(club, post, "reveal/"))
    assert as_bob.put(url).status_code == 204


def test_invalid_spoiler_percent_is_rejected(club, thread, as_alice):
    url = threads(club, thread, "posts/")
    for sent, code in (
        (100.01, "max_value"),
        (-0.01, "min_value"),
        ("x", "invalid"),
        (True, "invalid"),
        ([1], "invalid"),
    ):
        assert bad_fields(as_alice.post(url, {"body": "B", "spoiler_percent": sent})) == {"spoiler_percent": code}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_replies_never_have_less_spoiler_percent(club, entry, alice, data):
    thread = Thread.create_thread(club=club, by=alice, title="T", body="B", entry=entry)
    percents = st.decimals(0, 100, places=2)
    for _ in range(data.draw(st.integers(1, 10))):
        chosen = data.draw(st.sampled_from(list(thread.posts.order_by("pk"))))
        if data.draw(st.booleans()):
            Post.create_post(thread=thread, by=alice, body="B", reply_to=chosen, spoiler_percent=data.draw(percents))
        else:
            chosen.update_post(by=alice, spoiler_percent=data.draw(percents))
        check_spoiler_percents(thread.posts.select_related("reply_to"))


def test_spoiler_percent_has_two_decimals(club, thread, as_alice):
    response = as_alice.post(threads(club, thread, "posts/"), {"body": "B", "spoiler_percent": 33.333333})
    assert response.json()["spoiler_percent"] == 33.33
    assert Post.objects.get(pk=response.json()["id"]).spoiler_percent == Decimal("33.33")
    check_thread_counters()
