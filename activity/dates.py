"""Days and times as the active language writes them in a sentence."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext, ngettext, pgettext
from django.utils.translation import gettext_noop as _

# Names of time zones; all others are named after their city.
ZONE_NAMES = {
    "UTC": _("UTC"),
    "America/Sao_Paulo": _("Brasília time"),
    "America/Bahia": _("Brasília time"),
    "America/Fortaleza": _("Brasília time"),
    "America/Recife": _("Brasília time"),
    "America/Belem": _("Brasília time"),
    "America/Maceio": _("Brasília time"),
    "America/Araguaina": _("Brasília time"),
    "America/Manaus": _("Amazon time"),
    "America/Cuiaba": _("Amazon time"),
    "America/Campo_Grande": _("Amazon time"),
    "America/Porto_Velho": _("Amazon time"),
    "America/Boa_Vista": _("Amazon time"),
    "America/Rio_Branco": _("Acre time"),
    "America/Noronha": _("Fernando de Noronha time"),
    "America/New_York": _("New York time"),
    "America/Los_Angeles": _("Los Angeles time"),
    "Europe/Lisbon": _("Lisbon time"),
    "Europe/London": _("London time"),
    "Europe/Paris": _("Paris time"),
    "Europe/Berlin": _("Berlin time"),
    "Europe/Madrid": _("Madrid time"),
    "Europe/Rome": _("Rome time"),
    "Asia/Tokyo": _("Tokyo time"),
}
# The time zone of the user who reads the text, if it is known.
_reader_zone: ContextVar[str | None] = ContextVar("reader_zone", default=None)


@contextmanager
def reader_zone(zone: str) -> Iterator[None]:
    """Add the time in `zone`, that of the reader, to times in zones where it differs."""
    token = _reader_zone.set(zone)
    try:
        yield
    finally:
        _reader_zone.reset(token)


def format_day(day: datetime.date) -> str:
    """Return a day with its weekday: Thursday, January 8, 2026."""
    # A format of Django's `date` filter, in which a backslash protects letters.
    text = date_format(day, pgettext("format of a day", "l, F j, Y"))
    # Django's names begin with a capital, as in a table.
    return text.lower() if (get_language() or "").startswith("pt") else text


def format_moment(moment: datetime.datetime, zone: str) -> str:
    """Return day and time in `zone`: Thursday, January 8, 2026 at 8 p.m. (Brasília time).

    Inside `reader_zone` the reader's own time is added, if it differs.
    """
    local = timezone.localtime(moment, ZoneInfo(zone))
    own_zone = _reader_zone.get() or zone
    own = timezone.localtime(moment, ZoneInfo(own_zone))
    values = {"moment": _day_and_time(local), "zone": zone_name(zone)}
    if own.utcoffset() == local.utcoffset():
        return gettext("%(moment)s (%(zone)s)") % values
    own_values = {"own": _day_and_time(own), "own_zone": zone_name(own_zone)}
    return gettext("%(moment)s (%(zone)s); for you: %(own)s (%(own_zone)s)") % (values | own_values)


def zone_name(zone: str) -> str:
    """Return what a time zone is called: Brasília time."""
    if zone in ZONE_NAMES:
        return gettext(ZONE_NAMES[zone])
    return gettext("%(city)s time") % {"city": zone.rpartition("/")[2].replace("_", " ")}


def _day_and_time(local: datetime.datetime) -> str:
    # Formats of Django's `date` filter.
    whole, with_minutes = pgettext("format of a whole hour", "P"), pgettext("format of a time", "P")
    time = date_format(local, with_minutes if local.minute else whole)
    # By the hour, because Portuguese has another preposition before 0 and 1.
    text = ngettext("%(day)s at %(time)s", "%(day)s at %(time)s", local.hour)
    return text % {"day": format_day(local.date()), "time": time}
