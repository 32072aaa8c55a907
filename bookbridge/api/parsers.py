"""Reading bodies."""

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
