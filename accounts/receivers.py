"""What accounts do on signals of Django."""

from django.apps import apps
from django.db.models.signals import post_migrate

from accounts.roles import sync_role_permissions

# After the migrations of the last app every app has its permissions.
*_others, last = apps.get_app_configs()
post_migrate.connect(sync_role_permissions, sender=last, dispatch_uid="grant_roles")
