"""Counting: approval and instant run-off, with the ties broken as the contract has it. Knows of no database.

A paper is one voter's candidates without twins, the best first (approval: in any order). `candidates` come in the order
in which they were proposed, the oldest first. What a paper names beside them is passed over.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

Paper = Sequence[int]


@dataclass(frozen=True)
class Round:
    """What each candidate had, who went for it, and how many papers named nobody any more by then."""

    counts: Mapping[int, int]
    eliminated: int | None
    exhausted: int


@dataclass(frozen=True)
class Count:
    """Who has won, None where no paper names a candidate, and how it came to that."""

    winner: int | None
    rounds: Sequence[Round]


def approval(candidates: Sequence[int], papers: Sequence[Paper]) -> Count:
    """The candidate on most papers; of equals the oldest proposal."""
    counts = _on_papers(candidates, papers)
    if not any(counts.values()):
        return Count(None, [])
    # max() gives the first of equals.
    winner = max(candidates, key=lambda candidate: counts[candidate])
    empty = sum(1 for paper in papers if not counts.keys() & paper)
    return Count(winner, [Round(counts, None, empty)])


def ranked(candidates: Sequence[int], papers: Sequence[Paper]) -> Count:
    """Who has more than half of the papers that still count; until somebody has, the last one goes.

    Of equals for the last place goes the one with fewer first choices at the beginning, then the one on fewer papers,
    then the newest proposal.
    """
    piles: dict[int, list[Iterator[int]]] = {candidate: [] for candidate in candidates}
    exhausted = _deal(piles, [iter(paper) for paper in papers])
    firsts, on_papers = _sizes(piles), _on_papers(candidates, papers)
    newer = {candidate: -place for place, candidate in enumerate(candidates)}
    rounds: list[Round] = []
    while counts := _sizes(piles):
        best = max(counts, key=lambda candidate: counts[candidate])
        if 2 * counts[best] > sum(counts.values()):
            return Count(best, [*rounds, Round(counts, None, exhausted)])
        last = min(counts, key=lambda c: (counts[c], firsts[c], on_papers[c], newer[c]))
        rounds.append(Round(counts, last, exhausted))
        exhausted += _deal(piles, piles.pop(last))
    return Count(None, [])


METHODS: Mapping[str, Callable[[Sequence[int], Sequence[Paper]], Count]] = {"approval": approval, "ranked": ranked}


def _deal(piles: dict[int, list[Iterator[int]]], papers: list[Iterator[int]]) -> int:
    """Put each paper on the pile of the next candidate it names who is still in; how many name none."""
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


def _on_papers(candidates: Sequence[int], papers: Sequence[Paper]) -> dict[int, int]:
    """On how many papers each candidate is."""
    found = Counter(candidate for paper in papers for candidate in paper)
    return {candidate: found[candidate] for candidate in candidates}
