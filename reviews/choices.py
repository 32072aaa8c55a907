"""Choices of reviews."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ReviewVisibility(models.TextChoices):
    """Who may read a review, besides its author."""

    PUBLIC = "public", _("everybody")
    CLUBS = "clubs", _("clubs")
    PRIVATE = "private", _("nobody else")
