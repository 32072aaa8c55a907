"""What readers are told of, and in which words."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    """Why somebody is told something; each can be turned off but SECURITY."""

    JOIN_REQUEST = "join_request", _("somebody asks to join")
    JOIN_ACCEPTED = "join_accepted", _("you were let in")
    ROLE_CHANGED = "role_changed", _("your role has changed")
    BOOK_PLANNED = "book_planned", _("a book is planned")
    MEETING_NEW = "meeting_new", _("a new meeting")
    MEETING_CHANGED = "meeting_changed", _("a meeting has changed")
    MEETING_REMINDER = "meeting_reminder", _("a meeting is near")
    SEAT_PROMOTED = "seat_promoted", _("you have a seat")
    BALLOT_OPENED = "ballot_opened", _("a ballot is open")
    BALLOT_CLOSED = "ballot_closed", _("a ballot is closed")
    REPLY = "reply", _("somebody answers you")
    MENTION = "mention", _("somebody names you")
    REVIEW_LIKED = "review_liked", _("somebody likes your review")
    MODERATION = "moderation", _("a moderator has decided")
    SECURITY = "security", _("your account's safety")


# What readers hear of by mail too until they say otherwise: what concerns them alone, and what has a date.
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
# What nobody can turn off.
ALWAYS = {Kind.SECURITY}

# %(actor)s, %(object)s (its title), %(club)s and %(detail)s may be empty where a text does not name them.
TEXTS = {
    Kind.JOIN_REQUEST: _("%(actor)s asks to join %(club)s."),
    Kind.JOIN_ACCEPTED: _("You are now a member of %(club)s."),
    Kind.ROLE_CHANGED: _("Your role in %(club)s is now: %(detail)s."),
    Kind.BOOK_PLANNED: _("%(club)s is going to read “%(object)s”."),
    Kind.MEETING_NEW: _("%(club)s meets: “%(object)s”, %(detail)s."),
    Kind.MEETING_CHANGED: _("The meeting “%(object)s” of %(club)s has changed: %(detail)s."),
    Kind.MEETING_REMINDER: _("The meeting “%(object)s” of %(club)s is near: %(detail)s."),
    Kind.SEAT_PROMOTED: _("A seat is free: you have a place at “%(object)s” of %(club)s."),
    Kind.BALLOT_OPENED: _("%(club)s votes: “%(object)s”."),
    Kind.BALLOT_CLOSED: _("The ballot “%(object)s” of %(club)s is closed."),
    Kind.REPLY: _("%(actor)s answers you in “%(object)s”."),
    Kind.MENTION: _("%(actor)s names you in “%(object)s”."),
    Kind.REVIEW_LIKED: _("%(actor)s likes your review of “%(object)s”."),
    Kind.MODERATION: _("%(detail)s"),
    Kind.SECURITY: _("%(detail)s"),
}

# What one reader does to another, and not the club to its members: nobody hears of it across a block.
PERSONAL = {Kind.JOIN_REQUEST, Kind.REPLY, Kind.MENTION, Kind.REVIEW_LIKED}
