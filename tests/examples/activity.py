"""Activity logs, notifications and the home screen."""

from tests.examples.recorder import Walk


def record(walk: Walk) -> None:
    walk.call("listClubActivity", "carla", club_id=walk.objects["club"], query={"page_size": 2})
    notifications = walk.call("listNotifications", "carla", query={"page_size": 2})["results"]
    walk.call("getNotification", "carla", notification_id=notifications[0]["id"])
    walk.call("listChanges", "carla", query={"page_size": 2})
    walk.call("getHome", "carla")
    walk.call("markNotificationsRead", "carla", {"ids": [row["id"] for row in notifications]})
    walk.call("getNotificationSettings", "carla")
    walk.call("updateNotificationSettings", "carla", {"review_liked": {"email": False}})
