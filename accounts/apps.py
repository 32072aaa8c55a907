from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """Readers, their sign-ins, and what belongs to them."""

    name = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        """Part accounts from the audit log; say which avatars are in use, what jobs, clearing and roles there are.

        Roles are seen to after the migrations of the last app, when each has its permissions.
        """
        from accounts import departure, expiry  # noqa: F401  (registers by being imported)
        from accounts.models import AVATARS, User
        from accounts.staff.panel import panel
        from accounts.staff.roles import grant
        from accounts.staff.services import forget
        from bookbridge.api.admin.dashboard import panels
        from bookbridge.api.pictures import folders

        departure.parts.append(forget)
        panels.append(panel)
        folders[AVATARS] = User.objects.avatars
        *_others, last = apps.get_app_configs()
        post_migrate.connect(grant, sender=last, dispatch_uid="grant_roles")
