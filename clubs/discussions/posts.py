"""Posts: what is said in a thread, and the wall that keeps what gives a book away from who has not read so far.

Whoever writes a post holds the rows of its club and its thread. Its author's membership, which notes when they were
active, is written last: whoever holds a membership and waits for a thread holds the club too. Who reacts to a post or
opens it holds that row alone.
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
from clubs.discussions.emoji import emoji_key
from clubs.discussions.reactions import MOST_EMOJI, Reaction, Reveal
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
    """Rules about many posts."""

    def visible_to(self, user: User, *, moderating: bool = False) -> PostQuerySet:
        """Those whose place in a thread a member sees, be they locked or not.

        One that staff have hidden is left to its author. A block keeps two readers' from each other, and what stands in
        their threads, but not from who is `moderating`: nobody gets away from moderators by blocking them.
        """
        rows = self.filter(Q(hidden_at__isnull=True) | Q(author=user.pk))
        return rows if moderating else rows.filter(unblocked(user, "author"), unblocked(user, "thread__author"))

    def shown_to(self, user: User, *, moderating: bool = False) -> PostQuerySet:
        """The visible ones with all that an answer shows; `text` is None where `user` may not read it.

        The body itself is not read from the database, so that nothing made of these rows can tell it.
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
        """Those that have a text, and one that `user` may read."""
        return self.filter(open_to(user), deleted_at__isnull=True)

    def search(self, club: int, text: str) -> PostQuerySet:
        """Posts of a club in which each word of `text` begins a word, without case or accents."""
        wanted = query_terms(text)
        return self.filter(club=club, search_text__words=[_words_of_club(club), *wanted]) if wanted else self.none()

    def empty(self) -> None:
        """Leave their places alone. For who holds the rows, and counts their threads."""
        target_gone("post", self.values("pk"))
        for rows in (Reaction.objects.all(), Reveal.objects.all()):
            rows.filter(post__in=self.values("pk")).delete()
        self.update(body="", search_text="", author=None, edited_at=None, deleted_at=timezone.now())

    def counted(self) -> PostQuerySet:
        """Those that a thread's figures are made of: neither deleted nor hidden."""
        return self.filter(deleted_at__isnull=True, hidden_at__isnull=True)

    def last_said(self) -> Subquery:
        """In a query of memberships: when the reader last wrote a post in the club that is there to see."""
        said = self.counted().filter(club=OuterRef("club"), author=OuterRef("user"))
        return Subquery(said.order_by("-created_at").values("created_at")[:1])

    def count_by_thread(self, threads: Sequence[int]) -> dict[int, dict[str, Any]]:
        """What the figures of these threads should be, where there is anything to count."""
        posts = self.counted().filter(thread__in=threads).order_by().values_list("thread")
        found = posts.annotate(n=Count("pk"), last=Max("created_at"))
        return {thread: {"posts_count": n, "last_post_at": last} for thread, n, last in found}


