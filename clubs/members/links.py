"""The landing page of invitation links."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from clubs.members.models import Invitation
from core.links import LinkView


class InvitationLinkView(LinkView):
    """The landing page of an invitation, with the name of the club if the code is valid."""

    title: Any = _("Invitation to a book club")
    text: Any = _("This invitation is invalid, expired or used up.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the name of the club."""
        try:
            invitation = Invitation.objects.preview(self.request.GET.get("code", "")[:200], user=AnonymousUser())
        except Http404:
            return super().get_context_data(**kwargs)
        self.title = invitation.club.name
        self.text = _("You are invited to this book club. Open the link in the app to join.")
        return super().get_context_data(**kwargs)
