"""Normal forms of text, for comparing names and searching words in the same way on every database.

Databases compare text differently (MariaDB and MySQL ignore case and accents, SQLite does not). So whatever must be
unique or searchable is normalized here and compared bytewise (`core.db.fields`).
"""

import re
import unicodedata
from contextlib import suppress
from hashlib import sha256

import idna

# Letters with strokes and ligatures have no decomposition in Unicode, but people search for the plain ones.
_REPLACEMENTS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"}
)

_INVISIBLE = {"Cc", "Cf", "Zs", "Zl", "Zp", "Cn", "Co", "Cs"}
# Letters without a visible glyph: Hangul fillers, the braille blank, variation selectors.
_BLANK_LETTERS = set("\u115f\u1160\u3164\uffa0\u2800\u034f") | {chr(c) for c in range(0xFE00, 0xFE10)}


# Characters that break a line or change the text direction: controls, the line and paragraph separators, and the
# embedding, override and isolate marks. The joiner of emoji (U+200D) and the plain direction marks (U+200E, U+200F) are
# allowed; NUL has its own validation error.
_NOT_SINGLE_LINE = re.compile("[\x01-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def is_single_line(text: str) -> bool:
    """Return whether the text has no characters that break lines or change the direction of the text after it."""
    return not _NOT_SINGLE_LINE.search(text)


def to_single_line(text: str) -> str:
    """Remove such characters and collapse whitespace; for text from other sources."""
    return " ".join(_NOT_SINGLE_LINE.sub(lambda found: " " if found[0] < "\u202a" else "", text).split())


def normalize_identifier(text: str) -> str:
    """Return the form in which usernames and e-mail addresses are compared: NFKC, case-folded, stripped.

    The domain of an address is in A-labels, so that both spellings of a mailbox are equal. A domain that IDNA rejects
    is treated as other text.
    """
    text = unicodedata.normalize("NFKC", text).strip()
    local, at, domain = text.rpartition("@")
    if at:
        with suppress(ValueError):
            return f"{_fold(local)}@{ascii_domain(domain)}"
    return _fold(text)


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text.casefold()).strip()


def ascii_domain(domain: str) -> str:
    """Return a domain in A-labels (IDNA 2008 with the mapping of UTS 46). Raises ValueError if IDNA rejects it.

    Not by case folding, which would turn `straße.example` into another domain.
    """
    if domain.isascii() and "xn--" not in domain.lower():
        return domain.lower()
    return idna.encode(domain, uts46=True, std3_rules=True).decode()


def ascii_address(address: str) -> str:
    """Return an e-mail address as mail servers know it, with the domain in A-labels."""
    local, at, domain = address.rpartition("@")
    if not domain.isascii():
        with suppress(ValueError):
            return f"{local}{at}{ascii_domain(domain)}"
    return address


def fold_case_and_accents(text: str) -> str:
    """Remove case, accents and extra whitespace: `  Gabriel GARCÍA ` becomes `gabriel garcia`."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in decomposed if not unicodedata.category(c).startswith("M"))
    return " ".join(unicodedata.normalize("NFKC", plain).casefold().translate(_REPLACEMENTS).split())


def split_words(text: str) -> list[str]:
    """Return the folded words of a text in order: `Cem Anos de Solidão` gives `cem anos de solidao`."""
    return re.findall(r"[^\W_]+", fold_case_and_accents(text))


def is_blank(text: str) -> bool:
    """Return whether the text has only invisible characters, such as spaces, controls and zero-width characters."""
    return all(unicodedata.category(c) in _INVISIBLE or c in _BLANK_LETTERS for c in text)


def language_tag(code: str) -> str:
    """Return the tag in the usual case (RFC 5646, 2.1.1): `pt-br` gives `pt-BR`, `zh-hant` gives `zh-Hant`."""
    first, *others = code.split("-")
    cased = [part.upper() if len(part) == 2 else part.title() if len(part) == 4 else part.lower() for part in others]
    return "-".join([first.lower(), *cased])


def sha256_hex(text: str) -> str:
    """Return the SHA-256 of a text as hex, the form in which secrets are stored. Lone surrogates count as `?`."""
    return sha256(text.encode("utf-8", "replace")).hexdigest()
