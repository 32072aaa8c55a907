"""Discussion threads of clubs. Lock order: club, thread."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, models
from django.db.models import F
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotAuthenticated

from accounts.blocks import not_blocked
from activity import services as activity
from activity.changes.models import ChangeType
from activity.changes.services import change, changes_of, record_changes, record_changes_of
from activity.models import Event, ObjectRef
from clubs.members.activity import recompute_activity
from clubs.reading.models import Entry
from clubs.roles import Rank, permission_denied
from core.api.exceptions import Conflict, InvalidFieldError
from core.db.transactions import atomic_with_retry
from discussions import notifications
from discussions.models.posts import Post
from discussions.models.reactions import Reaction, SpoilerReveal
from moderation.models import close_cases_for_deleted

if TYPE_CHECKING:
    from accounts.models import User
    from clubs.club.models import Club

TITLE_LENGTH = 200
MAX_ANNOUNCEMENTS_PER_DAY = 5


class ThreadQuerySet(models.QuerySet["Thread"]):
    """Queries for threads."""

    def visible_to(self, user: User, *, as_moderator: bool = False) -> ThreadQuerySet:
        """Return the threads that a member may see. Blocks hide threads, but not `as_moderator`."""
        return self if as_moderator else self.filter(not_blocked(user, "author"))

    def delete_with_posts(self) -> None:
        """Delete the threads with everything in them. The clubs must be locked."""
        # Lock the rows before deleting what refers to them, so that no reaction is added in between.
        list(self.select_for_update().order_by("pk").values_list("pk"))
        posts = Post.objects.filter(thread__in=self.values("pk"))
        list(posts.select_for_update().order_by("pk").values_list("pk"))
        close_cases_for_deleted("post", posts.values("pk"))
        for rows in (Reaction.objects.all(), SpoilerReveal.objects.all()):
            rows.filter(post__thread__in=self.values("pk")).delete()
        posts.update(reply_to=None)
        # Nothing refers to the posts any more, so skip Django's collector, which would load them all.
        posts._raw_delete(posts.db)
        self.delete()


class Thread(models.Model):
    """A discussion thread, optionally about an entry of the reading list.

    All members may read the title. `last_post_at` is null if no post is left.
    """

    club = models.ForeignKey(
        "clubs.Club", models.CASCADE, related_name="threads", db_index=False, verbose_name=_("club")
    )
    # A thread outlives its entry; its posts keep their `spoiler_percent`, see `discussions.spoilers`.
    entry = models.ForeignKey(
        "clubs.Entry", models.SET_NULL, null=True, blank=True, related_name="threads", verbose_name=_("entry")
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("author")
    )
    title = models.CharField(max_length=TITLE_LENGTH, verbose_name=_("title"))
    pinned = models.BooleanField(default=False, verbose_name=_("pinned"))
    closed = models.BooleanField(default=False, verbose_name=_("closed"))
    posts_count = models.PositiveIntegerField(default=0, editable=False, verbose_name=_("number of posts"))
    last_post_at = models.DateTimeField(null=True, editable=False, verbose_name=_("last post at"))
    created_at = models.DateTimeField(default=timezone.now, editable=False, verbose_name=_("created at"))

    objects = ThreadQuerySet.as_manager()

    class Meta:
        verbose_name = _("thread")
        verbose_name_plural = _("threads")
        indexes = [models.Index(fields=["club", "pinned", "last_post_at", "id"], name="discussions_thread_in_order")]

    def __str__(self) -> str:
        # The title is left out because staff may not read the texts of private clubs.
        return f"#{self.pk}"

    @classmethod
    @atomic_with_retry
    def create_thread(
        cls,
        *,
        club: Club,
        by: User,
        title: str,
        body: str,
        entry: Entry | None = None,
        spoiler_percent: Decimal | None = None,
        announce: bool = False,
    ) -> Thread:
        """Create a thread with its first post; if `announce`, pin it and notify all members.

        Raises InvalidFieldError if the entry was deleted, or for a `spoiler_percent` without an entry, and Conflict
        `too_many_announcements`.
        """
        club.lock()
        if announce:
            _check_may_announce(club)
        if entry is not None and not Entry.objects.filter(pk=entry.pk, club=club).exists():
            raise InvalidFieldError("entry", "does_not_exist", _("This entry is not on the reading list."))
        try:
            thread = cls.objects.create(club=club, entry=entry, author=by, title=title, pinned=announce)
        except IntegrityError as violation:
            raise NotAuthenticated from violation
        post = Post(thread=thread, author=by, body=body)
        post.spoiler_percent = post.resolve_spoiler_percent(spoiler_percent, by=by)
        post._insert()
        record_changes(change(ChangeType.THREAD, thread.pk, club=club.pk), post._change())
        thread.record_event("created", by=by)
        if announce:
            thread.record_event("announced", by=by)
            notifications.notify_announcement(thread, by=by)
        notifications.notify_post(post)
        return thread

    @atomic_with_retry
    def update_thread(self, *, by: User, **fields: Any) -> None:
        """Update `title`, `pinned` or `closed`. Raises Conflict `thread_closed` for a new title in a closed thread."""
        self.lock()
        changed = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if "title" in changed and changed.get("closed", self.closed):
            self.require_open()
        for name, value in changed.items():
            setattr(self, name, value)
        if changed:
            self.save(update_fields=changed)
            record_changes(change(ChangeType.THREAD, self.pk, club=self.club_id))
            self.record_event("changed", by=by)

    @atomic_with_retry
    def delete_thread(self, *, by: User) -> None:
        """Delete the thread with its posts."""
        self.lock()
        self._delete(by)

    @atomic_with_retry
    def delete_own(self, *, by: User) -> None:
        """Delete the thread as its author. Raises PermissionDeniedProblem for others, or if it has posts by others."""
        self.lock()
        if self.author_id != by.pk or self.posts.filter(deleted_at__isnull=True).exclude(author=by).exists():
            raise permission_denied(Rank.MODERATOR)
        self._delete(by)

    def lock(self) -> None:
        """Lock and reload the club and the thread. Raises Http404 if either was deleted."""
        self.club.lock()
        try:
            self.refresh_from_db(fields=LOCKED_FIELDS, from_queryset=Thread.objects.select_for_update())
        except Thread.DoesNotExist:
            raise Http404 from None

    def require_open(self) -> None:
        """Raise Conflict `thread_closed` if the thread is closed, also for moderators, who can reopen it."""
        if self.closed:
            raise Conflict("thread_closed", _("This thread is closed."), thread=self.pk)

    def record_event(self, action: str, *, by: User) -> None:
        """Record an event in the club's activity log."""
        object_ref = ObjectRef("thread", self.pk, self.title, self.author_id)
        activity.record_event(f"thread.{action}", actor=by.pk, object_ref=object_ref, club=self.club_id)

    def _delete(self, by: User) -> None:
        self.record_event("deleted", by=by)
        posts = self.posts.countable().filter(author__isnull=False)
        authors = set(posts.order_by().values_list("author", flat=True))
        written = {"author_id": "author_id", "thread_author_id": "thread__author_id"}
        record_changes_of(
            changes_of(self.posts.all(), ChangeType.POST, deleted=True, **written),
            changes_of(Thread.objects.filter(pk=self.pk), ChangeType.THREAD, deleted=True, author_id="author_id"),
        )
        Thread.objects.filter(pk=self.pk).delete_with_posts()
        recompute_activity(authors, club_id=self.club_id)

    def recount_posts(self) -> None:
        """Recompute the counters. The thread must be locked."""
        counters = Post.objects.count_by_thread([self.pk]).get(self.pk, NO_POSTS)
        Thread.objects.filter(pk=self.pk).update(**counters)
        for name, value in counters.items():
            setattr(self, name, value)

    def increment_posts(self, at: datetime.datetime) -> None:
        """Count a new post. The thread must be locked."""
        Thread.objects.filter(pk=self.pk).update(posts_count=F("posts_count") + 1, last_post_at=at)
        self.posts_count, self.last_post_at = self.posts_count + 1, at


def _check_may_announce(club: Club) -> None:
    """Raise Conflict `too_many_announcements` if the club has published too many today. The club must be locked.

    Counts the events, because deleted announcements count too.
    """
    start = datetime.datetime.combine(club.today, datetime.time(), ZoneInfo(club.timezone))
    announced = Event.objects.filter(verb="thread.announced", created_at__gte=start, club=club)
    if announced.count() >= MAX_ANNOUNCEMENTS_PER_DAY:
        text = _("The club has already published %(count)d announcements today.") % {"count": MAX_ANNOUNCEMENTS_PER_DAY}
        raise Conflict("too_many_announcements", text, club=club.summary)


LOCKED_FIELDS = ["entry", "title", "pinned", "closed", "posts_count", "last_post_at"]
NO_POSTS: dict[str, Any] = {"posts_count": 0, "last_post_at": None}
