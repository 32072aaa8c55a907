"""Reviews as something to report."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from moderation.targets import About, Context, Passage, Target
from reviews.models import Review
from reviews.querysets import ReviewQuerySet


class ReviewTarget(Target):
    """A review; its own is who wrote it, its name is the book's."""

    word = "review"
    label = _("review")
    can_be_hidden = True

    def visible_to(self, user: User) -> ReviewQuerySet:
        """As everywhere."""
        return Review.objects.visible_to(user)

    def find(self, pk: int) -> Review | None:
        """Also a hidden one, and one that is for nobody else."""
        return Review.objects.select_related("book").filter(pk=pk).first()

    def hold(self, row: Review, *, by: User) -> None:
        """As every change of a review does."""
        row.lock(with_user=by)

    def about(self, row: Review) -> About:
        """The texts and the stars are what there is to see."""
        seen = f"{row.rating}\n{row.title}\n{row.body}\n{row.contains_spoilers}"
        return About(row.author_id, row.book.title, seen=seen, is_hidden=row.hidden_at is not None)

    def context(self, row: Review) -> Context:
        """Its book, and what it says."""
        facts = [
            (_("book"), row.book, reverse("admin:catalog_book_change", args=[row.book_id])),
            (_("rating"), row.in_stars or "—", ""),
            (_("for whom"), row.get_visibility_display(), ""),
            (_("warns of spoilers"), _("yes") if row.contains_spoilers else _("no"), ""),
            (_("likes"), row.likes_count, ""),
        ]
        text = "\n\n".join(filter(None, (row.title, row.body)))
        return Context(facts, [Passage(row.author, row.edited_at or row.created_at, text, is_target=True)])

    def hide(self, row: Review) -> None:
        """In the model's words."""
        row.hide()

    def restore(self, row: Review) -> None:
        """In the model's words."""
        row.restore()
