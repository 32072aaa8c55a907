"""URLs of members and invitations."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from clubs.members.views import (
    InvitationAcceptView,
    InvitationPreviewView,
    InvitationViewSet,
    MemberPauseView,
    MemberViewSet,
    OwnPauseView,
)

router = SimpleRouter(use_regex_path=False)
router.register("clubs/<int:club_id>/members", MemberViewSet, basename="club-member")
router.register("clubs/<int:club_id>/invites", InvitationViewSet, basename="club-invite")

urlpatterns = [
    path("invites/preview/", InvitationPreviewView.as_view(), name="invite-preview"),
    path("invites/accept/", InvitationAcceptView.as_view(), name="invite-accept"),
    path("clubs/<int:club_id>/pause/", OwnPauseView.as_view(), name="club-pause"),
    path("clubs/<int:club_id>/members/<int:user_id>/pause/", MemberPauseView.as_view(), name="club-member-pause"),
    *router.urls,
]
