"""Queries for posts: visibility, search and counters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Case, Count, F, Max, OuterRef, Q, Subquery, When
from django.utils import timezone

from accounts.blocks import not_blocked
from clubs.reading.models import Section
from core.search.fields import query_terms
from discussions.models.reactions import Reaction, SpoilerReveal
from discussions.spoilers import readable_by
from moderation.author_notice import annotate_moderation
from moderation.models import close_cases_for_deleted

if TYPE_CHECKING:
    from accounts.models import User
    from discussions.models import Post  # noqa: F401  # used by the base class below


class PostQuerySet(models.QuerySet["Post"]):
    """Queries for posts."""

    def visible_to(self, user: User, *, as_moderator: bool = False) -> PostQuerySet:
        """Return the posts that a member may see, locked or not.

        Hidden posts are visible to their author only. A block hides the posts and threads of two users from each other,
        but not `as_moderator`: a block must not keep moderators from seeing posts.
        """
        rows = self.filter(self.not_hidden_from(user))
        return rows if as_moderator else rows.not_blocked_for(user)

    def not_hidden_from(self, user: User) -> Q:
        """Return the condition for posts that moderation does not hide from `user`."""
        return Q(hidden_at__isnull=True) | Q(author__isnull=False, author=user.pk)

    def not_blocked_for(self, user: User) -> PostQuerySet:
        """Exclude posts that a block hides, of their author or of the thread's."""
        return self.filter(not_blocked(user, "author"), not_blocked(user, "thread__author"))

    def with_details_for(self, user: User, *, as_moderator: bool = False) -> PostQuerySet:
        """Return visible posts with what a response contains; `text` is None if the post is locked for `user`.

        `section` is the number of the section at whose end the post is unlocked, if the book has sections.

        The body is deferred, so that nothing built from these rows can reveal it.
        """
        text = Case(When(readable_by(user), then=F("body")), default=None)
        moderation = annotate_moderation("post", when=Q(author=user.pk, hidden_at__isnull=False))
        reached = Section.objects.filter(
            entry=OuterRef("thread__entry"), up_to_percent__gte=OuterRef("spoiler_percent")
        )
        section = Subquery(reached.order_by("number").values("number")[:1])
        rows = self.visible_to(user, as_moderator=as_moderator).annotate(text=text, section=section, **moderation)
        reactions = models.Prefetch("reactions", Reaction.objects.counted_by_emoji(user), to_attr="reaction_counts")
        return (
            rows.select_related("author")
            .defer("body", "search_text", "author__bio", "author__search_text")
            .prefetch_related(reactions)
        )

    def readable_by(self, user: User) -> PostQuerySet:
        """Return posts whose text `user` may read, without deleted ones."""
        return self.filter(readable_by(user), deleted_at__isnull=True)

    def search(self, club_id: int, text: str) -> PostQuerySet:
        """Return posts of a club that contain words starting with each word of `text`, ignoring case and accents."""
        terms = [[club_search_word(club_id), *spelling] for spelling in query_terms(text)]
        return self.filter(club=club_id, search_text__words=terms) if terms else self.none()

    def blank_out(self) -> None:
        """Delete text and author of the posts. The rows must be locked; the caller updates the threads' counters."""
        close_cases_for_deleted("post", self.values("pk"))
        for rows in (Reaction.objects.all(), SpoilerReveal.objects.all()):
            rows.filter(post__in=self.values("pk")).delete()
        self.update(body="", search_text="", author=None, edited_at=None, deleted_at=timezone.now())

    def countable(self) -> PostQuerySet:
        """Return posts that count in the thread's counters: neither deleted nor hidden."""
        return self.filter(deleted_at__isnull=True, hidden_at__isnull=True)

    def last_posted_at(self) -> Subquery:
        """Return a subquery for memberships: when the user last wrote a post that is neither deleted nor hidden."""
        posts = self.countable().filter(club=OuterRef("club"), author=OuterRef("user"))
        return Subquery(posts.order_by("-created_at").values("created_at")[:1])

    def count_by_thread(self, threads: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Return the counters of these threads, without those that have no posts: `{thread: {column: value}}`."""
        posts = self.countable().filter(thread__in=threads).order_by().values_list("thread")
        rows = posts.annotate(n=Count("pk"), last=Max("created_at"))
        return {thread: {"posts_count": n, "last_post_at": last} for thread, n, last in rows}


def club_search_word(club_id: int) -> str:
    """Return the index word that limits a search to one club; users cannot search for it, because query terms
    start with `core.search.lookups.TERM_PREFIX`."""
    return f"zz{club_id}z"
