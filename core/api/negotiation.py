"""Content negotiation of responses that have one format only."""

from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request


class IgnoreAcceptNegotiation(BaseContentNegotiation):
    """Ignore the Accept header: the response is always a file of one format, or an error."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Return the first parser."""
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        """Return the first renderer, which renders errors."""
        return renderers[0], renderers[0].media_type
