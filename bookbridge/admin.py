"""The staff's site."""

from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite


class AdminSite(UnfoldAdminSite):  # type: ignore[misc]
    """The theme's site under the product's name."""

    site_title = site_header = "BookBridge"
    index_title = _("The staff’s room")
