"""Posts and their spoiler protection.

Lock order: club, thread, post, author's membership. Reactions and reveals lock the post only.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Case, Count, F, Max, OuterRef, Q, Subquery, When
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotAuthenticated

from accounts.blocks import unblocked
from activity import services as activity
from activity.models import Thing
from bookbridge.api.errors import Conflict, Forbidden, InvalidField
from bookbridge.api.rows import batches
from bookbridge.api.search import SearchField, index_text, query_terms
from bookbridge.api.transactions import conflict_as, retrying_atomic
from clubs.discussions import telling
from clubs.discussions.reactions import MOST_EMOJI, Reaction, Reveal, emoji_key
from clubs.discussions.wall import NOTHING_READ, open_to, progress_to_show
from clubs.members.services import was_active, was_not_active
from clubs.reading.marks import percent_field
from moderation.models import target_gone
from moderation.shown import moderation_of

if TYPE_CHECKING:
    from accounts.models import User
    from clubs.discussions.models import Thread

BODY_LENGTH = 10_000


class PostQuerySet(models.QuerySet["Post"]):
    """Queries for posts."""

    def visible_to(self, user: User, *, moderating: bool = False) -> PostQuerySet:
        """Return the posts that a member may see, locked or not.

        Hidden posts are visible to their author only. A block hides the posts and threads of two users from each other,
        but not if the caller is `moderating`: blocking moderators must not evade them.
        """
        rows = self.filter(Q(hidden_at__isnull=True) | Q(author=user.pk))
        return rows if moderating else rows.filter(unblocked(user, "author"), unblocked(user, "thread__author"))

    def shown_to(self, user: User, *, moderating: bool = False) -> PostQuerySet:
        """Return visible posts with what a response contains; `text` is None if the post is locked for `user`.

        The body is deferred, so that nothing built from these rows can reveal it.
        """
        text = Case(When(open_to(user), then=F("body")), default=None)
        decided = moderation_of("post", when=Q(author=user.pk, hidden_at__isnull=False))
        rows = self.visible_to(user, moderating=moderating).annotate(text=text, **decided)
        tally = models.Prefetch("reactions", Reaction.objects.tallied(user), to_attr="tally")
        return (
            rows.select_related("author")
            .defer("body", "search_text", "author__bio", "author__search_text")
            .prefetch_related(tally)
        )

    def unlocked_for(self, user: User) -> PostQuerySet:
        """Return posts whose text `user` may read, without deleted ones."""
        return self.filter(open_to(user), deleted_at__isnull=True)

    def search(self, club: int, text: str) -> PostQuerySet:
        """Return posts of a club that contain words starting with each word of `text`, ignoring case and accents."""
        terms = query_terms(text)
        return self.filter(club=club, search_text__words=[_club_search_word(club), *terms]) if terms else self.none()

    def empty(self) -> None:
        """Delete text and author of the posts. The rows must be locked; the caller updates the threads' counters."""
        target_gone("post", self.values("pk"))
        for rows in (Reaction.objects.all(), Reveal.objects.all()):
            rows.filter(post__in=self.values("pk")).delete()
        self.update(body="", search_text="", author=None, edited_at=None, deleted_at=timezone.now())

    def counted(self) -> PostQuerySet:
        """Return posts that count in the thread's counters: neither deleted nor hidden."""
        return self.filter(deleted_at__isnull=True, hidden_at__isnull=True)

    def last_said(self) -> Subquery:
        """Return a subquery for memberships: when the user last wrote a post that is neither deleted nor hidden."""
        posts = self.counted().filter(club=OuterRef("club"), author=OuterRef("user"))
        return Subquery(posts.order_by("-created_at").values("created_at")[:1])

    def count_by_thread(self, threads: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Return the counters of these threads, without those that have no posts: `{thread: {column: value}}`."""
        posts = self.counted().filter(thread__in=threads).order_by().values_list("thread")
        found = posts.annotate(n=Count("pk"), last=Max("created_at"))
        return {thread: {"posts_count": n, "last_post_at": last} for thread, n, last in found}


class Post(models.Model):
    """A post in a thread.

    `spoiler_percent` is the progress in the thread's book required to read it; null if the thread has no book. A reply
    requires at least as much as the post it replies to. A deleted post stays without text and author.
    """

    club = models.ForeignKey("clubs.Club", models.CASCADE, related_name="+", db_index=False)
    thread = models.ForeignKey("clubs.Thread", models.CASCADE, related_name="posts", db_index=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="posts")
    body = models.TextField(max_length=BODY_LENGTH)
    reply_to = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="replies")
    spoiler_percent = percent_field(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    edited_at = models.DateTimeField(null=True, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)
    hidden_at = models.DateTimeField(null=True, editable=False, help_text=_("When the post was hidden."))
    search_text = SearchField(editable=False)

    objects = PostQuerySet.as_manager()

    class Meta:
        verbose_name = _("post")
        verbose_name_plural = _("posts")
        constraints = [
            models.CheckConstraint(
                condition=Q(spoiler_percent__isnull=True) | Q(spoiler_percent__range=(0, 100)),
                name="clubs_post_percent",
            )
        ]
        indexes = [
            models.Index(fields=["club", "id"], name="clubs_post_of_club"),
            models.Index(fields=["thread", "id"], name="clubs_post_of_thread"),
            # For `last_said`.
            models.Index(fields=["club", "author", "created_at"], name="clubs_post_of_author"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @classmethod
    @retrying_atomic
    def write(
        cls,
        *,
        thread: Thread,
        by: User,
        body: str,
        reply_to: Post | None = None,
        spoiler_percent: Decimal | None = None,
    ) -> Post:
        """Create a post, optionally in reply to another post of the thread.

        Raise Conflict `thread_closed` or `post_deleted`, and InvalidField for a `spoiler_percent` in a thread without
        an entry.
        """
        thread.lock()
        thread.require_open()
        if reply_to is not None:
            reply_to.reread()
        post = cls(thread=thread, author=by, body=body, reply_to=reply_to)
        post.spoiler_percent = post.guard(spoiler_percent, by=by)
        post.insert()
        post.record("created", by=by)
        telling.tell(post)
        return post

    @retrying_atomic
    def change(self, *, by: User, **values: Any) -> None:
        """Update `body`, `spoiler_percent` or both. A raised `spoiler_percent` also raises that of replies.

        Users other than the author may only raise `spoiler_percent`; raise Forbidden `author_only` otherwise. Raise
        Conflict `post_deleted`, and `thread_closed` for all changes but a raised `spoiler_percent`.
        """
        self._lock()
        was, body, is_author = self.spoiler_percent, values.get("body", self.body), by.pk == self.author_id
        now = self.guard(values["spoiler_percent"], by=by) if "spoiler_percent" in values else was
        lowered = (now or NOTHING_READ) < (was or NOTHING_READ)
        if not is_author and ("body" in values or lowered):
            raise Forbidden("author_only", _("Only the author may change this post."))
        if body != self.body or lowered:
            self.thread.require_open()
        changed: dict[str, Any] = {} if now == was else {"spoiler_percent": now}
        if body != self.body:
            changed |= {"body": body, "search_text": self._words(body), "edited_at": timezone.now()}
        if not changed:
            return
        for name, value in changed.items():
            setattr(self, name, value)
        self.save(update_fields=changed)
        if not lowered:
            self._raise_replies()
        self.record("changed", by=by)
        telling.tell(self)

    @retrying_atomic
    def remove(self, *, by: User) -> None:
        """Delete text, author and reactions of the post; the row stays. Raise Conflict `post_deleted`."""
        self._lock()
        self.record("deleted", by=by)
        Post.objects.filter(pk=self.pk).empty()
        self.thread.count()
        self._settle_author()

    @retrying_atomic
    def hide(self) -> None:
        """Hide the post from everyone but its author."""
        self._lock()
        self._set_hidden(self.hidden_at or timezone.now())

    @retrying_atomic
    def restore(self) -> None:
        """Make a hidden post visible again."""
        self._lock()
        self._set_hidden(None)

    @retrying_atomic
    def react(self, emoji: str, *, by: User) -> None:
        """Add a reaction, unless the user has added the same one before.

        Raise Conflict `post_deleted`, `thread_closed`, or `too_many_reactions` beyond MOST_EMOJI different emoji.
        """
        self._lock_post()
        key, existing = emoji_key(emoji), Reaction.objects.filter(post=self)
        self.thread.refresh_from_db(fields=["closed"])
        self.thread.require_open()
        if not existing.filter(key=key).exists() and existing.values("key").distinct().count() >= MOST_EMOJI:
            raise Conflict("too_many_reactions", _("This post has too many different reactions."))
        with conflict_as(NotAuthenticated()):
            created = Reaction.objects.get_or_create(post=self, user=by, key=key, defaults={"emoji": emoji})[1]
        if created:
            self._record_private_event("reacted", by=by)

    @retrying_atomic
    def take_back(self, emoji: str, *, by: User) -> None:
        """Remove a reaction, if there is one."""
        self._lock_post()
        if Reaction.objects.filter(post=self, user=by, key=emoji_key(emoji)).delete()[0]:
            self._record_private_event("unreacted", by=by)

    @retrying_atomic
    def reveal(self, *, by: User) -> None:
        """Reveal the post permanently for `by` only. Raise Conflict `post_deleted`."""
        self._lock_post()
        if self.author_id == by.pk:
            return
        with conflict_as(NotAuthenticated()):
            created = Reveal.objects.get_or_create(post=self, user=by)[1]
        if created:
            self._record_private_event("revealed", by=by)

    @property
    def is_deleted(self) -> bool:
        """Whether the post was deleted."""
        return self.deleted_at is not None

    @property
    def is_locked(self) -> bool:
        """Whether the user it was loaded for (`shown_to`) may not read its text."""
        return not self.is_deleted and self.text is None  # type: ignore[attr-defined]  # `shown_to` adds it

    def guard(self, asked: Decimal | None, *, by: User) -> Decimal | None:
        """Return the `spoiler_percent` for the requested one; None requests the author's own progress.

        It is at least that of the post it replies to. Raise InvalidField if the thread is not about a book.
        """
        minimum = self.reply_to.spoiler_percent if self.reply_to else None
        if self.thread.entry_id is None:
            if asked:
                raise InvalidField("spoiler_percent", "no_entry", _("This thread is not about a book."))
            return minimum
        return max(asked if asked is not None else progress_to_show(self.thread.entry_id, by), minimum or NOTHING_READ)

    def insert(self) -> None:
        """Save the new post and count it. The thread must be locked.

        Raise NotAuthenticated if the author's account was deleted in the meantime.
        """
        self.club_id = self.thread.club_id
        self.search_text = self._words(self.body)
        with conflict_as(NotAuthenticated()):
            self.save(force_insert=True)
        self.thread.count_new(self.created_at)
        if self.author_id is not None:
            was_active(self.author_id, club=self.club_id, at=self.created_at)

    def reread(self) -> None:
        """Lock and reload the row. Raise Http404 if it does not exist, and Conflict if the post was deleted."""
        try:
            self.refresh_from_db(fields=CHANGING, from_queryset=Post.objects.select_for_update())
        except Post.DoesNotExist:
            raise Http404 from None
        self.require_words()

    def require_words(self) -> None:
        """Raise Conflict `post_deleted` if the post was deleted."""
        if self.is_deleted:
            raise Conflict("post_deleted", _("This post is deleted."))

    def record(self, what: str, *, by: User) -> None:
        """Record an event in the club's activity log, with the post's author as its subject."""
        thing = Thing("post", self.pk, self.thread.title, self.thread.author_id)
        subject = self.author_id if self.author_id != by.pk else None
        activity.record(f"post.{what}", actor=by.pk, thing=thing, club=self.club_id, subject=subject)

    def _record_private_event(self, what: str, *, by: User) -> None:
        """Record an event in the activity log of `by` only: reactions and reveals are not shown to the club."""
        activity.record(f"post.{what}", actor=by.pk, thing=Thing("post", self.pk, ""))

    def _lock(self) -> None:
        """Lock and reload the club, the thread and the post."""
        self.thread.lock()
        self.reread()

    def _lock_post(self) -> None:
        """Lock the post only. Raise Http404 if it does not exist, and Conflict if it was deleted."""
        row = Post.objects.select_for_update().filter(pk=self.pk).values_list("deleted_at", flat=True)
        found = list(row)
        if not found:
            raise Http404
        if found[0] is not None:
            raise Conflict("post_deleted", _("This post is deleted."))

    def _set_hidden(self, at: datetime.datetime | None) -> None:
        self.hidden_at = at
        self.save(update_fields=["hidden_at"])
        self.thread.count()
        self._settle_author()

    def _settle_author(self) -> None:
        """Recompute the author's last activity after the post was deleted, hidden or restored."""
        if self.author_id is not None:
            was_not_active([self.author_id], club=self.club_id)

    def _words(self, body: str) -> str:
        """Return the text of the search index."""
        return f"{_club_search_word(self.club_id)} {index_text([body])}"

    def _raise_replies(self) -> None:
        """Raise `spoiler_percent` of direct and indirect replies to that of this post."""
        if self.spoiler_percent is None:
            return
        less = Q(spoiler_percent__isnull=True) | Q(spoiler_percent__lt=self.spoiler_percent)
        later = Post.objects.filter(less, thread=self.thread_id, pk__gt=self.pk, reply_to__isnull=False)
        # Replies come after their parent in the order of ids.
        raised = {self.pk}
        for pk, answered in later.order_by("pk").values_list("pk", "reply_to"):
            if answered in raised:
                raised.add(pk)
        for replies in batches(sorted(raised - {self.pk})):
            Post.objects.filter(pk__in=replies).update(spoiler_percent=self.spoiler_percent)


CHANGING = ["author", "body", "reply_to", "spoiler_percent", "edited_at", "deleted_at", "hidden_at"]


def _club_search_word(club: int) -> str:
    """Return the index word that limits a search to one club; users cannot search for it (`search.PREFIX`)."""
    return f"zz{club}z"
