"""Notifications of replies and mentions.

They contain the title of the thread, never the text of the post, and skip users for whom a block hides the thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.blocks import unblocked
from activity.kinds import Kind
from activity.models import Thing
from activity.services import notify
from clubs.discussions.mentions import names_in
from clubs.members.models import Membership

if TYPE_CHECKING:
    from clubs.discussions.posts import Post


def tell(post: Post) -> None:
    """Notify replied-to and mentioned members once per post. A hidden post notifies nobody."""
    if post.hidden_at is not None:
        return
    answered = post.reply_to.author_id if post.reply_to else None
    names = names_in(post.body)
    if answered is None and not names:
        return
    members = Membership.objects.active().filter(club=post.club_id)
    if post.thread.author:
        members = members.filter(unblocked(post.thread.author, "user"))
    named = set(members.filter(user__username_key__in=names).values_list("user", flat=True))
    replied = set(members.filter(user=answered).values_list("user", flat=True)) if answered else set()
    thing = Thing("post", post.pk, post.thread.title, post.thread.author_id)
    for kind, users in ((Kind.REPLY, replied), (Kind.MENTION, named - replied)):
        key = f"{kind}:post:{post.pk}"
        notify(kind, sorted(users), actor=post.author_id, thing=thing, club=post.club_id, key=key)
