"""Search in a club's posts: what a reader may read, and nothing else, matches."""

import pytest

from bookbridge.api.pagination import SearchPagination
from clubs.models import Post, Thread
from tests.clubs.discussions.helpers import bodies, posts
from tests.clubs.helpers import bad_parameters, bring_in, problem

# InnoDB finds words once they are committed.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def by_the_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is near enough to be found without it (tests/test_searched_pages.py)."""
    monkeypatch.setattr(SearchPagination, "near", 0)


def found(client, club, text, **rest):
    return bodies(client.get(posts(club), {"search": text, **rest}))


def test_every_word_is_the_start_of_a_word(club, chat, bob, as_moe):
    for body in ("Bolo de fubá com café", "It was 1984 again", "Ender's game", "nothing"):
        Post.write(thread=chat, by=bob, body=body)
    assert found(as_moe, club, "cafe BOL") == ["Bolo de fubá com café"]
    assert found(as_moe, club, "it 19") == ["It was 1984 again"]
    assert found(as_moe, club, "enders") == found(as_moe, club, "ender's") == ["Ender's game"]
    assert found(as_moe, club, "olo") == []
    assert found(as_moe, club, "!?") == []
    assert found(as_moe, club, "+\"*' OR 1") == []


def test_only_posts_of_the_club_match(club, make_club, alice, bob, chat, as_bob):
    other = make_club("Others")
    Thread.open(club=other, by=alice, title="T", body="Who else?")
    assert found(as_bob, club, "who") == ["Who brings them?"]
    # Nor can the mark of a club in the index be searched for.
    for text in (f"zz{other.pk}z", f"zz{club.pk}z", "zz", "club"):
        assert found(as_bob, club, text) == []


def test_a_locked_post_does_not_match(club, say, read, alice, bob, as_bob, as_alice):
    post = say(alice, "She marries Knightley", at=90)
    assert found(as_alice, club, "knightley") == ["She marries Knightley"]
    assert found(as_bob, club, "knightley") == []
    assert bodies(as_bob.get(posts(club))) == ["What a house."]
    read(bob, 90)
    assert found(as_bob, club, "knightley") == ["She marries Knightley"]
    read(bob, 10)
    assert found(as_bob, club, "knightley") == []
    as_bob.put(posts(club, post, "reveal/"))
    assert found(as_bob, club, "knightley") == ["She marries Knightley"]
    # The title is no text of a post.
    assert found(as_alice, club, "hartfield") == []


def test_the_newest_first_and_nothing_twice(club, chat, bob, as_bob):
    for n in range(7):
        Post.write(thread=chat, by=bob, body=f"biscuit {n}")
    texts, url = [], posts(club) + "?search=biscuit&page_size=2"
    while url:
        page = as_bob.get(url).json()
        texts += [row["body"] for row in page["results"]]
        url = page["next"]
    assert texts == [f"biscuit {n}" for n in reversed(range(7))]


def test_bad_parameters_are_refused(club, as_bob):
    for query in ({"search": ""}, {"search": " "}, {"search": "x" * 201}, {"q": "x"}, {"ordering": "body"}):
        assert bad_parameters(as_bob.get(posts(club), query)) == set(query)


def test_it_is_for_members(club, private_club, charlie, as_charlie, anonymous):
    problem(as_charlie.get(posts(club), {"search": "x"}), 403, "members_only")
    problem(as_charlie.get(posts(private_club), {"search": "x"}), 404, "not_found")
    bring_in(club, charlie, status="banned")
    problem(as_charlie.get(posts(club), {"search": "x"}), 403, "members_only")
    assert anonymous.get(posts(club), {"search": "x"}).status_code == 401
