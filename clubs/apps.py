from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ClubsConfig(AppConfig):
    """Clubs, who is in them and what they read."""

    name = "clubs"
    verbose_name = _("Clubs")

    def ready(self) -> None:
        """Put the clubs a reader is in on their profile, and part accounts that go from them."""
        from accounts import departure
        from accounts.serializers import profile_parts
        from clubs.clubs.services import clubs_of_profile, leave_all

        profile_parts["clubs"] = clubs_of_profile
        departure.parts.append(leave_all)
