"""Home screen: the current state of the user's clubs and the number of unread notifications, in one call."""

from collections import defaultdict
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import current_user
from accounts.models import User
from activity.models import Notification
from ballots.models import Ballot
from ballots.serializers import BallotSerializer
from clubs.club.cards import cards
from clubs.club.models import Club
from clubs.club.serializers import ClubSerializer
from clubs.members.models import Membership
from clubs.reading.models import Progress
from clubs.reading.serializers import MyProgressSerializer
from core.api.views import APIView

MAX_CLUBS = 500
MAX_BALLOTS = 500


class HomeClubSerializer(ClubSerializer):
    """A club with the user's progress in the current book and the open ballots."""

    my_progress = serializers.SerializerMethodField()
    open_ballots = serializers.SerializerMethodField(help_text=_("Ordered by closing time, earliest first."))

    class Meta(ClubSerializer.Meta):
        fields = [*ClubSerializer.Meta.fields, "my_progress", "open_ballots"]

    @extend_schema_field(MyProgressSerializer(allow_null=True))
    def get_my_progress(self, club: Club) -> Any:
        progress = self.context["progress"].get(club.pk)
        return progress and MyProgressSerializer(progress).data

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
        user = current_user(request)
        clubs = _clubs_of(user)
        context = {"request": request, "progress": _progress_by_club(user, clubs), "ballots": _ballots(user, clubs)}
        home = {"clubs": clubs, "unread_notifications": Notification.objects.for_user(user).unread().count()}
        return Response(HomeSerializer(home, context=context).data)


def _clubs_of(user: User) -> list[Club]:
    own = Membership.objects.active().filter(user=user)
    clubs = Club.objects.filter(pk__in=own.values("club")).with_membership_of(user)
    return list(cards(clubs, user).order_by("name_key", "pk")[:MAX_CLUBS])


def _progress_by_club(user: User, clubs: list[Club]) -> dict[int, Progress]:
    """Return the user's progress in the current book of each club."""
    current = {entry.pk: club.pk for club in clubs for entry in club.current_entries}  # type: ignore[attr-defined]
    return {current[row.entry_id]: row for row in Progress.objects.filter(user=user, entry__in=current)}


def _ballots(user: User, clubs: list[Club]) -> dict[int, list[Ballot]]:
    """Return the open ballots of each club."""
    found = defaultdict(list)
    for ballot in Ballot.objects.open_in_clubs([club.pk for club in clubs]).with_details_for(user)[:MAX_BALLOTS]:
        found[ballot.club_id].append(ballot)
    return found
