"""Messages that are rendered when they are read, in the user's language.

A notification stores a code and an argument instead of text, because users may change their language at any time.
"""

from __future__ import annotations

import datetime
from typing import NamedTuple

from activity.dates import format_day, format_moment
from core.registry import message_renderers


class DeferredMessage(NamedTuple):
    """A message to be rendered later: a code of `message_renderers` and its argument (up to 500 characters).

    >>> DeferredMessage("role", "moderator")
    """

    code: str
    argument: str = ""

    def __str__(self) -> str:
        """Return the message in the active language, or "" for an unknown code."""
        render = message_renderers.get(self.code)
        return "" if render is None else str(render(self.argument))


def time_message(moment: datetime.datetime, zone: str) -> DeferredMessage:
    """Return a message with the time in the time zone `zone`, such as that of a meeting."""
    return DeferredMessage("time", f"{moment.astimezone(datetime.UTC).isoformat()} {zone}")


def render_time(argument: str) -> str:
    """Return the text of a `time_message`."""
    return format_moment(*parse_time(argument))


def parse_time(argument: str) -> tuple[datetime.datetime, str]:
    """Return the moment and the time zone of the argument of a `time_message`."""
    moment, _space, zone = argument.partition(" ")
    return datetime.datetime.fromisoformat(moment), zone


def date_message(day: datetime.date) -> DeferredMessage:
    """Return a message with a day."""
    return DeferredMessage("date", day.isoformat())


def render_date(argument: str) -> str:
    """Return the text of a `date_message`."""
    return format_day(datetime.date.fromisoformat(argument))
