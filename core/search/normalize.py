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
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŧ": "t"}
    # West African languages, and ə of Azerbaijani
    | dict(zip("ɓɖɗɛəǝƒɠɣɨɩƙŋɲɔʉʊʋƴ", "bddeeefggiiknnouuvy", strict=True))
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
# Letters with several codes. Older texts write the Malayalam chillus and the Bengali khanda ta as another letter, a
# virama and a zero-width joiner, which is ignored. Persian and Urdu keyboards have a yeh and a kaf of their own. The
# Arabic alef maksura is another letter, also where it looks like a yeh.
_SAME_LETTERS = str.maketrans(
    {"ൺ": "ണ്", "ൻ": "ന്", "ർ": "ര്", "ൽ": "ല്", "ൾ": "ള്", "ൿ": "ക്", "ৎ": "ত্"} | {"\u06cc": "\u064a", "\u06a9": "\u0643"}
)
# Thai and Lao vowels that look the same when typed in another way: the ring of am before the tone mark, and e twice for
# ae.
_RING_AND_TONE = re.compile("(\u0e4d)([\u0e48-\u0e4b])|(\u0ecd)([\u0ec8-\u0ecb])")
_DOUBLE_E = {"\u0e40\u0e40": "\u0e41", "\u0ec0\u0ec0": "\u0ec1"}
# Scripts that have digits or vowels of these kinds.
_OTHER_SCRIPTS = re.compile("[\u0600-\u1dff\ua000-\U0010ffff]")
_OTHER_DIGITS = re.compile(r"[^\D0-9]")
# The place between a number and a fraction, which NFKC would join: 8½ is 8 1/2.
_BEFORE_FRACTION = re.compile(r"(?<=\d)(?=[\u00bc-\u00be\u2150-\u215e\u2189])")
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
# Quotation marks inside Hebrew acronyms: תנ״ך, תנ"ך.
_GERSHAYIM = re.compile('(?<=[\u05b0-\u05ea])["\u201c-\u201e\u2033\u05f4](?=[\u05d0-\u05ea])')
# The full stop before a raised letter: 2.ª, n.º.
_BEFORE_RAISED = re.compile(r"(?<=\w)\.(?=[ªº\u02b0-\u02b8\u1d2c-\u1d6a])")
# Numbers in groups of three digits, in India also of two: 20,000, 20.000, 1,00,000. Spaces that break are not among the
# separators, because they also separate two numbers.
_GROUPED_NUMBER = re.compile(
    r"(?<!\d)(?<!\d[.,])\d{1,3}(?:,\d\d(?=,))*(?:[.,\u00a0\u066c\u2009\u202f\uff0c\uff0e]\d{3})+(?!\d)"
)
# The signs in the names C++, C# and A+, also before a number: C++17.
SIGNS = re.compile(r"(?<!\w)([^\W\d_])([+#♯♭]+)(?![^\W\d])")
_SIGN_NAMES = str.maketrans({"+": "plus", "#": "sharp", "♯": "sharp", "♭": "flat"})

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
    folded = fold_case(text)
    if not folded.isascii():
        folded = _NOT_CYRILLIC_LETTERS.sub(
            lambda found: _ACCENTS.sub("", unicodedata.normalize("NFKD", found[0])), folded
        )
        folded = unicodedata.normalize("NFKC", folded).casefold().translate(_REPLACEMENTS)
    return " ".join(folded.split())


def fold_case(text: str) -> str:
    """Remove case, invisible characters and differences of encoding: NFKC, ASCII digits, one code for each letter."""
    if text.isascii():
        return text.lower()
    # Case folding makes a letter of the Greek iota subscript, and leaves a dot on the i of the Turkish capital.
    visible = unicodedata.normalize("NFD", _IGNORABLE.sub("", text)).replace("\u0345", "")
    spaced = _BEFORE_FRACTION.sub(" ", visible)
    folded = unicodedata.normalize("NFKC", spaced).casefold().replace("i\u0307", "i")
    folded = unicodedata.normalize("NFKC", folded.translate(_SAME_LETTERS))
    if not _OTHER_SCRIPTS.search(folded):
        return folded
    for typed, letter in _DOUBLE_E.items():
        folded = folded.replace(typed, letter)
    return ascii_digits(_RING_AND_TONE.sub(r"\2\1\4\3", folded))


def ascii_digits(text: str) -> str:
    """Write the decimal digits of every script as 0 to 9."""
    return _OTHER_DIGITS.sub(lambda found: str(unicodedata.decimal(found[0])), text)


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
    text = _GROUPED_NUMBER.sub(_letters_and_digits, text)
    text = fold_case(_BEFORE_RAISED.sub("", _GERSHAYIM.sub("", APOSTROPHES.sub("", text))))
    text = _INITIALS.sub(lambda found: f"{_letters_and_digits(found)} ", text)
    return SIGNS.sub(lambda found: f"{found[1]}{sign_names(found[2])} ", text)


def _letters_and_digits(found: re.Match[str]) -> str:
    return re.sub(r"\W", "", found[0])


def sign_names(signs: str) -> str:
    """Return the words for the signs that `SIGNS` matches."""
    return signs.translate(_SIGN_NAMES)


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
