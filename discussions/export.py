"""Sections of a user's data export that come from discussions."""

from accounts.export import Section, iter_rows
from accounts.models import User
from discussions.models import Post, Reaction, SpoilerReveal, Thread


def posts(user: User) -> Section:
    """Return the user's posts, without the posts they reply to."""
    columns = ("club", "thread", "body", "reply_to", "spoiler_percent", "created_at", "edited_at", "hidden_at")
    return iter_rows(Post.objects.filter(author=user), *columns)


EXPORT_SECTIONS = {
    "threads": lambda user: iter_rows(Thread.objects.filter(author=user), "club", "entry", "title", "created_at"),
    "posts": posts,
    "reactions": lambda user: iter_rows(Reaction.objects.filter(user=user), "post", "emoji", "created_at"),
    "reveals": lambda user: iter_rows(SpoilerReveal.objects.filter(user=user), "post", "created_at"),
}
