from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ClubsConfig(AppConfig):
    """Clubs, who is in them and what they read."""

    name = "clubs"
    verbose_name = _("Clubs")
