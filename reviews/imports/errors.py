"""Errors of imports, and the messages of their codes."""

from typing import Any

from django.utils.translation import gettext_lazy as _

# Why a whole file is rejected.
FILE_MESSAGES = {
    "not_csv": _("This is not a valid CSV file."),
    "wrong_columns": _(
        "The header row does not match this kind of export. Missing columns: %(missing)s. Columns found: %(found)s."
    ),
    "duplicate_columns": _("The header row has several columns with the same name: %(names)s."),
    "too_many_rows": _("The file has too many rows for one import."),
}
# Why an import was stopped.
FAILURE_MESSAGES = {
    "account_closed": _("The account was closed or suspended."),
    "gave_up": _("The import failed repeatedly. Please try again later."),
}
# Why a row failed.
ROW_MESSAGES = {
    "bad_cells": _("Wrong number of columns, or unbalanced quotes."),
    "unreadable": _("Invalid encoding or unsupported characters."),
    "bad_title": _("The title is missing or invalid."),
    "bad_author": _("The author is missing or invalid."),
    "bad_rating": _("Invalid rating."),
    "bad_readings": _("Invalid readings."),
    "unexpected": _("An internal error occurred. It has been logged."),
}
# Why rows were skipped, and what was changed in imported rows.
REMARK_MESSAGES = {
    "nothing_to_review": _("Skipped: no rating and no review."),
    "reading_only": _("No rating and no review; only the reading was saved."),
    "unchanged": _("The same review already exists."),
    "reviewed_here": _("You already have a review of this book."),
    "edited_here": _("You have edited the review since it was imported."),
    "newer_here": _("Your existing review is newer."),
    "same_book": _("Another row of the file is about the same book."),
    "book_added": _("The book was not in the catalog and has been added."),
    "rating_rounded": _("The rating was rounded to half stars."),
    "text_cut": _("The text was too long and has been truncated."),
    "bad_date": _("Invalid date; the review has no date."),
    "ambiguous_date": _("The day and the month cannot be told apart; the review has no date."),
    "no_date": _("The row has no date, and neither has the review."),
    "bad_isbn": _("Invalid ISBN ignored."),
    "other_title": _("The book with this ISBN has another title and author."),
    "rounded_isbn": _("A spreadsheet has rounded the ISBN, so it was ignored."),
    "shared_isbn": _("ISBN ignored, because the file has it for different titles."),
}
# Messages by the stored code.
REASON_MESSAGES = FILE_MESSAGES | FAILURE_MESSAGES | ROW_MESSAGES | REMARK_MESSAGES


class InvalidFileError(Exception):
    """The file is not a valid export; `code` is a key of `FILE_MESSAGES`.

    `message` replaces the one of the code, and `values` fill its placeholders.
    """

    def __init__(self, code: str, message: Any = None, **values: str) -> None:
        super().__init__(code)
        self.code = code
        self.message = str(message or FILE_MESSAGES[code]) % values


class InvalidRowError(Exception):
    """The row cannot be imported; `code` is a key of `ROW_MESSAGES`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
