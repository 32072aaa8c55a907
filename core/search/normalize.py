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
# Marks that readers leave out: the accents of Latin, Greek and Cyrillic letters, Hebrew points, Arabic harakat and the
# tatweel. The marks of other scripts have blocks of their own and are letters (vowels, voicing, nukta, virama).
_ACCENTS = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\u2de0-\u2dff\ufe20-\ufe2f"
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    "\u0610-\u061a\u0640\u064b-\u0652\u0656-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed]+"
)
# Cyrillic letters that only look like another one with an accent. Not among them: ё, ѐ and ѝ, which are also written
# without it.
_NOT_CYRILLIC_LETTERS = re.compile("[^ѓїќўйѷӂӑӓӗӛӝӟӣӥӧӫӭӯӱӵӹ]+")
# Letters that older texts write as another letter, a virama and a zero-width joiner: the Malayalam chillus and the
# Bengali khanda ta. Without the joiner, which is ignored.
_OLDER_SPELLINGS = str.maketrans({"ൺ": "ണ്", "ൻ": "ന്", "ർ": "ര്", "ൽ": "ല്", "ൾ": "ള്", "ൿ": "ക്", "ৎ": "ত্"})
# Unicode's Default_Ignorable_Code_Point: soft hyphens, zero-width characters, direction marks, variation selectors,
# fillers, tags.
_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
# Also letters that are typed or printed as one, and accents that stand alone.
APOSTROPHES = re.compile(
    "['`\u00b4\u02b9-\u02bf\u055a\u05f3\u1fbd\u1fbf\u2018\u2019\u201b\u2032\ua78b\ua78c\uff07\uff40]"
)
# Two or more single letters with full stops: J.R.R., J. R. R., P.S
_INITIALS = re.compile(r"(?<!\w)[^\W\d_](?:\.[^\W\d_](?!\w)|\.\s+[^\W\d_](?=\.))+\.?")
# The signs in the names C++, C# and A+, also before a number: C++17.
_SIGNS = re.compile(r"(?<!\w)([^\W\d_])([+#♯]+)(?![^\W\d])")
_SIGN_NAMES = str.maketrans({"+": "plus", "#": "sharp", "♯": "sharp"})

_INVISIBLE = {"Cc", "Cf", "Zs", "Zl", "Zp", "Cn", "Co", "Cs"}
# Symbols without a visible glyph: the braille blank and the null notehead of music.
_BLANK_SYMBOLS = {"\u2800", "\U0001d159"}


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
    """Remove case, accents, invisible characters and extra whitespace: `  Gabriel GARCÍA ` becomes `gabriel garcia`."""
    plain = _NOT_CYRILLIC_LETTERS.sub(
        lambda found: _ACCENTS.sub("", unicodedata.normalize("NFKD", found[0])), fold_case(text)
    )
    return " ".join(unicodedata.normalize("NFKC", plain).casefold().translate(_REPLACEMENTS).split())


def fold_case(text: str) -> str:
    """Remove case, invisible characters and differences of encoding (NFKC)."""
    # Case folding makes a letter of the Greek iota subscript, and leaves a dot on the i of the Turkish capital.
    visible = unicodedata.normalize("NFD", _IGNORABLE.sub("", text)).replace("\u0345", "")
    folded = unicodedata.normalize("NFKC", visible).casefold().replace("i\u0307", "i")
    return unicodedata.normalize("NFKC", folded.translate(_OLDER_SPELLINGS))


def split_words(text: str) -> list[str]:
    """Return the folded words of a text in order: `Cem Anos de Solidão` gives `cem anos de solidao`.

    Apostrophes and the full stops of initials do not end a word: `J.R.R.’s` gives `jrrs`. Hyphens do.
    """
    return _split(fold_case_and_accents(_join_words(text)))


def split_accented_words(text: str) -> list[str]:
    """Return the words as `split_words` does, but with their accents."""
    return _split(_join_words(text))


def _join_words(text: str) -> str:
    """Fold the case of `text`, and write as one word what is one."""
    text = fold_case(APOSTROPHES.sub("", text))
    text = _INITIALS.sub(lambda found: re.sub(r"\W", "", found[0]) + " ", text)
    return _SIGNS.sub(lambda found: f"{found[1]}{found[2].translate(_SIGN_NAMES)} ", text)


def _split(text: str) -> list[str]:
    """Return the parts that consist of letters, digits and marks; in many scripts a vowel is a mark."""
    return "".join(c if c.isalnum() or unicodedata.category(c).startswith("M") else " " for c in text).split()


def is_blank(text: str) -> bool:
    """Return whether the text has only invisible characters, such as spaces, controls and zero-width characters."""
    return all(unicodedata.category(c) in _INVISIBLE or c in _BLANK_SYMBOLS for c in _IGNORABLE.sub("", text))


def language_tag(code: str) -> str:
    """Return the tag in the usual case (RFC 5646, 2.1.1): `pt-br` gives `pt-BR`, `zh-hant` gives `zh-Hant`."""
    first, *others = code.split("-")
    cased = [part.upper() if len(part) == 2 else part.title() if len(part) == 4 else part.lower() for part in others]
    return "-".join([first.lower(), *cased])


def sha256_hex(text: str) -> str:
    """Return the SHA-256 of a text as hex, the form in which secrets are stored. Lone surrogates count as `?`."""
    return sha256(text.encode("utf-8", "replace")).hexdigest()
