"""Posts as report targets. Only reports let staff read posts of private clubs."""

from django.db.models import Q, QuerySet
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from clubs.members.models import Membership
from clubs.roles import Role
from core.api.exceptions import Conflict
from core.db.locking import lock_rows
from discussions.models import Post
from moderation.targets.base import Excerpt, ReportTarget, TargetContext, TargetSnapshot

# Posts shown before and after the reported one.
CONTEXT_POSTS = 3


class PostTarget(ReportTarget):
    """A post as a report target, named by the title of its thread."""

    target_type = "post"
    label = _("post")
    can_be_hidden = True
    is_private_content = True

    def visible_to(self, user: User) -> QuerySet[Post]:
        """Return the posts in the clubs of `user` that they may see, including locked ones."""
        own = Membership.objects.active().filter(user=user.pk)
        moderated = own.filter(Q(role=Role.MODERATOR) | Q(club__owner=user.pk))
        as_member = Post.objects.filter(club__in=own.values("club")).visible_to(user)
        # Blocks do not apply to moderators.
        as_moderator = Post.objects.filter(club__in=moderated.values("club")).visible_to(user, as_moderator=True)
        either = Q(pk__in=as_member.values("pk")) | Q(pk__in=as_moderator.values("pk"))
        return Post.objects.filter(either, deleted_at__isnull=True)

    def get(self, pk: int) -> Post | None:
        """Return a post, also if it is hidden or in a private club, or None if it was deleted."""
        return Post.objects.select_related("thread__club").filter(pk=pk, deleted_at__isnull=True).first()

    def lock(self, row: Post, *, by: User) -> None:
        """Lock the users, then the thread and the post. Raise Http404 if the post was deleted."""
        lock_rows(User, [row.author_id, by.pk])
        row.thread.lock()
        try:
            row._refresh_locked()
        except Conflict:
            raise Http404 from None

    def snapshot(self, row: Post) -> TargetSnapshot:
        """Return the post's author, title, club and text."""
        return TargetSnapshot(
            row.author_id, row.thread.title, club=row.club_id, seen=row.body, is_hidden=bool(row.hidden_at)
        )

    def title_author_id(self, pk: int) -> int | None:
        """Return the id of the thread's author, who wrote its title."""
        return Post.objects.filter(pk=pk).values_list("thread__author", flat=True).first()

    def context(self, row: Post) -> TargetContext:
        """Return the thread and the posts before and after this one."""
        club, url = row.thread.club, reverse("admin:clubs_club_change", args=[row.club_id])
        others = Post.objects.filter(thread=row.thread_id, deleted_at__isnull=True).select_related("author")
        before = list(others.filter(pk__lt=row.pk).order_by("-pk")[:CONTEXT_POSTS])[::-1]
        after = list(others.filter(pk__gt=row.pk).order_by("pk")[:CONTEXT_POSTS])
        facts = [
            (_("club"), f"{club} ({club.get_visibility_display()})", url),
            (_("thread"), row.thread.title, ""),
        ]
        return TargetContext(facts, [_excerpt(post, is_target=post == row) for post in (*before, row, *after)])

    def hide(self, row: Post) -> None:
        """Hide the post."""
        row.hide()

    def restore(self, row: Post) -> None:
        """Restore the post."""
        row.restore()


def _excerpt(post: Post, *, is_target: bool) -> Excerpt:
    percent = "" if post.spoiler_percent is None else f"{post.spoiler_percent.normalize():f} %"
    return Excerpt(post.author, post.edited_at or post.created_at, post.body, note=percent, is_target=is_target)
