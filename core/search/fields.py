"""The search column of a model and the terms that it contains.

A model has a `SearchField`, sets it with `build_search_text` and is searched with
`search_text__words=query_terms(...)` (`core.search.lookups`). The column contains the normalized words, each with a
short prefix; a migration creates its index (`core.search.indexes`).

The prefix avoids rules of the servers: InnoDB ignores words under three characters and stop words, so that "It", "1Q84"
and "The" could not be found without it. Terms contain only letters and digits, so they cannot contain operators of the
query languages.
"""

import re
import unicodedata
from collections.abc import Iterable

from django.db import models

from core.db.fields import BinaryCollationMixin
from core.search.normalize import APOSTROPHES, SIGNS, sign_names, split_words

TERM_PREFIX = "qq"
# InnoDB ignores words over 84 characters; stored and searched words are both truncated, so that longer ones are found.
MAX_TERM_LENGTH = 80
MAX_QUERY_TERMS = 10

# Chinese and Japanese have no spaces between words, so each character is a word and any part of a title is found.
_IDEOGRAPHS = r"\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# An ideograph, or a run of other characters.
WORD_PARTS = re.compile(f"[{_IDEOGRAPHS}]|[^{_IDEOGRAPHS}]+")
# Hyphens, the Hebrew maqaf, and the dots within words (Col·lecció) and names (J・K・ローリング).
_HYPHEN = "[-\u05be\u2010-\u2015\u2212\u00b7\u0387\u2027\u30fb\uff65]"
_HYPHENS = re.compile(f"(?<=\\S){_HYPHEN}(?=\\S)")
# The invisible characters that separate words in Khmer or Thai and parts of words in Persian.
_BOUNDARIES = re.compile("[\u200b\u200c]")
_STOPS = re.compile("[.\u200b\u200c]")
# Initials without full stops and numbers with spaces: J K Rowling, 20 000.
_SPACED = re.compile(r"(?<!\w)(?:[^\W\d_](?:\s+[^\W\d_](?!\w))+|\d{1,3}(?:\s\d{3}(?!\w))+)")
# More likely the beginnings of two words than initials.
_TWO_LETTERS = re.compile(rf"\s*[^\W\d_](?:\s+|{_HYPHEN})[^\W\d_]\s*")
# The Arabic article, whose alef never has a hamza, and letters that are typed for others: alef with or without hamza,
# teh marbuta as heh.
_ARTICLE = re.compile("^[\u0627\u0671]\u0644(?=\\w{3})")
_TYPED_LETTERS = str.maketrans("\u0622\u0623\u0625\u0671\u0629", "\u0627\u0627\u0627\u0627\u0647")
AMPERSANDS = re.compile("[&\ufe60\uff06]")
# A search for any of these words finds titles with "&".
CONJUNCTIONS = ("and", "e", "y", "et", "und", "och", "og")


def tokenize(text: str, *, with_article: bool = True) -> list[str]:
    """Return the distinct words of `text` in order, as they are stored in the index."""
    words = split_words(text) if with_article else [_ARTICLE.sub("", word) for word in split_words(text)]
    found = (part for word in words for part in WORD_PARTS.findall(word.translate(_TYPED_LETTERS)))
    return list(dict.fromkeys(TERM_PREFIX + _escape(word)[:MAX_TERM_LENGTH] for word in found))


def query_terms(text: str) -> list[list[str]]:
    """Return the words to search for, once for each spelling that `text` may stand for: `e-mail` is also `email`.

    A row matches if it has all words of one spelling. Only the first ten words count; without any letter or digit there
    is no spelling.
    """
    found: list[list[str]] = []
    for variant in [text] if _TWO_LETTERS.fullmatch(text) else _variants(text, _BOUNDARIES):
        terms = tokenize(variant, with_article=False)[:MAX_QUERY_TERMS]
        # Nearly every row has words with the letters that a variant of "l'a" consists of.
        is_useful = not found or any(len(term) > len(TERM_PREFIX) + 1 for term in terms)
        if terms and is_useful and not any(set(known) <= set(terms) for known in found):
            found.append(terms)
    return found


def build_search_text(texts: Iterable[str]) -> str:
    """Return the value of the search column for a row that is found by the words of `texts`.

    Words with an apostrophe or a hyphen, and initials, are included both in parts and as one word, so that `ender`,
    `enders` and `ender's` find Ender's Game, and `jrr` and `j r r` find J.R.R. Tolkien. Arabic words are included with
    and without their article.
    """
    text = " ".join(texts)
    variants = _variants(text, _STOPS)
    if AMPERSANDS.search(text):
        variants.extend(CONJUNCTIONS)
    forms = [(variant, with_article) for with_article in (True, False) for variant in variants]
    return " ".join(dict.fromkeys(term for text, article in forms for term in tokenize(text, with_article=article)))


def _variants(text: str, stops: re.Pattern[str]) -> list[str]:
    """Return `text` as it is, with words divided at apostrophes, signs and `stops`, and with parts of words joined."""
    parts = SIGNS.sub(lambda found: f"{found[1]} {sign_names(found[2])} ", APOSTROPHES.sub(" ", text))
    whole = _HYPHENS.sub("", text)
    return list(dict.fromkeys([text, stops.sub(" ", parts), whole, _SPACED.sub(_without_spaces, whole)]))


def _without_spaces(found: re.Match[str]) -> str:
    return "".join(found[0].split())


def _escape(word: str) -> str:
    """Escape the characters of a word that the servers treat as punctuation, as `_` and five digits.

    Those are the characters beyond U+FFFF and, because the tables of the servers are old, what Unicode has added since:
    signs of Burmese, for example. Unicode 3.2 is older than these tables.
    """
    return word if word.isascii() else "".join(c if _is_known(c) else f"_{ord(c):05x}" for c in word)


def _is_known(character: str) -> bool:
    return character < "\U00010000" and unicodedata.ucd_3_2_0.category(character) != "Cn"


class SearchField(BinaryCollationMixin, models.TextField):  # type: ignore[type-arg]
    """The search column of a model, set with `build_search_text`. A migration creates its full-text index."""
