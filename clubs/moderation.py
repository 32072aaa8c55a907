"""Clubs as something to report."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from bookbridge.api.rows import hold
from clubs.clubs.models import Club, ClubQuerySet
from moderation.targets import About, Context, Passage, Target


class ClubTarget(Target):
    """A club; it is its owner's."""

    word = "club"
    label = _("club")

    def visible_to(self, user: User) -> ClubQuerySet:
        """As everywhere."""
        return Club.objects.visible_to(user)

    def find(self, pk: int) -> Club | None:
        """Private ones too."""
        return Club.objects.filter(pk=pk).first()

    def hold(self, row: Club, *, by: User) -> None:
        """The readers' rows, then the club's."""
        hold(User, [row.owner_id, by.pk])
        row.lock()

    def about(self, row: Club) -> About:
        """What its card says."""
        return About(row.owner_id, row.name, club=row.pk, seen=f"{row.name}\n{row.description}")

    def context(self, row: Club) -> Context:
        """What its card says; nothing of the talk in it."""
        facts = [
            (_("club"), row.name, reverse("admin:clubs_club_change", args=[row.pk])),
            (_("visibility"), row.get_visibility_display(), ""),
            (_("members"), row.members_count, ""),
        ]
        return Context(facts, [Passage(row.owner, row.created_at, row.description, is_target=True)])
