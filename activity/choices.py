"""Kinds of notifications, their default channels and their texts."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class NotificationKind(models.TextChoices):
    """The kind of a notification. Users can turn off every kind but SECURITY."""

    JOIN_REQUEST = "join_request", _("new join request")
    JOIN_ACCEPTED = "join_accepted", _("your join request was accepted")
    ROLE_CHANGED = "role_changed", _("your role has changed")
    BOOK_PLANNED = "book_planned", _("new planned book")
    MEETING_NEW = "meeting_new", _("new meeting")
    MEETING_CHANGED = "meeting_changed", _("a meeting has changed")
    MEETING_REMINDER = "meeting_reminder", _("meeting reminder")
    RSVP_REMINDER = "rsvp_reminder", _("reminder to answer an invitation to a meeting")
    SEAT_PROMOTED = "seat_promoted", _("you got a seat")
    SEAT_AVAILABLE = "seat_available", _("a seat is free for the first to answer")
    DATE_POLL_OPENED = "date_poll_opened", _("a date poll has opened")
    BALLOT_OPENED = "ballot_opened", _("a ballot has opened")
    BALLOT_CLOSED = "ballot_closed", _("a ballot has closed")
    REPLY = "reply", _("someone replied to you")
    MENTION = "mention", _("someone mentioned you")
    REVIEW_LIKED = "review_liked", _("someone liked your review")
    ANNOUNCEMENT = "announcement", _("announcement")
    BALLOT_CLOSING = "ballot_closing", _("a ballot closes soon")
    MILESTONE_DUE = "milestone_due", _("next step of the reading schedule")
    SCHEDULE_CHANGED = "schedule_changed", _("the reading schedule has changed")
    PAUSED = "paused", _("your membership is paused")
    MODERATION = "moderation", _("a moderator's decision")
    SECURITY = "security", _("account security")


# Also sent by e-mail by default, because they concern the user personally or have a date.
EMAILED_BY_DEFAULT = {
    NotificationKind.JOIN_REQUEST,
    NotificationKind.JOIN_ACCEPTED,
    NotificationKind.ROLE_CHANGED,
    NotificationKind.MEETING_NEW,
    NotificationKind.MEETING_CHANGED,
    NotificationKind.MEETING_REMINDER,
    NotificationKind.RSVP_REMINDER,
    NotificationKind.SEAT_PROMOTED,
    NotificationKind.SEAT_AVAILABLE,
    NotificationKind.DATE_POLL_OPENED,
    NotificationKind.BALLOT_OPENED,
    NotificationKind.BALLOT_CLOSING,
    NotificationKind.REPLY,
    NotificationKind.MENTION,
    NotificationKind.ANNOUNCEMENT,
    NotificationKind.SCHEDULE_CHANGED,
    NotificationKind.PAUSED,
    NotificationKind.MODERATION,
    NotificationKind.SECURITY,
}
# About meetings, ballots and milestones: not sent by e-mail to members who have paused their membership.
NOT_EMAILED_DURING_PAUSE = {
    NotificationKind.MEETING_NEW,
    NotificationKind.MEETING_CHANGED,
    NotificationKind.MEETING_REMINDER,
    NotificationKind.RSVP_REMINDER,
    NotificationKind.SEAT_PROMOTED,
    NotificationKind.SEAT_AVAILABLE,
    NotificationKind.DATE_POLL_OPENED,
    NotificationKind.BALLOT_OPENED,
    NotificationKind.BALLOT_CLOSING,
    NotificationKind.BALLOT_CLOSED,
    NotificationKind.MILESTONE_DUE,
    NotificationKind.SCHEDULE_CHANGED,
}
# Sent in a digest, at most one e-mail a day and club. All other kinds are sent at once: they concern the user's account
# or membership, a time that is near, or seats that are given in the order of the answers.
DIGEST_KINDS = {
    NotificationKind.BOOK_PLANNED,
    NotificationKind.BALLOT_OPENED,
    NotificationKind.BALLOT_CLOSED,
    NotificationKind.DATE_POLL_OPENED,
    NotificationKind.REPLY,
    NotificationKind.MENTION,
}
# The ways to notify a user, each of which can be turned off for a kind.
CHANNELS = ("app", "email", "push")
# Kinds that cannot be turned off.
MANDATORY = {NotificationKind.SECURITY}


def default_channels(kind: str) -> dict[str, bool]:
    """Return which channels a kind of notification has by default."""
    return {"app": True, "email": kind in EMAILED_BY_DEFAULT, "push": True}


# A text may use %(actor)s, %(object)s (the title), %(club)s and %(detail)s; those it does not use may be empty.
NOTIFICATION_TEMPLATES = {
    NotificationKind.JOIN_REQUEST: _("%(actor)s asked to join %(club)s."),
    NotificationKind.JOIN_ACCEPTED: _("You are now a member of %(club)s."),
    NotificationKind.ROLE_CHANGED: _("Your role in %(club)s is now: %(detail)s."),
    NotificationKind.BOOK_PLANNED: _("%(club)s is going to read “%(object)s”."),
    NotificationKind.MEETING_NEW: _("New meeting of %(club)s: “%(object)s”, %(detail)s."),
    NotificationKind.MEETING_CHANGED: _("The meeting “%(object)s” of %(club)s has changed: %(detail)s."),
    NotificationKind.MEETING_REMINDER: _("Upcoming meeting of %(club)s: “%(object)s”, %(detail)s."),
    NotificationKind.RSVP_REMINDER: _("Are you coming to “%(object)s” of %(club)s, %(detail)s?"),
    NotificationKind.SEAT_AVAILABLE: _(
        "A seat at “%(object)s” of %(club)s, %(detail)s, is free: the first to answer yes gets it."
    ),
    NotificationKind.DATE_POLL_OPENED: _(
        "When can you meet? New date poll of %(club)s: “%(object)s”, open until %(detail)s."
    ),
    NotificationKind.SEAT_PROMOTED: _(
        "A seat became available: you can now attend “%(object)s” of %(club)s, %(detail)s."
    ),
    NotificationKind.BALLOT_OPENED: _("New ballot in %(club)s: “%(object)s”, open until %(detail)s."),
    NotificationKind.BALLOT_CLOSED: _("The ballot “%(object)s” of %(club)s has closed: %(detail)s."),
    NotificationKind.REPLY: _("%(actor)s replied to you in “%(object)s”."),
    NotificationKind.MENTION: _("%(actor)s mentioned you in “%(object)s”."),
    NotificationKind.REVIEW_LIKED: _("%(actor)s liked your review of “%(object)s”."),
    NotificationKind.ANNOUNCEMENT: _("%(actor)s announced in %(club)s: “%(object)s”."),
    NotificationKind.BALLOT_CLOSING: _("The ballot “%(object)s” of %(club)s is open until %(detail)s."),
    NotificationKind.MILESTONE_DUE: _("Next step of %(club)s: “%(object)s”, %(detail)s."),
    NotificationKind.SCHEDULE_CHANGED: _("New dates for “%(object)s” in %(club)s: %(detail)s."),
    NotificationKind.PAUSED: _(
        "A moderator has paused your membership in %(club)s until %(detail)s."
        " The pause also ends when you take part again."
    ),
    NotificationKind.MODERATION: _("%(detail)s"),
    NotificationKind.SECURITY: _("%(detail)s"),
}

# Caused by one user and addressed to another, so a block between them suppresses the notification.
HIDDEN_BY_BLOCK = {
    NotificationKind.JOIN_REQUEST,
    NotificationKind.REPLY,
    NotificationKind.MENTION,
    NotificationKind.REVIEW_LIKED,
}
