"""Panel of a user's page in the admin: their clubs."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from clubs.members.models import Membership
from core.admin.dashboard import Panel

MAX_CLUBS = 10


def user_clubs_panel(user: User, request: HttpRequest) -> Panel | None:
    """Return the latest memberships of a user, of all statuses."""
    if not request.user.has_perm("clubs.view_membership"):
        return None
    memberships = Membership.objects.filter(user=user).select_related("club").order_by("-pk")[:MAX_CLUBS]
    rows = [
        (
            membership.club.name,
            membership.get_status_display(),
            reverse("admin:clubs_club_change", args=[membership.club_id]),
        )
        for membership in memberships
    ]
    return Panel(_("Clubs"), rows)
