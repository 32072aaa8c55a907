from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReviewsConfig(AppConfig):
    """What readers think of books, and the figures that come of it."""

    name = "reviews"
    verbose_name = _("Reviews")

    def ready(self) -> None:
        """Put what a club's members think of a book beside it on the club's list."""
        from clubs.reading.models import figures
        from reviews.models import club_average_rating

        figures["club_average_rating"] = club_average_rating
