"""Receivers of Django's signals."""

from typing import Any

from django.apps import apps as installed
from django.db.models.signals import post_migrate

from catalog.models.books import TRUSTED_EDITORS


def create_trusted_editors(sender: Any, using: str, apps: Any = installed, **kwargs: Any) -> None:
    """Create the group of users who may edit every book, also after `flush`."""
    try:
        groups = apps.get_model("auth", "Group").objects.using(using)
    except LookupError:
        return  # auth has been migrated back to before this model
    groups.get_or_create(name=TRUSTED_EDITORS)


post_migrate.connect(
    create_trusted_editors, sender=installed.get_app_config("catalog"), dispatch_uid="create_trusted_editors"
)
