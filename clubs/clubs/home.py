"""Home screen: the current state of the user's clubs and the number of unread notifications, in one call."""

from collections import defaultdict
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import caller
from accounts.models import User
from activity.models import Notification
from bookbridge.api.views import APIView
from clubs.ballots.models import Ballot
from clubs.ballots.serializers import BallotSerializer
from clubs.clubs.cards import cards
from clubs.clubs.models import Club
from clubs.clubs.serializers import ClubSerializer
from clubs.members.models import Membership
from clubs.reading.marks import Progress
from clubs.reading.serializers import MyProgressSerializer

MOST_CLUBS = 500
MOST_BALLOTS = 500


class HomeClubSerializer(ClubSerializer):
    """A club with the user's progress in the current book and the open ballots."""

    my_progress = serializers.SerializerMethodField()
    open_ballots = serializers.SerializerMethodField(help_text=_("Ordered by closing time, earliest first."))

    class Meta(ClubSerializer.Meta):
        fields = [*ClubSerializer.Meta.fields, "my_progress", "open_ballots"]

    @extend_schema_field(MyProgressSerializer(allow_null=True))
    def get_my_progress(self, club: Club) -> Any:
        mark = self.context["marks"].get(club.pk)
        return mark and MyProgressSerializer(mark).data

    @extend_schema_field(BallotSerializer(many=True))
    def get_open_ballots(self, club: Club) -> Any:
        return BallotSerializer(self.context["ballots"][club.pk], many=True, context=self.context).data


class HomeSerializer(serializers.Serializer[Any]):
    """Content of the home screen."""

    clubs = HomeClubSerializer(
        many=True,
        help_text=_("Clubs you are in, by name; the first 500 only (`clubs/?mine=true` lists all)."),
    )
    unread_notifications = serializers.IntegerField()


class HomeView(APIView):
    """Home screen of the user."""

    @extend_schema(summary="Get the home screen", responses=HomeSerializer)
    def get(self, request: Request) -> Response:
        """Return the user's clubs with their current book, next meeting and open ballots."""
        user = caller(request)
        clubs = _clubs_of(user)
        context = {"request": request, "marks": _marks(user, clubs), "ballots": _ballots(user, clubs)}
        home = {"clubs": clubs, "unread_notifications": Notification.objects.of_reader(user).unread().count()}
        return Response(HomeSerializer(home, context=context).data)


def _clubs_of(user: User) -> list[Club]:
    own = Membership.objects.active().filter(user=user)
    clubs = Club.objects.filter(pk__in=own.values("club")).with_standing_of(user)
    return list(cards(clubs, user).order_by("name_key", "pk")[:MOST_CLUBS])


def _marks(user: User, clubs: list[Club]) -> dict[int, Progress]:
    """Return the user's progress in the current book of each club."""
    current = {entry.pk: club.pk for club in clubs for entry in club.current_entries}  # type: ignore[attr-defined]
    return {current[mark.entry_id]: mark for mark in Progress.objects.filter(user=user, entry__in=current)}


def _ballots(user: User, clubs: list[Club]) -> dict[int, list[Ballot]]:
    """Return the open ballots of each club."""
    found = defaultdict(list)
    for ballot in Ballot.objects.open_in([club.pk for club in clubs]).shown_to(user)[:MOST_BALLOTS]:
        found[ballot.club_id].append(ballot)
    return found
