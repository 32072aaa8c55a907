"""The names that the OpenAPI document publishes: tags and operation ids.

An operation id is a method of a generated client: a verb and the resource, such as `listBooks` or `updateClub`.
RESOURCES has the tag and the resource of each path, OPERATIONS the ids of operations other than list, create, read,
update and delete. tests/core/test_schema_names.py compares the result with a committed list.
"""

import re
from typing import Any

from core.api import schema
from core.registry import report_targets

# Path without its parameters -> tag and resource. An unlisted path has the tag of its nearest listed ancestor.
RESOURCES = {
    "auth": ("Accounts", "Authentication"),
    "auth/sessions": ("Accounts", "Session"),
    "books": ("Books", "Book"),
    "books/cover": ("Books", "BookCover"),
    "books/editions": ("Books", "Edition"),
    "books/reviews": ("Reviews", "BookReview"),
    "books/stats": ("Statistics", "BookStatistics"),
    "clubs": ("Clubs", "Club"),
    "clubs/activity": ("Activity", "ClubActivity"),
    "clubs/ballots": ("Ballots", "Ballot"),
    "clubs/books": ("Reading list", "ReadingListEntry"),
    "clubs/books/access": ("Reading list", "Access"),
    "clubs/books/access/lent": ("Reading list", "Lending"),
    "clubs/books/access/mine": ("Reading list", "MyAccess"),
    "clubs/books/milestones": ("Reading list", "Milestone"),
    "clubs/books/opinion": ("Reading list", "MyOpinion"),
    "clubs/books/opinions": ("Reading list", "Opinion"),
    "clubs/books/progress": ("Reading list", "Progress"),
    "clubs/books/progress/mine": ("Reading list", "MyProgress"),
    "clubs/books/sections": ("Reading list", "Sections"),
    "clubs/calendar.ics": ("Meetings", "ClubCalendar"),
    "clubs/cover": ("Clubs", "ClubCover"),
    "clubs/date-polls": ("Date polls", "DatePoll"),
    "clubs/date-polls/answers": ("Date polls", "DateAnswer"),
    "clubs/invites": ("Members", "Invitation"),
    "clubs/meetings": ("Meetings", "Meeting"),
    "clubs/meetings/attendance": ("Meetings", "Attendance"),
    "clubs/meetings/rsvp": ("Meetings", "Rsvp"),
    "clubs/meetings/rsvps": ("Meetings", "MeetingRsvp"),
    "clubs/members": ("Members", "Member"),
    "clubs/notification-settings": ("Activity", "ClubNotificationSettings"),
    "clubs/members/pause": ("Members", "MemberPause"),
    "clubs/pause": ("Members", "Pause"),
    "clubs/posts": ("Discussions", "Post"),
    "clubs/reviews": ("Reviews", "ClubReview"),
    "clubs/stats": ("Statistics", "ClubStatistics"),
    "clubs/year": ("Statistics", "ClubYear"),
    "clubs/year/card.png": ("Statistics", "ClubYearCard"),
    "clubs/threads": ("Discussions", "Thread"),
    "clubs/threads/posts": ("Discussions", "ThreadPost"),
    "invites": ("Members", "Invitation"),
    "moderation/appeals": ("Moderation", "Appeal"),
    "push/vapid-key": ("Activity", "VapidKey"),
    "reports": ("Moderation", "Report"),
    "reviews": ("Reviews", "Review"),
    "stats": ("Statistics", "PlatformStatistics"),
    "users": ("Accounts", "User"),
    "notifications/unsubscribe": ("Activity", "Unsubscription"),
    "users/me": ("Accounts", "CurrentUser"),
    "users/me/activity": ("Activity", "MyActivity"),
    "users/me/avatar": ("Accounts", "Avatar"),
    "users/me/blocks": ("Accounts", "BlockedUser"),
    "users/me/changes": ("Activity", "Change"),
    "users/me/calendar-token": ("Meetings", "CalendarToken"),
    "users/me/calendar.ics": ("Meetings", "MyCalendar"),
    "users/me/devices": ("Activity", "Device"),
    "users/me/export": ("Accounts", "DataExport"),
    "users/me/export.csv": ("Reviews", "LibraryExport"),
    "users/me/home": ("Activity", "Home"),
    "users/me/imports": ("Reviews", "Import"),
    "users/me/notification-settings": ("Activity", "NotificationSettings"),
    "users/me/notifications": ("Activity", "Notification"),
    "users/me/readings": ("Reading list", "Reading"),
    "users/me/stats": ("Statistics", "MyStatistics"),
    "users/me/year": ("Statistics", "MyYear"),
    "users/me/year/card.png": ("Statistics", "MyYearCard"),
}
UNCOUNTABLE = ("Access", "Activity", "Progress")

