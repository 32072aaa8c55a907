"""The search column of a model and the terms that it contains.

A model has a `SearchField`, sets it with `build_search_text` and is searched with `search_text__words=tokenize(...)`
(`core.search.lookups`). The column contains the normalized words, each with a short prefix; a migration creates its
index (`core.search.indexes`).

The prefix avoids rules of the servers: InnoDB ignores words under three characters and stop words, so that "It", "1Q84"
and "The" could not be found without it. Terms contain only letters and digits, so they cannot contain operators of the
query languages.
"""

import re
from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from core.search.normalize import APOSTROPHES, split_words

TERM_PREFIX = "qq"
# InnoDB ignores words over 84 characters; stored and searched words are both truncated, so that longer ones are found.
MAX_TERM_LENGTH = 40
MAX_QUERY_TERMS = 10

# Chinese and Japanese have no spaces between words, so each character is a word and any part of a title is found.
_IDEOGRAPHS = r"\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(f"[{_IDEOGRAPHS}]|[^{_IDEOGRAPHS}]+")
_HYPHENS = re.compile("(?<=\\w)[-\u2010-\u2015\u2212](?=\\w)")
# A search for any of these words finds titles with "&".
CONJUNCTIONS = ("and", "e", "y", "et", "und", "och", "og")


def tokenize(text: str) -> list[str]:
    """Return the distinct words of `text` in order, as they are stored in the index."""
    found = (part for word in split_words(text) for part in _WORD.findall(word))
    return list(dict.fromkeys(TERM_PREFIX + "".join(map(_ascii_beyond_bmp, word))[:MAX_TERM_LENGTH] for word in found))


def query_terms(text: str) -> list[str]:
    """Return the words to search for: the first ten of `text`, none if it has no letter or digit."""
    return tokenize(text)[:MAX_QUERY_TERMS]


def build_search_text(texts: Iterable[str]) -> str:
    """Return the value of the search column for a row that is found by the words of `texts`.

    Words with an apostrophe or a hyphen, and initials, are included both in parts and as one word, so that `ender`,
    `enders` and `ender's` find Ender's Game, and `jrr` and `j r r` find J.R.R. Tolkien.
    """
    text = " ".join(texts)
    variants = [text, re.sub(r"\.", " ", APOSTROPHES.sub(" ", text)), _HYPHENS.sub("", text)]
    if "&" in text:
        variants.extend(CONJUNCTIONS)
    return " ".join(dict.fromkeys(term for variant in dict.fromkeys(variants) for term in tokenize(variant)))


def _ascii_beyond_bmp(character: str) -> str:
    """Escape characters beyond U+FFFF, which the servers treat as punctuation, as `_` and five digits."""
    return character if ord(character) < 0x10000 else f"_{ord(character):05x}"


class SearchField(models.TextField):  # type: ignore[type-arg]
    """The search column of a model, set with `build_search_text`. A migration creates its full-text index."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        """Return the column's parameters, with the binary collation on MariaDB and MySQL."""
        parameters = super().db_parameters(connection)
        if connection.vendor == "mysql":
            parameters["collation"] = "utf8mb4_bin"
        return parameters
