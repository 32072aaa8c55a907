"""Reactions: one emoji, once for each reader."""

import pytest
from emoji import is_emoji

from accounts.departure import depart
from clubs.discussions.reactions import MOST_EMOJI
from clubs.models import Reaction
from tests.clubs.discussions.helpers import posts, reaction, rows, threads
from tests.clubs.helpers import bad_fields, bring_in, problem

pytestmark = pytest.mark.django_db

ONE = "👍 ❤ ❤️ 😭 👩‍🚀 👨‍👩‍👧‍👦 🇧🇷 🏴󠁧󠁢󠁥󠁮󠁧󠁿 👍🏽 👩🏽‍❤️‍💋‍👨🏿 1️⃣ #️⃣ *️⃣ 🏳️‍🌈 ☺️ ✍🏿 🫡 🐋 ™️ 🈁 ♾️ 🦩 ⚧️".split()
NONE = ["a", "1", "#", "👍👍", "👍a", "a👍", " 👍", "é", "中", "\u200d", "\ufe0f", "🇧", "👍\u200d", "<b>", "٣"]
NONE += ["x" * 50, "👍" * 20]


@pytest.fixture
def post(chat):
    return chat.posts.get()


def shown(client, club, post):
    answer = client.get(posts(club, post)).json()
    return answer["reactions"], answer["my_reactions"]


@pytest.mark.parametrize("emoji", ONE)
def test_an_emoji_is_one(club, post, as_bob, emoji):
    assert as_bob.put(reaction(club, post, emoji)).status_code == 204
    assert shown(as_bob, club, post) == ({emoji: 1}, [emoji])
    assert as_bob.delete(reaction(club, post, emoji)).status_code == 204
    assert shown(as_bob, club, post) == ({}, [])


@pytest.mark.parametrize("text", NONE)
def test_anything_else_is_none(club, post, as_bob, text):
    assert not is_emoji(text)
    for send in (as_bob.put, as_bob.delete):
        assert bad_fields(send(reaction(club, post, text))) == {"emoji": "invalid"}
    assert not Reaction.objects.exists()


def test_each_reader_counts_once_for_each_emoji(club, chat, post, as_alice, as_bob, as_moe):
    for client, emoji in ((as_bob, "👍"), (as_bob, "👍"), (as_moe, "👍"), (as_bob, "🎉"), (as_alice, "🍪")):
        assert client.put(reaction(club, post, emoji)).status_code == 204
    assert shown(as_bob, club, post) == ({"👍": 2, "🎉": 1, "🍪": 1}, ["👍", "🎉"])
    assert shown(as_moe, club, post) == ({"👍": 2, "🎉": 1, "🍪": 1}, ["👍"])
    as_bob.delete(reaction(club, post, "👍"))
    as_bob.delete(reaction(club, post, "👍"))
    row = rows(as_moe.get(threads(club, chat, "posts/")))[0]
    assert (row["reactions"], row["my_reactions"]) == ({"👍": 1, "🎉": 1, "🍪": 1}, ["👍"])


def test_two_spellings_of_one_emoji_are_one(club, post, as_bob, as_moe):
    """Some keyboards leave out the sign that says "not as a letter"."""
    as_bob.put(reaction(club, post, "❤"))
    as_bob.put(reaction(club, post, "❤️"))
    as_moe.put(reaction(club, post, "❤️"))
    assert shown(as_bob, club, post) == ({"❤️": 2}, ["❤️"])
    as_bob.delete(reaction(club, post, "❤️"))
    assert shown(as_moe, club, post) == ({"❤️": 1}, ["❤️"])


def test_emoji_that_a_database_takes_for_equal_are_different(club, post, as_bob):
    for emoji in ("📚", "🎉", "👍", "👍🏽"):
        as_bob.put(reaction(club, post, emoji))
    assert shown(as_bob, club, post)[0] == {"📚": 1, "🎉": 1, "👍": 1, "👍🏽": 1}


def test_a_post_has_so_many_emoji_and_no_more(club, post, as_bob, as_moe):
    emoji = [chr(0x1F600 + n) for n in range(MOST_EMOJI)]
    for one in emoji:
        assert as_bob.put(reaction(club, post, one)).status_code == 204
    problem(as_moe.put(reaction(club, post, "🎉")), 409, "too_many_reactions")
    assert as_moe.put(reaction(club, post, emoji[0])).status_code == 204
    assert list(shown(as_bob, club, post)[0]) == emoji


def test_without_the_last_slash_too(club, post, as_bob):
    assert as_bob.put(reaction(club, post, "👍").removesuffix("/")).status_code == 204
    assert shown(as_bob, club, post)[0] == {"👍": 1}


def test_a_reader_whose_account_goes_takes_them_along(club, post, charlie, as_bob):
    bring_in(club, charlie)
    post.react("👍", by=charlie)
    post.reveal(by=charlie)
    depart(charlie)
    assert shown(as_bob, club, post) == ({}, [])
