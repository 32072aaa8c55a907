"""Parsers of request bodies."""

import json
from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser as BaseJSONParser


class JSONParser(BaseJSONParser):
    """JSON in UTF-8; the charset of the header is ignored (RFC 8259 has none).

    Nesting that is too deep is 400, like any other body that is not JSON.
    """

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the parsed body."""
        try:
            return super().parse(stream, media_type, {**(parser_context or {}), "encoding": "utf-8"})
        except (RecursionError, UnicodeDecodeError):
            raise ParseError(_("The body is not JSON in UTF-8.")) from None
        except ParseError as error:
            raise ParseError(_parse_error_message(error.__context__)) from None


def _parse_error_message(error: BaseException | None) -> str:
    """Return a message in the user's language; those of Python are in English only."""
    if isinstance(error, json.JSONDecodeError):
        text = _("The body is not JSON: line %(line)d, column %(column)d.")
        return text % {"line": error.lineno, "column": error.colno}
    return str(_("The body is not JSON in UTF-8."))
