"""What threads and posts can be narrowed down by."""

import django_filters
from django.utils.translation import gettext_lazy as _

from bookbridge.api.filters import IdFilter, SearchFilter
from clubs.discussions.models import Thread
from clubs.discussions.posts import Post, PostQuerySet


class ThreadFilter(django_filters.FilterSet):
    """`entry`."""

    entry = IdFilter(label=_("The id of a list entry: threads about its book."))

    class Meta:
        model = Thread
        fields: list[str] = []


class PostFilter(django_filters.FilterSet):
    """`search`."""

    search = SearchFilter(method="by_search", label=_("Every word is the start of a word; no case, no accents."))

    class Meta:
        model = Post
        fields: list[str] = []

    def by_search(self, posts: PostQuerySet, name: str, value: str) -> PostQuerySet:
        """As the queryset says."""
        return posts.search(self.request.parser_context["view"].club.pk, value)
