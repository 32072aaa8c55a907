"""Identification of a work by title and authors, for imports, look-ups and likely duplicates.

Titles are compared by words: case, punctuation, invisible characters, `&` and "and" make no difference. A leading
article, a series in parentheses, a descriptive subtitle ("A Novel") and accents may be missing on one side; where both
titles have them, they must agree. Volumes, years and other subtitles are words like any other.

When in doubt two titles are different works: staff can merge two books, but a review on the wrong work goes unnoticed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from core.search.fields import AMPERSANDS, CONJUNCTIONS
from core.search.normalize import APOSTROPHES, fold_case, fold_case_and_accents, split_accented_words, split_words

KEY_LENGTH = 191

# Leading articles of the languages with most books.
ARTICLES = frozenset(
    "the a an o os as um uma el la los las un una le les une der die das ein eine il lo gli het een".split()
)
# In French and Italian an article may be part of the next word: L'Étranger.
_ELIDED_ARTICLE = re.compile(rf"l{APOSTROPHES.pattern}\s*", re.IGNORECASE)
_INDEFINITE_ARTICLES = frozenset("a an um uma un una une ein eine".split())
_KINDS_OF_TEXT = frozenset(
    "novel novela novella romance roman memoir memoirs memorias biography biografia autobiography autobiografia diary"
    " diario history historia story tale stories tales historias contos poems poemas essays ensaios play".split()
)
_AMPERSAND = re.compile(rf"(?<=[^\s&])\s*{AMPERSANDS.pattern}\s*(?=[^\s&])")
_SUBTITLE = re.compile(r"\s*[:;]\s+|\s+[-\u2010-\u2015]\s+|,\s+(?=(?:or|ou)\b)", re.IGNORECASE)

# Words of a subtitle that make it a part of a work.
_PARTS = frozenset("vol volume part parte book livro libro tome tomo band".split())

# Brackets at the end, with at most one pair inside: `(Foundation (Publication Order), #1)`.
_BRACKETS = re.compile(r"\s*[(\[]((?:[^()\[\]]|\([^()]*\))*)[)\]]\s*$")
# The position of a book in a series: `#11`, `#1-3`, `Book 11`, `Livro IV`, or `, 11` at the end.
_SERIES_NUMBER = re.compile(
    r"(?:#|\b(?:book|bk|livro|libro|no)\b\.?|\bn[º°.])\s*(\d+(?:\.\d+)?(?:\s*[-\u2010-\u2015]\s*\d+)?|[ivxl]+\b)"
    r"|,\s*(\d{1,3})$",
    re.IGNORECASE,
)
_SERIES_WORDS = frozenset("series serie saga trilogy trilogia cycle ciclo".split())

# What may follow a comma in a name without being a first name.
NAME_SUFFIX = re.compile(r"(?:Jr|Sr|Esq|Ph\.?\s?D|M\.?D)\.?|II|III|IV", re.IGNORECASE)


@dataclass(frozen=True)
class WorkTitle:
    """A title, divided into the parts that are compared. `words` have no accents, `accented` are the same with them."""

    words: tuple[str, ...]
    accented: tuple[str, ...]
    article: str
    subtitle: tuple[str, ...]
    series: tuple[str, ...]
    numbers: frozenset[str]

    @classmethod
    def parse(cls, title: str) -> WorkTitle:
        """Divide a title into its parts."""
        title, series, numbers = _split_series(title)
        main, subtitle = _split_subtitle(title)
        article, accented = _split_article(main)
        words = tuple(fold_case_and_accents(word) or word for word in accented)
        return cls(words, accented, article, subtitle, series, numbers)

    @property
    def key(self) -> str:
        """The key that all spellings of the title share. Others may have it too: compare them with `matches`."""
        return " ".join(self.words)[:KEY_LENGTH].rstrip()

    def matches(self, other: WorkTitle) -> bool:
        """Return whether both may be titles of one work."""
        return (
            self.words == other.words
            and _same_article(self.article, other.article)
            and _same_or_missing(self.subtitle, other.subtitle)
            and all(map(_same_accents, self.accented, other.accented))
            and self._same_number(other)
        )

    def _same_number(self, other: WorkTitle) -> bool:
        if self.numbers and other.numbers:
            return not self.numbers.isdisjoint(other.numbers)
        # Where the series is called like the book (Naruto, #2), the bare title means the first book.
        return all("1" in title.numbers for title in (self, other) if title.numbers and title.series == title.words)


def only_match(title: WorkTitle, others: Sequence[WorkTitle]) -> int | None:
    """Return the index of the first title that means the same work, None without one or if different works match."""
    matching = [index for index, other in enumerate(others) if title.matches(other)]
    exact = [index for index in matching if others[index] == title]
    if exact:
        return exact[0]
    certain = all(others[one].matches(others[two]) for one, two in combinations(matching, 2))
    return matching[0] if matching and certain else None


def author_key(text: str) -> str:
    """Return the letters of a name, by which authors are compared: `Tolkien, J. R. R.` equals `J.R.R. Tolkien`."""
    last, comma, first = text.partition(",")
    name = f"{first} {last}" if comma and not NAME_SUFFIX.fullmatch(first.strip()) else text
    return ("".join(split_words(name)) or fold_case_and_accents(name))[:KEY_LENGTH].rstrip()


def same_work(title: str, authors: Iterable[str], other_title: str, other_authors: Iterable[str]) -> bool:
    """Return whether two books with the same ISBN are one work: they share an author or the title."""
    return WorkTitle.parse(title).matches(WorkTitle.parse(other_title)) or not set(map(author_key, authors)).isdisjoint(
        map(author_key, other_authors)
    )


def _split_series(title: str) -> tuple[str, tuple[str, ...], frozenset[str]]:
    """Return the title without a series in brackets at its end, the name of the series and the numbers in it.

    `(Part 1)` and `(#1)` without the name of a series are volumes of the work, and stay in the title.
    """
    found = _BRACKETS.search(title)
    name = split_words(_SERIES_NUMBER.split(found[1])[0]) if found else []
    numbers = {match[1] or match[2] for match in _SERIES_NUMBER.finditer(found[1])} if found else set()
    if not found or not title[: found.start()] or not name or not (numbers or _SERIES_WORDS.intersection(name)):
        return title, (), frozenset()
    name = name[1:] if len(name) > 1 and name[0] in ARTICLES else name
    name = [word for word in name if word not in _SERIES_WORDS] or name
    return title[: found.start()], tuple(name), frozenset("-".join(split_words(number)) for number in numbers)


def _split_subtitle(title: str) -> tuple[str, tuple[str, ...]]:
    """Return the title and the words of a subtitle that only describes the text or is an alternative title."""
    *_others, found = [None, *_SUBTITLE.finditer(title)]
    if found is None or not split_words(title[: found.start()]):
        return title, ()
    words = split_words(title[found.end() :]) or [""]
    kinds = words[1:3] if words[0] in _INDEFINITE_ARTICLES else words[:1]
    describes = words[0] in ("or", "ou") or not _KINDS_OF_TEXT.isdisjoint(kinds)
    if not describes or not _PARTS.isdisjoint(words) or any(word.isdigit() for word in words):
        return title, ()
    return title[: found.start()], tuple(words)


def _split_article(title: str) -> tuple[str, tuple[str, ...]]:
    """Return the leading article and the other words, with their accents."""
    if elided := _ELIDED_ARTICLE.match(title):
        return "l", _title_words(title[elided.end() :])
    words = _title_words(title)
    if len(words) > 1 and words[0] in ARTICLES:
        return words[0], words[1:]
    return "", words


def _title_words(title: str) -> tuple[str, ...]:
    """Return the words of a title, with their accents; signs alone, as in `???`, count as words."""
    if split_accented_words(title):
        words = split_accented_words(_AMPERSAND.sub(" and ", title))
    else:
        words = fold_case(title).split()
    last = len(words) - 1
    return tuple("and" if 0 < n < last and word in CONJUNCTIONS else word for n, word in enumerate(words))


def _same_article(one: str, other: str) -> bool:
    """Return whether both titles may have these articles: The Girl is not A Girl, but The Hobbit is O Hobbit."""
    if not _same_or_missing(one, other):
        # In Portuguese "a" is a definite article: A Peste, La Peste.
        indefinite = _INDEFINITE_ARTICLES - {"a"}
        return {one, other} != {"a", "the"} and (one in indefinite) == (other in indefinite)
    return True


def _same_or_missing(one: str | tuple[str, ...], other: str | tuple[str, ...]) -> bool:
    return not one or not other or one == other


def _same_accents(word: str, other: str) -> bool:
    """Return whether two words with the same letters may be one: `avô` is `avo`, but not `avó`.

    Only Latin letters are compared; a tone may be written on another letter of the word (`hoà`, `hòa`).
    """
    return _same_or_missing(_latin_accents(word), _latin_accents(other))


def _latin_accents(word: str) -> tuple[str, ...]:
    letters = unicodedata.normalize("NFD", word)
    return tuple(sorted(re.findall("[\u0300-\u036f]", letters))) if re.search("[a-z]", letters) else ()
