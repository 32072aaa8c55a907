"""Cleaning of the values in the responses of providers."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from catalog.models import FIRST_YEAR, LAST_YEAR, MAX_NAMES, MAX_PAGES, NAME_LENGTH
from core.search.normalize import is_blank, to_single_line

TITLE_LENGTH = 500
DESCRIPTION_LENGTH = 10_000

_SMALL_WORDS = frozenset("de da do dos das e".split())
_ROMAN_NUMERAL = re.compile(r"(?=[IVX]{2,})X{0,3}(?:IX|IV|V?I{0,3})")
# A single word of so many letters is more likely an acronym, such as IBGE; so are two or three consonants anywhere.
_ACRONYM_LENGTH = 4
_CONSONANTS = re.compile(r"(?!(?:DR|FR|JR|MRS?|MS|NG|SR|ST)$)[B-DF-HJ-NP-TV-XZ]{2,3}")


def text(value: Any, max_length: int) -> str:
    """Return `value` on one line, storable and truncated to `max_length` characters; "" if it is not a string."""
    if not isinstance(value, str):
        return ""
    clean = to_single_line(_storable(value))
    return "" if is_blank(clean) else clean[:max_length].rstrip()


def paragraphs(value: Any) -> str:
    """Return a description, storable and truncated, without the marks of HTML; "" if it is not a string."""
    if not isinstance(value, str):
        return ""
    lines = re.sub(r"<br\s*/?>|</p>", "\n", _storable(value[: 4 * DESCRIPTION_LENGTH]), flags=re.IGNORECASE)
    clean = "\n".join(to_single_line(line) for line in re.sub(r"<[^<>]{0,200}>", "", lines).splitlines())
    clean = re.sub(r"\n{3,}", "\n\n", clean).strip()
    return "" if is_blank(clean) else clean[:DESCRIPTION_LENGTH].rstrip()


def _storable(value: str) -> str:
    return value.replace("\x00", "").encode("utf-8", "ignore").decode()


def join_title(title: Any, subtitle: Any) -> str:
    """Return the title with its subtitle; "" without a title."""
    main, rest = text(title, TITLE_LENGTH), text(subtitle, TITLE_LENGTH)
    return text(f"{main}: {rest}", TITLE_LENGTH) if main and rest else main


def name_list(values: Iterable[Any] | None, *, names: bool = True) -> list[str]:
    """Return the distinct values; names of people and publishers that are all in capitals in ordinary case."""
    if isinstance(values, str | dict):
        raise TypeError("This is not a list.")
    found = (text(value, NAME_LENGTH) for value in values or [])
    return list(dict.fromkeys(ordinary_case(name) if names else name for name in found if name))[:MAX_NAMES]


def ordinary_case(name: str) -> str:
    """Return a name that is all in capitals in ordinary case: `MACHADO DE ASSIS` gives `Machado de Assis`."""
    words = unicodedata.normalize("NFC", name).split(" ")
    if not name.isupper() or (len(words) == 1 and len(words[0]) <= _ACRONYM_LENGTH):
        return name
    first, *others = words
    return " ".join([_capitalize(first), *map(_ordinary_word, others)])


def _ordinary_word(word: str) -> str:
    if word.lower() in _SMALL_WORDS:
        return word.lower()
    return word if _ROMAN_NUMERAL.fullmatch(word.strip(".,")) else _capitalize(word)


def _capitalize(word: str) -> str:
    """Capitalize each part of a word but acronyms, as in `J.R.R.`, `Saint-Exupéry`, `D'Ávila`, `Martin's`, `L&PM`."""
    return re.sub(
        r"['’]S\b|[^\W\d_]+", lambda part: part[0] if _CONSONANTS.fullmatch(part[0]) else part[0].capitalize(), word
    )


def year(date: Any) -> int | None:
    """Return the year of a free-form date: 2009, "March 2009", "Oct 12, 1999", "c1985", "1988-05"."""
    written = str(date) if type(date) is int and 0 < date < 10_000 else text(date, 100)
    found = re.search(r"(?<!\d)(1\d{3}|20\d{2})(?!\d)", written)
    return int(found[0]) if found and FIRST_YEAR <= int(found[0]) <= LAST_YEAR else None


def pages(number: Any) -> int | None:
    """Return the number of pages; None if it is 0, which means that it is not known."""
    return number if type(number) is int and 1 <= number <= MAX_PAGES else None


def web_url(value: Any) -> str:
    """Return an http or https URL, "" for anything else."""
    url = text(value, 501)
    return url if url.startswith(("https://", "http://")) and len(url) <= 500 and " " not in url else ""
