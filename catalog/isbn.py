"""Normalization of ISBNs to the 13 digits of an ISBN-13."""

import re
import unicodedata
from contextlib import suppress

from django.utils.translation import gettext_lazy as _
from stdnum import isbn
from stdnum.exceptions import ValidationError

from core.search.normalize import ascii_digits

# Spaces and dashes of any kind, and the invisible characters that get pasted along with them.
_SEPARATOR_CATEGORIES = {"Pd", "Zs", "Cf", "Cc"}
_MAX_LENGTH = 40
# Labels such as `ISBN`, `ISBN-13`, `ISBN (13):`, `ISBN nº`, `EAN` or `urn:isbn:`.
_LABEL = r"(?:urn:)?(?:[ep]?isbn|ean)(?:\(?1[03]\)?)?(?:n(?:\.?[o°]|[uú]mero|umber|r)?\.?)?[:.#]*"
# After the separators are removed.
_LABELED = re.compile(rf"(?:{_LABEL})?([0-9]{{13}}|[0-9]{{9}}[0-9X]|[1-9][0-9]{{7}}[0-9X])", re.IGNORECASE)
# Library catalogs write the binding after the number: `(pbk.)`, `(capa dura)`.
_BRACKETS = re.compile(r"(?<=\S)(?:\s*(?:\([^()]*\)|\[[^\[\]]*\]))+\s*[.,;:]*\s*$|(?<=\S)[.,;:\s]+$")
# ISBN-13 or ISBN-10 among other words, with or without a label.
_IN_TEXT = re.compile(
    r"(?<![\w-])(?:(?:urn:)?[ep]?-?isbn\b[^0-9\w]*(?:1[03]\b[^0-9\w]+)?(?:n[.º°o]*[^0-9\w]+)?)?"
    r"(97[89](?:[\s\u00ad\u2010-\u2015\u2212-]*[0-9]){10}|(?:[0-9][\s\u2010-\u2015\u2212-]*){9}[0-9X])(?!\w)",
    re.IGNORECASE,
)
# The first nine digits of numbers with a right check digit that people and programs enter if they have no ISBN.
_PLACEHOLDERS = {*(digit * 9 for digit in "0123456789"), "012345678", "123456789", "987654321"}

INVALID_ISBN_MESSAGE = _("Enter a valid ISBN; the length or check digit is wrong.")


def normalize_isbn(text: str) -> str:
    """Return the ISBN-13 that `text` spells, as 13 digits; an ISBN-10 is converted to its 978 form.

    Ignores hyphens, spaces, a label such as `ISBN-13:` before it and brackets after it. Reads what spreadsheets write:
    `="0306406152"`, or one leading zero less.

    Raises ValueError, with a reason in English for logs and reports, for a wrong length or check digit, for article
    numbers that are not ISBNs (a prefix other than 978 and 979, and 979-0, which is sheet music) and for placeholders
    such as `1111111111`.
    """
    if len(text) > _MAX_LENGTH:
        raise ValueError("This is too long for an ISBN.")
    text = _BRACKETS.sub("", ascii_digits(unicodedata.normalize("NFKC", text)).strip())
    plain = "".join(c for c in text if unicodedata.category(c) not in _SEPARATOR_CATEGORIES)
    match = _LABELED.fullmatch(plain.replace("\u2212", "").strip("='\""))
    if not match:
        raise ValueError("An ISBN has 10 or 13 digits.")
    plain = match[1].rjust(10, "0")
    if len(plain) == 13 and (plain[:3] not in ("978", "979") or plain.startswith("9790")):
        raise ValueError("This article number is not an ISBN.")
    try:
        isbn13 = str(isbn.to_isbn13(isbn.validate(plain.upper())))
    except ValidationError:
        raise ValueError("The check digit of this ISBN is wrong.") from None
    if isbn13[3:12] in _PLACEHOLDERS:
        raise ValueError("This number is a placeholder, not an ISBN.")
    return isbn13


def find_isbn(text: str) -> tuple[str, str] | None:
    """Return the ISBN-13 that a text contains, and the text without it; None if it contains no ISBN."""
    with suppress(ValueError):
        return normalize_isbn(text), ""
    text = ascii_digits(unicodedata.normalize("NFKC", text))
    for match in _IN_TEXT.finditer(text):
        with suppress(ValueError):
            return normalize_isbn(match[1]), f"{text[: match.start()]} {text[match.end() :]}"
    return None
