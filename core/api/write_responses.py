"""Headers of responses with an object: its `ETag`, and the `Location` of a new one."""

from collections.abc import Mapping
from typing import Any

from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.conditional import compute_state, set_etag

WRITE_METHODS = ("POST", "PUT", "PATCH")


class WriteResponseMixin:
    """Give a response that contains the object the ETag of the next GET, and a new object its `Location`.

    An action that responds with something else sets `responds_with_object = False`, and its own headers if it has any.
    """

    responds_with_object = True

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Add the headers. The ETag contains a digest of the bytes, so it is set after rendering."""
        response = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]
        if not (_is_json_object(response) and (self.responds_with_object or request.method not in WRITE_METHODS)):
            return response
        if "results" not in response.data:  # a list
            response.state = compute_state(response.data)  # type: ignore[attr-defined]
        if request.method not in WRITE_METHODS:
            return response
        response.add_post_render_callback(set_etag)
        if response.status_code in (201, 202) and self.has_location:
            response["Location"] = self.get_location(response.data)
        return response

    @property
    def has_location(self) -> bool:
        """Whether a new object has a GET of its own."""
        return hasattr(self, "retrieve")

    def get_location(self, data: Mapping[str, Any]) -> str:
        """Return the URL of the new object."""
        view: Any = self
        lookup = view.lookup_url_kwarg or view.lookup_field
        return str(view.reverse_action("detail", kwargs={**view.kwargs, lookup: data["id"]}))


def _is_json_object(response: HttpResponseBase) -> bool:
    return (
        isinstance(response, Response)
        and response.status_code < 300
        and isinstance(response.data, dict)
        and response.accepted_renderer.format == "json"
    )
