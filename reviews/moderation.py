"""Report target for reviews."""

from collections.abc import Collection

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from moderation.targets.base import Excerpt, ReportTarget, TargetContext, TargetSnapshot
from reviews.models import Review
from reviews.querysets import ReviewQuerySet


class ReviewTarget(ReportTarget[Review]):
    """A review; its title in cases is that of the book."""

    target_type = "review"
    label = _("review")
    can_be_hidden = True

    def visible_to(self, user: User) -> ReviewQuerySet:
        """Return the reviews visible to `user`."""
        return Review.objects.visible_to(user)

    def get(self, pk: int) -> Review | None:
        """Return the review, even if it is hidden or private."""
        return Review.objects.select_related("book").filter(pk=pk).first()

    def lock(self, obj: Review, *, by: User) -> None:
        """Lock the review like any other change does."""
        obj.lock(with_user=by)

    def snapshot(self, obj: Review) -> TargetSnapshot:
        """Return the author, the book title and the visible content."""
        text = f"{obj.rating}\n{obj.title}\n{obj.body}\n{obj.contains_spoilers}"
        is_hidden = obj.hidden_at is not None
        return TargetSnapshot(obj.author_id, obj.book.title, text=text, is_hidden=is_hidden, language=obj.language)

    def texts(self, ids: Collection[int]) -> dict[int, str]:
        """Return the titles and texts."""
        rows = Review.objects.filter(pk__in=ids).values_list("pk", "title", "body")
        return {pk: "\n\n".join(filter(None, (title, body))) for pk, title, body in rows}

    def context(self, obj: Review) -> TargetContext:
        """Return the book, the settings and the text."""
        facts = [
            (_("book"), obj.book, reverse("admin:catalog_book_change", args=[obj.book_id])),
            (_("rating"), obj.stars_display or "—", ""),
            (_("visibility"), obj.get_visibility_display(), ""),
            (_("contains spoilers"), _("yes") if obj.contains_spoilers else _("no"), ""),
            (_("likes"), obj.likes_count, ""),
        ]
        text = "\n\n".join(filter(None, (obj.title, obj.body)))
        return TargetContext(facts, [Excerpt(obj.author, obj.edited_at or obj.created_at, text, is_target=True)])

    def hide(self, obj: Review) -> None:
        """Hide the review."""
        obj.hide()

    def restore(self, obj: Review) -> None:
        """Restore the review."""
        obj.restore()
