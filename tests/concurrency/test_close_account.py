"""An account that is closed while its reader, on other devices, and the club go on writing: no orphan, no 5xx."""

from functools import partial

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import RetiredName, User
from catalog.models import Book
from clubs.models import Club, Membership
from reviews.models import Like, Review
from tests.concurrency.tools import ROUNDS, at_once

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "correct horse battery"


def test_nothing_is_left_of_a_reader_who_goes_while_everybody_writes(make_user, client_of):
    owner = make_user("owner")
    club = Club.found(by=owner, name="Sertão")
    books = [Book.add(by=owner, title=f"Book {n}", authors=["A"]) for n in range(ROUNDS)]
    liked = Review.write(book=books[0], by=owner, rating=8)
    entry = client_of(owner).post(f"/api/v1/clubs/{club.pk}/books/", {"book": books[0].pk}).json()["id"]
    for round_ in range(ROUNDS):
        goer = make_user(f"goer{round_}")
        club.join(goer)
        client, other = client_of(goer), client_of(owner)
        answers = at_once(
            [
                partial(client.delete, "/api/v1/users/me/", {"password": PASSWORD}),
                partial(client.delete, "/api/v1/users/me/", {"password": PASSWORD}),
                partial(client.post, "/api/v1/reviews/", {"book": books[round_].pk, "rating": 4}),
                partial(client.put, f"/api/v1/reviews/{liked.pk}/like/"),
                partial(client.put, f"/api/v1/clubs/{club.pk}/books/{entry}/progress/", {"percent": 100}),
                partial(client.post, "/api/v1/clubs/", {"name": "Another"}),
                partial(client.patch, "/api/v1/users/me/", {"bio": "x"}),
                partial(other.patch, f"/api/v1/clubs/{club.pk}/members/{goer.pk}/", {"role": "moderator"}),
            ]
        )
        codes = [answer.status_code for answer in answers]
        assert max(codes) < 500, [answer.content for answer in answers if answer.status_code >= 500]
        assert 204 in codes[:2]
        assert client.get("/api/v1/users/me/").status_code == 401
    # What began before the account was shut may have ended after it was gone; nothing of it may stay.
    assert not User.objects.filter(username_key__startswith="goer").exists()
    assert RetiredName.objects.count() == ROUNDS
    assert list(Membership.objects.values_list("user", flat=True)) == [owner.pk]
    assert not Like.objects.exists()
    assert Club.objects.count() == 1
    call_command("verify_figures")


def test_two_of_the_staff_close_an_account_while_its_reader_closes_it_and_writes(make_user, client_of):
    owner, helpers = make_user("owner"), [make_user(f"staff{n}", is_staff=True, is_superuser=True) for n in range(2)]
    club = Club.found(by=owner, name="Sertão")
    books = [Book.add(by=owner, title=f"Book {n}", authors=["A"]) for n in range(ROUNDS)]
    for round_ in range(ROUNDS):
        goer = make_user(f"goer{round_}")
        club.join(goer)
        Review.write(book=books[round_], by=goer, rating=6)
        client = client_of(goer)
        desks = [Client(raise_request_exception=False) for _helper in helpers]
        for desk, helper in zip(desks, helpers, strict=True):
            desk.force_login(helper)
        answers = at_once(
            [
                *(partial(desk.post, f"/admin/accounts/user/{goer.pk}/delete/", {"post": "yes"}) for desk in desks),
                partial(client.delete, "/api/v1/users/me/", {"password": PASSWORD, "reviews": "delete"}),
                partial(client.patch, "/api/v1/users/me/", {"bio": "x"}),
                partial(client.post, "/api/v1/clubs/", {"name": "Another"}),
                partial(client.post, f"/api/v1/clubs/{club.pk}/leave/"),
            ]
        )
        codes = [answer.status_code for answer in answers]
        assert max(codes) < 500, [answer.content for answer in answers if answer.status_code >= 500]
        assert client.get("/api/v1/users/me/").status_code == 401
    call_command("clear_expired")
    assert not User.objects.filter(username_key__startswith="goer").exists()
    assert RetiredName.objects.count() == ROUNDS
    assert list(Membership.objects.values_list("user", flat=True)) == [owner.pk]
    assert Club.objects.count() == 1
    call_command("verify_figures")
