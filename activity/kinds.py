"""Kinds of notifications, their default channels and their texts."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    """The kind of a notification. Users can turn off every kind but SECURITY."""

    JOIN_REQUEST = "join_request", _("new join request")
    JOIN_ACCEPTED = "join_accepted", _("your join request was accepted")
    ROLE_CHANGED = "role_changed", _("your role has changed")
    BOOK_PLANNED = "book_planned", _("new planned book")
    MEETING_NEW = "meeting_new", _("new meeting")
    MEETING_CHANGED = "meeting_changed", _("a meeting has changed")
    MEETING_REMINDER = "meeting_reminder", _("meeting reminder")
    SEAT_PROMOTED = "seat_promoted", _("you got a seat")
    BALLOT_OPENED = "ballot_opened", _("a ballot has opened")
    BALLOT_CLOSED = "ballot_closed", _("a ballot has closed")
    REPLY = "reply", _("someone replied to you")
    MENTION = "mention", _("someone mentioned you")
    REVIEW_LIKED = "review_liked", _("someone liked your review")
    MODERATION = "moderation", _("a moderator's decision")
    SECURITY = "security", _("account security")


# Sent by e-mail too by default: what concerns only the user, and what has a date.
MAILED = {
    Kind.JOIN_REQUEST,
    Kind.JOIN_ACCEPTED,
    Kind.ROLE_CHANGED,
    Kind.MEETING_NEW,
    Kind.MEETING_CHANGED,
    Kind.MEETING_REMINDER,
    Kind.SEAT_PROMOTED,
    Kind.BALLOT_OPENED,
    Kind.REPLY,
    Kind.MENTION,
    Kind.MODERATION,
    Kind.SECURITY,
}
# Cannot be turned off.
ALWAYS = {Kind.SECURITY}

# A text may use %(actor)s, %(object)s (the title), %(club)s and %(detail)s; those it does not use may be empty.
TEXTS = {
    Kind.JOIN_REQUEST: _("%(actor)s asked to join %(club)s."),
    Kind.JOIN_ACCEPTED: _("You are now a member of %(club)s."),
    Kind.ROLE_CHANGED: _("Your role in %(club)s is now: %(detail)s."),
    Kind.BOOK_PLANNED: _("%(club)s is going to read “%(object)s”."),
    Kind.MEETING_NEW: _("New meeting of %(club)s: “%(object)s”, %(detail)s."),
    Kind.MEETING_CHANGED: _("The meeting “%(object)s” of %(club)s has changed: %(detail)s."),
    Kind.MEETING_REMINDER: _("Upcoming meeting of %(club)s: “%(object)s”, %(detail)s."),
    Kind.SEAT_PROMOTED: _("A seat became available: you can now attend “%(object)s” of %(club)s."),
    Kind.BALLOT_OPENED: _("New ballot in %(club)s: “%(object)s”."),
    Kind.BALLOT_CLOSED: _("The ballot “%(object)s” of %(club)s has closed."),
    Kind.REPLY: _("%(actor)s replied to you in “%(object)s”."),
    Kind.MENTION: _("%(actor)s mentioned you in “%(object)s”."),
    Kind.REVIEW_LIKED: _("%(actor)s liked your review of “%(object)s”."),
    Kind.MODERATION: _("%(detail)s"),
    Kind.SECURITY: _("%(detail)s"),
}

# Caused by one user and addressed to another, so a block between them suppresses the notification.
PERSONAL = {Kind.JOIN_REQUEST, Kind.REPLY, Kind.MENTION, Kind.REVIEW_LIKED}
