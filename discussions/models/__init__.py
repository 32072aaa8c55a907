"""Models of the discussions app."""

from discussions.models.posts import BODY_LENGTH, Post
from discussions.models.reactions import MAX_DISTINCT_EMOJI, Reaction, SpoilerReveal, qualify_emoji
from discussions.models.threads import NO_POSTS, TITLE_LENGTH, Thread, ThreadQuerySet

__all__ = [
    "BODY_LENGTH",
    "MAX_DISTINCT_EMOJI",
    "NO_POSTS",
    "TITLE_LENGTH",
    "Post",
    "Reaction",
    "SpoilerReveal",
    "Thread",
    "ThreadQuerySet",
    "qualify_emoji",
]
