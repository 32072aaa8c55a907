from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReviewsConfig(AppConfig):
    """What readers think of books, and the figures that come of it."""

    name = "reviews"
    verbose_name = _("Reviews")

    def ready(self) -> None:
        """Join the club's list and figures, the accounts that go, and the jobs."""
        from accounts import departure
        from accounts.export import sections
        from bookbridge.api.admin.dashboard import panels
        from catalog.merging.moving import parts
        from clubs.members.services import sources
        from clubs.seeding import living
        from clubs.seeding.bulk import makers
        from clubs.statistics.services import Reviews
        from moderation.targets import register
        from reviews.export import SECTIONS
        from reviews.living import seed_living
        from reviews.living_desk import seed_desk
        from reviews.merging import Reviews as MergedReviews
        from reviews.models import Review
        from reviews.moderation import ReviewTarget
        from reviews.panel import panel
        from reviews.seeding import seed_reviews
        from reviews.statistics import ratings

        panels.append(panel)
        living.parts += [seed_living, seed_desk]
        makers["reviews"] = seed_reviews
        register(ReviewTarget())
        departure.parts.append(Review.objects.part_from)
        Reviews.of_reader = staticmethod(ratings.of_reader)
        Reviews.of_entries = staticmethod(ratings.of_entries)
        sources["review"] = ratings.last_written
        sections.update(SECTIONS)
        parts.append(MergedReviews())
