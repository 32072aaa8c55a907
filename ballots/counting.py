"""Counting of approval and instant-runoff ballots, without database access.

A vote lists one voter's candidates without duplicates, in order of preference (approval: in any order). `candidates`
are ordered by proposal, oldest first. Other candidates in a vote are ignored.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

RankedVote = Sequence[int]


@dataclass(frozen=True)
class Round:
    """Votes per candidate, the eliminated candidate, and how many votes name no remaining candidate."""

    counts: Mapping[int, int]
    eliminated: int | None
    exhausted: int

    def to_json(self) -> dict[str, Any]:
        """Return the round as it is stored. `counts` are pairs, because keys of JSON objects are strings."""
        counts = [[position, votes] for position, votes in self.counts.items()]
        return {"counts": counts, "eliminated": self.eliminated, "exhausted": self.exhausted}


@dataclass(frozen=True)
class CountResult:
    """The winner, or None if no vote names a candidate, and all rounds."""

    winner: int | None
    rounds: Sequence[Round]


def count_approval(candidates: Sequence[int], votes: Sequence[RankedVote]) -> CountResult:
    """Count by approval: the candidate in most votes wins; ties go to the oldest proposal."""
    counts = _mentions(candidates, votes)
    if not any(counts.values()):
        return CountResult(None, [])
    # max() returns the first of several maxima.
    winner = max(candidates, key=lambda candidate: counts[candidate])
    empty = sum(1 for vote in votes if not counts.keys() & vote)
    return CountResult(winner, [Round(counts, None, empty)])


def count_instant_runoff(candidates: Sequence[int], votes: Sequence[RankedVote]) -> CountResult:
    """Count by instant runoff: eliminate the last candidate until one has more than half of the remaining votes.

    If several are last, eliminate the one with the fewest first choices in the first round, then the one in the
    fewest votes, then the newest proposal.
    """
    votes_by_candidate: dict[int, list[Iterator[int]]] = {candidate: [] for candidate in candidates}
    exhausted = _distribute(votes_by_candidate, [iter(vote) for vote in votes])
    first_choices, mentions = _count_votes(votes_by_candidate), _mentions(candidates, votes)
    newest_first = {candidate: -index for index, candidate in enumerate(candidates)}
    rounds: list[Round] = []
    while counts := _count_votes(votes_by_candidate):
        best = max(counts, key=lambda candidate: counts[candidate])
        if 2 * counts[best] > sum(counts.values()):
            return CountResult(best, [*rounds, Round(counts, None, exhausted)])
        last = min(counts, key=lambda c: (counts[c], first_choices[c], mentions[c], newest_first[c]))
        rounds.append(Round(counts, last, exhausted))
        exhausted += _distribute(votes_by_candidate, votes_by_candidate.pop(last))
    return CountResult(None, [])


COUNTERS: Mapping[str, Callable[[Sequence[int], Sequence[RankedVote]], CountResult]] = {
    "approval": count_approval,
    "ranked": count_instant_runoff,
}


def _distribute(votes_by_candidate: dict[int, list[Iterator[int]]], votes: list[Iterator[int]]) -> int:
    """Assign each vote to its next remaining candidate. Return how many votes have none."""
    exhausted = 0
    for vote in votes:
        candidate = next((c for c in vote if c in votes_by_candidate), None)
        if candidate is None:
            exhausted += 1
        else:
            votes_by_candidate[candidate].append(vote)
    return exhausted


def _count_votes(votes_by_candidate: Mapping[int, list[Iterator[int]]]) -> dict[int, int]:
    return {candidate: len(assigned) for candidate, assigned in votes_by_candidate.items()}


def _mentions(candidates: Sequence[int], votes: Sequence[RankedVote]) -> dict[int, int]:
    """Return the number of votes that name each candidate."""
    counts = Counter(candidate for vote in votes for candidate in vote)
    return {candidate: counts[candidate] for candidate in candidates}
