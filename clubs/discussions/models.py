"""Discussion threads of clubs. Lock order: club, thread."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import F
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotAuthenticated

from accounts.blocks import unblocked
from activity import services as activity
from activity.models import Thing
from bookbridge.api.errors import Conflict, InvalidField
from bookbridge.api.transactions import conflict_as, retrying_atomic
from clubs.discussions import telling
from clubs.discussions.posts import Post
from clubs.discussions.reactions import Reaction, Reveal
from clubs.members.services import was_not_active
from clubs.reading.models import Entry
from clubs.roles import Standing, refusal
from moderation.models import target_gone

if TYPE_CHECKING:
    from accounts.models import User
    from clubs.clubs.models import Club

TITLE_LENGTH = 200


class ThreadQuerySet(models.QuerySet["Thread"]):
    """Queries for threads."""

    def visible_to(self, user: User, *, moderating: bool = False) -> ThreadQuerySet:
        """Return the threads that a member may see. Blocks hide threads, but not if the caller is `moderating`."""
        return self if moderating else self.filter(unblocked(user, "author"))

    def delete_with_posts(self) -> None:
        """Delete the threads with everything in them. The clubs must be locked."""
        # Lock the rows before deleting what refers to them, so that no reaction is added in between.
        list(self.select_for_update().order_by("pk").values_list("pk"))
        posts = Post.objects.filter(thread__in=self.values("pk"))
        list(posts.select_for_update().order_by("pk").values_list("pk"))
        target_gone("post", posts.values("pk"))
        for rows in (Reaction.objects.all(), Reveal.objects.all()):
            rows.filter(post__thread__in=self.values("pk")).delete()
        posts.update(reply_to=None)
        # Nothing refers to the posts any more, so skip Django's collector, which would load them all.
        posts._raw_delete(posts.db)
        self.delete()


class Thread(models.Model):
    """A discussion thread, optionally about an entry of the reading list.

    All members may read the title. `last_post_at` is null if no post is left.
    """

    club = models.ForeignKey("clubs.Club", models.CASCADE, related_name="threads", db_index=False)
    # A thread outlives its entry; its posts keep their `spoiler_percent`, see `wall.open_to`.
    entry = models.ForeignKey("clubs.Entry", models.SET_NULL, null=True, blank=True, related_name="threads")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    title = models.CharField(max_length=TITLE_LENGTH)
    pinned = models.BooleanField(default=False)
    closed = models.BooleanField(default=False)
    posts_count = models.PositiveIntegerField(default=0, editable=False)
    last_post_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ThreadQuerySet.as_manager()

    class Meta:
        verbose_name = _("thread")
        verbose_name_plural = _("threads")
        indexes = [models.Index(fields=["club", "pinned", "last_post_at", "id"], name="clubs_thread_in_order")]

    def __str__(self) -> str:
        # The title is left out because staff may not read the texts of private clubs.
        return f"#{self.pk}"

    @classmethod
    @retrying_atomic
    def open(
        cls,
        *,
        club: Club,
        by: User,
        title: str,
        body: str,
        entry: Entry | None = None,
        spoiler_percent: Decimal | None = None,
    ) -> Thread:
        """Create a thread with its first post.

        Raise InvalidField if the entry was deleted, or for a `spoiler_percent` without an entry.
        """
        club.lock()
        if entry is not None and not Entry.objects.filter(pk=entry.pk, club=club).exists():
            raise InvalidField("entry", "does_not_exist", _("This entry is not on the reading list."))
        with conflict_as(NotAuthenticated()):
            thread = cls.objects.create(club=club, entry=entry, author=by, title=title)
        post = Post(thread=thread, author=by, body=body)
        post.spoiler_percent = post.guard(spoiler_percent, by=by)
        post.insert()
        thread.record("created", by=by)
        telling.tell(post)
        return thread

    @retrying_atomic
    def change(self, *, by: User, **fields: Any) -> None:
        """Update `title`, `pinned` or `closed`. Raise Conflict `thread_closed` for a new title in a closed thread."""
        self.lock()
        changed = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if "title" in changed and changed.get("closed", self.closed):
            self.require_open()
        for name, value in changed.items():
            setattr(self, name, value)
        if changed:
            self.save(update_fields=changed)
            self.record("changed", by=by)

    @retrying_atomic
    def remove(self, *, by: User) -> None:
        """Delete the thread with its posts."""
        self.lock()
        self._delete(by)

    @retrying_atomic
    def withdraw(self, *, by: User) -> None:
        """Delete the thread as its author. Raise Forbidden for others, or if it has posts of others."""
        self.lock()
        if self.author_id != by.pk or self.posts.filter(deleted_at__isnull=True).exclude(author=by).exists():
            raise refusal(Standing.MODERATOR)
        self._delete(by)

    def lock(self) -> None:
        """Lock and reload the club and the thread. Raise Http404 if either was deleted."""
        self.club.lock()
        try:
            self.refresh_from_db(fields=LOCKED_FIELDS, from_queryset=Thread.objects.select_for_update())
        except Thread.DoesNotExist:
            raise Http404 from None

    def require_open(self) -> None:
        """Raise Conflict `thread_closed` if the thread is closed, also for moderators, who can reopen it."""
        if self.closed:
            raise Conflict("thread_closed", _("This thread is closed."))

    def record(self, what: str, *, by: User) -> None:
        """Record an event in the club's activity log."""
        thing = Thing("thread", self.pk, self.title, self.author_id)
        activity.record(f"thread.{what}", actor=by.pk, thing=thing, club=self.club_id)

    def _delete(self, by: User) -> None:
        self.record("deleted", by=by)
        posts = self.posts.counted().filter(author__isnull=False)
        authors = set(posts.order_by().values_list("author", flat=True))
        Thread.objects.filter(pk=self.pk).delete_with_posts()
        was_not_active(authors, club=self.club_id)

    def count(self) -> None:
        """Recompute the counters. The thread must be locked."""
        counters = Post.objects.count_by_thread([self.pk]).get(self.pk, NO_POSTS)
        Thread.objects.filter(pk=self.pk).update(**counters)
        for name, value in counters.items():
            setattr(self, name, value)

    def count_new(self, at: datetime.datetime) -> None:
        """Count a new post. The thread must be locked."""
        Thread.objects.filter(pk=self.pk).update(posts_count=F("posts_count") + 1, last_post_at=at)
        self.posts_count, self.last_post_at = self.posts_count + 1, at


LOCKED_FIELDS = ["entry", "title", "pinned", "closed", "posts_count", "last_post_at"]
NO_POSTS: dict[str, Any] = {"posts_count": 0, "last_post_at": None}
