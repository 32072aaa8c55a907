"""Counting, compared with published elections, pyrankvote, and the counting rules written out step by step."""

import random
from collections import Counter
from collections.abc import Iterator
from itertools import combinations, pairwise

import pyrankvote
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballots.counting import CountResult, count_approval, count_instant_runoff

Votes = list[list[int]]


@st.composite
def elections(draw: st.DrawFn) -> tuple[list[int], Votes]:
    """Candidates and votes, with short votes, empty votes and many ties."""
    candidates = list(range(draw(st.integers(1, 6))))
    vote = st.permutations(candidates).flatmap(lambda p: st.integers(0, len(p)).map(lambda n: p[:n]))
    return draw(st.permutations(candidates)), draw(st.lists(vote, max_size=12))


def random_election(seed: int) -> tuple[list[int], Votes]:
    rng = random.Random(seed)
    candidates = list(range(rng.randint(2, 7)))
    votes = [rng.sample(candidates, rng.randint(1, len(candidates))) for _ in range(rng.randint(1, 40))]
    rng.shuffle(candidates)
    return candidates, votes


def rounds_of(count: CountResult) -> list[tuple[dict[int, int], int | None, int]]:
    return [(dict(r.counts), r.eliminated, r.exhausted) for r in count.rounds]


def count_by_contract(candidates: list[int], votes: Votes) -> list[tuple[dict[int, int], int | None, int]]:
    """Instant run-off step by step, regardless of speed."""
    remaining, rounds = list(candidates), []
    first_choices = {c: sum(1 for p in votes if p and p[0] == c) for c in candidates}
    on_ballots = {c: sum(1 for p in votes if c in p) for c in candidates}
    while True:
        tops = [next((c for c in p if c in remaining), None) for p in votes]
        counts = {c: tops.count(c) for c in remaining}
        counting = sum(counts.values())
        if not counting:
            return []
        if any(n > counting / 2 for n in counts.values()):
            return [*rounds, (counts, None, tops.count(None))]
        among = [c for c in remaining if counts[c] == min(counts.values())]
        among = [c for c in among if first_choices[c] == min(first_choices[c] for c in among)]
        among = [c for c in among if on_ballots[c] == min(on_ballots[c] for c in among)]
        eliminated = max(among, key=candidates.index)
        rounds.append((counts, eliminated, tops.count(None)))
        remaining.remove(eliminated)


def possible_winners(remaining: frozenset[int], votes: Votes) -> set[int]:
    """All candidates who could win if elimination ties were broken by lot."""
    counts = Counter(dict.fromkeys(remaining, 0))
    counts.update(top for top in (next((c for c in p if c in remaining), None) for p in votes) if top is not None)
    best, most = counts.most_common(1)[0]
    if 2 * most > counts.total():
        return {best}
    last = [c for c in remaining if counts[c] == min(counts.values())]
    return set().union(*(possible_winners(remaining - {c}, votes) for c in last))


def expand(profile: dict[str, int]) -> Iterator[list[str]]:
    for ranking, voters in profile.items():
        yield from [ranking.split()] * voters


# Wikipedia, "Instant-runoff voting": the capital of Tennessee (from memory; percent of the voters).
TENNESSEE = {"M N C K": 42, "N C K M": 26, "C K N M": 15, "K C N M": 17}
# Burlington, Vermont, mayor 2009: Montroll, Kiss, Wright; the others struck from the 8,980 papers (from memory). It
# gives the published pairwise results (electowiki.org, "2009 Burlington mayoral election"), which the test computes.
BURLINGTON = {
    **{"M K W": 1332, "M W K": 767, "M": 455, "K M W": 2043, "K W M": 371, "K": 568},
    **{"W M K": 1513, "W K M": 495, "W": 1289},
}
PAIRWISE = {("M", "K"): (4067, 3477), ("M", "W"): (4597, 3668), ("K", "W"): (4314, 4064)}


def named_rounds(names: str, profile: dict[str, int]) -> list[tuple[dict[str, int], str | None, int]]:
    numbers = {name: n for n, name in enumerate(names)}
    votes = [[numbers[name] for name in vote] for vote in expand(profile)]
    rounds = count_instant_runoff(list(numbers.values()), votes).rounds
    return [
        ({names[c]: n for c, n in r.counts.items()}, None if r.eliminated is None else names[r.eliminated], r.exhausted)
        for r in rounds
    ]


def test_tennessee_example() -> None:
    assert named_rounds("MNCK", TENNESSEE) == [
        ({"M": 42, "N": 26, "C": 15, "K": 17}, "C", 0),
        ({"M": 42, "N": 26, "K": 32}, "N", 0),
        ({"M": 42, "K": 58}, None, 0),
    ]


