"""Report target for users."""

from django.db.models import QuerySet
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.db.locking import lock_rows
from moderation.targets.base import Excerpt, ReportTarget, TargetContext, TargetSnapshot


class UserTarget(ReportTarget):
    """A user, reported for their name or profile."""

    target_type = "user"
    label = _("reader")

    def visible_to(self, user: User) -> QuerySet[User]:
        """Return the users visible to `user`."""
        users: QuerySet[User] = User.objects.visible_to(user)
        return users

    def get(self, pk: int) -> User | None:
        """Return the user, even if the account is deactivated and being deleted."""
        return User.objects.filter(pk=pk).first()

    def lock(self, row: User, *, by: User) -> None:
        """Lock both users; there is nothing else to lock."""
        if row.pk not in lock_rows(User, [row.pk, by.pk]):
            raise Http404
        row.refresh_from_db()

    def snapshot(self, row: User) -> TargetSnapshot:
        """Return the profile; users are their own authors."""
        return TargetSnapshot(row.pk, row.username, seen=f"{row.username}\n{row.display_name}\n{row.bio}")

    def context(self, row: User) -> TargetContext:
        """Return the profile."""
        address = reverse("admin:accounts_user_change", args=[row.pk])
        facts = [(_("username"), row.username, address), (_("display name"), row.display_name, "")]
        return TargetContext(facts, [Excerpt(row, row.joined_at, row.bio, is_target=True)])
