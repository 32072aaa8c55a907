"""Activity logs, notifications and the home screen."""

from django.core import signing

from activity import unsubscribe
from tests.examples.recorder import Walk


def record(walk: Walk) -> None:
    walk.call("listClubActivity", "carla", club_id=walk.objects["club"], query={"page_size": 2})
    notifications = walk.call("listNotifications", "carla", query={"page_size": 2})["results"]
    walk.call("getNotification", "carla", notification_id=notifications[0]["id"])
    walk.call("listChanges", "carla", query={"page_size": 2})
    walk.call("getHome", "carla")
    walk.call("markNotificationsRead", "carla", {"ids": [row["id"] for row in notifications]})
    walk.call("getNotificationSettings", "carla")
    club = {"club_id": walk.objects["club"]}
    walk.call("updateClubNotificationSettings", "carla", {"meeting_new": {"email": False}}, **club)
    walk.call("getClubNotificationSettings", "carla", **club)
    token = signing.dumps([walk.users["carla"].pk, "mention"], salt=unsubscribe.SALT)
    walk.secrets[token] = "example-token-from-the-email"
    walk.call("unsubscribe", None, {"token": token})
    walk.call("updateNotificationSettings", "carla", {"review_liked": {"email": False}})
