"""Report target for reviews."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from moderation.targets.base import Excerpt, ReportTarget, TargetContext, TargetSnapshot
from reviews.models import Review
from reviews.querysets import ReviewQuerySet


class ReviewTarget(ReportTarget):
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

    def lock(self, row: Review, *, by: User) -> None:
        """Lock the review like any other change does."""
        row.lock(with_user=by)

    def snapshot(self, row: Review) -> TargetSnapshot:
        """Return the author, the book title and the visible content."""
        seen = f"{row.rating}\n{row.title}\n{row.body}\n{row.contains_spoilers}"
        return TargetSnapshot(row.author_id, row.book.title, seen=seen, is_hidden=row.hidden_at is not None)

    def context(self, row: Review) -> TargetContext:
        """Return the book, the settings and the text."""
        facts = [
            (_("book"), row.book, reverse("admin:catalog_book_change", args=[row.book_id])),
            (_("rating"), row.stars_display or "—", ""),
            (_("visibility"), row.get_visibility_display(), ""),
            (_("contains spoilers"), _("yes") if row.contains_spoilers else _("no"), ""),
            (_("likes"), row.likes_count, ""),
        ]
        text = "\n\n".join(filter(None, (row.title, row.body)))
        return TargetContext(facts, [Excerpt(row.author, row.edited_at or row.created_at, text, is_target=True)])

    def hide(self, row: Review) -> None:
        """Hide the review."""
        row.hide()

    def restore(self, row: Review) -> None:
        """Restore the review."""
        row.restore()
