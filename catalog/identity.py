"""Identification of a work by title and authors, for imports, look-ups and likely duplicates.

Titles are compared by words: case, punctuation, invisible characters, and `&` for "and" make no difference. An article
(`The Hobbit`, `Hobbit, The`), a series in brackets (`catalog.series`), a descriptive subtitle ("A Novel") and accents
may be missing on one side; if both titles have them, they must agree. Any other volume, year or subtitle is compared as
ordinary words.

When in doubt two titles are different works: staff can merge two books, but a review on the wrong work goes unnoticed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from catalog.series import PARTS, Volume, split_series
from catalog.title_words import ARTICLES, title_words, without_accents
from core.search.fields import CONJUNCTIONS
from core.search.normalize import APOSTROPHES, fold_case, fold_case_and_accents, split_words

KEY_LENGTH = 191
# A larger number of spellings is not compared pairwise, because the time grows quadratically.
MAX_SPELLINGS = 50

# In French and Italian an article may be part of the next word: L'Étranger.
_ELIDED_ARTICLE = re.compile(rf"l{APOSTROPHES.pattern}\s*", re.IGNORECASE)
# At the end of the title or before brackets: `Silmarillion, The (Middle-Earth Universe)`.
_INVERTED_ARTICLE = re.compile(rf",\s+(\w+){APOSTROPHES.pattern}?\s*(?:$|(?=[(\[（［]))")
_INDEFINITE_ARTICLES = frozenset("a an um uma un una une ein eine".split())
# A subtitle that is only a plural may distinguish two books: `Humans of New York: Stories`.
_KINDS_IN_PLURAL = frozenset("stories tales historias contos poems poemas essays ensaios".split())
_KINDS_OF_TEXT = _KINDS_IN_PLURAL | frozenset(
    "novel novela novella romance roman memoir memoirs memorias biography biografia autobiography autobiografia diary"
    " diario history historia story tale play".split()
)
_SUBTITLE = re.compile(r"\s*[:;]\s+|\s+[-\u2010-\u2015]\s+|,\s+(?=(?:or|ou)\b)", re.IGNORECASE)

_VOWELS = frozenset("aeiouyαεηιουω")
_MARKS = re.compile("[\u0300-\u036f]")
# Modern Greek writes the grave and circumflex accents of polytonic Greek as acutes and omits its other marks. Romanian
# letters with a comma below are often written with a cedilla.
_MODERN_GREEK = str.maketrans("\u0300\u0342", "\u0301\u0301", "\u0304\u0306\u0308\u0313\u0314\u0345")
_CEDILLA = str.maketrans("\u0326", "\u0327")

# Suffixes of a name, which may follow a comma where a first name is expected.
NAME_SUFFIX = re.compile(r"(?:Jr|Sr|Esq|Ph\.?\s?D|M\.?D)\.?|II|III|IV", re.IGNORECASE)


@dataclass(frozen=True)
class WorkTitle:
    """A title, divided into the parts that are compared.

    `accented` contains the words with their accents. `words` contains them without accents, and with "and" for the
    conjunctions between them.
    """

    words: tuple[str, ...]
    accented: tuple[str, ...]
    article: str
    subtitle: tuple[str, ...]
    volumes: frozenset[Volume]

    @classmethod
    @lru_cache(maxsize=4096)
    def parse(cls, title: str) -> WorkTitle:
        """Divide a title into its parts."""
        title, volumes = split_series(title)
        main, subtitle = _split_subtitle(title)
        article, accented = _split_article(main)
        return cls(without_accents(accented), accented, article, subtitle, volumes)

    @property
    def key(self) -> str:
        """The key shared by all spellings of the title. Other titles may share it too: compare them with `matches`."""
        return " ".join(self.words)[:KEY_LENGTH].rstrip()

    def matches(self, other: WorkTitle) -> bool:
        """Return whether both titles may belong to the same work."""
        return (
            self.words == other.words
            and _same_article(self.article, other.article)
            and _same_or_missing(self.subtitle, other.subtitle)
            and all(map(_same_spelling, self.accented, other.accented))
            and self._same_volume(other)
        )

    def _same_volume(self, other: WorkTitle) -> bool:
        if self.volumes and other.volumes:
            return not self.volumes.isdisjoint(other.volumes)
        # If the series and the book have the same name (Naruto, #2), a title without a volume means the first book.
        return all(number == "1" for name, number in self.volumes | other.volumes if name == self.words)


def are_same_work(titles: Iterable[WorkTitle]) -> bool:
    """Return whether every two of the titles may belong to the same work."""
    spellings = set(titles)
    return len(spellings) <= MAX_SPELLINGS and all(one.matches(other) for one, other in combinations(spellings, 2))


def only_match(title: WorkTitle, others: Sequence[WorkTitle]) -> int | None:
    """Return the index of the first of `others` that matches, preferably one that is equal.

    Return None if no title matches, or if those that match belong to different works.
    """
    matching = [index for index, other in enumerate(others) if title.matches(other)]
    exact = [index for index in matching if others[index] == title]
    if exact:
        return exact[0]
    return matching[0] if matching and are_same_work(others[index] for index in matching) else None


def author_key(text: str) -> str:
    """Return the letters of a name, used to compare authors: `Tolkien, J. R. R.` equals `J.R.R. Tolkien`.

    A suffix stays last: `King, Martin Luther, Jr.` equals `Martin Luther King, Jr.`.
    """
    parts = [part.strip() for part in text.split(",")]
    suffix = parts.pop() if len(parts) > 1 and NAME_SUFFIX.fullmatch(parts[-1]) else ""
    name = " ".join([*parts[1:], parts[0], suffix])
    return ("".join(split_words(name)) or fold_case_and_accents(name))[:KEY_LENGTH].rstrip()


def same_work(title: str, authors: Iterable[str], other_title: str, other_authors: Iterable[str]) -> bool:
    """Return whether two books with the same ISBN are one work: they share an author or the title."""
    return WorkTitle.parse(title).matches(WorkTitle.parse(other_title)) or not set(map(author_key, authors)).isdisjoint(
        map(author_key, other_authors)
    )


def _split_subtitle(title: str) -> tuple[str, tuple[str, ...]]:
    """Return the title and the words of a subtitle that only describes the text or is an alternative title."""
    *_others, separator = [None, *_SUBTITLE.finditer(title)]
    if separator is None or not split_words(title[: separator.start()]):
        return title, ()
    words = split_words(title[separator.end() :]) or [""]
    kinds = words[1:3] if words[0] in _INDEFINITE_ARTICLES else words[:1]
    is_descriptive = words[0] in ("or", "ou") or not _KINDS_OF_TEXT.isdisjoint(kinds)
    if len(words) == 1 and words[0] in _KINDS_IN_PLURAL:
        return title, ()
    if not is_descriptive or not PARTS.isdisjoint(words) or any(word.isdigit() for word in words):
        return title, ()
    return title[: separator.start()], tuple(words)


def _split_article(title: str) -> tuple[str, tuple[str, ...]]:
    """Return the article before or after the title, and the other words with their accents."""
    if elided := _ELIDED_ARTICLE.match(title):
        return "l", title_words(title[elided.end() :])
    inverted = _INVERTED_ARTICLE.search(title)
    if inverted and split_words(title[: inverted.start()]) and fold_case(inverted[1]) in ARTICLES | {"l"}:
        return fold_case(inverted[1]), title_words(f"{title[: inverted.start()]} {title[inverted.end() :]}")
    words = title_words(title)
    raw_words = fold_case(title).split()[1:]
    if words and words[0] in ARTICLES and (len(words) > 1 or raw_words):
        return words[0], words[1:] or tuple(raw_words)
    return "", words


def _same_article(one: str, other: str) -> bool:
    """Return whether the articles may match: `The Girl` is not `A Girl`, but `The Hobbit` is `O Hobbit`."""
    if not _same_or_missing(one, other):
        # In Portuguese "a" is a definite article: A Peste, La Peste.
        indefinite = _INDEFINITE_ARTICLES - {"a"}
        return {one, other} != {"a", "the"} and (one in indefinite) == (other in indefinite)
    return True


def _same_or_missing(one: str | tuple[object, ...], other: str | tuple[object, ...]) -> bool:
    return not one or not other or one == other


def _same_spelling(word: str, other: str) -> bool:
    """Return whether two words with the same letters may be the same word: `avô` matches `avo`, but not `avó`.

    Conjunctions of different languages match only if one of them is `&` or "and".
    """
    if word in CONJUNCTIONS and other in CONJUNCTIONS:
        return word == other or "and" in (word, other)
    return _same_or_missing(_accents(word), _accents(other))


def _accents(word: str) -> tuple[tuple[int, str], ...]:
    """Return the accents of Latin and Greek letters, each with the number of its run of vowels or consonants.

    Within a run, accents may be on different letters: `hoà` equals `hòa`, but `público` does not equal `publicó`.
    """
    letters = unicodedata.normalize("NFD", word).translate(_CEDILLA)
    if re.search("[α-ω]", letters):
        letters = letters.translate(_MODERN_GREEK)
    elif not re.search("[a-z]", letters):
        return ()
    found: list[tuple[int, str]] = []
    run, vowel = 0, False
    for char in letters:
        if _MARKS.match(char):
            found.append((run, char))
        elif (char in _VOWELS) != vowel:
            run, vowel = run + 1, not vowel
    return tuple(sorted(found))
