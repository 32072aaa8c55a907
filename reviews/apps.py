from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReviewsConfig(AppConfig):
    """What readers think of books, and the figures that come of it."""

    name = "reviews"
    verbose_name = _("Reviews")

    def ready(self) -> None:
        """Load what registers by being imported."""
        from reviews import contributions, receivers  # noqa: F401
        from reviews.importing import services  # noqa: F401
        from reviews.statistics import contributions as statistics  # noqa: F401
        from reviews.statistics import receivers as statistics_receivers  # noqa: F401
