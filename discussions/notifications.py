"""Notifications of replies and mentions.

They contain the title of the thread, never the text of the post, and skip users for whom a block hides the thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.blocks import not_blocked
from activity.choices import NotificationKind
from activity.models import ObjectRef
from activity.services import notify
from clubs.members.models import Membership
from discussions.mentions import extract_mentions

if TYPE_CHECKING:
    from discussions.models import Post


def notify_post(post: Post) -> None:
    """Notify replied-to and mentioned members once per post. A hidden post notifies nobody."""
    if post.hidden_at is not None:
        return
    parent_author = post.reply_to.author_id if post.reply_to else None
    usernames = extract_mentions(post.body)
    if parent_author is None and not usernames:
        return
    members = Membership.objects.active().filter(club=post.club_id)
    if post.thread.author:
        members = members.filter(not_blocked(post.thread.author, "user"))
    mentioned = set(members.filter(user__username_key__in=usernames).values_list("user", flat=True))
    replied_to = set(members.filter(user=parent_author).values_list("user", flat=True)) if parent_author else set()
    object_ref = ObjectRef("post", post.pk, post.thread.title, post.thread.author_id)
    for kind, users in ((NotificationKind.REPLY, replied_to), (NotificationKind.MENTION, mentioned - replied_to)):
        key = f"{kind}:post:{post.pk}"
        notify(kind, sorted(users), actor=post.author_id, object_ref=object_ref, club=post.club_id, key=key)
