"""Normal forms of text: how names are compared and how words are searched, the same on every database.

Databases compare text each in their own way (MariaDB and MySQL ignore case and accents, SQLite does not), so what must
be unique or found is reduced to one written form here and compared bytewise (`bookbridge.api.fields.KeyField`).
"""

import re
import unicodedata
from hashlib import sha256

# Letters that carry a stroke or join two letters have no decomposition in Unicode; readers type the plain ones.
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"})

_INVISIBLE = {"Cc", "Cf", "Zs", "Zl", "Zp", "Cn", "Co", "Cs"}
# Letters that are drawn as nothing: Hangul fillers, the braille blank, variation selectors.
_BLANK_LETTERS = set("\u115f\u1160\u3164\uffa0\u2800\u034f") | {chr(c) for c in range(0xFE00, 0xFE10)}


# What breaks a line or turns the direction of what comes after it: controls, the two separators, and the marks that
# embed, override or isolate. What joins an emoji (U+200D) and the marks of a direction alone (U+200E, U+200F) are not;
# NUL has an error of its own.
_NOT_IN_A_LINE = re.compile("[\x01-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def is_one_line(text: str) -> bool:
    """Whether a name or title stays on its line and leaves what stands beside it as it is."""
    return not _NOT_IN_A_LINE.search(text)


def on_one_line(text: str) -> str:
    """The text without what a line cannot hold, and without outer or doubled space: for what others have written."""
    return " ".join(_NOT_IN_A_LINE.sub(lambda found: " " if found[0] < "\u202a" else "", text).split())


def identifier_key(text: str) -> str:
    """The form in which usernames and e-mail addresses are compared: NFKC, without case, without outer space."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip()


def fold(text: str) -> str:
    """Without case, accents and outer or doubled space: `  Gabriel GARCÍA ` becomes `gabriel garcia`."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in decomposed if not unicodedata.category(c).startswith("M"))
    return " ".join(unicodedata.normalize("NFKC", plain).casefold().translate(_PLAIN).split())


def words(text: str) -> list[str]:
    """The folded words of a text, in order: `Cem Anos de Solidão` gives `cem anos de solidao`."""
    return re.findall(r"[^\W_]+", fold(text))


def is_blank(text: str) -> bool:
    """Whether nothing of the text would be seen: spaces, controls, zero-width and other invisible characters."""
    return all(unicodedata.category(c) in _INVISIBLE or c in _BLANK_LETTERS for c in text)


def language_tag(code: str) -> str:
    """A language as people write it (RFC 5646, 2.1.1): `pt-BR` and `zh-Hant` for `pt-br` and `zh-hant`."""
    first, *others = code.split("-")
    cased = [part.upper() if len(part) == 2 else part.title() if len(part) == 4 else part.lower() for part in others]
    return "-".join([first.lower(), *cased])


def digest_of(text: str) -> str:
    """The SHA-256 of a text: the form in which a secret is kept and found. A lone surrogate counts as `?`."""
    return sha256(text.encode("utf-8", "replace")).hexdigest()
