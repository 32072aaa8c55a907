"""International Standard Book Numbers in their one written form: the 13 digits of an ISBN-13."""

import re
import unicodedata

from django.utils.translation import gettext_lazy as _
from stdnum import isbn
from stdnum.exceptions import ValidationError

# Whatever people put between the groups: spaces and dashes of any kind, and invisible characters that are pasted along.
_SEPARATOR_CATEGORIES = {"Pd", "Zs", "Cf", "Cc"}
_LONGEST = 40

# What people are told; the reasons that `normal_isbn` gives are for logs and reports.
NO_ISBN = _("This is no ISBN: its length or check digit is wrong.")


def normal_isbn(text: str) -> str:
    """The ISBN-13 that `text` spells, as 13 digits; ISBN-10 becomes its 978 form.

    Hyphens, spaces and a leading `ISBN` or `ISBN-13:` do not matter. Raises ValueError, with the reason in English,
    for a wrong check digit, a wrong length, and for article numbers that are no book (prefix not 978 or 979; 979-0
    is sheet music).
    """
    if len(text) > _LONGEST:
        raise ValueError("This is too long for an ISBN.")
    plain = "".join(
        c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) not in _SEPARATOR_CATEGORIES
    )
    plain = re.sub(r"^isbn(1[03](?=:))?:?", "", plain.replace("\u2212", ""), flags=re.IGNORECASE)
    if not re.fullmatch(r"[0-9]{9}[0-9Xx]|[0-9]{13}", plain):
        raise ValueError("An ISBN has 10 or 13 digits.")
    if len(plain) == 13 and (plain[:3] not in ("978", "979") or plain.startswith("9790")):
        raise ValueError("This article number is no book's.")
    try:
        return str(isbn.to_isbn13(isbn.validate(plain.upper())))
    except ValidationError:
        raise ValueError("The check digit of this ISBN is wrong.") from None
