"""Decoding of uploaded files: UTF-8, UTF-16 and Windows-1252, as spreadsheets save them."""

import codecs
import re

from django.utils.translation import gettext_lazy as _

from reviews.imports.errors import InvalidFileError

_UTF_16_BOMS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}

_SPREADSHEET = _("This is a spreadsheet file. Save it as CSV and upload that.")
_ARCHIVE = _("This is a compressed archive. Unpack it and upload the CSV file.")
# Files that people upload by mistake, by their beginning.
_OTHER_FILES = {
    rb"PK\x03\x04(?=.*(xl/|opendocument\.spreadsheet))": _SPREADSHEET,
    rb"\xd0\xcf\x11\xe0": _SPREADSHEET,
    rb"PK\x03\x04|\x1f\x8b|Rar!|7z\xbc\xaf": _ARCHIVE,
    rb"%PDF": _("This is a PDF document, not a CSV file."),
    rb"(\xef\xbb\xbf)?\s*<(!doctype html|html)\b": _("This is a web page, not a CSV file. Download the export itself."),
}


def decode(data: bytes) -> str:
    """Return the text of a file. Raises InvalidFileError for other kinds of files.

    Bytes that are invalid in the file's encoding become surrogates, so that only their row is rejected.
    """
    for pattern, message in _OTHER_FILES.items():
        if re.match(pattern, data, re.IGNORECASE | re.DOTALL):
            raise InvalidFileError("not_csv", message)
    if encoding := _utf_16(data):
        whole_units = data[: len(data) // 2 * 2]
        return whole_units.decode(encoding, "surrogatepass").removeprefix("\ufeff")
    text = data.decode("utf-8-sig", "surrogateescape")
    return data.decode("cp1252") if _is_windows_1252(data, text) else text


def _utf_16(data: bytes) -> str | None:
    """Return the variant of UTF-16. Without a byte order mark, every other byte of the ASCII header is NUL."""
    if encoding := _UTF_16_BOMS.get(data[:2]):
        return encoding
    even, odd = data[:32:2], data[1:32:2]
    if b"\0" not in even and not odd.strip(b"\0") and odd:
        return "utf-16-le"
    return "utf-16-be" if b"\0" not in odd and not even.strip(b"\0") and even else None


def _is_windows_1252(data: bytes, text: str) -> bool:
    """Return whether the file is in Windows-1252, rather than UTF-8 with some damaged rows.

    That is, most of its characters outside ASCII are not UTF-8. A NUL or an undefined byte is damage in both encodings.
    """
    invalid = len(text) - len(text.encode("utf-8", "ignore").decode())
    not_ascii = len(text) - len(text.encode("ascii", "ignore"))
    if 2 * invalid <= not_ascii or b"\0" in data:
        return False
    return not re.search(rb"[\x81\x8d\x8f\x90\x9d]", data)
