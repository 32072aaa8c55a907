"""Statistics of the platform, a club, a book and a user."""

from tests.examples.recorder import Walk


def record(walk: Walk) -> None:
    walk.call("getPlatformStatistics", None)
    walk.call("getBookStatistics", None, book_id=walk.objects["torto"])
    walk.call("getClubStatistics", "ana", club_id=walk.objects["club"])
    walk.call("getMyStatistics", "ana")
    walk.call("getClubYear", "ana", club_id=walk.objects["club"], year=2026)
    walk.call("getMyYear", "carla", year=2025)
