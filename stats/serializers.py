"""Serializers of statistics and of the home screen."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ballots.serializers import BallotSerializer
from catalog.serializers import BookSummarySerializer, HistogramField
from clubs.club.models import Club
from clubs.club.serializers import ClubSerializer
from clubs.reading.serializers import MyProgressSerializer
from core.api.serializers import StatisticsSerializer
from stats.club_statistics import ClubStatistics
from stats.platform_statistics import PlatformStatistics
from stats.user_statistics import UserStatistics


class TopRatedSerializer(serializers.Serializer[Any]):
    """A book with the mean and number of its public ratings."""

    book = BookSummarySerializer(source="*")
    average_rating = serializers.FloatField()
    ratings_count = serializers.IntegerField()


class MostReadSerializer(serializers.Serializer[Any]):
    """A book and the number of public clubs that have finished it."""

    book = BookSummarySerializer(source="*")
    clubs_finished = serializers.IntegerField()


class PlatformStatisticsSerializer(StatisticsSerializer):
    """Statistics of the platform."""

    statistics_class = PlatformStatistics

    users = serializers.IntegerField()
    clubs = serializers.IntegerField()
    books = serializers.IntegerField()
    reviews = serializers.IntegerField()
    mean_books_finished_per_club = serializers.FloatField(allow_null=True)
    mean_rating = serializers.FloatField(allow_null=True)
    rating_histogram = HistogramField()
    top_rated_books = TopRatedSerializer(many=True)
    most_read_books = MostReadSerializer(many=True)
    as_of = serializers.DateTimeField()


class YearSerializer(serializers.Serializer[Any]):
    """The number of books finished in a year."""

    year = serializers.IntegerField()
    count = serializers.IntegerField()


class UserStatisticsSerializer(StatisticsSerializer):
    """Statistics of the current user."""

    statistics_class = UserStatistics

    books_finished_by_year = YearSerializer(many=True)
    pages_read = serializers.IntegerField()
    mean_rating = serializers.FloatField(allow_null=True)
    rating_histogram = HistogramField()
    reviews = serializers.IntegerField()
    clubs = serializers.IntegerField()


class StatisticsBookSerializer(serializers.Serializer[Any]):
    """The book of a row of statistics."""

    id = serializers.IntegerField(source="book.pk")
    title = serializers.CharField(source="book.title")
    author = serializers.CharField(source="book.author")
    cover_url = serializers.SerializerMethodField()

    def get_cover_url(self, row: Any) -> str | None:
        return BookSummarySerializer().get_cover_url(row.book)


class DivisiveBookSerializer(StatisticsBookSerializer):
    """A book and the spread of its ratings."""

    standard_deviation = serializers.FloatField(help_text=_("Population standard deviation in stars; two decimals."))
    ratings_count = serializers.IntegerField(help_text=_("Number of ratings by the club's active members."))


class MonthSerializer(serializers.Serializer[Any]):
    """A month and a count."""

    month = serializers.RegexField(r"^[0-9]{4}-[0-9]{2}$")
    count = serializers.IntegerField()


class ClubStatisticsSerializer(StatisticsSerializer):
    """Statistics of a club."""

    statistics_class = ClubStatistics

    books_finished = serializers.IntegerField()
    pages_read = serializers.IntegerField()
    mean_rating = serializers.FloatField(allow_null=True)
    rating_histogram = HistogramField()
    most_divisive_book = DivisiveBookSerializer(allow_null=True)
    members = serializers.IntegerField()
    active_members_30d = serializers.IntegerField()
    meetings_held = serializers.IntegerField()
    mean_attendance = serializers.FloatField(allow_null=True)
    finished_by_month = MonthSerializer(many=True)
    mean_days_per_book = serializers.FloatField(allow_null=True)


class HomeClubSerializer(ClubSerializer):
    """A club with the user's progress in the current book and the open ballots."""

    my_progress = serializers.SerializerMethodField()
    open_ballots = serializers.SerializerMethodField(help_text=_("Ordered by closing time, earliest first."))

    class Meta(ClubSerializer.Meta):
        fields = [*ClubSerializer.Meta.fields, "my_progress", "open_ballots"]

    @extend_schema_field(MyProgressSerializer(allow_null=True))
    def get_my_progress(self, club: Club) -> Any:
        progress = self.context["home"].progress_by_club.get(club.pk)
        return progress and MyProgressSerializer(progress).data

    @extend_schema_field(BallotSerializer(many=True))
    def get_open_ballots(self, club: Club) -> Any:
        ballots = self.context["home"].ballots_by_club.get(club.pk, [])
        return BallotSerializer(ballots, many=True, context=self.context).data


class HomeSerializer(serializers.Serializer[Any]):
    """Content of the home screen."""

    clubs = HomeClubSerializer(
        many=True,
        help_text=_("Clubs you are in, by name; the first 500 only (`clubs/?mine=true` lists all)."),
    )
    unread_notifications = serializers.IntegerField()
