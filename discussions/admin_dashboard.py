"""Panel of a user's page in the admin: their posts by club. Their texts are only shown in cases."""

from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import User
from clubs.models import Club
from core.admin.dashboard import Panel
from discussions.models import Post

MAX_CLUBS = 10


def user_posts_panel(user: User, request: HttpRequest) -> Panel | None:
    """Return the number of posts of a user in each club."""
    if not request.user.has_perm("discussions.view_thread"):
        return None
    posts = Post.objects.filter(author=user, deleted_at__isnull=True).order_by()
    counts = dict(posts.values_list("club").annotate(n=Count("pk")).order_by("-n", "club")[:MAX_CLUBS])
    names = dict(Club.objects.filter(pk__in=counts).values_list("pk", "name"))
    rows = [
        (
            names[club],
            ngettext("%(n)d post", "%(n)d posts", count) % {"n": count},
            reverse("admin:clubs_club_change", args=[club]),
        )
        for club, count in counts.items()
        if club in names
    ]
    return Panel(_("Posts"), rows)
