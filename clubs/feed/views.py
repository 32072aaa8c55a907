"""Activity feed of a club."""

from drf_spectacular.utils import extend_schema
from rest_framework import generics

from accounts.authentication import current_user
from activity.models import Event, EventQuerySet
from activity.serializers import EventSerializer
from clubs.access import AccessLevel, ClubAccessMixin
from clubs.roles import Rank
from core.api.views import GenericAPIView


@extend_schema(summary="List the activity of a club")
class ClubActivityView(ClubAccessMixin, generics.ListAPIView, GenericAPIView):  # type: ignore[type-arg]
    """Events of the club, newest first. Moderators also see join requests, bans and invitations."""

    is_list = True
    access_levels = {"get": AccessLevel.MEMBER}
    serializer_class = EventSerializer
    queryset = Event.objects.none()

    def get_queryset(self) -> EventQuerySet:
        user, is_moderator = current_user(self.request), self.club.my_rank >= Rank.MODERATOR
        feed = Event.objects.for_club(self.club.pk, user=user, include_moderation=is_moderator)
        log: EventQuerySet = feed.for_serializer(user)
        return log
