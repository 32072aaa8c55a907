"""Words that are written when somebody reads them, in that reader's language.

A notification outlives the language and the format it was made in, so it keeps what is to be said and not the words.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format


class Said(NamedTuple):
    """Something to be put into words later: a code of `sayings`, and what it is about (up to 500 characters).

    >>> Said("role", "moderator")
    """

    code: str
    about: str = ""

    def __str__(self) -> str:
        """The words, in the language of this moment. Of a code that nobody knows any more nothing is said."""
        saying = sayings.get(self.code)
        return "" if saying is None else str(saying(self.about))


# Code -> what puts it into words: lazy text, or a str. Each app adds its own where its kinds are notified of.
sayings: dict[str, Callable[[str], Any]] = {}


def said_time(moment: datetime.datetime, zone: str) -> Said:
    """A moment, to be read in the time zone `zone` (a meeting's)."""
    return Said("time", f"{moment.astimezone(datetime.UTC).isoformat()} {zone}")


def _time(about: str) -> str:
    moment, _space, zone = about.partition(" ")
    local = timezone.localtime(datetime.datetime.fromisoformat(moment), ZoneInfo(zone))
    return f"{date_format(local, 'DATETIME_FORMAT')} ({zone})"


sayings["time"] = _time
