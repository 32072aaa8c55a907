"""Search in a club's posts, which matches only posts that the user may read."""

import pytest

from core.api.pagination import SearchPagination
from discussions.models import Post, Thread
from tests.clubs.helpers import bad_parameters, bring_in, problem
from tests.discussions.helpers import bodies, posts

# InnoDB's full-text index contains committed rows only.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def use_the_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable the search among recent rows (tests/test_searched_pages.py)."""
    monkeypatch.setattr(SearchPagination, "search_windows", ())


def search(client, club, text, **rest):
    return bodies(client.get(posts(club), {"search": text, **rest}))


def test_search_matches_beginnings_of_all_words(club, chat, bob, as_moe):
    for body in ("Bolo de fubá com café", "It was 1984 again", "Ender's game", "nothing"):
        Post.create_post(thread=chat, by=bob, body=body)
    assert search(as_moe, club, "cafe BOL") == ["Bolo de fubá com café"]
    assert search(as_moe, club, "it 19") == ["It was 1984 again"]
    assert search(as_moe, club, "enders") == search(as_moe, club, "ender's") == ["Ender's game"]
    assert search(as_moe, club, "olo") == []
    assert search(as_moe, club, "!?") == []
    assert search(as_moe, club, "+\"*' OR 1") == []


def test_search_is_limited_to_the_club(club, make_club, alice, bob, chat, as_bob):
    other = make_club("Others")
    Thread.create_thread(club=other, by=alice, title="T", body="Who else?")
    assert search(as_bob, club, "who") == ["Who brings them?"]
    # The index word of a club cannot be searched for.
    for text in (f"zz{other.pk}z", f"zz{club.pk}z", "zz", "club"):
        assert search(as_bob, club, text) == []


def test_search_excludes_locked_posts(club, make_post, set_progress, alice, bob, as_bob, as_alice):
    post = make_post(alice, "She marries Knightley", at=90)
    assert search(as_alice, club, "knightley") == ["She marries Knightley"]
    assert search(as_bob, club, "knightley") == []
    assert bodies(as_bob.get(posts(club))) == ["What a house."]
    set_progress(bob, 90)
    assert search(as_bob, club, "knightley") == ["She marries Knightley"]
    set_progress(bob, 10)
    assert search(as_bob, club, "knightley") == []
    as_bob.put(posts(club, post, "reveal/"))
    assert search(as_bob, club, "knightley") == ["She marries Knightley"]
    # Titles are not searched.
    assert search(as_alice, club, "hartfield") == []


def test_search_is_newest_first_without_duplicates(club, chat, bob, as_bob):
    for n in range(7):
        Post.create_post(thread=chat, by=bob, body=f"biscuit {n}")
    texts, url = [], posts(club) + "?search=biscuit&page_size=2"
    while url:
        page = as_bob.get(url).json()
        texts += [row["body"] for row in page["results"]]
        url = page["next"]
    assert texts == [f"biscuit {n}" for n in reversed(range(7))]


def test_invalid_parameters_are_rejected(club, as_bob):
    for query in ({"search": " "}, {"search": "x" * 201}, {"q": "x"}, {"ordering": "body"}):
        assert bad_parameters(as_bob.get(posts(club), query)) == set(query)


def test_search_is_for_members(club, private_club, charlie, as_charlie, anonymous):
    problem(as_charlie.get(posts(club), {"search": "x"}), 403, "members_only")
    problem(as_charlie.get(posts(private_club), {"search": "x"}), 404, "not_found")
    bring_in(club, charlie, status="banned")
    problem(as_charlie.get(posts(club), {"search": "x"}), 403, "members_only")
    assert anonymous.get(posts(club), {"search": "x"}).status_code == 401
