"""Who is told of a post: those it answers and those it names, by the thread's title and no word more."""

import pytest

from accounts.blocks import Block
from activity.models import Notification
from clubs.discussions.mentions import MOST_NAMES, names_in
from clubs.models import Post
from tests.clubs.discussions.helpers import posts, threads
from tests.clubs.helpers import bring_in

pytestmark = pytest.mark.django_db


def told():
    """Who was told of an answer or of their name, in order."""
    found = Notification.objects.filter(kind__in=["reply", "mention"])
    return sorted(found.values_list("user__username", "kind", "object_title"))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@bob", ["bob"]),
        ("Hello @Bob, and (@moe)!", ["bob", "moe"]),
        ("@bob @BOB @bob.", ["bob", "bob."]),
        ("@ana.ribeiro. @joao_1-2", ["ana.ribeiro.", "ana.ribeiro", "joao_1-2"]),
        ("bob@example.org, x@@bob, @b, @bob@example.org, https://x.org/@bob", []),
        ("@" + "x" * 31, []),
        ("“@bob”\n@moe", ["bob", "moe"]),
    ],
)
def test_names_in_a_text(text, names):
    assert names_in(text) == names


def test_a_text_calls_so_many_and_no_more():
    assert len(names_in(" ".join(f"@name{n}" for n in range(100)))) == MOST_NAMES


def test_who_is_answered_is_told(club, chat, alice, bob, as_bob, as_moe):
    first = chat.posts.get()
    as_bob.post(threads(club, chat, "posts/"), {"body": "Me", "reply_to": first.pk})
    assert told() == [("alice", "reply", "Biscuits")]
    post = Post.objects.get(author=bob)
    as_bob.post(threads(club, chat, "posts/"), {"body": "And me", "reply_to": post.pk})
    as_bob.post(threads(club, chat, "posts/"), {"body": "No answer"})
    assert told() == [("alice", "reply", "Biscuits")]


def test_who_is_named_is_told_once(club, chat, charlie, make_user, as_bob, as_moe):
    bring_in(club, charlie, status="pending")
    bring_in(club, make_user("dora"), status="banned")
    body = "@Alice. @moe @moe @bob @charlie @dora @nobody"
    answer = as_bob.post(threads(club, chat, "posts/"), {"body": body}).json()
    assert told() == [("alice", "mention", "Biscuits"), ("moe", "mention", "Biscuits")]
    bring_in(club, make_user("frieda"))
    as_bob.patch(posts(club, answer["id"]), {"body": f"{body} @frieda"})
    assert told() == [(name, "mention", "Biscuits") for name in ("alice", "frieda", "moe")]


def test_who_opens_a_thread_names_people_too(club, as_bob):
    as_bob.post(threads(club), {"title": "Ships", "body": "@moe?"})
    assert told() == [("moe", "mention", "Ships")]


def test_who_is_answered_and_named_is_told_of_one(club, chat, as_bob):
    as_bob.post(threads(club, chat, "posts/"), {"body": "@alice me", "reply_to": chat.posts.get().pk})
    assert told() == [("alice", "reply", "Biscuits")]


def test_who_has_left_is_not_told(club, chat, say, bob, charlie, as_bob):
    bring_in(club, charlie)
    post = Post.write(thread=chat, by=charlie, body="Me")
    club.leave(charlie)
    as_bob.post(threads(club, chat, "posts/"), {"body": "You?", "reply_to": post.pk})
    assert told() == []


def test_nobody_is_told_across_a_block(club, chat, alice, bob, as_bob):
    Block.objects.place(on=bob, by=alice)
    as_bob.post(threads(club, chat, "posts/"), {"body": "@alice"})
    assert told() == []


def test_nobody_is_told_of_a_thread_that_a_block_hides(club, chat, alice, bob, as_bob, as_moe):
    mine = as_bob.post(threads(club, chat, "posts/"), {"body": "Me"}).json()
    Block.objects.place(on=alice, by=bob)
    as_moe.post(threads(club, chat, "posts/"), {"body": "You, @bob?", "reply_to": mine["id"]})
    assert told() == []
    Block.objects.lift(on=alice, by=bob)
    as_moe.post(threads(club, chat, "posts/"), {"body": "You?", "reply_to": mine["id"]})
    assert told() == [("bob", "reply", "Biscuits")]
