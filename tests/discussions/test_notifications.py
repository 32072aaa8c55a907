"""Notifications of replies and mentions."""

import pytest

from accounts.blocks import Block
from activity.models import Notification
from discussions.mentions import MAX_MENTIONS
from discussions.models import Post
from tests.clubs.helpers import bring_in
from tests.discussions.helpers import posts, threads

pytestmark = pytest.mark.django_db


def notified():
    """Return the notifications of replies and mentions as (username, kind, title)."""
    found = Notification.objects.filter(kind__in=["reply", "mention"])
    return sorted(found.values_list("user__username", "kind", "object_title"))


@pytest.mark.parametrize(
    ("text", "usernames"),
    [
        ("@moe", ["moe"]),
        ("Hello @Moe, and (@alice)!", ["alice", "moe"]),
        ("@moe @MOE @moe.", ["moe"]),
        ("“@moe”\n@alice", ["alice", "moe"]),
        # Punctuation after a name
        ("@moe...hi", ["moe"]),
        ("@moe.Obrigado", ["moe"]),
        ("@moe-hi @alice--look", ["alice", "moe"]),
        ("@moe..., @alice…", ["alice", "moe"]),
        ("@moe's", ["moe"]),
        ("@moe_", ["moe"]),
        ("hi...@moe", ["moe"]),
        # Longer names
        ("@ana.ribeiro. @joao_1-2", ["ana.ribeiro", "joao_1-2"]),
        ("@ana.ribeiro.Obrigada", ["ana.ribeiro"]),
        ("@ana.Ribeiro", ["ana.ribeiro"]),
        ("@ana.souza", ["ana"]),
        ("@dot.", ["dot."]),
        ("@dot..hi", ["dot."]),
        # Markup
        ("_@moe_", ["moe"]),
        ("__@moe__ *@alice*", ["alice", "moe"]),
        ("_hello @moe_", ["moe"]),
        ("~~@moe~~ `@alice`", ["alice", "moe"]),
        ("[@moe](https://example.org)", ["moe"]),
        # Slashes
        ("@ana/@moe", ["ana", "moe"]),
        ("e/ou/@moe", ["moe"]),
        ("@ana.ribeiro/@moe/@alice", ["alice", "ana.ribeiro", "moe"]),
        ("@dot./@moe", ["dot.", "moe"]),
        ("(@ana/@moe)", ["ana", "moe"]),
        ("24/7/@moe", ["moe"]),
        ("https://x.org/a @ana/@moe", ["ana", "moe"]),
        ("見て/@moeさん", ["moe"]),
        ("medium.com/@moe, x.org:8000/@moe, (x.org/u/@moe", []),
        ("HTTPS://X.ORG/@moe https://localhost/@moe 看https://x.org/@moe", []),
        # Scripts without spaces between words
        ("交给@moe处理", ["moe"]),
        ("ありがとう＠moeさん", ["moe"]),
        ("안녕@moe님", ["moe"]),
        ("ขอบคุณ@moeครับ", ["moe"]),
        ("👍@moe👍", ["moe"]),
        # No mentions
        ("moe@moe.org, x@@moe, @b, @moe@example.org, https://x.org/@moe", []),
        ("josé@moe.org, jose\u0301@moe, мой@moe, snake_@moe.org, a-@moe", []),
        ("@moeé @moee\u0301 @moeй @moe2 @moees @moe_ana@example.org", []),
        ("@" + "x" * 31, []),
    ],
)
def test_mention_notifies_the_member_meant(club, chat, make_user, as_bob, text, usernames):
    for name in ("ana", "ana.ribeiro", "joao_1-2", "dot", "dot."):
        bring_in(club, make_user(name))
    assert as_bob.post(threads(club, chat, "posts/"), {"body": text}).status_code == 201
    assert notified() == [(name, "mention", "Biscuits") for name in usernames]


def test_mentions_are_limited(club, chat, make_user, as_bob):
    for n in range(10, 32):
        bring_in(club, make_user(f"name{n}"))
    as_bob.post(threads(club, chat, "posts/"), {"body": " ".join(f"@name{n}" for n in range(10, 32))})
    assert len(notified()) == MAX_MENTIONS


def test_blocked_longer_name_is_not_replaced_by_shorter(club, chat, make_user, alice, as_bob):
    bring_in(club, make_user("ana"))
    longer = make_user("ana.ribeiro")
    bring_in(club, longer)
    Block.objects.block(on=alice, by=longer)
    as_bob.post(threads(club, chat, "posts/"), {"body": "@ana.ribeiro"})
    assert notified() == []


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
