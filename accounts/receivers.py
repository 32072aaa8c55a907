"""Receivers of Django's signals."""

from django.apps import apps
from django.db.models.signals import post_migrate

from accounts.roles import sync_role_permissions

# Once the last app with models is migrated, all permissions exist.
*_others, last = (config for config in apps.get_app_configs() if config.models_module)
post_migrate.connect(sync_role_permissions, sender=last, dispatch_uid="sync_role_permissions")
