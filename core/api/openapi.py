"""Views of the OpenAPI document and of Swagger UI. All files come from this server."""

from functools import cache
from typing import Any

from django.http import HttpResponse
from django.utils import translation
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.exceptions import InvalidParameter
from core.api.renderers import JSONRenderer
from core.api.views import StrictQueryParamsMixin


class FormatQueryNegotiation(BaseContentNegotiation):
    """Content negotiation by `?format=json`, else by Accept; the default is YAML."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Return the first parser; there is no body."""
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        """Choose by the parameter, else by Accept."""
        wants_json = request.query_params.get("format") == "json" or request.headers.get("Accept", "").startswith(
            ("application/json", "application/vnd.oai.openapi+json")
        )
        chosen: BaseRenderer = renderers[1] if wants_json else renderers[0]
        return chosen, chosen.media_type


RENDERERS = {"yaml": OpenApiYamlRenderer, "json": OpenApiJsonRenderer}


@cache
def render_document(language: str, format_name: str) -> str | bytes:
    """Return the document.

    It depends on nothing else, so each process builds it once: that takes seconds on a busy server, and client
    generators give up after five.
    """
    with translation.override(language):
        document = SchemaGenerator().get_schema(request=None, public=True)
        renderer = RENDERERS[format_name]()
        return renderer.render(document, renderer.media_type, {})


@method_decorator(cache_control(public=True, no_cache=True), name="dispatch")
class SchemaView(StrictQueryParamsMixin, SpectacularAPIView):
    """The OpenAPI 3.1 document of this server."""

    schema = None
    allowed_query_params = ("format",)

    renderer_classes = list(RENDERERS.values())
    content_negotiation_class = FormatQueryNegotiation
    throttle_classes: list[Any] = []

    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return the document in the language of the request."""
        renderer = request.accepted_renderer
        return HttpResponse(
            render_document(translation.get_language(), renderer.format),
            content_type=f"{renderer.media_type}; charset={renderer.charset}"
            if renderer.charset
            else renderer.media_type,
            headers={"Content-Disposition": f'inline; filename="{self._get_filename(request, None)}"'},
        )

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Reject unknown formats."""
        super().initial(request, *args, **kwargs)
        if request.query_params.get("format", "yaml") not in ("json", "yaml"):
            raise InvalidParameter([{"field": "format", "code": "invalid", "detail": _("Must be json or yaml.")}])

    def handle_exception(self, exc: Exception) -> Response:
        """Return errors as JSON, like all other views."""
        self.request.accepted_renderer = JSONRenderer()
        return super().handle_exception(exc)


class SwaggerUIView(SpectacularSwaggerSplitView):
    """Swagger UI, with its files from this server."""

    http_method_names = ["get", "head"]  # there is no template for OPTIONS
    url_name = "schema"
