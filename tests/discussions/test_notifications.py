"""Notifications of replies and mentions."""

import pytest

from accounts.blocks import Block
from activity.models import Notification
from discussions.mentions import MAX_MENTIONS, extract_mentions
from discussions.models import Post
from tests.clubs.helpers import bring_in
from tests.discussions.helpers import posts, threads

pytestmark = pytest.mark.django_db


def notified():
    """Return the notifications of replies and mentions as (username, kind, title)."""
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
def test_extract_mentions(text, names):
    assert extract_mentions(text) == names


def test_mentions_are_limited():
    assert len(extract_mentions(" ".join(f"@name{n}" for n in range(100)))) == MAX_MENTIONS


def test_reply_notifies_parent_author(club, chat, alice, bob, as_bob, as_moe):
    first = chat.posts.get()
    as_bob.post(threads(club, chat, "posts/"), {"body": "Me", "reply_to": first.pk})
    assert notified() == [("alice", "reply", "Biscuits")]
    post = Post.objects.get(author=bob)
    as_bob.post(threads(club, chat, "posts/"), {"body": "And me", "reply_to": post.pk})
    as_bob.post(threads(club, chat, "posts/"), {"body": "No answer"})
    assert notified() == [("alice", "reply", "Biscuits")]


def test_mention_notifies_members_once(club, chat, charlie, make_user, as_bob, as_moe):
    bring_in(club, charlie, status="pending")
    bring_in(club, make_user("dora"), status="banned")
    body = "@Alice. @moe @moe @bob @charlie @dora @nobody"
    response = as_bob.post(threads(club, chat, "posts/"), {"body": body}).json()
    assert notified() == [("alice", "mention", "Biscuits"), ("moe", "mention", "Biscuits")]
    bring_in(club, make_user("frieda"))
    as_bob.patch(posts(club, response["id"]), {"body": f"{body} @frieda"})
    assert notified() == [(name, "mention", "Biscuits") for name in ("alice", "frieda", "moe")]


def test_mention_in_first_post_notifies(club, as_bob):
    as_bob.post(threads(club), {"title": "Ships", "body": "@moe?"})
    assert notified() == [("moe", "mention", "Ships")]


def test_reply_with_mention_notifies_once(club, chat, as_bob):
    as_bob.post(threads(club, chat, "posts/"), {"body": "@alice me", "reply_to": chat.posts.get().pk})
    assert notified() == [("alice", "reply", "Biscuits")]


def test_former_member_is_not_notified(club, chat, make_post, bob, charlie, as_bob):
    bring_in(club, charlie)
    post = Post.create_post(thread=chat, by=charlie, body="Me")
    club.leave(charlie)
    as_bob.post(threads(club, chat, "posts/"), {"body": "You?", "reply_to": post.pk})
    assert notified() == []


def test_block_prevents_notifications(club, chat, alice, bob, as_bob):
    Block.objects.block(on=bob, by=alice)
    as_bob.post(threads(club, chat, "posts/"), {"body": "@alice"})
    assert notified() == []


def test_thread_hidden_by_block_does_not_notify(club, chat, alice, bob, as_bob, as_moe):
    mine = as_bob.post(threads(club, chat, "posts/"), {"body": "Me"}).json()
    Block.objects.block(on=alice, by=bob)
    as_moe.post(threads(club, chat, "posts/"), {"body": "You, @bob?", "reply_to": mine["id"]})
    assert notified() == []
    Block.objects.unblock(on=alice, by=bob)
    as_moe.post(threads(club, chat, "posts/"), {"body": "You?", "reply_to": mine["id"]})
    assert notified() == [("bob", "reply", "Biscuits")]
