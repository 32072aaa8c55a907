"""Ballots on the next book."""

from tests.examples.recorder import Walk


def record(walk: Walk) -> None:
    club = {"club_id": walk.objects["club"]}
    candidates = [walk.objects["entry_estrela"], walk.objects["entry_despejo"]]
    ranked = {"title": "O que lemos em abril?", "method": "ranked", "candidates": candidates, "quorum_percent": 50}
    created = walk.call("createBallot", "ana", ranked | {"closes_at": "2026-03-22T23:00:00Z"}, **club)
    ballot = club | {"ballot_id": created["id"]}
    for name, ranking in (("carla", candidates), ("ana", candidates[::-1]), ("davi", candidates[:1])):
        walk.call("vote", name, {"ranking": ranking}, **ballot)
    walk.call("getBallot", "carla", **ballot)
    walk.call("listBallots", "carla", **club)
    closed = walk.call("closeBallot", "ana", **ballot)
    closed["result"]["ballots"].sort()  # the order is random
    without = {"without": candidates[0], "reason": "Esgotado na editora e nos sebos."}
    recounted = walk.call("recountBallot", "ana", without, **ballot)
    recounted["result"]["ballots"].sort()
