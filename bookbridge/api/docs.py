"""Where the OpenAPI document and Swagger UI are served, from this server alone."""

from typing import Any

from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_control
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


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
class SchemaView(SpectacularAPIView):
    """The OpenAPI 3.1 document of this server."""

    renderer_classes = [OpenApiYamlRenderer, OpenApiJsonRenderer]
    content_negotiation_class = FormatParameter
    throttle_classes: list[Any] = []


class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI, with its files from this server."""

    http_method_names = ["get", "head"]  # it has no template for what OPTIONS would answer
    url_name = "schema"
