"""Counting of approval and instant-runoff ballots, without database access. Ties are broken as api.md specifies.

A ballot paper lists one voter's candidates without duplicates, in order of preference (approval: in any order).
`candidates` are ordered by proposal, oldest first. Other candidates on a paper are ignored.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

RankedBallot = Sequence[int]


@dataclass(frozen=True)
class Round:
    """Votes per candidate, the eliminated candidate, and how many papers name no remaining candidate."""

    counts: Mapping[int, int]
    eliminated: int | None
    exhausted: int


@dataclass(frozen=True)
class CountResult:
    """The winner, or None if no paper names a candidate, and all rounds."""

    winner: int | None
    rounds: Sequence[Round]


def count_approval(candidates: Sequence[int], papers: Sequence[RankedBallot]) -> CountResult:
    """Count by approval: the candidate on most papers wins; ties go to the oldest proposal."""
    counts = _mentions(candidates, papers)
    if not any(counts.values()):
        return CountResult(None, [])
    # max() returns the first of several maxima.
    winner = max(candidates, key=lambda candidate: counts[candidate])
    empty = sum(1 for paper in papers if not counts.keys() & paper)
    return CountResult(winner, [Round(counts, None, empty)])


def count_instant_runoff(candidates: Sequence[int], papers: Sequence[RankedBallot]) -> CountResult:
    """Count by instant runoff: eliminate the last candidate until one has more than half of the remaining papers.

    If several are last, eliminate the one with the fewest first choices in the first round, then the one on the fewest
    papers, then the newest proposal.
    """
    piles: dict[int, list[Iterator[int]]] = {candidate: [] for candidate in candidates}
    exhausted = _distribute(piles, [iter(paper) for paper in papers])
    firsts, on_papers = _sizes(piles), _mentions(candidates, papers)
    newer = {candidate: -place for place, candidate in enumerate(candidates)}
    rounds: list[Round] = []
    while counts := _sizes(piles):
        best = max(counts, key=lambda candidate: counts[candidate])
        if 2 * counts[best] > sum(counts.values()):
            return CountResult(best, [*rounds, Round(counts, None, exhausted)])
        last = min(counts, key=lambda c: (counts[c], firsts[c], on_papers[c], newer[c]))
        rounds.append(Round(counts, last, exhausted))
        exhausted += _distribute(piles, piles.pop(last))
    return CountResult(None, [])


COUNTERS: Mapping[str, Callable[[Sequence[int], Sequence[RankedBallot]], CountResult]] = {
    "approval": count_approval,
    "ranked": count_instant_runoff,
}


def _distribute(piles: dict[int, list[Iterator[int]]], papers: list[Iterator[int]]) -> int:
    """Add each paper to the pile of its next remaining candidate. Return how many papers have none."""
    exhausted = 0
    for paper in papers:
        candidate = next((c for c in paper if c in piles), None)
        if candidate is None:
            exhausted += 1
        else:
            piles[candidate].append(paper)
    return exhausted


def _sizes(piles: Mapping[int, list[Iterator[int]]]) -> dict[int, int]:
    return {candidate: len(pile) for candidate, pile in piles.items()}


def _mentions(candidates: Sequence[int], papers: Sequence[RankedBallot]) -> dict[int, int]:
    """Return the number of papers that name each candidate."""
    found = Counter(candidate for paper in papers for candidate in paper)
    return {candidate: found[candidate] for candidate in candidates}
