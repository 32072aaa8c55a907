"""Report target for clubs."""

from collections.abc import Collection

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from clubs.club.models import Club
from clubs.club.querysets import ClubQuerySet
from core.db.locking import lock_rows
from moderation.targets.base import Excerpt, ReportTarget, TargetContext, TargetSnapshot


class ClubTarget(ReportTarget[Club]):
    """A club; its author is the owner."""

    target_type = "club"
    label = _("club")

    def visible_to(self, user: User) -> ClubQuerySet:
        """Return the clubs that `user` may see."""
        return Club.objects.visible_to(user)

    def get(self, pk: int) -> Club | None:
        """Return the club, even if it is private."""
        return Club.objects.filter(pk=pk).first()

    def lock(self, obj: Club, *, by: User) -> None:
        """Lock the users, then the club."""
        lock_rows(User, [obj.owner_id, by.pk])
        obj.lock()

    def snapshot(self, obj: Club) -> TargetSnapshot:
        """Return the owner, the name and the description."""
        text, language = f"{obj.name}\n{obj.description}", obj.language
        return TargetSnapshot(obj.owner_id, obj.name, club_id=obj.pk, text=text, language=language)

    def texts(self, ids: Collection[int]) -> dict[int, str]:
        """Return the descriptions."""
        return dict(Club.objects.filter(pk__in=ids).values_list("pk", "description"))

    def context(self, obj: Club) -> TargetContext:
        """Return name, visibility, size and description, without any member content."""
        facts = [
            (_("club"), obj.name, reverse("admin:clubs_club_change", args=[obj.pk])),
            (_("visibility"), obj.get_visibility_display(), ""),
            (_("members"), obj.members_count, ""),
        ]
        return TargetContext(facts, [Excerpt(obj.owner, obj.created_at, obj.description, is_target=True)])
