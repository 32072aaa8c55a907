"""Helpers for tests of discussions."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from discussions.models import Post, Thread


def threads(club: Any, thread: Any = None, rest: str = "") -> str:
    pk = getattr(thread, "pk", thread)
    return f"/api/v1/clubs/{club.pk}/threads/" + (f"{pk}/{rest}" if pk else "")


def posts(club: Any, post: Any = None, rest: str = "") -> str:
    pk = getattr(post, "pk", post)
    return f"/api/v1/clubs/{club.pk}/posts/" + (f"{pk}/{rest}" if pk else "")


def reaction(club: Any, post: Any, emoji: str) -> str:
    return posts(club, post, f"reactions/{quote(emoji, safe='')}/")


def rows(response: Any) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.content
    found: list[dict[str, Any]] = response.json()["results"]
    return found


def bodies(response: Any) -> list[str | None]:
    return [row["body"] for row in rows(response)]


def check_thread_counters() -> None:
    """Check the counters of every thread, and that replies have at least the `spoiler_percent` of their parent."""
    for thread in Thread.objects.all():
        counted = [p for p in Post.objects.filter(thread=thread) if p.deleted_at is None and p.hidden_at is None]
        last = max((post.created_at for post in counted), default=None)
        assert (thread.posts_count, thread.last_post_at) == (len(counted), last), thread
    check_spoiler_percents(Post.objects.select_related("reply_to"))


def check_spoiler_percents(found: Iterable[Post]) -> None:
    for post in found:
        if post.reply_to is not None:
            assert (post.spoiler_percent or 0) >= (post.reply_to.spoiler_percent or 0), post
