"""Normalization of ISBNs to the 13 digits of an ISBN-13."""

import re
import unicodedata

from django.utils.translation import gettext_lazy as _
from stdnum import isbn
from stdnum.exceptions import ValidationError

# Spaces and dashes of any kind, and the invisible characters that get pasted along with them.
_SEPARATOR_CATEGORIES = {"Pd", "Zs", "Cf", "Cc"}
_MAX_LENGTH = 40
# With or without a label such as `ISBN`, `ISBN-13` or `EAN`, after the separators are removed.
_LABELED = re.compile(
    r"(?:(?:e?isbn(?:1[03])?|ean(?:13)?)[:.#]?)?([0-9]{13}|[0-9]{9}[0-9X]|[1-9][0-9]{7}[0-9X])", re.IGNORECASE
)

INVALID_ISBN_MESSAGE = _("Enter a valid ISBN; the length or check digit is wrong.")


def normalize_isbn(text: str) -> str:
    """Return the ISBN-13 that `text` spells, as 13 digits; an ISBN-10 is converted to its 978 form.

    Ignores hyphens, spaces and a leading `ISBN` or `ISBN-13:`. Reads what spreadsheets write: `="0306406152"`, or one
    leading zero less.

    Raises ValueError, with a reason in English for logs and reports, for a wrong length or check digit and for article
    numbers that are not ISBNs (a prefix other than 978 and 979, and 979-0, which is sheet music).
    """
    if len(text) > _MAX_LENGTH:
        raise ValueError("This is too long for an ISBN.")
    plain = "".join(
        c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) not in _SEPARATOR_CATEGORIES
    )
    match = _LABELED.fullmatch(plain.replace("\u2212", "").strip("='\""))
    if not match:
        raise ValueError("An ISBN has 10 or 13 digits.")
    plain = match[1].rjust(10, "0")
    if len(plain) == 13 and (plain[:3] not in ("978", "979") or plain.startswith("9790")):
        raise ValueError("This article number is not an ISBN.")
    try:
        return str(isbn.to_isbn13(isbn.validate(plain.upper())))
    except ValidationError:
        raise ValueError("The check digit of this ISBN is wrong.") from None
