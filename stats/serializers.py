"""Serializers of statistics."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from catalog.serializers import BookSummarySerializer, HistogramField
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


class DivisiveBookSerializer(serializers.Serializer[Any]):
    """A book and the spread of its ratings."""

    id = serializers.IntegerField(source="book.pk")
    title = serializers.CharField(source="book.title")
    author = serializers.CharField(source="book.author")
    cover_url = serializers.SerializerMethodField()
    standard_deviation = serializers.FloatField(help_text=_("Population standard deviation in stars; two decimals."))
    ratings_count = serializers.IntegerField(help_text=_("Number of ratings by the club's active members."))

    def get_cover_url(self, divisive: Any) -> str | None:
        return BookSummarySerializer().get_cover_url(divisive.book)


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
