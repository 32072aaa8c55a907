"""Mentions (`@username`) in posts."""

import re
import unicodedata

from core.search.normalize import normalize_identifier

# Further mentions in the same post are ignored.
MAX_MENTIONS = 20
MIN_LENGTH, MAX_LENGTH = 3, 30
# Input methods of East Asian languages type a fullwidth `＠`.
_MENTION = re.compile(r"[@＠]([A-Za-z0-9][A-Za-z0-9_.-]*)")
# The beginning of a URL, such as `https://` or `example.org/`, but not of `@ana.lima/@max`.
_URL = re.compile(r"://|(?<![\w@＠.-])[\w-]+(?:\.[\w-]+)+(?::\d+)?/")


def extract_mentions(text: str) -> list[list[str]]:
    """Return the mentions in a text, each as the normalized usernames that it may mean, the longest first.

    Punctuation after a username may also be part of one: `@ana.Obrigado` means `ana.obrigado`, or else `ana`.
    """
    text = unicodedata.normalize("NFC", text)
    mentions: dict[str, list[str]] = {}
    for match in _MENTION.finditer(text):
        name = normalize_identifier(match[1])
        if name not in mentions and (candidates := _candidates(name)) and not _is_in_address(text, match):
            mentions[name] = candidates
        if len(mentions) == MAX_MENTIONS:
            break
    return list(mentions.values())


def _is_in_address(text: str, match: re.Match[str]) -> bool:
    """Return whether the match is part of an e-mail address or a URL, or is followed by more letters of its word."""
    before = text[: match.start()].rstrip("_-")[-1:]
    after = text[match.end() : match.end() + 1]
    is_local_part = after in {"@", "＠"} and not match[1].endswith(".")
    if before in {"@", "＠"} or _is_alphabetic(before) or is_local_part or _is_alphabetic(after):
        return True
    return before == "/" and bool(_URL.search(text[: match.start()].rsplit(maxsplit=1)[-1]))


def _is_alphabetic(char: str) -> bool:
    """Return whether it is a digit or a letter of a script with upper and lower case; Chinese needs no spaces."""
    return char.isdecimal() or char.lower() != char.upper()


def _candidates(name: str) -> list[str]:
    """Return the prefixes of a name that could be usernames: those that end before or with punctuation."""
    ends = {len(name)} | {end for mark in re.finditer(r"[_.-]", name) for end in mark.span()}
    return [name[:end] for end in sorted(ends, reverse=True) if MIN_LENGTH <= end <= MAX_LENGTH]
