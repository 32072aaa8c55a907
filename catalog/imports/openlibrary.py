"""Open Library dumps (https://openlibrary.org/developers/dumps) of authors, works, editions, or all of them.

A line has five tab-separated columns: type, key, revision, last modified and the record as JSON. Works refer to authors
by key, and editions to works, so authors are imported first, then works, then editions. A file with several kinds is
read once for each kind, which takes more time but no memory. Separate files have to be imported in that order.

Imported are works (title, authors, description, subjects, year and cover) and editions with an ISBN, by which the
catalog identifies editions. Other editions, redirects, deleted records and other types are ignored.
"""

import datetime
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from catalog.imports.languages import language_tag
from catalog.imports.records import (
    AuthorRecord,
    EditionRecord,
    InvalidRowError,
    SkipReason,
    SourceRecord,
    WorkRecord,
    clean,
    decode,
    description,
    isbn,
    names,
    optional,
    pages,
    title,
    year,
)
from catalog.models import MAX_NAMES

COVER_FOLDER = "https://covers.openlibrary.org/b/id"
_KEY = re.compile(r"/(authors|works|books)/OL[0-9]{1,18}[AWM]")


def origin(work_key: str) -> str:
    """Return the origin of an Open Library work."""
    return f"openlibrary:{work_key}"


class OpenLibraryDump:
    """Parser for an Open Library dump."""

    name = "openlibrary"
    stages: Sequence[str] = ("authors", "works", "editions")
    first_line = 1
    _TYPES = (b"/type/author", b"/type/work", b"/type/edition")

    def __init__(self, head: Sequence[bytes]) -> None:
        """Raise InvalidRowError if no line in `head` is a record."""
        if not any(line.startswith(b"/type/") and line.count(b"\t") >= 4 for line in head):
            raise InvalidRowError("no line has the columns type, key, revision, time and JSON, separated by tabs")
        self._seen: set[bytes] = set()

    def has_stage(self, stage: int) -> bool:
        """Return whether stage 0, which looks at every line, has seen rows for the stage."""
        return stage == 0 or self._TYPES[stage] in self._seen

    def parse(self, line: bytes, stage: int) -> SourceRecord | SkipReason:
        """Return the record in a line. Raises InvalidRowError.

        Lines of other types are ignored in stage 0 only, so that each line is counted once.
        """
        kind = line[: max(line.find(b"\t"), 0)]
        if kind in self._TYPES:
            self._seen.add(kind)
            if kind != self._TYPES[stage]:
                return SkipReason.OTHER_STAGE
        elif stage:
            return SkipReason.OTHER_STAGE
        columns = decode(line).split("\t", 4)
        if len(columns) < 5 or not columns[0].startswith("/type/"):
            raise InvalidRowError(f"it has {len(columns)} tab-separated columns, not 5")
        if kind not in self._TYPES:
            return SkipReason.NOT_IMPORTED
        if not _KEY.fullmatch(columns[1]):
            raise InvalidRowError("the key is not an Open Library key")
        key, record = columns[1], _object(columns[4])
        if stage == 0:
            return _author(key, record)
        return _work(key, record) if stage == 1 else _edition(record)


def _object(text: str) -> dict[str, Any]:
    try:
        record = json.loads(text)
    except RecursionError:
        raise InvalidRowError("the JSON is nested too deeply") from None
    except ValueError as error:
        raise InvalidRowError(f"the JSON cannot be read: {error}") from None
    if not isinstance(record, dict):
        raise InvalidRowError("the JSON is not an object")
    return record


def _author(key: str, record: dict[str, Any]) -> AuthorRecord:
    name = clean(_text(record.get("name")) or _text(record.get("personal_name")), "name")
    if not name:
        raise InvalidRowError("the author has no name")
    return AuthorRecord(key=key, name=name)


