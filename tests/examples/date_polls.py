"""Date polls."""

from tests.examples.recorder import Walk


def record(walk: Walk) -> None:
    club = {"club_id": walk.objects["club"]}
    body = {
        "title": "Torto arado: segunda parte",
        "options": [{"starts_at": "2026-03-28T19:00:00Z"}, {"starts_at": "2026-03-29T18:00:00Z"}],
        "closes_at": "2026-03-21T23:00:00Z",
        "place": "Café da Praça, Rua dos Pinheiros",
        "capacity": 12,
    }
    created = walk.call("createDatePoll", "ana", body, **club)
    poll = club | {"poll_id": created["id"]}
    saturday, sunday = (option["id"] for option in created["options"])
    walk.call("answerDatePoll", "carla", {"yes": [sunday], "maybe": [saturday]}, **poll)
    walk.call("answerDatePoll", "ana", {"yes": [saturday, sunday], "maybe": []}, **poll)
    walk.call("listDateAnswers", "carla", query={"page_size": 1}, **poll)
    walk.call("getDatePoll", "carla", **poll)
    walk.call("listDatePolls", "carla", query={"page_size": 1}, **club)
    walk.call("closeDatePoll", "ana", {}, **poll)
