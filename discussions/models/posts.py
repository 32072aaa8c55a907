"""Posts and their spoiler protection.

Lock order: club, thread, post, author's membership. Reactions and reveals lock the post only.
"""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import IntegrityError, models
from django.db.models import Q
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotAuthenticated

from activity import services as activity
from activity.changes.models import Change, ChangeType
from activity.changes.services import change, record_changes
from activity.models import ObjectRef
from clubs.members.activity import end_pause_by_moderator, recompute_activity, record_activity
from clubs.reading.models import percent_field
from core.api.exceptions import Conflict, InvalidFieldError, PermissionDeniedProblem
from core.db.locking import batched
from core.db.transactions import atomic_with_retry, conflict_on_integrity_error
from core.search.fields import SearchField, build_search_text
from discussions import notifications
from discussions.models.reactions import MAX_DISTINCT_EMOJI, Reaction, SpoilerReveal, emoji_key
from discussions.querysets import PostQuerySet, club_search_word
from discussions.spoilers import ZERO_PERCENT, default_spoiler_percent

if TYPE_CHECKING:
    from accounts.models import User
    from discussions.models.threads import Thread

BODY_LENGTH = 10_000


class Post(models.Model):
    """A post in a thread.

    `spoiler_percent` is the progress in the thread's book required to read it; null if the thread has no book. A reply
    requires at least as much as the post it replies to. A deleted post stays without text and author.
    """

    club = models.ForeignKey("clubs.Club", models.CASCADE, related_name="+", db_index=False, verbose_name=_("club"))
    thread = models.ForeignKey("discussions.Thread", models.CASCADE, related_name="posts", db_index=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="posts", verbose_name=_("author")
    )
    body = models.TextField(max_length=BODY_LENGTH, verbose_name=_("body"))
    reply_to = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="replies")
    spoiler_percent = percent_field(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False, verbose_name=_("created at"))
    edited_at = models.DateTimeField(null=True, editable=False, verbose_name=_("edited at"))
    deleted_at = models.DateTimeField(null=True, editable=False, verbose_name=_("deleted at"))
    hidden_at = models.DateTimeField(
        null=True, editable=False, help_text=_("When the post was hidden."), verbose_name=_("hidden at")
    )
    search_text = SearchField(editable=False)

    objects = PostQuerySet.as_manager()

    class Meta:
        verbose_name = _("post")
        verbose_name_plural = _("posts")
        constraints = [
            models.CheckConstraint(
                condition=Q(spoiler_percent__isnull=True) | Q(spoiler_percent__range=(0, 100)),
                name="discussions_post_percent",
            )
        ]
        indexes = [
            models.Index(fields=["club", "id"], name="discussions_post_of_club"),
            models.Index(fields=["thread", "id"], name="discussions_post_of_thread"),
            # For `PostQuerySet.last_posted_at`.
            models.Index(fields=["club", "author", "created_at"], name="discussions_post_of_author"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @classmethod
    @atomic_with_retry
    def create_post(
        cls,
        *,
        thread: Thread,
        by: User,
        body: str,
        reply_to: Post | None = None,
        spoiler_percent: Decimal | None = None,
    ) -> Post:
        """Create a post, optionally in reply to another post of the thread.

        Raises Conflict `thread_closed` or `post_deleted`, and InvalidFieldError for a `spoiler_percent` in a thread
        without an entry.
        """
        thread.lock()
        thread.require_open()
        if reply_to is not None:
            reply_to._refresh_locked()
        post = cls(thread=thread, author=by, body=body, reply_to=reply_to)
        post.spoiler_percent = post.resolve_spoiler_percent(spoiler_percent, by=by)
        post._insert()
        record_changes(post._change())
        post.record_event("created", by=by)
        notifications.notify_post(post)
        return post

    @atomic_with_retry
    def update_post(self, *, by: User, **values: Any) -> None:
        """Update `body`, `spoiler_percent` or both. A raised `spoiler_percent` also raises that of replies.

        Users other than the author may only raise `spoiler_percent`; other changes raise PermissionDeniedProblem
        `author_only`. Raises Conflict `post_deleted`, and `thread_closed` for all changes but a raised
        `spoiler_percent`.
        """
        self._lock()
        old, body, is_author = self.spoiler_percent, values.get("body", self.body), by.pk == self.author_id
        new = self.resolve_spoiler_percent(values["spoiler_percent"], by=by) if "spoiler_percent" in values else old
        lowered = (new or ZERO_PERCENT) < (old or ZERO_PERCENT)
        if not is_author and ("body" in values or lowered):
            raise PermissionDeniedProblem("author_only", _("Only the author may change this post."))
        if body != self.body or lowered:
            self.thread.require_open()
        changed: dict[str, Any] = {} if new == old else {"spoiler_percent": new}
        if body != self.body:
            changed |= {"body": body, "search_text": self._search_text(body), "edited_at": timezone.now()}
        if not changed:
            return
        for name, value in changed.items():
            setattr(self, name, value)
        self.save(update_fields=changed)
        raised = [] if lowered else self._raise_spoiler_percent_of_replies()
        record_changes(self._change(), *(change(ChangeType.POST, pk, club=self.club_id) for pk in raised))
        self.record_event("changed", by=by)
        notifications.notify_post(self)

    @atomic_with_retry
    def soft_delete(self, *, by: User) -> None:
        """Delete text, author and reactions of the post; the row stays. Raises Conflict `post_deleted`."""
        self._lock()
        self.record_event("deleted", by=by)
        record_changes(self._change())
        Post.objects.filter(pk=self.pk).blank_out()
        self.thread.recount_posts()
        self._refresh_author_activity()

    @atomic_with_retry
    def hide(self) -> None:
        """Hide the post from everyone but its author."""
        self._lock()
        self._set_hidden(self.hidden_at or timezone.now())

    @atomic_with_retry
    def restore(self) -> None:
        """Make a hidden post visible again."""
        self._lock()
        self._set_hidden(None)

    @atomic_with_retry
    def react(self, emoji: str, *, by: User) -> None:
        """Add a fully qualified emoji (`qualify_emoji`), unless the user has added the same one before.

        Raises Conflict `post_deleted`, `thread_closed`, or `too_many_reactions` beyond MAX_DISTINCT_EMOJI emoji.
        """
        self._lock_post()
        key, existing = emoji_key(emoji), Reaction.objects.filter(post=self)
        self.thread.refresh_from_db(fields=["closed"])
        self.thread.require_open()
        if not existing.filter(key=key).exists() and existing.values("key").distinct().count() >= MAX_DISTINCT_EMOJI:
            raise Conflict("too_many_reactions", _("This post has too many different reactions."), post=self.pk)
        with conflict_on_integrity_error(NotAuthenticated()):
            created = Reaction.objects.get_or_create(post=self, user=by, key=key, defaults={"emoji": emoji})[1]
        if created:
            record_changes(self._change(user=by.pk))
            self._record_private_event("reacted", by=by)

    @atomic_with_retry
    def unreact(self, emoji: str, *, by: User) -> None:
        """Remove a reaction, if there is one."""
        self._lock_post()
        if Reaction.objects.filter(post=self, user=by, key=emoji_key(emoji)).delete()[0]:
            record_changes(self._change(user=by.pk))
            self._record_private_event("unreacted", by=by)

    @atomic_with_retry
    def reveal(self, *, by: User) -> None:
        """Reveal the post permanently for `by` only. Raises Conflict `post_deleted`."""
        self._lock_post()
        if self.author_id == by.pk:
            return
        with conflict_on_integrity_error(NotAuthenticated()):
            created = SpoilerReveal.objects.get_or_create(post=self, user=by)[1]
        if created:
            record_changes(self._change(user=by.pk))
            self._record_private_event("revealed", by=by)

    @property
    def is_deleted(self) -> bool:
        """Whether the post was deleted."""
        return self.deleted_at is not None

    @property
    def is_locked(self) -> bool:
        """Whether the user passed to `with_details_for` may not read the text."""
        return not self.is_deleted and self.text is None  # type: ignore[attr-defined]  # `with_details_for` adds it

    def resolve_spoiler_percent(self, requested: Decimal | None, *, by: User) -> Decimal | None:
        """Return the `spoiler_percent` for the requested one; None requests the author's own progress.

        It is at least that of the post it replies to. Raises InvalidFieldError if the thread is not about a book.
        """
        minimum = self.reply_to.spoiler_percent if self.reply_to else None
        if self.thread.entry_id is None:
            if requested:
                raise InvalidFieldError("spoiler_percent", "no_entry", _("This thread is not about a book."))
            return minimum
        if requested is None:
            requested = default_spoiler_percent(self.thread.entry_id, by)
        return max(requested, minimum or ZERO_PERCENT)

    def _insert(self) -> None:
        """Save the new post and count it. The thread must be locked.

        Raises NotAuthenticated if the author's account was deleted in the meantime.
        """
        self.club_id = self.thread.club_id
        self.search_text = self._search_text(self.body)
        try:
            self.save(force_insert=True)
        except IntegrityError as violation:
            raise NotAuthenticated from violation
        self.thread.increment_posts(self.created_at)
        if self.author_id is not None:
            record_activity(self.author_id, club_id=self.club_id, at=self.created_at)
            end_pause_by_moderator(self.author_id, club_id=self.club_id)

    def _refresh_locked(self) -> None:
        """Lock and reload the row. Raises Http404 if it does not exist, and Conflict if the post was deleted."""
        try:
            self.refresh_from_db(fields=MUTABLE_FIELDS, from_queryset=Post.objects.select_for_update())
        except Post.DoesNotExist:
            raise Http404 from None
        self.require_not_deleted()

    def require_not_deleted(self) -> None:
        """Raise Conflict `post_deleted` if the post was deleted."""
        if self.is_deleted:
            raise Conflict("post_deleted", _("This post is deleted."), post=self.pk)

    def record_event(self, action: str, *, by: User) -> None:
        """Record an event in the club's activity log, with the post's author as its subject."""
        object_ref = ObjectRef("post", self.pk, self.thread.title, self.thread.author_id)
        subject = self.author_id if self.author_id != by.pk else None
        activity.record_event(f"post.{action}", actor=by.pk, object_ref=object_ref, club=self.club_id, subject=subject)

    def _record_private_event(self, action: str, *, by: User) -> None:
        """Record an event in the activity log of `by` only: reactions and reveals are not shown to the club."""
        activity.record_event(f"post.{action}", actor=by.pk, object_ref=ObjectRef("post", self.pk, ""))

    def _lock(self) -> None:
        """Lock and reload the club, the thread and the post."""
        self.thread.lock()
        self._refresh_locked()

    def _lock_post(self) -> None:
        """Lock the post only. Raises Http404 if it does not exist, and Conflict if it was deleted."""
        rows = Post.objects.select_for_update().filter(pk=self.pk)
        deleted_at = list(rows.values_list("deleted_at", flat=True))
        if not deleted_at:
            raise Http404
        self.deleted_at = deleted_at[0]
        self.require_not_deleted()

    def _set_hidden(self, at: datetime.datetime | None) -> None:
        self.hidden_at = at
        self.save(update_fields=["hidden_at"])
        record_changes(self._change())
        self.thread.recount_posts()
        self._refresh_author_activity()

    def _change(self, *, user: int | None = None) -> Change:
        return change(ChangeType.POST, self.pk, club=self.club_id, user=user)

    def _refresh_author_activity(self) -> None:
        """Recompute the author's last activity after the post was deleted, hidden or restored."""
        if self.author_id is not None:
            recompute_activity([self.author_id], club_id=self.club_id)

    def _search_text(self, body: str) -> str:
        """Return the text of the search index."""
        return f"{club_search_word(self.club_id)} {build_search_text([body])}"

    def _raise_spoiler_percent_of_replies(self) -> set[int]:
        """Raise `spoiler_percent` of direct and indirect replies to that of this post, and return their ids."""
        if self.spoiler_percent is None:
            return set()
        lower = Q(spoiler_percent__isnull=True) | Q(spoiler_percent__lt=self.spoiler_percent)
        later = Post.objects.filter(lower, thread=self.thread_id, pk__gt=self.pk, reply_to__isnull=False)
        # A reply has a higher id than the post it replies to.
        raised = {self.pk}
        for pk, parent in later.order_by("pk").values_list("pk", "reply_to"):
            if parent in raised:
                raised.add(pk)
        raised -= {self.pk}
        for replies in batched(sorted(raised)):
            Post.objects.filter(pk__in=replies).update(spoiler_percent=self.spoiler_percent)
        return raised


MUTABLE_FIELDS = ["author", "body", "reply_to", "spoiler_percent", "edited_at", "deleted_at", "hidden_at"]
