"""Activity feed of a club (api.md, section 10)."""

from drf_spectacular.utils import extend_schema
from rest_framework import generics

from accounts.authentication import caller
from activity.models import Event, EventQuerySet
from activity.serializers import EventSerializer
from bookbridge.api.views import GenericAPIView
from clubs.access import ClubScoped, Level
from clubs.roles import Standing


@extend_schema(summary="List the activity of a club")
class ClubActivityView(ClubScoped, generics.ListAPIView, GenericAPIView):  # type: ignore[type-arg]
    """Events of the club, newest first. Moderators also see join requests, bans and invitations."""

    is_list = True
    levels = {"get": Level.MEMBER}
    serializer_class = EventSerializer
    queryset = Event.objects.none()

    def get_queryset(self) -> EventQuerySet:
        reader, moderates = caller(self.request), self.club.my_standing >= Standing.MODERATOR
        feed = Event.objects.of_club(self.club.pk, reader=reader, moderates=moderates)
        log: EventQuerySet = feed.for_answer(reader)
        return log
