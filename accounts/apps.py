from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """Readers, their sign-ins, and what belongs to them."""

    name = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        """Load what registers by being imported."""
        from accounts import contributions, receivers, services  # noqa: F401
