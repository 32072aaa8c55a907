"""Readers as something to report."""

from django.db.models import QuerySet
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from bookbridge.api.rows import hold
from moderation.targets import About, Context, Passage, Target


class UserTarget(Target):
    """A reader, reported as a person: for their name or for what they say of themselves."""

    word = "user"
    label = _("reader")

    def visible_to(self, user: User) -> QuerySet[User]:
        """As everywhere."""
        readers: QuerySet[User] = User.objects.visible_to(user)
        return readers

    def find(self, pk: int) -> User | None:
        """An account that is open, or shut while it goes."""
        return User.objects.filter(pk=pk).first()

    def hold(self, row: User, *, by: User) -> None:
        """The readers' rows are all there is."""
        if row.pk not in hold(User, [row.pk, by.pk]):
            raise Http404
        row.refresh_from_db()

    def about(self, row: User) -> About:
        """They are their own."""
        return About(row.pk, row.username, seen=f"{row.username}\n{row.display_name}\n{row.bio}")

    def context(self, row: User) -> Context:
        """The profile."""
        address = reverse("admin:accounts_user_change", args=[row.pk])
        facts = [(_("username"), row.username, address), (_("display name"), row.display_name, "")]
        return Context(facts, [Passage(row, row.joined_at, row.bio, is_target=True)])
