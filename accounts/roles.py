"""Staff roles: groups whose permissions are defined here and synchronized after each `migrate`.

A role consists of permission patterns, so that new permissions of an app are included without a migration. Manual
changes to a role are overwritten; superusers may create other groups.

`Trusted editors` (catalog) is not a staff role: its members may edit any book through the API, but cannot use the
admin.
"""

from fnmatch import fnmatchcase
from typing import Any

from django.apps import AppConfig
from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.utils.translation import gettext_noop as _

MODERATORS, CATALOG_EDITORS, ADMINISTRATORS = _("Moderators"), _("Catalog editors"), _("Administrators")

ROLES: dict[str, tuple[str, ...]] = {
    MODERATORS: (
        "moderation.*",
        *("accounts.view_user", "clubs.view_club", "clubs.view_membership", "catalog.view_book"),
        *("reviews.view_review", "discussions.view_thread"),
    ),
    CATALOG_EDITORS: ("catalog.*",),
    ADMINISTRATORS: (
        *("accounts.*", "activity.*", "auth.view_group", "ballots.*", "catalog.*", "clubs.*", "core.*"),
        *("discussions.*", "meetings.*", "moderation.*", "opinions.*", "reviews.*"),
    ),
}


def sync_role_permissions(sender: AppConfig, using: str, apps: Any = installed, **kwargs: Any) -> None:
    """Create missing role groups and give each exactly the permissions that match its patterns."""
    create_permissions(sender, verbosity=0, using=using, apps=apps)  # the receiver order of post_migrate is not defined
    try:
        groups, permissions = (apps.get_model("auth", name).objects.using(using) for name in ("Group", "Permission"))
    except LookupError:
        return  # auth has been migrated back to before these models
    pk_by_code = {
        f"{app}.{codename}": pk
        for pk, app, codename in permissions.values_list("pk", "content_type__app_label", "codename")
    }
    for name, patterns in ROLES.items():
        group, _new = groups.get_or_create(name=name)
        expected = {pk for code, pk in pk_by_code.items() if any(fnmatchcase(code, pattern) for pattern in patterns)}
        if expected != set(group.permissions.values_list("pk", flat=True)):
            group.permissions.set(expected)
