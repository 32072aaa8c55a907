"""Where the OpenAPI document and Swagger UI are served, from this server alone."""

from typing import Any

from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from bookbridge.api.errors import InvalidParameter
from bookbridge.api.renderers import JSONRenderer
from bookbridge.api.views import StrictParameters


class FormatParameter(BaseContentNegotiation):
    """`?format=json` chooses JSON, everything else gets YAML."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """The first; nothing is sent here."""
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        """By the parameter, else by Accept."""
        wants_json = request.query_params.get("format") == "json" or request.headers.get("Accept", "").startswith(
            ("application/json", "application/vnd.oai.openapi+json")
        )
        chosen: BaseRenderer = renderers[1] if wants_json else renderers[0]
        return chosen, chosen.media_type


@method_decorator(cache_control(public=True, no_cache=True), name="dispatch")
class SchemaView(StrictParameters, SpectacularAPIView):
    """The OpenAPI 3.1 document of this server."""

    query_parameters = ("format",)

    renderer_classes = [OpenApiYamlRenderer, OpenApiJsonRenderer]
    content_negotiation_class = FormatParameter
    throttle_classes: list[Any] = []

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Only what there is may be asked for."""
        super().initial(request, *args, **kwargs)
        if request.query_params.get("format", "yaml") not in ("json", "yaml"):
            raise InvalidParameter([{"field": "format", "code": "invalid", "detail": _("It is json or yaml.")}])

    def handle_exception(self, exc: Exception) -> Response:
        """An error is JSON, as everywhere."""
        self.request.accepted_renderer = JSONRenderer()
        return super().handle_exception(exc)


class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI, with its files from this server."""

    http_method_names = ["get", "head"]  # it has no template for what OPTIONS would answer
    url_name = "schema"
