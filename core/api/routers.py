"""URL patterns with an optional trailing slash."""

from typing import Any

from django.urls import Resolver404, ResolverMatch, URLResolver
from django.urls.resolvers import RoutePattern


class OptionalSlashResolver(URLResolver):
    """Resolve `v1/books` as `v1/books/`, where only the latter is a route.

    Served, not redirected: a redirect would lose the body of a POST. Routes, and so reversed URLs and the OpenAPI
    document, have the slash.
    """

    def resolve(self, path: Any) -> ResolverMatch:
        """Resolve the path as it is, else with a slash."""
        try:
            return super().resolve(path)
        except Resolver404:
            if str(path).endswith("/"):
                raise
            return super().resolve(f"{path}/")


def optional_slash(prefix: str, patterns: list[Any]) -> OptionalSlashResolver:
    """Include `patterns` under `prefix`, like `path(prefix, include(patterns))`."""
    return OptionalSlashResolver(RoutePattern(prefix), patterns)
