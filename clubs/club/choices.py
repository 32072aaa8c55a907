"""Choices of clubs."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Visibility(models.TextChoices):
    """Who may see a club."""

    PUBLIC = "public", _("public")
    PRIVATE = "private", _("private")


class JoinPolicy(models.TextChoices):
    """How users join. Private clubs always use `invite`."""

    OPEN = "open", pgettext_lazy("join policy", "open")
    REQUEST = "request", pgettext_lazy("join policy", "request")
    INVITE = "invite", _("invite")
