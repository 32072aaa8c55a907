"""Sections of a user's data export that come from discussions."""

from accounts.export import Section, rows
from accounts.models import User
from clubs.discussions.models import Thread
from clubs.discussions.posts import Post
from clubs.discussions.reactions import Reaction, Reveal


def posts(user: User) -> Section:
    """Return the user's posts, without the posts they reply to."""
    columns = ("club", "thread", "body", "reply_to", "spoiler_percent", "created_at", "edited_at", "hidden_at")
    return rows(Post.objects.filter(author=user), *columns)


SECTIONS = {
    "threads": lambda user: rows(Thread.objects.filter(author=user), "club", "entry", "title", "created_at"),
    "posts": posts,
    "reactions": lambda user: rows(Reaction.objects.filter(user=user), "post", "emoji", "created_at"),
    "reveals": lambda user: rows(Reveal.objects.filter(user=user), "post", "created_at"),
}
