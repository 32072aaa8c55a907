"""Receiver of `post_migrate`."""

from django.apps import apps
from django.db.models.signals import post_migrate

from accounts.roles import sync_role_permissions

# Only the last app with models: by then the permissions of every app exist. Apps without models send no signal.
*_others, last_app = (app for app in apps.get_app_configs() if app.models_module is not None)
post_migrate.connect(sync_role_permissions, sender=last_app, dispatch_uid="sync_role_permissions")
