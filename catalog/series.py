"""The series in brackets at the end of a title: `(Discworld, #8; City Watch, #1)`, `(Duna, Livro 1)`."""

from __future__ import annotations

import re

from catalog.title_words import ARTICLES, title_words, without_accents
from core.search.normalize import split_words

# Words that are not part of the name of a series.
SERIES_WORDS = frozenset("series serie saga trilogy trilogia cycle ciclo chronicles cronicas".split())

# Words that number a volume: `(First Series)`, `(Segunda Série)`.
NUMBER_WORDS = frozenset(
    """
    first second third fourth fifth sixth seventh eighth ninth tenth one two three four five six seven eight nine ten
    primeiro primeira segundo segunda terceiro terceira quarto quarta quinto quinta sexto sexta um uma dois duas tres
    quatro cinco seis sete oito nove dez primero primera tercero tercera uno dos cuatro
    premier premiere deuxieme troisieme un deux trois quatre cinq erste zweite dritte eins zwei drei vier
    """.split()
)

# Words that make a subtitle or a bracket a part of a work.
PARTS = frozenset("vol volume part parte book livro libro tome tomo band".split())

# A name of a series without its article and series words, and a number in it.
Volume = tuple[tuple[str, ...], str]

# Brackets at the end, with at most one pair inside: `(Foundation (Publication Order), #1)`.
_BRACKETS = re.compile(r"\s*[(\[（［]((?:[^()\[\]（）［］]|[(（][^()（）]*[)）])*)[)\]）］]\s*$")
# Those with a word are an explanation; `(i)` is a number.
_INNER_BRACKETS = re.compile(r"[(（](?=[^()（）]*\w{4})[^()（）]*[)）]")
_ASCII_SIGNS = str.maketrans({"，": ",", "、": ",", "；": ";", "：": ":", "＃": "#", "№": "#"})
# `11`, `0.5`, `1-3`, `1/2`; a letter directly after the number belongs to it: `1A`.
_DIGITS = r"\d+(?:\.\d+)?(?:\s*[-\u2010-\u2015/]\s*\d+(?:\.\d+)?)?(?:[A-Za-z]\b)?"
_HASH_NUMBER = re.compile(rf"#\s*({_DIGITS})")
# `Book 11`, `Livro IV`, `nº 3`, or `, 11` at the end.
_WORD_NUMBER = re.compile(
    rf"(?:\b(?:book|bk|livro|libro|livre|buch|книга|кн|band|bd|tom[eo]?|том|no)\b\.?|\bn(?:\.?[º°]|\.))\s*"
    rf"({_DIGITS}|[ivxl]+(?=\s*(?:[,:]|$)))|,\s*(\d{{1,3}})\s*$",
    re.IGNORECASE,
)
# Words for a volume of a work, which is not the work: `Les Misérables (Les Misérables, tome 1)`.
_VOLUME_WORD = re.compile(r"\b(?:band|bd|tom[eo]?|том)\b", re.IGNORECASE)
_ROMAN_NUMERAL = re.compile("[ivxl]+")
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50}


def split_series(title: str) -> tuple[str, frozenset[Volume]]:
    """Return the title without the series in brackets at its end, and its volumes of series.

    `(Part 1)` and `(#1)` without the name of a series are volumes of the work and stay in the title, as do the words
    after a number: `(Harry Potter, #5, Part 1)`.
    """
    found = _BRACKETS.search(title)
    if not found or not title[: found.start()].strip():
        return title, frozenset()
    main, content = title[: found.start()], _INNER_BRACKETS.sub(" ", found[1]).translate(_ASCII_SIGNS)
    volumes: set[Volume] = set()
    others: list[str] = []
    for part in content.split(";"):
        numbered, rest = _split_part(part)
        volumes.update(numbered)
        others += [rest] if rest else []
    if not volumes:
        return (main if _is_unnumbered_series(content) else title), frozenset()
    if _VOLUME_WORD.search(content) and _series_name(main) in dict(volumes):
        return title, frozenset()
    rest = " ".join(others)
    repeated = split_words(main)[-len(split_words(rest)) :] == split_words(rest)
    return (main if not rest or repeated else f"{main} {rest}"), frozenset(volumes)


def _split_part(part: str) -> tuple[list[Volume], str]:
    """Return the volumes in one part of the brackets and the text after the last number, all of it without a volume.

    Of several words with a number, only the last is the number: `No. 1 Ladies' Detective Agency, Book 2`.
    """
    numbers = list(_HASH_NUMBER.finditer(part)) or list(_WORD_NUMBER.finditer(part))[-1:]
    volumes: list[Volume] = []
    name: tuple[str, ...] = ()
    end = 0
    for number in numbers:
        name = _series_name(part[end : number.start()]) or name
        if name:
            volumes.append((name, _normalize_number(number[number.lastindex or 1])))
        end = number.end()
    return volumes, part[end if volumes else 0 :].strip(" ,.:-\u2013")


def _series_name(text: str) -> tuple[str, ...]:
    """Return the words that identify a series; empty without a word."""
    words = without_accents(title_words(text)) if split_words(text) else ()
    words = words[1:] if len(words) > 1 and words[0] in ARTICLES else words
    return tuple(word for word in words if word not in SERIES_WORDS) or words


def _is_unnumbered_series(content: str) -> bool:
    words = without_accents(tuple(split_words(content)))
    if not words or len(words[-1]) == 1:  # (Saga A)
        return False
    return not SERIES_WORDS.isdisjoint(words) and not any(
        word in PARTS | NUMBER_WORDS or _ROMAN_NUMERAL.fullmatch(word) or re.search(r"\d", word) for word in words
    )


def _normalize_number(text: str) -> str:
    """Return the number with ASCII digits, without leading zeros; a Roman numeral as a number."""
    text = re.sub(r"\s+", "", text).casefold()
    if _ROMAN_NUMERAL.fullmatch(text):
        values = [_ROMAN[letter] for letter in text]
        return str(sum(-n if n < following else n for n, following in zip(values, [*values[1:], 0], strict=True)))
    text = re.sub(r"[\u2010-\u2015]", "-", text)
    return re.sub(r"\d+", lambda digits: str(int(digits[0])), re.sub(r"\.0$", "", text))
