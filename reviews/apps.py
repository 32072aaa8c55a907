from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReviewsConfig(AppConfig):
    """What readers think of books, and the figures that come of it."""

    name = "reviews"
    verbose_name = _("Reviews")

    def ready(self) -> None:
        """Join the club's list and figures, the accounts that go, and the jobs."""
        from accounts import departure
        from clubs.reading.models import figures
        from clubs.seeding.bulk import makers
        from clubs.statistics.services import Reviews
        from reviews.importing import services  # noqa: F401  (registers its job by being imported)
        from reviews.models import Review, club_average_rating
        from reviews.seeding import seed_reviews
        from reviews.statistics import ratings

        figures["club_average_rating"] = club_average_rating
        makers["reviews"] = seed_reviews
        departure.parts.append(Review.objects.part_from)
        Reviews.of_reader = staticmethod(ratings.of_reader)
        Reviews.of_entries = staticmethod(ratings.of_entries)
        Reviews.written_since = staticmethod(ratings.written_since)
