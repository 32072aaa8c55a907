"""Report target for users."""

from collections.abc import Collection

from django.db.models import QuerySet
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.db.locking import lock_rows
from moderation.targets.base import Excerpt, ReportTarget, TargetContext, TargetSnapshot


class UserTarget(ReportTarget[User]):
    """A user, reported for their name or profile."""

    target_type = "user"
    label = _("user")

    def visible_to(self, user: User) -> QuerySet[User]:
        """Return the users visible to `user`."""
        users: QuerySet[User] = User.objects.visible_to(user)
        return users

    def get(self, pk: int) -> User | None:
        """Return the user, even if the account is deactivated and being deleted."""
        return User.objects.filter(pk=pk).first()

    def lock(self, obj: User, *, by: User) -> None:
        """Lock both users; there is nothing else to lock."""
        if obj.pk not in lock_rows(User, [obj.pk, by.pk]):
            raise Http404
        obj.refresh_from_db()

    def snapshot(self, obj: User) -> TargetSnapshot:
        """Return the profile; users are their own authors."""
        return TargetSnapshot(obj.pk, obj.username, text=_profile(obj), language=obj.language)

    def texts(self, ids: Collection[int]) -> dict[int, str]:
        """Return the profiles."""
        return {user.pk: _profile(user) for user in User.objects.filter(pk__in=ids)}

    def context(self, obj: User) -> TargetContext:
        """Return the profile."""
        url = reverse("admin:accounts_user_change", args=[obj.pk])
        facts = [(_("username"), obj.username, url), (_("display name"), obj.display_name, "")]
        return TargetContext(facts, [Excerpt(obj, obj.joined_at, obj.bio, is_target=True)])


def _profile(user: User) -> str:
    return f"{user.username}\n{user.display_name}\n{user.bio}"
