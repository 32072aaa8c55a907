"""Writing answers."""

from typing import Any

from rest_framework import renderers


class JSONRenderer(renderers.JSONRenderer):
    """JSON in UTF-8; also for a client that asks for `application/problem+json` alone."""

    charset = None


class BrowsableAPIRenderer(renderers.BrowsableAPIRenderer):
    """The pages for development: no dropdown that would load a whole table."""

    def get_context(self, data: Any, accepted_media_type: str | None, renderer_context: Any) -> dict[str, Any]:
        """DRF's context, without forms that list related rows; the raw-data form stays."""
        return super().get_context(data, accepted_media_type, renderer_context) | {"display_edit_forms": True}

    def get_rendered_html_form(self, data: Any, view: Any, method: str, request: Any) -> Any:
        """No rendered form but for the buttons that need one."""
        return super().get_rendered_html_form(data, view, method, request) if method in ("DELETE", "OPTIONS") else None