class Post(models.Model):
    """What somebody says in a thread.

    `spoiler_percent` is how far one must have read the thread's book to read it; null where the thread has none. A
    reply has at least that of what it answers. A deleted post stays as a place without text and author.
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
    hidden_at = models.DateTimeField(null=True, editable=False, help_text=_("Since when it is kept from the others."))
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
            # For when somebody was last active in a club.
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
        """Say something in a thread, in answer to another post of it or to nobody.

        Raises Conflict `thread_closed`, `post_deleted`; InvalidField for a guard where the thread has no entry.
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
        """Set `body`, `spoiler_percent` or both; replies that were guarded less are raised along.

        Anybody but the author may only raise the guard. Raises Forbidden `author_only`; Conflict `post_deleted`, and
        `thread_closed` for all but a raised guard.
        """
        self._lock()
        was, body, is_author = self.spoiler_percent, values.get("body", self.body), by.pk == self.author_id
        now = self.guard(values["spoiler_percent"], by=by) if "spoiler_percent" in values else was
        lowered = (now or NOTHING_READ) < (was or NOTHING_READ)
        if not is_author and ("body" in values or lowered):
            raise Forbidden("author_only", _("Only its author may change this post."))
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
        """Delete the post: its place stays, without text, author and reactions. Raises Conflict `post_deleted`."""
        self._lock()
        self.record("deleted", by=by)
        Post.objects.filter(pk=self.pk).empty()
        self.thread.count()
        self._settle_author()

    @retrying_atomic
    def hide(self) -> None:
        """Keep the post from everybody but its author, until it is restored."""
        self._lock()
        self._set_hidden(self.hidden_at or timezone.now())

    @retrying_atomic
    def restore(self) -> None:
        """Show a hidden post again."""
        self._lock()
        self._set_hidden(None)

    @retrying_atomic
    def react(self, emoji: str, *, by: User) -> None:
        """Note that `by` answers with an emoji; nothing happens where they have.

        Raises Conflict `post_deleted`, `thread_closed`, and `too_many_reactions` where that would be one emoji too many
        on one post.
        """
        self._hold()
        key, there = emoji_key(emoji), Reaction.objects.filter(post=self)
        self.thread.refresh_from_db(fields=["closed"])
        self.thread.require_open()
        if not there.filter(key=key).exists() and there.values("key").distinct().count() >= MOST_EMOJI:
            raise Conflict("too_many_reactions", _("There are too many different reactions to this post."))
        with conflict_as(NotAuthenticated()):
            made = Reaction.objects.get_or_create(post=self, user=by, key=key, defaults={"emoji": emoji})[1]
        if made:
            self._record_alone("reacted", by=by)

    @retrying_atomic
    def take_back(self, emoji: str, *, by: User) -> None:
        """Forget that `by` has answered with this emoji, if they have."""
        self._hold()
        if Reaction.objects.filter(post=self, user=by, key=emoji_key(emoji)).delete()[0]:
            self._record_alone("unreacted", by=by)

    @retrying_atomic
    def reveal(self, *, by: User) -> None:
        """Open the post for `by` alone, for good. Raises Conflict `post_deleted`."""
        self._hold()
        if self.author_id == by.pk:
            return
        with conflict_as(NotAuthenticated()):
            made = Reveal.objects.get_or_create(post=self, user=by)[1]
        if made:
            self._record_alone("revealed", by=by)

    @property
    def is_deleted(self) -> bool:
        """Whether only its place is left."""
        return self.deleted_at is not None

    @property
    def is_locked(self) -> bool:
        """Whether the reader for whom it was read may not have its text."""
        return not self.is_deleted and self.text is None  # type: ignore[attr-defined]  # `shown_to` adds it

    def guard(self, asked: Decimal | None, *, by: User) -> Decimal | None:
        """How the post is to be guarded where `asked` is wanted, which is the writer's own progress where that is None.

        Never less than what it answers. Raises InvalidField for a guard where there is no book to read.
        """
        least = self.reply_to.spoiler_percent if self.reply_to else None
        if self.thread.entry_id is None:
            if asked:
                raise InvalidField("spoiler_percent", "no_entry", _("This thread is about no book of the list."))
            return least
        return max(asked if asked is not None else progress_to_show(self.thread.entry_id, by), least or NOTHING_READ)

    def insert(self) -> None:
        """Write the new row and count it. The caller holds the lock of its thread.

        Raises NotAuthenticated where the author's account goes at this moment.
        """
        self.club_id = self.thread.club_id
        self.search_text = self._words(self.body)
        with conflict_as(NotAuthenticated()):
            self.save(force_insert=True)
        self.thread.count_new(self.created_at)
        if self.author_id is not None:
            was_active(self.author_id, club=self.club_id, at=self.created_at)

    def reread(self) -> None:
        """Read the row afresh and hold it; 404 where it is gone. Raises Conflict where only its place is left."""
        try:
            self.refresh_from_db(fields=CHANGING, from_queryset=Post.objects.select_for_update())
        except Post.DoesNotExist:
            raise Http404 from None
        self.require_words()

    def require_words(self) -> None:
        """Raise Conflict where only its place is left."""
        if self.is_deleted:
            raise Conflict("post_deleted", _("This post is deleted."))

    def record(self, what: str, *, by: User) -> None:
        """Note in the club's log what `by` has done, and to whose post."""
        thing = Thing("post", self.pk, self.thread.title, self.thread.author_id)
        subject = self.author_id if self.author_id != by.pk else None
        activity.record(f"post.{what}", actor=by.pk, thing=thing, club=self.club_id, subject=subject)

    def _record_alone(self, what: str, *, by: User) -> None:
        """Note it in the log of `by`: that somebody has opened or likes a post is no news for a club."""
        activity.record(f"post.{what}", actor=by.pk, thing=Thing("post", self.pk, ""))

    def _lock(self) -> None:
        """Hold the rows of the club, the thread and the post, read afresh."""
        self.thread.lock()
        self.reread()

    def _hold(self) -> None:
        """Hold this row alone; 404 where it is gone. Raises Conflict where only its place is left."""
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
        """Look again when the author was active, after the post has gone, or has come back."""
        if self.author_id is not None:
            was_not_active([self.author_id], club=self.club_id)

    def _words(self, body: str) -> str:
        """What the post is found by."""
        return f"{_words_of_club(self.club_id)} {index_text([body])}"

    def _raise_replies(self) -> None:
        """Guard the replies, and theirs, at least as much as this."""
        if self.spoiler_percent is None:
            return
        less = Q(spoiler_percent__isnull=True) | Q(spoiler_percent__lt=self.spoiler_percent)
        later = Post.objects.filter(less, thread=self.thread_id, pk__gt=self.pk, reply_to__isnull=False)
        # A reply comes after what it answers; and below one that is guarded enough all are.
        raised = {self.pk}
        for pk, answered in later.order_by("pk").values_list("pk", "reply_to"):
            if answered in raised:
                raised.add(pk)
        for replies in batches(sorted(raised - {self.pk})):
            Post.objects.filter(pk__in=replies).update(spoiler_percent=self.spoiler_percent)


CHANGING = ["author", "body", "reply_to", "spoiler_percent", "edited_at", "deleted_at", "hidden_at"]


def _words_of_club(club: int) -> str:
    """A word in the index that a club's posts have and no others, and that nobody can search for (`search.PREFIX`)."""
    return f"zz{club}z"
