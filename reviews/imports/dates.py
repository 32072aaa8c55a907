"""Parsing of dates as exports and spreadsheets write them."""

import datetime
import re
from collections.abc import Iterable

from django.utils import timezone

from core.search.normalize import fold_case_and_accents

# Longer cells are no dates, and the patterns below could take minutes to say so.
MAX_LENGTH = 60

_TIME = re.compile(r"[T ]\s*[0-9]{1,2}:[0-9]{2}.*", re.DOTALL)
_ORDINAL = re.compile(r"(?<=[0-9])(?:st|nd|rd|th|er|º)\b", re.IGNORECASE)
_NUMERIC = re.compile(r"([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4}|[0-9]{2})")
# Year, month and day in words or numbers, such as "2022-12-25", "25-Dec-22" and "domingo, 25 de dezembro de 2022".
_PARTS = re.compile(r"(?:[^\W\d][\w-]*\.?, )?(\w+)[\s./-]+(?:(?:de|of) )?(\w+)[\s,./-]+(?:de )?(\w+)")
# Days since the start of 1900, as spreadsheets store dates; five digits begin in 1927.
_SERIAL = re.compile(r"([1-9][0-9]{4})(?:[.,][0-9]+)?")
_SERIAL_EPOCH = datetime.date(1899, 12, 30)
# English, Portuguese, Spanish, French, German and Italian, without accents.
_MONTH_NAMES = (
    *("january janeiro enero janvier januar gennaio", "february fevereiro febrero fevrier februar febbraio"),
    *("march marco marzo mars marz maerz", "april abril avril aprile", "may maio mayo mai maggio"),
    *("june junho junio juin juni giugno", "july julho julio juillet juli luglio", "august agosto aout"),
    *("september setembro septiembre setiembre septembre settembre", "october outubro octubre octobre oktober ottobre"),
    *("november novembro noviembre novembre", "december dezembro diciembre decembre dezember dicembre"),
)
MIN_MONTH_LETTERS = 3


class AmbiguousDateError(ValueError):
    """The day and the month cannot be told apart."""


def is_day_first(texts: Iterable[str]) -> bool | None:
    """Return whether the dates of a file have the day before the month; None if that is not certain."""
    found = set()
    for text in texts:
        parts = _numeric_parts(text)
        if parts and 31 >= max(parts[:2]) > 12 >= min(parts[:2]) > 0:
            found.add(parts[0] > 12)
    return found.pop() if len(found) == 1 else None


def parse_date(text: str, *, day_first: bool | None) -> datetime.date:
    """Return the date, without its time of day.

    Raises ValueError for an invalid or future date, and AmbiguousDateError if it depends on an unknown `day_first`.
    """
    day = _parse(text, day_first)
    # It may already be tomorrow in the time zone of the user.
    if day.year < 1900 or day > timezone.now().date() + datetime.timedelta(days=1):
        raise ValueError("the date is out of range")
    return day


def _parse(text: str, day_first: bool | None) -> datetime.date:
    if serial := _SERIAL.fullmatch(text.strip()):
        return _SERIAL_EPOCH + datetime.timedelta(days=int(serial[1]))
    if numbers := _numeric_parts(text):
        first, second, year = numbers
        if first <= 12 and second <= 12 and first != second and day_first is None:
            raise AmbiguousDateError
        is_day = first > 12 or (second <= 12 and bool(day_first))
        return datetime.date(year, second, first) if is_day else datetime.date(year, first, second)
    first_part, second_part, third_part = _split(text)
    if re.fullmatch("[0-9]{4}", first_part):
        month = _number(second_part) if second_part.isdecimal() else _month(second_part)
        return datetime.date(int(first_part), month, _number(third_part))
    if first_part.isdecimal():
        return datetime.date(_year(third_part), _month(second_part), _number(first_part))
    return datetime.date(_year(third_part), _month(first_part), _number(second_part))


def _numeric_parts(text: str) -> tuple[int, int, int] | None:
    """Return the numbers of a date that starts with the day or the month, such as "25/12/2022"."""
    match = _NUMERIC.fullmatch(_without_time(text))
    return (int(match[1]), int(match[2]), _year(match[3])) if match else None


def _split(text: str) -> tuple[str, str, str]:
    match = _PARTS.fullmatch(_ORDINAL.sub("", _without_time(text)))
    if not match:
        raise ValueError("not a date")
    return match[1], match[2], match[3]


def _without_time(text: str) -> str:
    text = text.strip()
    return _TIME.sub("", text).rstrip(" .,") if len(text) <= MAX_LENGTH else ""


def _number(text: str) -> int:
    if not re.fullmatch("[0-9]{1,2}", text):
        raise ValueError("not a day or a month")
    return int(text)


def _month(name: str) -> int:
    """Return the month whose name begins like this, with at least three letters: `dez` and `Sept`, but not `jui`."""
    start = fold_case_and_accents(name)
    months = {n for n, names in enumerate(_MONTH_NAMES, 1) for month in names.split() if month.startswith(start)}
    if len(start) < MIN_MONTH_LETTERS or len(months) != 1:
        raise ValueError("not a month")
    return months.pop()


def _year(text: str) -> int:
    """Return the year; one of two digits is not after next year."""
    if not re.fullmatch("[0-9]{2}|[0-9]{4}", text):
        raise ValueError("not a year")
    latest = timezone.now().year + 1
    return int(text) if len(text) == 4 else latest - (latest - int(text)) % 100
