"""Notifications of replies and mentions.

They contain the title of the thread, never the text of the post, and skip users for whom a block hides the thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import apps

from accounts.blocks import not_blocked
from activity.choices import NotificationKind
from activity.models import ObjectRef
from activity.services import notify
from clubs.members.models import Membership, MembershipQuerySet
from clubs.notifications import notify_members
from discussions.mentions import extract_mentions

if TYPE_CHECKING:
    from accounts.models import User
    from discussions.models import Post, Thread


def notify_post(post: Post) -> None:
    """Notify replied-to and mentioned members once per post. A hidden post notifies nobody."""
    if post.hidden_at is not None:
        return
    members = Membership.objects.active().filter(club=post.club_id)
    mentioned = _mentioned_users(members, post.body)
    replied_to = {post.reply_to.author_id} if post.reply_to and post.reply_to.author_id else set()
    if not mentioned | replied_to:
        return
    if post.thread.author:
        members = members.filter(not_blocked(post.thread.author, "user"))
    notified = set(members.filter(user__in=mentioned | replied_to).values_list("user", flat=True))
    object_ref = ObjectRef("post", post.pk, post.thread.title, post.thread.author_id)
    for kind, users in ((NotificationKind.REPLY, replied_to), (NotificationKind.MENTION, mentioned - replied_to)):
        key = f"{kind}:post:{post.pk}"
        notify(kind, sorted(users & notified), actor=post.author_id, object_ref=object_ref, club=post.club_id, key=key)


def notify_announcement(thread: Thread, *, by: User) -> None:
    """Notify the members of a thread that was started as an announcement."""
    notify_members(thread.club_id, NotificationKind.ANNOUNCEMENT, type="thread", id=thread.pk, actor=by.pk)


def thread_target(pk: int) -> tuple[ObjectRef, str] | None:
    """Return the reference to a thread for notifications, or None if it was deleted."""
    thread = apps.get_model("discussions", "Thread").objects.filter(pk=pk).only("title", "author").first()
    return None if thread is None else (ObjectRef("thread", pk, thread.title, thread.author_id), "")


def announcement_body(thread_id: int) -> str:
    """Return the text of an announcement for e-mails; empty if it is guarded, hidden or deleted."""
    posts = apps.get_model("discussions", "Post").objects.filter(thread=thread_id).order_by("pk")
    first = posts.only("body", "spoiler_percent", "hidden_at", "deleted_at").first()
    if first is None or first.spoiler_percent or first.hidden_at or first.deleted_at:
        return ""
    return str(first.body)


def _mentioned_users(members: MembershipQuerySet, text: str) -> set[int]:
    """Return the members that a text mentions. Of the names that a mention may mean, the longest one counts."""
    mentions = extract_mentions(text)
    names = {name for candidates in mentions for name in candidates}
    if not names:
        return set()
    users = dict(members.filter(user__username_key__in=names).values_list("user__username_key", "user"))
    found = (next((users[name] for name in candidates if name in users), None) for candidates in mentions)
    return {user for user in found if user is not None}