def _work(key: str, record: dict[str, Any]) -> WorkRecord:
    ignored_fields: list[str] = []
    # An author is written as {"author": {"key": ...}}, {"author": "..."} or {"key": ...}.
    author_keys = list(dict.fromkeys(filter(None, (_key(_get(a, "author") or a) for a in _list(record, "authors")))))
    if len(author_keys) > MAX_NAMES:
        ignored_fields.append("authors")
    return WorkRecord(
        origin=origin(key),
        title=title(_text(record.get("title"))),
        author_keys=author_keys[:MAX_NAMES],
        published_year=_year(record.get("first_publish_date"), ignored_fields),
        description=description(_text(record.get("description")), ignored_fields),
        subjects=_subjects(record, ignored_fields),
        cover_url=_cover(record),
        ignored_fields=ignored_fields,
    )


def _edition(record: dict[str, Any]) -> EditionRecord | SkipReason:
    ignored_fields: list[str] = []
    numbers = [_text(n) for field in ("isbn_13", "isbn_10") for n in _list(record, field)]
    # Take the first valid number; the invalid ones count as ignored only if there is none.
    isbn13 = next(filter(None, (isbn(n, ignored_fields) for n in numbers)), "")
    if not numbers:
        return SkipReason.NOT_IMPORTED
    if not isbn13:
        raise InvalidRowError("none of its ISBNs is valid")
    works = [key for key in map(_key, _list(record, "works")) if key]
    if not works:
        raise InvalidRowError("it names no work")
    ignored_fields.clear()
    return EditionRecord(
        work=origin(works[0]),
        isbn13=isbn13,
        format=optional(_text(record.get("physical_format")), "format", ignored_fields, max_length=50),
        page_count=pages(record.get("number_of_pages"), ignored_fields),
        publisher=optional(_first_text(_list(record, "publishers")), "publisher", ignored_fields),
        language=_language(record),
        published_year=_year(record.get("publish_date"), ignored_fields),
        ignored_fields=ignored_fields,
    )


def _get(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _text(value: Any) -> str:
    """Return a text, which may be wrapped as {"type": "/type/text", "value": "..."}."""
    value = _get(value, "value") if isinstance(value, dict) else value
    return value if isinstance(value, str) else ""


def _list(record: dict[str, Any], name: str) -> list[Any]:
    value = record.get(name)
    return value if isinstance(value, list) else []


def _first_text(values: Iterable[Any]) -> str:
    return next((text for text in map(_text, values) if text), "")


def _key(value: Any) -> str:
    """Return the key of a reference: {"key": "/works/OL1W"} or the key itself."""
    key = _get(value, "key") if isinstance(value, dict) else value
    return key if isinstance(key, str) and _KEY.fullmatch(key) else ""


def _year(value: Any, ignored_fields: list[str]) -> int | None:
    """Return the first four-digit number of `1999`, `January 1999`, `c1999.` or `1999-01-31`."""
    text = _text(value)[:200]
    if not text.strip():
        return None
    match = re.search(r"(?<![0-9])[0-9]{4}(?![0-9])", text)
    # Books are announced up to a year ahead; a later date is an error.
    if not match or int(match[0]) > datetime.datetime.now(datetime.UTC).year + 1:
        ignored_fields.append("year")
        return None
    return year(int(match[0]), ignored_fields)


def _language(record: dict[str, Any]) -> str:
    codes = (_get(language, "key") for language in _list(record, "languages"))
    return next((language_tag(code.rpartition("/")[2]) for code in codes if isinstance(code, str)), "")


def _subjects(record: dict[str, Any], ignored_fields: list[str]) -> list[str]:
    texts = (
        optional(text, "subjects", ignored_fields) for text in map(_text, _list(record, "subjects")[: 2 * MAX_NAMES])
    )
    return names(texts, "subject")[:MAX_NAMES]


def _cover(record: dict[str, Any]) -> str:
    covers = (n for n in _list(record, "covers") if isinstance(n, int) and not isinstance(n, bool) and n > 0)
    return next((f"{COVER_FOLDER}/{n}-L.jpg" for n in covers if n < 10**15), "")
