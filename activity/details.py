"""Words that are written when somebody reads them, in that reader's language.

A notification outlives the language and the format it was made in, so it keeps what is to be said and not the words.
"""

from __future__ import annotations

import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format

from bookbridge.api.registry import message_renderers


class Said(NamedTuple):
    """Something to be put into words later: a code of `message_renderers`, and what it is about (up to 500 characters).

    >>> Said("role", "moderator")
    """

    code: str
    about: str = ""

    def __str__(self) -> str:
        """The words, in the language of this moment. Of a code that nobody knows any more nothing is said."""
        saying = message_renderers.get(self.code)
        return "" if saying is None else str(saying(self.about))


def said_time(moment: datetime.datetime, zone: str) -> Said:
    """A moment, to be read in the time zone `zone` (a meeting's)."""
    return Said("time", f"{moment.astimezone(datetime.UTC).isoformat()} {zone}")


def render_time(about: str) -> str:
    """Return the text of `said_time`."""
    moment, _space, zone = about.partition(" ")
    local = timezone.localtime(datetime.datetime.fromisoformat(moment), ZoneInfo(zone))
    return f"{date_format(local, 'DATETIME_FORMAT')} ({zone})"
