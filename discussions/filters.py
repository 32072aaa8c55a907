"""Filters of threads and posts."""

import django_filters
from django.utils.translation import gettext_lazy as _

from core.api.filters import IdFilter, SearchTextFilter
from discussions.models import Post, Thread
from discussions.querysets import PostQuerySet


class ThreadFilter(django_filters.FilterSet):
    """Filter threads by reading list entry."""

    entry = IdFilter(label=_("The id of a reading list entry; returns threads about its book."))

    class Meta:
        model = Thread
        fields: list[str] = []


class PostFilter(django_filters.FilterSet):
    """Filter posts by search words."""

    search = SearchTextFilter(
        method="filter_search", label=_("Matches the beginnings of words, ignoring case and accents.")
    )

    class Meta:
        model = Post
        fields: list[str] = []

    def filter_search(self, posts: PostQuerySet, name: str, value: str) -> PostQuerySet:
        """Return posts of the club that match the search words."""
        return posts.search(self.request.parser_context["view"].club.pk, value)
