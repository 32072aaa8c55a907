"""The reading list, milestones and progress."""

from tests.examples.recorder import Walk


def record(walk: Walk) -> None:
    club = {"club_id": walk.objects["club"]}
    reading = {"book": walk.objects["torto"], "status": "reading", "starts_on": "2026-03-02", "ends_on": "2026-03-29"}
    entry = walk.call("createReadingListEntry", "ana", reading | {"note": "Qualquer edição serve."}, **club)["id"]
    walk.objects["entry"] = entry
    for name in ("estrela", "despejo"):
        proposal = walk.call("createReadingListEntry", "carla", {"book": walk.objects[name]}, **club)
        walk.objects[f"entry_{name}"] = proposal["id"]
    record_milestones(walk, club | {"entry_id": entry})
    record_sections(walk, club | {"entry_id": entry})
    record_progress(walk, club | {"entry_id": entry})
    change = {"ends_on": "2026-04-05", "note": "Uma semana a mais por causa da Páscoa."}
    walk.call("updateReadingListEntry", "bruno", change, **club, entry_id=entry)
    shift = {"days": 7, "from": "2026-03-15", "meetings": True}
    walk.call("shiftReadingListEntry", "bruno", shift, **club, entry_id=entry)
    walk.call("getReadingListEntry", "carla", **club, entry_id=entry)
    walk.call("listReadingListEntries", "carla", query={"page_size": 2}, **club)


def record_milestones(walk: Walk, entry: dict[str, int]) -> None:
    first = {"title": "Fio de corte", "up_to_percent": 33, "due_on": "2026-03-10"}
    milestone = walk.call("createMilestone", "ana", first, **entry)["id"]
    walk.call("createMilestone", "ana", {"title": "Torto arado", "up_to_percent": 66, "due_on": "2026-03-20"}, **entry)
    walk.call("updateMilestone", "ana", {"due_on": "2026-03-12"}, **entry, milestone_id=milestone)
    walk.call("getMilestone", "carla", **entry, milestone_id=milestone)
    walk.call("listMilestones", "carla", **entry)


def record_sections(walk: Walk, entry: dict[str, int]) -> None:
    sections = [
        {"title": "Fio de corte", "up_to_percent": 33},
        {"title": "Torto arado", "up_to_percent": 66},
        {"title": "Rio de sangue", "up_to_percent": 100},
    ]
    walk.call("setSections", "ana", {"sections": sections}, **entry)
    walk.call("setProgress", "davi", {"section": 1}, **entry)
    walk.call("getSections", "davi", **entry)
    walk.call("deleteProgress", "davi", **entry)


def record_readings(walk: Walk) -> None:
    book = {"book": walk.objects["persuasion"], "state": "finished"}
    reading = walk.call("createReading", "carla", book | {"finished_on": "2025-07-20"})["id"]
    walk.call("updateReading", "carla", {"started_on": "2025-07-02"}, reading_id=reading)
    walk.call("getReading", "carla", reading_id=reading)
    walk.call("listReadings", "carla", query={"page_size": 1})


def record_progress(walk: Walk, entry: dict[str, int]) -> None:
    walk.call("setProgress", "carla", {"page": 66, "page_count": 264}, **entry)
    walk.call("setProgress", "ana", {"percent": 40}, **entry)
    walk.call("getMyProgress", "carla", **entry)
    walk.call("listProgress", "carla", query={"page_size": 2}, **entry)
