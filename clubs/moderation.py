"""Clubs as targets of reports."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from clubs.club.models import Club
from clubs.club.querysets import ClubQuerySet
from core.db.locking import lock_rows
from moderation.targets.base import Excerpt, ReportTarget, TargetContext, TargetSnapshot


class ClubTarget(ReportTarget):
    """A club; its author is the owner."""

    target_type = "club"
    label = _("club")

    def visible_to(self, user: User) -> ClubQuerySet:
        """Return the clubs that `user` may see."""
        return Club.objects.visible_to(user)

    def get(self, pk: int) -> Club | None:
        """Return the club, even if it is private."""
        return Club.objects.filter(pk=pk).first()

    def lock(self, row: Club, *, by: User) -> None:
        """Lock the owner and the moderator, then the club."""
        lock_rows(User, [row.owner_id, by.pk])
        row.lock()

    def snapshot(self, row: Club) -> TargetSnapshot:
        """Return a snapshot of name and description."""
        return TargetSnapshot(row.owner_id, row.name, club=row.pk, seen=f"{row.name}\n{row.description}")

    def context(self, row: Club) -> TargetContext:
        """Return name, visibility, size and description, without any member content."""
        facts = [
            (_("club"), row.name, reverse("admin:clubs_club_change", args=[row.pk])),
            (_("visibility"), row.get_visibility_display(), ""),
            (_("members"), row.members_count, ""),
        ]
        return TargetContext(facts, [Excerpt(row.owner, row.created_at, row.description, is_target=True)])
