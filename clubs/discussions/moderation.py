"""Posts as something to report: the one way by which staff come to read a private club's talk."""

from django.db.models import Q, QuerySet
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from bookbridge.api.errors import Conflict
from bookbridge.api.rows import hold
from clubs.discussions.posts import Post
from clubs.members.models import Membership
from clubs.roles import Role
from moderation.targets import About, Context, Passage, Target

# So many posts before and after the one that is reported are shown.
BESIDE = 3


class PostTarget(Target):
    """A post in a club's thread; its name is the thread's."""

    word = "post"
    label = _("post")
    can_be_hidden = True
    is_talk = True

    def visible_to(self, user: User) -> QuerySet[Post]:
        """Those of the reader's clubs that they see there, locked ones too; who moderates sees them across a block."""
        mine = Membership.objects.active().filter(user=user.pk)
        moderated = mine.filter(Q(role=Role.MODERATOR) | Q(club__owner=user.pk))
        seen = Post.objects.filter(club__in=mine.values("club")).visible_to(user)
        moderating = Post.objects.filter(club__in=moderated.values("club")).visible_to(user, moderating=True)
        either = Q(pk__in=seen.values("pk")) | Q(pk__in=moderating.values("pk"))
        return Post.objects.filter(either, deleted_at__isnull=True)

    def find(self, pk: int) -> Post | None:
        """Also a hidden one, of a private club too."""
        return Post.objects.select_related("thread__club").filter(pk=pk, deleted_at__isnull=True).first()

    def hold(self, row: Post, *, by: User) -> None:
        """The readers' rows, then as every change of a post does."""
        hold(User, [row.author_id, by.pk])
        row.thread.lock()
        try:
            row.reread()
        except Conflict:
            raise Http404 from None

    def about(self, row: Post) -> About:
        """The text is what there is to see."""
        return About(row.author_id, row.thread.title, club=row.club_id, seen=row.body, is_hidden=bool(row.hidden_at))

    def title_by(self, pk: int) -> int | None:
        """Of the thread's title, who has opened the thread."""
        return Post.objects.filter(pk=pk).values_list("thread__author", flat=True).first()

    def context(self, row: Post) -> Context:
        """Its thread, with what was said before and after."""
        club, address = row.thread.club, reverse("admin:clubs_club_change", args=[row.club_id])
        others = Post.objects.filter(thread=row.thread_id, deleted_at__isnull=True).select_related("author")
        before = list(others.filter(pk__lt=row.pk).order_by("-pk")[:BESIDE])[::-1]
        after = list(others.filter(pk__gt=row.pk).order_by("pk")[:BESIDE])
        facts = [
            (_("club"), f"{club} ({club.get_visibility_display()})", address),
            (_("thread"), row.thread.title, ""),
        ]
        return Context(facts, [_passage(post, is_target=post == row) for post in (*before, row, *after)])

    def hide(self, row: Post) -> None:
        """In the model's words."""
        row.hide()

    def restore(self, row: Post) -> None:
        """In the model's words."""
        row.restore()


def _passage(post: Post, *, is_target: bool) -> Passage:
    guard = "" if post.spoiler_percent is None else f"{post.spoiler_percent.normalize():f} %"
    return Passage(post.author, post.edited_at or post.created_at, post.body, note=guard, is_target=is_target)
