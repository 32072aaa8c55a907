"""Model serializers give what Django REST framework's own would, although their fields are built once per class."""

import datetime

import pytest
from rest_framework import serializers as drf

from accounts.models import User
from accounts.serializers import CurrentUserSerializer, UserSummarySerializer
from catalog.models import Book
from catalog.serializers import BookSerializer
from clubs.models import Club, Entry
from core.api.serializers import ModelSerializer
from meetings.models import Meeting
from reviews.models import Review
from tests.clubs.helpers import bring_in

pytestmark = pytest.mark.django_db

PLACES = [
    "books/",
    "books/{book}/",
    "books/{book}/reviews/",
    "reviews/",
    "reviews/{review}/",
    "clubs/",
    "clubs/{club}/?include=books",
    "clubs/{club}/members/",
    "clubs/{club}/books/",
    "clubs/{club}/meetings/",
    "clubs/{club}/activity/",
    "users/",
    "users/me/",
    "users/me/home/",
    "users/me/notifications/",
]


@pytest.fixture
def ids(alice, bob, charlie):
    isbn = "9780141439587"
    book = Book.create_book(by=alice, title="Emma", authors=["Jane Austen"], subjects=["Novel"], isbn13=isbn)
    club = Club.create_club(by=alice, name="Emma", visibility="private")
    bring_in(club, bob)
    Entry.add_entry(club=club, book=book, by=alice, status="reading")
    start = datetime.datetime(2099, 1, 1, 19, 30, 15, 123456, datetime.UTC)
    Meeting.create_meeting(club=club, by=alice, title="Tea", starts_at=start)
    review = Review.create_review(book=book, by=alice, rating=9, body="Dazzling.")
    Review.objects.filter(pk=Review.create_review(book=book, by=charlie, rating=3).pk).update(author=None)
    return {"book": book.pk, "club": club.pk, "review": review.pk}


@pytest.mark.parametrize("place", PLACES)
def test_responses_equal_those_of_drf_serializers(as_bob, ids, monkeypatch, place):
    place = "/api/v1/" + place.format(**ids)
    ours = [as_bob.get(place).content for _ in range(2)]
    monkeypatch.setattr(ModelSerializer, "get_fields", drf.ModelSerializer.get_fields)
    monkeypatch.setattr(ModelSerializer, "to_representation", drf.ModelSerializer.to_representation)
    response = as_bob.get(place)
    assert response.status_code == 200
    assert ours == [response.content] * 2


def test_fields_of_two_serializers_are_independent():
    first, second = CurrentUserSerializer(), CurrentUserSerializer()
    first.fields["bio"].read_only = True
    del first.fields["email"]
    assert not second.fields["bio"].read_only
    assert "email" in second.fields
    assert "email" in CurrentUserSerializer().fields
    assert second.fields["bio"].parent is second


def test_nested_fields_see_the_context_of_their_serializer():
    serializers = [BookSerializer(context={"n": n}) for n in (1, 2)]
    for n, serializer in enumerate(serializers, 1):
        assert serializer.fields["editions"].child.context == {"n": n}
        assert serializer.fields["authors"].child.root is serializer


def test_subclass_has_its_own_fields():
    class Short(UserSummarySerializer):
        class Meta(UserSummarySerializer.Meta):
            fields = ["id"]

    class Named(Short):
        username = drf.SerializerMethodField()

        class Meta(Short.Meta):
            fields = ["id", "username"]

        def get_username(self, user):
            return user.username.upper()

    user = User(pk=7, username="alice")
    assert (Short(user).data, Named(user).data) == ({"id": 7}, {"id": 7, "username": "ALICE"})
    assert list(UserSummarySerializer(user).data) == ["id", "username", "display_name", "avatar_url"]


def test_mappings_are_serialized_like_instances():
    row = {"id": 7, "username": "alice", "display_name": "Alice", "avatar_url": None}
    assert UserSummarySerializer(row).data == row


def test_messages_follow_the_language_of_each_request(as_alice, ids):
    details = [
        as_alice.post("/api/v1/reviews/", {"book": 0, "rating": 7}, HTTP_ACCEPT_LANGUAGE=language).json()["errors"]
        for language in ("en", "pt-BR", "en")
    ]
    assert details[0] == details[2]
    assert details[0] != details[1]
