from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReviewsConfig(AppConfig):
    """What readers think of books, and the figures that come of it."""

    name = "reviews"
    verbose_name = _("Reviews")
