"""The roles of staff: groups whose rights stand here, and are set right after each `migrate`.

A role is a group with patterns of permissions, so that what a room adds later is in it without a migration. What staff
give a role by hand is taken back: what it may do is decided here. Further groups are theirs to make.

`Trusted editors` (catalog) is none of these: its members change any book in the API, and it opens nothing in the admin.
"""

from fnmatch import fnmatchcase
from typing import Any

from django.apps import AppConfig
from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.utils.translation import gettext_noop as _

MODERATORS, CATALOGUE_EDITORS, ADMINISTRATORS = _("Moderators"), _("Catalogue editors"), _("Administrators")

ROLES: dict[str, tuple[str, ...]] = {
    MODERATORS: (
        "moderation.*",
        *("accounts.view_user", "clubs.view_club", "clubs.view_membership", "catalog.view_book"),
        *("reviews.view_review", "clubs.view_thread"),
    ),
    CATALOGUE_EDITORS: ("catalog.*",),
    ADMINISTRATORS: (
        *("accounts.*", "activity.*", "api.*", "auth.view_group", "catalog.*", "clubs.*", "moderation.*", "reviews.*"),
    ),
}


def grant(sender: AppConfig, using: str, apps: Any = installed, **kwargs: Any) -> None:
    """Make the groups where they are missing, and give each the permissions of its patterns and no others."""
    create_permissions(sender, verbosity=0, using=using, apps=apps)  # whichever of the two is asked first
    try:
        groups, permissions = (apps.get_model("auth", name).objects.using(using) for name in ("Group", "Permission"))
    except LookupError:
        return  # Migrations have been undone to before there were any.
    every = {
        f"{app}.{codename}": pk
        for pk, app, codename in permissions.values_list("pk", "content_type__app_label", "codename")
    }
    for name, patterns in ROLES.items():
        group, _new = groups.get_or_create(name=name)
        wanted = {pk for code, pk in every.items() if any(fnmatchcase(code, pattern) for pattern in patterns)}
        if wanted != set(group.permissions.values_list("pk", flat=True)):
            group.permissions.set(wanted)
