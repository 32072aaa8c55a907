"""URL patterns with an optional trailing slash, and their lookup by the first part of the path."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.urls import Resolver404, ResolverMatch, URLPattern, URLResolver
from django.urls.resolvers import RoutePattern


class OptionalSlashResolver(URLResolver):
    """Resolve `v1/books` as `v1/books/`, where only the latter is a route.

    There is no redirect, which would lose the body of a POST. Routes, and therefore reversed URLs and the OpenAPI
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


class FirstSegmentResolver(URLResolver):
    """Resolve a path among the routes that begin with its first segment, where Django would try all routes in turn."""

    def resolve(self, path: Any) -> ResolverMatch:
        """Resolve the path."""
        found = self._by_segment.get(str(path).partition("/")[0])
        return super().resolve(path) if found is None else found.resolve(path)

    @cached_property
    def _by_segment(self) -> dict[str, URLResolver]:
        patterns: dict[str, list[URLPattern]] = {}
        for pattern in _flatten(self.url_patterns):
            patterns.setdefault(str(pattern.pattern).partition("/")[0], []).append(pattern)
        if any("<" in segment for segment in patterns):
            raise ImproperlyConfigured("The first segment of a route must not have parameters.")
        return {segment: URLResolver(RoutePattern(""), found) for segment, found in patterns.items()}


def by_first_segment(patterns: list[Any]) -> list[FirstSegmentResolver]:
    """Return `patterns` for `include()`, to be looked up by the first segment of the path."""
    return [FirstSegmentResolver(RoutePattern(""), patterns)]


def _flatten(patterns: Iterable[Any]) -> Iterator[URLPattern]:
    """Yield the patterns, and those that are included without a prefix."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if str(pattern.pattern) or pattern.namespace:
                raise ImproperlyConfigured("Include the URLs of an app without a prefix.")
            yield from _flatten(pattern.url_patterns)
        else:
            yield pattern
