"""Normal forms of text: how names are compared and how words are searched, the same on every database.

Databases compare text each in their own way (MariaDB and MySQL ignore case and accents, SQLite does not), so what must
be unique or found is reduced to one written form here and compared bytewise (`bookbridge.api.fields.KeyField`).
"""

import re
import unicodedata

# Letters that carry a stroke or join two letters have no decomposition in Unicode; readers type the plain ones.
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"})

_INVISIBLE = {"Cc", "Cf", "Zs", "Zl", "Zp", "Cn", "Co", "Cs"}
# Letters that are drawn as nothing: Hangul fillers, the braille blank, variation selectors.
_BLANK_LETTERS = set("\u115f\u1160\u3164\uffa0\u2800\u034f") | {chr(c) for c in range(0xFE00, 0xFE10)}


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
