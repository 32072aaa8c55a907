"""The wall: who may read a guarded post, and how posts are guarded."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.models import Book
from clubs.models import Entry, Post, Progress, Thread
from tests.clubs.discussions.helpers import bodies, check_figures, check_guards, posts, rows, threads
from tests.clubs.helpers import bad_fields, bring_in, problem

pytestmark = pytest.mark.django_db


def shown(client, club, post):
    answer = client.get(posts(club, post)).json()
    return answer["locked"], answer["body"], answer["unlocks_at_percent"], answer["spoiler_percent"]


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
def test_a_post_is_open_to_who_has_read_so_far(club, say, read, alice, bob, as_bob, progress, at, locked):
    post = say(alice, "She marries", at=at)
    if progress is not None:
        read(bob, progress)
    expected = (True, None, at, at) if locked else (False, "She marries", None, at)
    assert shown(as_bob, club, post) == expected
    row = rows(as_bob.get(threads(club, post.thread, "posts/")))[1]
    assert (row["locked"], row["body"], row["unlocks_at_percent"], row["spoiler_percent"]) == expected


def test_rank_opens_nothing(club, say, bob, as_alice, as_moe, as_bob):
    post = say(bob, "She marries", at=90)
    for client in (as_alice, as_moe):
        assert shown(client, club, post) == (True, None, 90, 90)
    assert shown(as_bob, club, post) == (False, "She marries", None, 90)


def test_a_hidden_mark_counts_for_its_reader(club, say, read, alice, bob, moe, as_bob, as_moe):
    post = say(alice, "She marries", at=90)
    read(bob, 95, hidden=True)
    assert shown(as_bob, club, post)[1] == "She marries"
    assert shown(as_moe, club, post)[1] is None


def test_whoever_turns_back_is_locked_out_again(club, say, read, alice, bob, as_bob):
    post = say(alice, "She marries", at=50)
    read(bob, 50)
    assert shown(as_bob, club, post)[0] is False
    read(bob, 49.99)
    assert shown(as_bob, club, post)[0] is True


def test_progress_in_another_book_opens_nothing(club, say, alice, bob, as_bob):
    post = say(alice, "She marries", at=50)
    other = Entry.add(club=club, book=Book.add(by=None, title="Persuasion", authors=["Jane Austen"]), by=alice)
    Progress.objects.create(entry=other, user=bob, percent=100, unit="percent", amount=100, total=100)
    assert shown(as_bob, club, post)[0] is True


def test_a_post_is_guarded_by_its_writers_progress_unless_they_say(club, thread, read, bob, as_bob):
    url = threads(club, thread, "posts/")

    def guard(**body):
        return as_bob.post(url, {"body": "Hm.", **body}).json()["spoiler_percent"]

    assert guard() == 0
    read(bob, 33.33)
    assert guard() == 33.33
    assert guard(spoiler_percent=None) == 33.33
    assert guard(spoiler_percent=0) == 0
    assert guard(spoiler_percent=99.5) == 99.5
    opened = as_bob.post(threads(club), {"title": "T", "body": "B", "entry": thread.entry_id}).json()
    assert rows(as_bob.get(threads(club, opened["id"], "posts/")))[0]["spoiler_percent"] == 33.33


def test_a_hidden_mark_is_not_told_by_the_guard(club, thread, read, bob, as_bob):
    """All members see the guard, so it is not the figure that the writer keeps from them."""
    read(bob, 41.5, hidden=True)
    url = threads(club, thread, "posts/")
    assert as_bob.post(url, {"body": "Hm."}).json()["spoiler_percent"] == 100
    assert as_bob.post(url, {"body": "Hm.", "spoiler_percent": 5}).json()["spoiler_percent"] == 5


def test_where_there_is_no_book_nothing_is_guarded(club, chat, as_bob, as_moe):
    url = threads(club, chat, "posts/")
    answer = as_bob.post(url, {"body": "Me"}).json()
    assert (answer["spoiler_percent"], answer["locked"], answer["unlocks_at_percent"]) == (None, False, None)
    assert as_bob.post(url, {"body": "Me", "spoiler_percent": 0}).json()["spoiler_percent"] is None
    assert bad_fields(as_bob.post(url, {"body": "Me", "spoiler_percent": 1})) == {"spoiler_percent": "no_entry"}
    assert bodies(as_moe.get(url)) == ["Who brings them?", "Me", "Me"]


def test_a_reply_is_at_least_as_guarded_as_what_it_answers(club, thread, say, alice, as_bob):
    post = say(alice, at=60)
    url = threads(club, thread, "posts/")
    # Bob has read nothing: he answers what he cannot read.
    for sent, kept in ((10, 60), (None, 60), (60, 60), (80, 80)):
        body = {"body": "Hm.", "reply_to": post.pk, "spoiler_percent": sent}
        answer = as_bob.post(url, body).json()
        assert (answer["spoiler_percent"], answer["reply_to"]) == (kept, post.pk)
    assert as_bob.patch(posts(club, answer["id"]), {"spoiler_percent": 5}).json()["spoiler_percent"] == 60
    check_guards(Post.objects.all())


def test_raising_a_post_raises_all_that_hangs_on_it(club, say, alice, bob, moe, as_alice):
    top = say(alice, at=10)
    low, high = say(bob, to=top, at=10), say(moe, to=top, at=70)
    below = say(alice, to=low, at=20)
    beside = say(bob, at=10)
    assert as_alice.patch(posts(club, top), {"spoiler_percent": 50}).json()["spoiler_percent"] == 50
    guards = [Post.objects.get(pk=post.pk).spoiler_percent for post in (top, low, high, below, beside)]
    assert guards == [50, 50, 70, 50, 10]
    # And lowering it leaves them.
    as_alice.patch(posts(club, top), {"spoiler_percent": 0})
    guards = [Post.objects.get(pk=post.pk).spoiler_percent for post in (top, low, high, below, beside)]
    assert guards == [0, 50, 70, 50, 10]


def test_a_raised_post_is_closed_to_who_could_read_it(club, say, read, alice, bob, as_bob, as_alice):
    post = say(alice, "She marries", at=10)
    read(bob, 30)
    assert shown(as_bob, club, post)[1] == "She marries"
    as_alice.patch(posts(club, post), {"spoiler_percent": 31})
    assert shown(as_bob, club, post)[1] is None


def test_moderators_raise_a_guard_and_do_no_more(club, charlie, say, bob, as_moe, as_charlie):
    bring_in(club, charlie)
    post = say(bob, "She marries", at=10)
    answer = as_moe.patch(posts(club, post), {"spoiler_percent": 90})
    assert (answer.status_code, answer.json()["body"], answer.json()["spoiler_percent"]) == (200, None, 90)
    for body in ({"spoiler_percent": 80}, {"spoiler_percent": None}, {"body": "Mine"}):
        problem(as_moe.patch(posts(club, post), body), 403, "author_only")
    problem(as_charlie.patch(posts(club, post), {"spoiler_percent": 95}), 403, "moderators_only")


def test_a_post_is_opened_for_one_reader_alone_and_for_good(club, say, read, alice, bob, as_bob, as_moe, as_alice):
    post = say(alice, "She marries", at=90)
    answer = as_bob.put(posts(club, post, "reveal/"))
    assert answer.status_code == 200
    assert (answer.json()["body"], answer.json()["locked"]) == ("She marries", False)
    assert as_bob.put(posts(club, post, "reveal/")).json() == answer.json()
    assert shown(as_moe, club, post)[0] is True
    as_alice.patch(posts(club, post), {"body": "She does marry", "spoiler_percent": 100})
    read(bob, 1)
    assert shown(as_bob, club, post)[1] == "She does marry"
    # Nor does an opened post open what hangs on it.
    assert shown(as_bob, club, say(alice, "Him!", to=post))[1] is None


def test_a_locked_post_is_opened_before_it_is_reacted_to(club, say, alice, as_bob):
    post = say(alice, "She marries", at=90)
    url = posts(club, post, "reactions/💍/")
    problem(as_bob.put(url), 403, "post_locked")
    assert as_bob.delete(url).status_code == 204
    as_bob.put(posts(club, post, "reveal/"))
    assert as_bob.put(url).status_code == 204


def test_bad_guards_are_refused(club, thread, as_alice):
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
def test_no_reply_is_ever_guarded_less(club, entry, alice, data):
    thread = Thread.open(club=club, by=alice, title="T", body="B", entry=entry)
    percents = st.decimals(0, 100, places=2)
    for _ in range(data.draw(st.integers(1, 10))):
        chosen = data.draw(st.sampled_from(list(thread.posts.order_by("pk"))))
        if data.draw(st.booleans()):
            Post.write(thread=thread, by=alice, body="B", reply_to=chosen, spoiler_percent=data.draw(percents))
        else:
            chosen.change(by=alice, spoiler_percent=data.draw(percents))
        check_guards(thread.posts.select_related("reply_to"))


def test_a_guard_is_kept_to_the_hundredth(club, thread, as_alice):
    answer = as_alice.post(threads(club, thread, "posts/"), {"body": "B", "spoiler_percent": 33.333333})
    assert answer.json()["spoiler_percent"] == 33.33
    assert Post.objects.get(pk=answer.json()["id"]).spoiler_percent == Decimal("33.33")
    check_figures()
