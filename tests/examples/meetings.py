"""Meetings, RSVPs, attendance and calendars."""

import datetime

from tests.examples.recorder import Walk

MEETING = {
    "title": "Torto arado: primeira parte",
    "starts_at": "2026-03-14T19:00:00Z",
    "timezone": "America/Sao_Paulo",
    "duration_minutes": 90,
    "place": "Café da Praça, Rua dos Pinheiros",
    "agenda": "Bibiana e Belonísia: quem conta a história?",
    "capacity": 12,
}


def record(walk: Walk) -> None:
    club = {"club_id": walk.objects["club"]}
    body = MEETING | {"entry": walk.objects["entry"]}
    meeting = club | {"meeting_id": walk.call("createMeeting", "ana", body, **club)["id"]}
    series = {
        "title": "Café com livros",
        "starts_at": "2026-04-04T18:00:00Z",
        "repeats": {"every": "monthly", "count": 3, "on": {"week": 1, "weekday": "saturday"}, "except": ["2026-05-02"]},
    }
    walk.objects["coming_meeting"] = walk.call("createMeeting", "ana", series, **club)["id"]
    walk.call("replaceMeeting", "ana", body | {"duration_minutes": 120}, **meeting)
    walk.call("updateMeeting", "bruno", {"place": "Biblioteca Alceu Amoroso Lima"}, **meeting)
    for name, answer in (("carla", "yes"), ("davi", "no"), ("ana", "yes")):
        walk.call("setRsvp", name, {"answer": answer}, **meeting)
    walk.call("getRsvp", "carla", **meeting)
    walk.call("listMeetingRsvps", "carla", query={"page_size": 2}, **meeting)
    walk.call("remindMembers", "ana", **meeting)
    walk.call("getMeeting", "carla", **meeting)
    walk.call("listMeetings", "carla", query={"page_size": 1}, **club)
    walk.call("getClubCalendar", "carla", **club)
    token = walk.call("createCalendarToken", "carla")
    walk.call("getMyCalendar", None, query={"token": token["token"]})
    walk.clock.move_to(datetime.datetime(2026, 3, 14, 21, tzinfo=datetime.UTC))
    walk.clients.clear()
    attended = [walk.users[name].pk for name in ("ana", "carla")]
    walk.call("setAttendance", "ana", {"attended": attended, "others": 1}, **meeting)
    walk.call("getAttendance", "ana", **meeting)
