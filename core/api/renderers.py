"""Renderers of responses."""

import datetime
from typing import Any

from rest_framework import renderers
from rest_framework.settings import api_settings
from rest_framework.utils import encoders


class JSONEncoder(encoders.JSONEncoder):
    """DRF's encoder, with times in the format of serializer fields."""

    def default(self, obj: Any) -> Any:
        """Return an object that JSON can represent."""
        if isinstance(obj, datetime.datetime):
            return obj.astimezone(datetime.UTC).strftime(str(api_settings.DATETIME_FORMAT))
        return super().default(obj)


class JSONRenderer(renderers.JSONRenderer):
    """JSON in UTF-8, without a charset in the header."""

    charset = None
    encoder_class = JSONEncoder


class BrowsableAPIRenderer(renderers.BrowsableAPIRenderer):
    """DRF's browsable API for development, without select fields that would load a whole table."""

    def get_context(self, data: Any, accepted_media_type: str | None, renderer_context: Any) -> dict[str, Any]:
        """Return DRF's context, with the raw form only."""
        return super().get_context(data, accepted_media_type, renderer_context) | {"display_edit_forms": True}

    def get_rendered_html_form(self, data: Any, view: Any, method: str, request: Any) -> Any:
        """Return a rendered form only for the buttons that need one."""
        return super().get_rendered_html_form(data, view, method, request) if method in ("DELETE", "OPTIONS") else None
