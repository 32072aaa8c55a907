"""Fixtures: a review and a club of Alice, users to report them, and moderators in the admin."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from catalog.models import Book
from clubs.models import Club
from reviews.models import Review
from tests.clubs.helpers import bring_in
from tests.moderation.helpers import report


@pytest.fixture
def book(mallory: User) -> Book:
    return Book.create_book(by=mallory, title="Emma", authors=["Jane Austen"])


@pytest.fixture
def review(alice: User, book: Book) -> Review:
    return Review.create_review(book=book, by=alice, rating=9, title="Marvellous", body="Read it twice.")


@pytest.fixture
def club(alice: User, bob: User) -> Club:
    club = Club.create_club(by=alice, name="Night readers")
    bring_in(club, bob)
    return club


@pytest.fixture
def users(make_user: Callable[..., User]) -> list[User]:
    return [make_user(f"reader{n}") for n in range(6)]


@pytest.fixture
def clients(users: list[User], client_of: Callable[[User | None], APIClient]) -> list[APIClient]:
    return [client_of(user) for user in users]


@pytest.fixture
def make_moderator(make_user: Callable[..., User]) -> Callable[[str], User]:
    def make(name: str) -> User:
        user = make_user(name, is_staff=True)
        user.user_permissions.set(Permission.objects.filter(content_type__app_label="moderation"))
        return user

    return make


@pytest.fixture
def admin_client_of() -> Callable[[User], Client]:
    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def moira(make_moderator: Callable[[str], User]) -> User:
    return make_moderator("moira")


@pytest.fixture
def as_moira(moira: User, admin_client_of: Callable[[User], Client]) -> Client:
    return admin_client_of(moira)


@pytest.fixture
def as_norbert(make_moderator: Callable[[str], User], admin_client_of: Callable[[User], Client]) -> Client:
    return admin_client_of(make_moderator("norbert"))


@pytest.fixture
def hidden(clients: list[APIClient], review: Review) -> Review:
    """A review hidden by three reports."""
    for client in clients[:3]:
        assert report(client, review, reason="abuse", note="Look!").status_code == 201
    return review
