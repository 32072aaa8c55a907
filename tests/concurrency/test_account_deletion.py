"""Account deletion during writes of the user and of others: no orphans, no response is a 5xx."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import RetiredUsername, User
from catalog.models import Book
from clubs.models import Club, Membership
from reviews.models import Like, Review
from tests.concurrency.tools import ROUNDS, at_once

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "correct horse battery"
MEETING = {"title": "Encontro", "starts_at": "2090-01-01T18:00:00Z", "duration": 60}


def test_account_deletion_during_writes_leaves_nothing(make_user, client_of):
    owner = make_user("owner")
    club = Club.create_club(by=owner, name="Sertão")
    books = [Book.create_book(by=owner, title=f"Book {n}", authors=["A"]) for n in range(ROUNDS)]
    liked = Review.create_review(book=books[0], by=owner, rating=8)
    entry = client_of(owner).post(f"/api/v1/clubs/{club.pk}/books/", {"book": books[0].pk}).json()["id"]
    for number in range(ROUNDS):
        leaver = make_user(f"leaver{number}")
        club.join(leaver)
        client, other = client_of(leaver), client_of(owner)
        responses = at_once(
            [
                partial(client.delete, "/api/v1/users/me/", {"password": PASSWORD}),
                partial(client.delete, "/api/v1/users/me/", {"password": PASSWORD}),
                partial(client.post, "/api/v1/reviews/", {"book": books[number].pk, "rating": 4}),
                partial(client.put, f"/api/v1/reviews/{liked.pk}/like/"),
                partial(client.put, f"/api/v1/clubs/{club.pk}/books/{entry}/progress/", {"percent": 100}),
                partial(client.post, "/api/v1/clubs/", {"name": "Another"}),
                partial(client.patch, "/api/v1/users/me/", {"bio": "x"}),
                partial(other.patch, f"/api/v1/clubs/{club.pk}/members/{leaver.pk}/", {"role": "moderator"}),
            ]
        )
        codes = [response.status_code for response in responses]
        assert max(codes) < 500, [response.content for response in responses if response.status_code >= 500]
        assert 204 in codes[:2]
        assert client.get("/api/v1/users/me/").status_code == 401
    # Requests that started before the deletion may have finished after it; nothing of them may stay.
    assert not User.objects.filter(username_key__startswith="leaver").exists()
    assert RetiredUsername.objects.count() == ROUNDS
    assert list(Membership.objects.values_list("user", flat=True)) == [owner.pk]
    assert not Like.objects.exists()
    assert Club.objects.count() == 1
    call_command("verify_counters")


@pytest.mark.parametrize(
    ("path", "body"),
    [("books/", {"book": None}), ("threads/", {"title": "Fim", "body": "O que acharam?"}), ("meetings/", MEETING)],
)
def test_write_during_the_deletion_of_its_author_is_401(make_user, client_of, monkeypatch, caplog, path, body):
    """The account is deleted after the request was authenticated and before it locks the club."""
    owner, leaver = make_user("owner"), make_user("leaver")
    club = Club.create_club(by=owner, name="Sertão")
    club.join(leaver)
    role = client_of(owner).patch(f"/api/v1/clubs/{club.pk}/members/{leaver.pk}/", {"role": "moderator"})
    assert role.status_code == 200
    book = Book.create_book(by=owner, title="Vidas Secas", authors=["Graciliano Ramos"])
    lock, clients = Club.lock, [client_of(leaver), client_of(leaver)]

    def lock_after_deletion(self, **options):
        if clients:
            deleter = clients.pop()
            clients.clear()
            monkeypatch.setattr(Club, "lock", lock)
            with ThreadPoolExecutor(1) as thread:
                deleted = thread.submit(at_once, [partial(deleter.delete, "/api/v1/users/me/", {"password": PASSWORD})])
                assert [response.status_code for response in deleted.result()] == [204]
        return lock(self, **options)

    client = clients[0]
    monkeypatch.setattr(Club, "lock", lock_after_deletion)
    response = client.post(f"/api/v1/clubs/{club.pk}/{path}", {**body, **({"book": book.pk} if "book" in body else {})})
    assert response.status_code == 401, response.content
    assert "WWW-Authenticate" in response
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
    assert not User.objects.filter(username_key="leaver").exists()


def test_account_deletion_by_staff_and_user_at_once(make_user, client_of):
    owner, helpers = make_user("owner"), [make_user(f"staff{n}", is_staff=True, is_superuser=True) for n in range(2)]
    club = Club.create_club(by=owner, name="Sertão")
    books = [Book.create_book(by=owner, title=f"Book {n}", authors=["A"]) for n in range(ROUNDS)]
    for number in range(ROUNDS):
        leaver = make_user(f"leaver{number}")
        club.join(leaver)
        Review.create_review(book=books[number], by=leaver, rating=6)
        client = client_of(leaver)
        browsers = [Client(raise_request_exception=False) for _helper in helpers]
        for browser, helper in zip(browsers, helpers, strict=True):
            browser.force_login(helper)
        responses = at_once(
            [
                *(
                    partial(browser.post, f"/admin/accounts/user/{leaver.pk}/delete/", {"post": "yes"})
                    for browser in browsers
                ),
                partial(client.delete, "/api/v1/users/me/", {"password": PASSWORD, "reviews": "delete"}),
                partial(client.patch, "/api/v1/users/me/", {"bio": "x"}),
                partial(client.post, "/api/v1/clubs/", {"name": "Another"}),
                partial(client.post, f"/api/v1/clubs/{club.pk}/leave/"),
            ]
        )
        codes = [response.status_code for response in responses]
        assert max(codes) < 500, [response.content for response in responses if response.status_code >= 500]
        assert client.get("/api/v1/users/me/").status_code == 401
    call_command("prune_expired")
    assert not User.objects.filter(username_key__startswith="leaver").exists()
    assert RetiredUsername.objects.count() == ROUNDS
    assert list(Membership.objects.values_list("user", flat=True)) == [owner.pk]
    assert Club.objects.count() == 1
    call_command("verify_counters")
