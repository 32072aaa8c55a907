"""Report target for posts. Only reports let staff read posts of private clubs."""

from collections.abc import Collection

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


class PostTarget(ReportTarget[Post]):
    """A post; its title in cases is that of its thread."""

    target_type = "post"
    label = _("post")
    can_be_hidden = True
    is_private_content = True

    def visible_to(self, user: User) -> QuerySet[Post]:
        """Return the posts in the clubs of `user` that they may see, including locked ones."""
        memberships = Membership.objects.active().filter(user=user.pk)
        moderated = memberships.filter(Q(role=Role.MODERATOR) | Q(club__owner=user.pk))
        as_member = Post.objects.filter(club__in=memberships.values("club")).visible_to(user)
        # Blocks do not apply to moderators.
        as_moderator = Post.objects.filter(club__in=moderated.values("club")).visible_to(user, as_moderator=True)
        either = Q(pk__in=as_member.values("pk")) | Q(pk__in=as_moderator.values("pk"))
        return Post.objects.filter(either, deleted_at__isnull=True)

    def get(self, pk: int) -> Post | None:
        """Return the post, even if it is hidden or in a private club; None if it is deleted."""
        return Post.objects.select_related("thread__club").filter(pk=pk, deleted_at__isnull=True).first()

    def lock(self, obj: Post, *, by: User) -> None:
        """Lock the users, then the thread and the post. Raises Http404 if the post was deleted."""
        lock_rows(User, [obj.author_id, by.pk])
        obj.thread.lock()
        try:
            obj._refresh_locked()
        except Conflict:
            raise Http404 from None

    def snapshot(self, obj: Post) -> TargetSnapshot:
        """Return the author, the thread's title, the club and the text."""
        return TargetSnapshot(
            obj.author_id,
            obj.thread.title,
            club_id=obj.club_id,
            text=obj.body,
            is_hidden=bool(obj.hidden_at),
            language=obj.thread.club.language,
        )

    def texts(self, ids: Collection[int]) -> dict[int, str]:
        """Return the texts. The caller may show only those that were reported."""
        return dict(Post.objects.filter(pk__in=ids, deleted_at__isnull=True).values_list("pk", "body"))

    def title_author_id(self, pk: int) -> int | None:
        """Return the id of the thread's author, who wrote its title."""
        return Post.objects.filter(pk=pk).values_list("thread__author", flat=True).first()

    def context(self, obj: Post) -> TargetContext:
        """Return the thread and the posts before and after this one."""
        club, address = obj.thread.club, reverse("admin:clubs_club_change", args=[obj.club_id])
        others = Post.objects.filter(thread=obj.thread_id, deleted_at__isnull=True).select_related("author")
        before = list(others.filter(pk__lt=obj.pk).order_by("-pk")[:CONTEXT_POSTS])[::-1]
        after = list(others.filter(pk__gt=obj.pk).order_by("pk")[:CONTEXT_POSTS])
        facts = [
            (_("club"), f"{club} ({club.get_visibility_display()})", address),
            (_("thread"), obj.thread.title, ""),
        ]
        return TargetContext(facts, [_excerpt(post, is_target=post == obj) for post in (*before, obj, *after)])

    def hide(self, obj: Post) -> None:
        """Hide the post."""
        obj.hide()

    def restore(self, obj: Post) -> None:
        """Restore the post."""
        obj.restore()


def _excerpt(post: Post, *, is_target: bool) -> Excerpt:
    spoiler = "" if post.spoiler_percent is None else f"{post.spoiler_percent.normalize():f} %"
    return Excerpt(post.author, post.edited_at or post.created_at, post.body, note=spoiler, is_target=is_target)
