"""Threads and posts in `GET users/me/changes/`."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.models import BooleanField, ExpressionWrapper, QuerySet

from activity.changes.models import ChangeType
from activity.changes.services import changes_of, record_changes_of
from clubs.members.models import Membership
from clubs.reading.models import Entry
from discussions.models import Post, Thread

if TYPE_CHECKING:
    from accounts.models import User


def visible_threads(user: User, ids: Collection[int]) -> tuple[set[int], set[int]]:
    """Return which of these threads `user` may see. None is ever hidden."""
    return set(Thread.objects.filter(pk__in=ids).visible_to(user).values_list("pk", flat=True)), set()


def visible_posts(user: User, ids: Collection[int]) -> tuple[set[int], set[int]]:
    """Return which of these posts `user` may see, and which are hidden from them by moderation."""
    is_hidden = ExpressionWrapper(~Post.objects.not_hidden_from(user), BooleanField())
    rows = Post.objects.filter(pk__in=ids).not_blocked_for(user).annotate(is_hidden=is_hidden)
    found = dict(rows.values_list("pk", "is_hidden"))
    hidden = {pk for pk, is_hidden in found.items() if is_hidden}
    return found.keys() - hidden, hidden


def posts_by_progress(user: int, entries: Collection[int], low: Decimal, high: Decimal) -> list[QuerySet[Any, Any]]:
    """Return the changes of the posts that a change of progress between two percentages locks or unlocks."""
    posts = Post.objects.filter(thread__entry__in=entries, spoiler_percent__gt=low, spoiler_percent__lte=high)
    return [changes_of(posts.exclude(author=user), ChangeType.POST, user=user)]


def record_block_changes(user: int, other: int) -> None:
    """Record that the threads and posts of two users (ids), in clubs of both, appear or disappear for each other."""
    queries = []
    for reader, author in ((user, other), (other, user)):
        clubs = Membership.objects.active().filter(user=reader).values("club")
        threads = Thread.objects.filter(club__in=clubs, author=author)
        posts = Post.objects.filter(club__in=clubs)
        queries.append(changes_of(threads, ChangeType.THREAD, user=reader))
        queries += [
            changes_of(rows, ChangeType.POST, user=reader)
            for rows in (posts.filter(author=author), posts.filter(thread__author=author))
        ]
    record_changes_of(*queries)


def record_entry_changes(*entries: Entry) -> None:
    """Record changes of the threads about these entries, and of their posts that another progress now unlocks."""
    threads = Thread.objects.filter(entry__in=entries)
    posts = Post.objects.filter(thread__entry__in=entries, spoiler_percent__gt=0)
    record_changes_of(changes_of(threads, ChangeType.THREAD), changes_of(posts, ChangeType.POST))


def record_account_changes(user: User) -> None:
    """Record that threads and posts lose their author, whose account is being deleted."""
    threads, posts = Thread.objects.filter(author=user), Post.objects.filter(author=user)
    record_changes_of(changes_of(threads, ChangeType.THREAD), changes_of(posts, ChangeType.POST))
