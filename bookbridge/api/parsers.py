"""Reading bodies."""

import json
from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser as BaseJSONParser


class JSONParser(BaseJSONParser):
    """JSON in UTF-8, whatever charset the header claims (RFC 8259: it has none).

    Nesting too deep to read is 400 as any other body that is no JSON, not 500.
    """

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The parsed body."""
        try:
            return super().parse(stream, media_type, {**(parser_context or {}), "encoding": "utf-8"})
        except (RecursionError, UnicodeDecodeError):
            raise ParseError(_("The body is not JSON in UTF-8.")) from None
        except ParseError as error:
            raise ParseError(_told(error.__context__)) from None


def _told(error: BaseException | None) -> str:
    """What is wrong with the body, in the caller's language; Python says it in English alone."""
    if isinstance(error, json.JSONDecodeError):
        text = _("The body is not JSON: line %(line)d, column %(column)d.")
        return text % {"line": error.lineno, "column": error.colno}
    return str(_("The body is not JSON in UTF-8."))