OPERATIONS = {
    "POST auth/register/": "register",
    "POST auth/login/": "login",
    "POST auth/refresh/": "refreshTokens",
    "POST auth/verify/": "verifyToken",
    "POST auth/logout/": "logout",
    "DELETE auth/sessions/": "deleteOtherSessions",
    "POST auth/password/change/": "changePassword",
    "POST auth/password/reset/": "requestPasswordReset",
    "POST auth/password/reset/confirm/": "resetPassword",
    "POST auth/email/change/": "changeEmail",
    "POST auth/email/verify/": "requestEmailVerification",
    "POST auth/email/verify/confirm/": "verifyEmail",
    "DELETE users/me/": "deleteAccount",
    "POST notifications/unsubscribe/": "unsubscribe",
    "POST users/me/notifications/read/": "markNotificationsRead",
    "GET users/me/changes/": "listChanges",
    "PUT users/{username}/block/": "blockUser",
    "DELETE users/{username}/block/": "unblockUser",
    "POST books/lookup/": "lookUpBook",
    "POST clubs/{club_id}/join/": "joinClub",
    "POST clubs/{club_id}/leave/": "leaveClub",
    "POST clubs/{club_id}/transfer/": "transferClub",
    "POST clubs/{club_id}/books/{entry_id}/shift/": "shiftReadingListEntry",
    "POST clubs/{club_id}/members/bulk/": "updateMembers",
    "PUT clubs/{club_id}/members/{user_id}/pause/": "pauseMember",
    "DELETE clubs/{club_id}/members/{user_id}/pause/": "endMemberPause",
    "PUT clubs/{club_id}/pause/": "pauseMembership",
    "DELETE clubs/{club_id}/pause/": "endPause",
    "POST invites/accept/": "acceptInvitation",
    "POST invites/preview/": "previewInvitation",
    "POST clubs/{club_id}/meetings/{meeting_id}/rsvps/remind/": "remindMembers",
    "POST clubs/{club_id}/ballots/{ballot_id}/close/": "closeBallot",
    "POST clubs/{club_id}/ballots/{ballot_id}/recount/": "recountBallot",
    "PUT clubs/{club_id}/ballots/{ballot_id}/vote/": "vote",
    "DELETE clubs/{club_id}/ballots/{ballot_id}/vote/": "withdrawVote",
    "PUT clubs/{club_id}/books/{entry_id}/access/lent/": "lendBook",
    "POST clubs/{club_id}/books/{entry_id}/opinions/open/": "openOpinions",
    "POST clubs/{club_id}/date-polls/{poll_id}/close/": "closeDatePoll",
    "PUT clubs/{club_id}/date-polls/{poll_id}/answer/": "answerDatePoll",
    "DELETE clubs/{club_id}/date-polls/{poll_id}/answer/": "withdrawDateAnswer",
    "PUT clubs/{club_id}/posts/{post_id}/reveal/": "revealPost",
    "PUT clubs/{club_id}/posts/{post_id}/reactions/{emoji}/": "reactToPost",
    "DELETE clubs/{club_id}/posts/{post_id}/reactions/{emoji}/": "removeReactionFromPost",
    "PUT clubs/{club_id}/threads/{thread_id}/posts/{post_id}/reveal/": "revealThreadPost",
    "PUT clubs/{club_id}/threads/{thread_id}/posts/{post_id}/reactions/{emoji}/": "reactToThreadPost",
    "DELETE clubs/{club_id}/threads/{thread_id}/posts/{post_id}/reactions/{emoji}/": "removeReactionFromThreadPost",
    "PUT reviews/{review_id}/like/": "likeReview",
    "DELETE reviews/{review_id}/like/": "unlikeReview",
}


class AutoSchema(schema.AutoSchema):
    """The description of one operation, with its published names."""

    def get_tags(self) -> list[str]:
        """Return the tag of the path, or of the nearest path above it that has one."""
        path = self._resource_path()
        while path and path not in RESOURCES:
            path = path.rpartition("/")[0]
        return [RESOURCES[path][0]] if path else super().get_tags()

    def get_operation_id(self) -> str:
        """Return the name of a client's method for the operation."""
        operation = f"{self.method} {self._relative_path()}"
        if operation in OPERATIONS:
            return OPERATIONS[operation]
        if self._resource_path() not in RESOURCES:
            return super().get_operation_id()
        resource = RESOURCES[self._resource_path()][1]
        if self.method == "GET" and self._is_list_view():
            return f"list{_plural(resource)}"
        verbs = {"GET": "get", "POST": "create", "PATCH": "update", "DELETE": "delete"}
        # A PUT of a view that also has PATCH replaces a row; any other one sets an attribute of a row.
        put_verb = "replace" if hasattr(self.view, "partial_update") else "set"
        return verbs.get(self.method, put_verb) + resource

    def _relative_path(self) -> str:
        return self.path.removeprefix("/api/v1/")

    def _resource_path(self) -> str:
        return re.sub(r"\{\w+\}/", "", self._relative_path()).strip("/")


def report_target_types() -> list[tuple[str, Any]]:
    """Return the choices of `target_type`, for ENUM_NAME_OVERRIDES."""
    return [(name, target.label) for name, target in sorted(report_targets.items())]


def _plural(resource: str) -> str:
    if resource.endswith(UNCOUNTABLE):
        return resource
    return f"{resource[:-1]}ies" if resource.endswith("y") else f"{resource}s"
