"""Who can get the book, and opinions that are sealed until a meeting."""

from tests.examples.recorder import Walk


def record(walk: Walk) -> None:
    club = {"club_id": walk.objects["club"]}
    entry = club | {"entry_id": walk.objects["entry"]}
    record_access(walk, entry)
    walk.call("updateReadingListEntry", "ana", {"sealed_with": walk.objects["coming_meeting"]}, **entry)
    opinion = {"rating": 4.5, "text": "A voz de Belonísia mudou tudo para mim.", "read": "all"}
    walk.call("setMyOpinion", "carla", opinion, **entry)
    walk.call("setMyOpinion", "ana", {"rating": 5}, **entry)
    walk.call("getMyOpinion", "carla", **entry)
    walk.call("openOpinions", "ana", **entry)
    walk.call("setMyOpinion", "ana", {"rating": 4}, **entry)
    walk.call("listOpinions", "carla", **entry)
    walk.call("deleteMyOpinion", "ana", **entry)


def record_access(walk: Walk, entry: dict[str, int]) -> None:
    walk.call("setMyAccess", "carla", {"answer": "have", "format": "paper", "lends": True}, **entry)
    walk.call("setMyAccess", "ana", {"answer": "can", "format": "ebook"}, **entry)
    walk.call("lendBook", "carla", {"to": walk.users["davi"].pk}, **entry)
    walk.call("getMyAccess", "carla", **entry)
    walk.call("getAccess", "ana", **entry)
    walk.call("deleteMyAccess", "ana", **entry)
