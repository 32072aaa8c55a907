"""Serializers of a year in books."""

from typing import Any

from rest_framework import serializers

from catalog.models import Book
from catalog.serializers import BookSummarySerializer
from core.api.serializers import StatisticsSerializer
from stats.serializers import DivisiveBookSerializer, StatisticsBookSerializer
from stats.year.statistics import YearInBooks


class FinishedBookSerializer(StatisticsBookSerializer):
    """A book with the day on which it was finished."""

    finished_on = serializers.DateField()


class RatedBookSerializer(StatisticsBookSerializer):
    """A book with the mean and the number of its ratings."""

    average_rating = serializers.FloatField()
    ratings_count = serializers.IntegerField()


class LongestBookSerializer(serializers.Serializer[Any]):
    """A book with its page count."""

    id = serializers.IntegerField(source="pk")
    title = serializers.CharField()
    author = serializers.CharField()
    cover_url = serializers.SerializerMethodField()
    page_count = serializers.IntegerField()

    def get_cover_url(self, book: Book) -> str | None:
        return BookSummarySerializer().get_cover_url(book)


class YearInBooksSerializer(StatisticsSerializer):
    """A year in books."""

    statistics_class = YearInBooks

    books = FinishedBookSerializer(many=True)
    books_finished = serializers.IntegerField()
    pages = serializers.IntegerField()
    pages_known_of = serializers.IntegerField()
    months = serializers.ListField(child=serializers.IntegerField(), min_length=12, max_length=12)
    meetings_held = serializers.IntegerField()
    mean_attendance = serializers.FloatField(allow_null=True)
    best_rated = RatedBookSerializer(allow_null=True)
    most_divisive = DivisiveBookSerializer(allow_null=True)
    longest = LongestBookSerializer(allow_null=True)
