"""Emoji reactions to posts."""

import json
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from accounts.deletion import erase
from discussions.models import MAX_DISTINCT_EMOJI, Reaction
from tests.clubs.helpers import bad_fields, bring_in, problem
from tests.discussions.helpers import posts, reaction, rows, threads

pytestmark = pytest.mark.django_db

VALID = "👍 ❤️ 😭 👩‍🚀 👨‍👩‍👧‍👦 🇧🇷 🏴󠁧󠁢󠁥󠁮󠁧󠁿 👍🏽 👩🏽‍❤️‍💋‍👨🏿 1️⃣ #️⃣ *️⃣ 🏳️‍🌈 ☺️ ✍🏿 🫡 🐋 ™️ 🈁 ♾️ 🦩 ⚧️".split()
INVALID = [
    "a",
    "1",
    "#",
    "👍👍",
    "👍a",
    "a👍",
    " 👍",
    "é",
    "中",
    "\u200d",
    "\ufe0f",
    "\ufe0e",
    "1\ufe0f",
    "🇧",
    "👍\u200d",
    "<b>",
    "٣",
]
INVALID += ["x" * 50, "👍" * 20]


@pytest.fixture
def post(chat):
    return chat.posts.get()


def reactions_of(client, club, post):
    response = client.get(posts(club, post)).json()
    return response["reactions"], response["my_reactions"]


@pytest.mark.parametrize("emoji", VALID)
def test_valid_emoji_is_accepted(club, post, as_bob, emoji):
    assert as_bob.put(reaction(club, post, emoji)).status_code == 204
    assert reactions_of(as_bob, club, post) == ({emoji: 1}, [emoji])
    assert as_bob.delete(reaction(club, post, emoji)).status_code == 204
    assert reactions_of(as_bob, club, post) == ({}, [])


@pytest.mark.parametrize("text", INVALID)
def test_invalid_emoji_is_rejected(club, post, as_bob, text):
    for send in (as_bob.put, as_bob.delete):
        assert bad_fields(send(reaction(club, post, text))) == {"emoji": "invalid"}
    assert not Reaction.objects.exists()


def test_reactions_count_once_per_user_and_emoji(club, chat, post, as_alice, as_bob, as_moe):
    for client, emoji in ((as_bob, "👍"), (as_bob, "👍"), (as_moe, "👍"), (as_bob, "🎉"), (as_alice, "🍪")):
        assert client.put(reaction(club, post, emoji)).status_code == 204
    assert reactions_of(as_bob, club, post) == ({"👍": 2, "🎉": 1, "🍪": 1}, ["👍", "🎉"])
    assert reactions_of(as_moe, club, post) == ({"👍": 2, "🎉": 1, "🍪": 1}, ["👍"])
    as_bob.delete(reaction(club, post, "👍"))
    as_bob.delete(reaction(club, post, "👍"))
    row = rows(as_moe.get(threads(club, chat, "posts/")))[0]
    assert (row["reactions"], row["my_reactions"]) == ({"👍": 1, "🎉": 1, "🍪": 1}, ["👍"])


@pytest.mark.parametrize(
    ("qualified", "others"),
    [
        ("\u2764\ufe0f", ["\u2764", "\u2764\ufe0e", "\u2764\ufe0f\ufe0f"]),
        ("\u261d\U0001f3fe", ["\u261d\U0001f3fe\ufe0f", "\u261d\ufe0f\U0001f3fe", "\u261d\ufe0f\U0001f3fe\ufe0f"]),
        ("\U0001f44d", ["\U0001f44d\ufe0f", "\U0001f44d\ufe0e"]),
        ("1\ufe0f\u20e3", ["1\u20e3", "1\u20e3\ufe0f"]),
        ("\U0001f3f3\ufe0f\u200d\U0001f308", ["\U0001f3f3\u200d\U0001f308", "\U0001f3f3\u200d\U0001f308\ufe0f"]),
        (
            "\U0001f575\ufe0f\u200d\u2640\ufe0f",
            ["\U0001f575\u200d\u2640\ufe0f", "\U0001f575\ufe0f\u200d\u2640", "\U0001f575\u200d\u2640"],
        ),
        ("\U0001f1e7\U0001f1f7", ["\U0001f1e7\U0001f1f7\ufe0f"]),
    ],
    ids=ascii,
)
def test_forms_of_one_emoji_are_one_reaction(club, post, as_alice, as_bob, as_moe, qualified, others):
    for other in others:
        assert as_bob.put(reaction(club, post, other)).status_code == 204
        assert reactions_of(as_bob, club, post) == ({qualified: 1}, [qualified])
    assert as_alice.put(reaction(club, post, qualified)).status_code == 204
    assert reactions_of(as_moe, club, post) == ({qualified: 2}, [])
    assert as_bob.delete(reaction(club, post, qualified)).status_code == 204
    assert as_alice.delete(reaction(club, post, others[0])).status_code == 204
    assert reactions_of(as_alice, club, post) == ({}, [])


def test_export_contains_the_qualified_emoji(club, post, as_bob):
    as_bob.put(reaction(club, post, "\u2764"))
    response = as_bob.get("/api/v1/users/me/export/")
    [row] = json.loads(b"".join(response.streaming_content))["reactions"]
    assert row["emoji"] == "\u2764\ufe0f"


def test_migration_qualifies_stored_reactions(post, bob):
    for emoji in ("\u2764", "\U0001f44d"):
        Reaction.objects.create(post=post, user=bob, emoji=emoji, key=emoji)
    migration = import_module("discussions.migrations.0003_qualified_reactions")
    migration.forward(apps, connection.schema_editor())
    assert list(Reaction.objects.order_by("pk").values_list("emoji", flat=True)) == ["\u2764\ufe0f", "\U0001f44d"]


def test_emoji_equal_in_collation_are_different(club, post, as_bob):
    for emoji in ("📚", "🎉", "👍", "👍🏽"):
        as_bob.put(reaction(club, post, emoji))
    assert reactions_of(as_bob, club, post)[0] == {"📚": 1, "🎉": 1, "👍": 1, "👍🏽": 1}


def test_different_emoji_per_post_are_limited(club, post, as_bob, as_moe):
    emoji = [chr(0x1F600 + n) for n in range(MAX_DISTINCT_EMOJI)]
    for one in emoji:
        assert as_bob.put(reaction(club, post, one)).status_code == 204
    problem(as_moe.put(reaction(club, post, "🎉")), 409, "too_many_reactions")
    assert as_moe.put(reaction(club, post, emoji[0])).status_code == 204
    assert list(reactions_of(as_bob, club, post)[0]) == emoji


def test_trailing_slash_is_optional(club, post, as_bob):
    assert as_bob.put(reaction(club, post, "👍").removesuffix("/")).status_code == 204
    assert reactions_of(as_bob, club, post)[0] == {"👍": 1}


def test_account_deletion_deletes_reactions(club, post, charlie, as_bob):
    bring_in(club, charlie)
    post.react("👍", by=charlie)
    post.reveal(by=charlie)
    erase(charlie)
    assert reactions_of(as_bob, club, post) == ({}, [])
