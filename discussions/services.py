"""Detach deleted accounts from their posts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clubs.club.models import Club
from discussions.models import Post, Thread

if TYPE_CHECKING:
    from accounts.models import User


def detach_user(user: User, *, anonymize: bool) -> None:
    """Detach a user being deleted from their posts.

    With `anonymize` the posts stay without an author; otherwise they are blanked out like deleted posts. Threads always
    stay, because they contain posts by others.
    """
    posts = Post.objects.filter(author=user)
    if anonymize:
        posts.update(author=None)
        return
    clubs = Club.objects.filter(pk__in=posts.values("club")).order_by("pk")
    list(clubs.select_for_update().values_list("pk"))
    threads = list(Thread.objects.filter(pk__in=posts.values("thread")).order_by("pk"))
    Post.objects.filter(pk__in=list(posts.values_list("pk", flat=True))).blank_out()
    for thread in threads:
        thread.recount_posts()
