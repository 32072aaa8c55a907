"""The words of titles, as titles and series are compared by them."""

from __future__ import annotations

import re
import unicodedata

from core.search.fields import AMPERSANDS, CONJUNCTIONS, WORD_PARTS
from core.search.normalize import fold_case, fold_case_and_accents, split_accented_words, split_words

# Leading articles of the languages with most books.
ARTICLES = frozenset(
    "the a an o os as um uma el la los las un una le les une der die das ein eine il lo gli het een".split()
)
_AMPERSAND = re.compile(rf"(?<=[^\s&])\s*{AMPERSANDS.pattern}\s*(?=[^\s&])")
# Signs after a word that make it another one: Google+, 50+, 100%, A*. `split_words` keeps those of C++ and C#.
_SIGNS = re.compile(r"(?<=\w)[*%]+(?!\w)|(?<!\b[^\W\d_])(?<=\w)[+#♯]+(?!\w)")
_SIGN_NAMES = str.maketrans({"+": " plus", "#": " sharp", "♯": " sharp", "*": " star", "%": " percent"})
# Symbols between words, such as the heart of I ♥ You, but not ©, ® and ™.
_SYMBOLS = re.compile(r"(?<=\w)\s*[^\w\s\x00-\xbf\u2000-\u206f™]+\s*(?=\w)")


def title_words(title: str) -> tuple[str, ...]:
    """Return the words of a title, with their accents; signs alone, as in `???`, count as words.

    Chinese and Japanese have no spaces between words, so each of their characters is a word.
    """
    if not split_words(title):
        return tuple(fold_case(title).split())
    title = _SYMBOLS.sub(_name_symbols, _SIGNS.sub(_name_signs, _AMPERSAND.sub(" and ", title)))
    return tuple(part for word in split_accented_words(title) for part in WORD_PARTS.findall(word))


def without_accents(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words without accents, and with "and" for the conjunctions between them."""
    last = len(words) - 1
    return tuple(
        "and" if 0 < n < last and word in CONJUNCTIONS else fold_case_and_accents(word) or word
        for n, word in enumerate(words)
    )


def _name_signs(found: re.Match[str]) -> str:
    return found[0].translate(_SIGN_NAMES)


def _name_symbols(found: re.Match[str]) -> str:
    """Return the names of symbols as words; other punctuation ends a word as usual."""
    names = [unicodedata.name(char, "") for char in found[0] if unicodedata.category(char) == "So"]
    return f" {' '.join(names)} " if names else found[0]
