"""Serializers of statistics."""

from typing import Any

from rest_framework import serializers

from bookbridge.api.serializers import FiguresSerializer
from catalog.serializers import BriefBookSerializer, HistogramField
from reviews.statistics.platform import PlatformFigures
from reviews.statistics.reader import ReaderFigures


class TopRatedSerializer(serializers.Serializer[Any]):
    """A book with the mean and number of its public ratings."""

    book = BriefBookSerializer(source="*")
    average_rating = serializers.FloatField()
    ratings_count = serializers.IntegerField()


class MostReadSerializer(serializers.Serializer[Any]):
    """A book and the number of public clubs that have finished it."""

    book = BriefBookSerializer(source="*")
    clubs_finished = serializers.IntegerField()


class PlatformFiguresSerializer(FiguresSerializer):
    """Statistics of the platform."""

    figures = PlatformFigures

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


class ReaderFiguresSerializer(FiguresSerializer):
    """Statistics of the current user."""

    figures = ReaderFigures

    books_finished_by_year = YearSerializer(many=True)
    pages_read = serializers.IntegerField()
    mean_rating = serializers.FloatField(allow_null=True)
    rating_histogram = HistogramField()
    reviews = serializers.IntegerField()
    clubs = serializers.IntegerField()
