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
_OTHER_ENCODING = _("The encoding of the file is not supported. Save it as UTF-8 and upload it again.")

# Letters, and the signs that stand for letters of other alphabets; without the punctuation of Windows-1252.
_WESTERN_WORD = re.compile("[A-Za-z\ufffd\u0152-\u0192¢-ª¬-º¼-¾À-ÿ]+")
# The kana of Shift JIS; their second byte may be an ASCII letter.
_SHIFT_JIS_KANA = re.compile("[\u0192\u201a]\\w")
# Shorter words may consist of accented letters alone: é, É, öö.
MIN_WORD_LENGTH = 3
MAX_ACCENTED_SHARE = 0.7
# Fewer different ones are no alphabet: AÉÉÉ.
MIN_ACCENTED_LETTERS = 4
# Signs and capitals that do not stand between the letters of a Western word: João in Mac Roman (Jo‹o) and in the code
# pages of DOS (JoÆo), Wisława in Windows-1250 (Wis³awa).
_MISPLACED_SIGN = re.compile("[a-z][‡‰ˆ‹›¢£¤¥§¨°²³¹¼½¾‚„\u0160\u0178\u017dÀ-ÖØ-Þ][a-z]|[a-z]\u017d\\b")


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
    if not _is_8_bit(data, text):
        return text
    western = data.decode("cp1252", "replace")
    if _is_other_alphabet(western) or _is_other_western_encoding(western):
        raise InvalidFileError("not_csv", _OTHER_ENCODING)
    # A byte that Windows-1252 does not define is damage.
    return text if re.search(rb"[\x81\x8d\x8f\x90\x9d]", data) else data.decode("cp1252")


def _utf_16(data: bytes) -> str | None:
    """Return the variant of UTF-16. Without a byte order mark, every other byte of the ASCII header is NUL."""
    if encoding := _UTF_16_BOMS.get(data[:2]):
        return encoding
    even, odd = data[:32:2], data[1:32:2]
    if b"\0" not in even and not odd.strip(b"\0") and odd:
        return "utf-16-le"
    return "utf-16-be" if b"\0" not in odd and not even.strip(b"\0") and even else None


def _is_8_bit(data: bytes, text: str) -> bool:
    """Return whether the file has one byte per character, rather than UTF-8 with some damaged rows.

    That is, most of its characters outside ASCII are not UTF-8. A NUL is damage in any encoding.
    """
    invalid = len(text) - len(text.encode("utf-8", "ignore").decode())
    not_ascii = len(text) - len(text.encode("ascii", "ignore"))
    return 2 * invalid > not_ascii and b"\0" not in data


def _is_other_alphabet(text: str) -> bool:
    """Return whether text that was decoded as Windows-1252 is in another encoding, because it has no ASCII letters.

    In the words of Western languages with accents, at most about half of the letters have one (`été`). In words of
    Cyrillic, Greek, Hebrew, Arabic, Thai, Chinese, Japanese or Korean, nearly all do.
    """
    words = [
        word
        for word in _WESTERN_WORD.findall(_SHIFT_JIS_KANA.sub("\ufffd\ufffd", text))
        if len(word) >= MIN_WORD_LENGTH and not word.isascii()
    ]
    letters = [char for word in words for char in word if not char.isascii()]
    is_alphabet = len(set(letters)) >= MIN_ACCENTED_LETTERS
    return is_alphabet and len(letters) > MAX_ACCENTED_SHARE * sum(map(len, words))


def _is_other_western_encoding(text: str) -> bool:
    """Return whether at least half of the words with other than ASCII letters have a sign where none can be."""
    words = [word for word in re.findall(r"[^\s,;\"]+", text) if not word.isascii()]
    return 2 * sum(bool(_MISPLACED_SIGN.search(word)) for word in words) >= len(words)