def test_burlington_2009_election() -> None:
    votes = list(expand(BURLINGTON))
    for (a, b), expected in PAIRWISE.items():
        prefer_a = sum(1 for p in votes if a in p and (b not in p or p.index(a) < p.index(b)))
        prefer_b = sum(1 for p in votes if b in p and (a not in p or p.index(b) < p.index(a)))
        assert (prefer_a, prefer_b) == expected
    assert named_rounds("MKW", BURLINGTON) == [
        ({"M": 2554, "K": 2982, "W": 3297}, "M", 0),
        ({"K": 4314, "W": 4064}, None, 455),
    ]


def test_random_elections_agree_with_pyrankvote() -> None:
    compared = 0
    for seed in range(3000):
        candidates, votes = random_election(seed)
        if len(possible_winners(frozenset(candidates), votes)) > 1:
            continue  # pyrankvote would draw lots
        named = [pyrankvote.Candidate(str(c)) for c in range(len(candidates))]
        ballots = [pyrankvote.Ballot([named[c] for c in vote]) for vote in votes]
        result = pyrankvote.instant_runoff_voting([named[c] for c in candidates], ballots)
        assert [winner.name for winner in result.get_winners()] == [
            str(count_instant_runoff(candidates, votes).winner)
        ], seed
        compared += 1
    assert compared > 2000


def test_random_elections_agree_with_contract() -> None:
    for seed in range(3000):
        candidates, votes = random_election(seed)
        assert rounds_of(count_instant_runoff(candidates, votes)) == count_by_contract(candidates, votes), seed


@given(elections())
def test_ranked_count_agrees_with_contract(election: tuple[list[int], Votes]) -> None:
    candidates, votes = election
    assert rounds_of(count_instant_runoff(candidates, votes)) == count_by_contract(candidates, votes)


@given(elections())
def test_ranked_winner_is_a_possible_winner(election: tuple[list[int], Votes]) -> None:
    candidates, votes = election
    winner = count_instant_runoff(candidates, votes).winner
    if any(votes):
        assert winner in possible_winners(frozenset(candidates), votes)
    else:
        assert winner is None


@given(elections(), st.randoms())
def test_order_of_votes_does_not_matter(election: tuple[list[int], Votes], rng: random.Random) -> None:
    candidates, votes = election
    shuffled = rng.sample(votes, len(votes))
    assert rounds_of(count_instant_runoff(candidates, votes)) == rounds_of(count_instant_runoff(candidates, shuffled))
    assert rounds_of(count_approval(candidates, votes)) == rounds_of(count_approval(candidates, shuffled))


@given(elections())
def test_every_round_counts_all_votes(election: tuple[list[int], Votes]) -> None:
    candidates, votes = election
    for count in (count_instant_runoff(candidates, votes), count_approval(candidates, votes)):
        assert (count.winner is None) == (count.rounds == []) == (not any(votes))
    rounds = count_instant_runoff(candidates, votes).rounds
    assert all(sum(r.counts.values()) + r.exhausted == len(votes) for r in rounds)
    for before, after in pairwise(rounds):
        assert before.counts.keys() - after.counts.keys() == {before.eliminated}


@given(elections())
def test_approval_tie_is_won_by_oldest_proposal(election: tuple[list[int], Votes]) -> None:
    candidates, votes = election
    count = count_approval(candidates, votes)
    if any(votes):
        most = [
            c for c in candidates if all(sum(c in p for p in votes) >= sum(d in p for p in votes) for d in candidates)
        ]
        assert count.winner == most[0]
        assert rounds_of(count) == [({c: sum(c in p for p in votes) for c in candidates}, None, votes.count([]))]


@pytest.mark.parametrize(
    ("votes", "eliminated"),
    [
        # 3 is on fewer papers than 2; then 1 and 2 have two papers each, and 2 had fewer first choices.
        ([[0], [0], [0], [1], [1], [2], [3, 2]], [3, 2]),
        # 1 and 2 differ only in that 2 is on one paper more.
        ([[0, 2], [0], [1], [2]], [1]),
        # 1 and 2 are equal: the newer is eliminated.
        ([[0], [0], [1], [2]], [2]),
    ],
)
def test_elimination_ties(votes: Votes, eliminated: list[int]) -> None:
    candidates = sorted({c for vote in votes for c in vote})
    rounds = count_instant_runoff(candidates, votes).rounds
    assert [r.eliminated for r in rounds] == [*eliminated, None]


@pytest.mark.parametrize("pair", list(combinations(range(3), 2)))
def test_two_equal_candidates_are_ordered_by_age(pair: tuple[int, int]) -> None:
    older, newer = pair
    assert count_instant_runoff([older, newer], [[older], [newer]]).winner == older
    assert count_instant_runoff([newer, older], [[older], [newer]]).winner == newer
    assert count_approval([newer, older], [[older], [newer]]).winner == newer
