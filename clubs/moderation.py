"""Clubs as targets of reports."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from bookbridge.api.rows import hold
from clubs.clubs.models import Club, ClubQuerySet
from moderation.targets import About, Context, Passage, Target


class ClubTarget(Target):
    """A club; its author is the owner."""

    word = "club"
    label = _("club")

    def visible_to(self, user: User) -> ClubQuerySet:
        """Return the clubs that `user` may see."""
        return Club.objects.visible_to(user)

    def find(self, pk: int) -> Club | None:
        """Return the club, even if it is private."""
        return Club.objects.filter(pk=pk).first()

    def hold(self, row: Club, *, by: User) -> None:
        """Lock the owner and the moderator, then the club."""
        hold(User, [row.owner_id, by.pk])
        row.lock()

    def about(self, row: Club) -> About:
        """Return a snapshot of name and description."""
        return About(row.owner_id, row.name, club=row.pk, seen=f"{row.name}\n{row.description}")

    def context(self, row: Club) -> Context:
        """Return name, visibility, size and description, without any member content."""
        facts = [
            (_("club"), row.name, reverse("admin:clubs_club_change", args=[row.pk])),
            (_("visibility"), row.get_visibility_display(), ""),
            (_("members"), row.members_count, ""),
        ]
        return Context(facts, [Passage(row.owner, row.created_at, row.description, is_target=True)])
