"""Rows of the permission matrix for discussions."""

from collections.abc import Callable

from accounts.models import User
from discussions.models import Post, Thread
from tests.clubs.matrix import BUILDERS, ROWS, Row, World


def discussions(world: World, make_user: Callable[..., User]) -> None:
    """Create a thread of the member with a post of another user."""
    member = world.cast["member"]
    thread = Thread.create_thread(club=world.club, by=member, title="Whales", body="Who is Ishmael?")
    response = Post.create_post(thread=thread, by=world.things["target"], body="Call me so.")
    world.things |= {"thread": thread, "post": thread.posts.get(author=member), "others": response}


THREAD, BELOW = {"thread_id": "@thread"}, {"thread_id": "@thread"}
OWN, OTHERS = {"post_id": "@post"}, {"post_id": "@others"}
EMOJI = {"emoji": "🐋"}

BUILDERS.append(discussions)
ROWS += [
    Row("club-thread-list", "get", "member"),
    Row("club-thread-list", "post", "member", 201, body={"title": "Ships", "body": "And sails."}),
    Row("club-thread-detail", "get", "member", path=THREAD),
    Row("club-thread-detail", "patch", "moderator", path=THREAD, body={"pinned": True, "closed": True}),
    Row("club-thread-detail", "delete", "moderator", 204, path=THREAD),
    Row("club-post-list", "get", "member"),
    Row("club-thread-post-list", "get", "member", path=BELOW),
    Row("club-thread-post-list", "post", "member", 201, path=BELOW, body={"body": "Aye."}),
]
# Posts are available under their thread and under their club.
for name, below in (("club-post", {}), ("club-thread-post", BELOW)):
    ROWS += [
        Row(f"{name}-detail", "get", "member", path=below | OTHERS),
        Row(
            *(f"{name}-detail", "patch", "member", {"member": 200, "moderator": 403, "owner": 403}),
            path=below | OWN,
            body={"body": "Who was he?"},
        ),
        Row(f"{name}-detail", "delete", "moderator", 204, path=below | OTHERS),
        Row(f"{name}-reveal", "put", "member", path=below | OTHERS),
        Row(f"{name}-reaction", "put", "member", 204, path=below | OTHERS | EMOJI),
        Row(f"{name}-reaction", "delete", "member", 204, path=below | OTHERS | EMOJI),
    ]
