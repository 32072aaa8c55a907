"""A club's feed over HTTP (api.md, section 10)."""

from drf_spectacular.utils import extend_schema
from rest_framework import generics

from accounts.authentication import caller
from activity.models import Event, EventQuerySet
from activity.serializers import EventSerializer
from bookbridge.api.views import GenericAPIView
from clubs.access import ClubScoped, Level
from clubs.roles import Standing


@extend_schema(summary="What happened in a club")
class ClubActivityView(ClubScoped, generics.ListAPIView, GenericAPIView):  # type: ignore[type-arg]
    """What happened in a club; moderators also see who asks to join, is banned and invited."""

    is_list = True
    levels = {"get": Level.MEMBER}
    serializer_class = EventSerializer
    queryset = Event.objects.none()

    def get_queryset(self) -> EventQuerySet:
        """The club's events, as far as the caller may know of them."""
        reader, moderates = caller(self.request), self.club.my_standing >= Standing.MODERATOR
        feed = Event.objects.of_club(self.club.pk, reader=reader, moderates=moderates)
        log: EventQuerySet = feed.for_answer(reader)
        return log
