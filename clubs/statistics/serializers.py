"""Serializers of club statistics."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from bookbridge.api.serializers import FiguresSerializer
from catalog.serializers import BriefBookSerializer, HistogramField
from clubs.statistics.figures import ClubFigures


class DivisiveBookSerializer(serializers.Serializer[Any]):
    """A book and the spread of its ratings."""

    id = serializers.IntegerField(source="book.pk")
    title = serializers.CharField(source="book.title")
    author = serializers.CharField(source="book.author")
    cover_url = serializers.SerializerMethodField()
    standard_deviation = serializers.FloatField(help_text=_("Population standard deviation in stars; two decimals."))
    ratings_count = serializers.IntegerField(help_text=_("Number of ratings by the club's active members."))

    def get_cover_url(self, divisive: Any) -> str | None:
        return BriefBookSerializer().get_cover_url(divisive.book)


class MonthSerializer(serializers.Serializer[Any]):
    """A month and a count."""

    month = serializers.RegexField(r"^[0-9]{4}-[0-9]{2}$")
    count = serializers.IntegerField()


class ClubFiguresSerializer(FiguresSerializer):
    """Statistics of a club."""

    figures = ClubFigures

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
