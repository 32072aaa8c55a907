"""Concurrent image uploads and deletions: no orphaned files are left."""

from functools import partial

import pytest

from catalog.models import Book
from clubs.models import Club
from tests.concurrency.tools import ROUNDS, at_once
from tests.images import fetch, make_image, stored_files, upload_image

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "correct horse battery"
AVATAR = "/api/v1/users/me/avatar/"


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def test_simultaneous_uploads_leave_one_file(alice, client_of):
    client = client_of(alice)
    club = Club.create_club(by=alice, name="Hasty")
    for _round in range(ROUNDS):
        calls = [partial(upload_image, client, AVATAR, make_image()) for _number in range(4)]
        calls += [
            partial(upload_image, client, f"/api/v1/clubs/{club.pk}/cover/", make_image()) for _number in range(4)
        ]
        answers = at_once(calls)
        assert {answer.status_code for answer in answers} == {200}, [answer.content for answer in answers]
        shown = [client.get("/api/v1/users/me/").json()["avatar_url"]]
        shown.append(client.get(f"/api/v1/clubs/{club.pk}/").json()["cover_url"])
        assert {f"http://testserver/media/{name}" for name in stored_files()} == set(shown)
        assert {fetch(url).status_code for url in shown} == {200}
        assert {answer.status_code for answer in at_once([partial(client.delete, AVATAR), calls[0]])} == {200, 204}


def test_uploads_during_deletions_leave_no_files(make_user, client_of):
    for number in range(ROUNDS):
        leaver = make_user(f"leaver{number}")
        client = client_of(leaver)
        book = Book.create_book(by=leaver, title="Short", authors=["A"])
        club = Club.create_club(by=leaver, name="Short")
        responses = at_once(
            [
                partial(client.delete, "/api/v1/users/me/", {"password": PASSWORD}),
                partial(upload_image, client, AVATAR, make_image()),
                partial(upload_image, client, AVATAR, make_image()),
                partial(upload_image, client, f"/api/v1/clubs/{club.pk}/cover/", make_image()),
                partial(client.delete, f"/api/v1/clubs/{club.pk}/"),
                partial(upload_image, client, f"/api/v1/books/{book.pk}/cover/", make_image()),
                partial(client.delete, f"/api/v1/books/{book.pk}/"),
            ]
        )
        codes = [response.status_code for response in responses]
        assert codes[0] == 204, responses[0].content
        assert max(codes) < 500, [response.content for response in responses if response.status_code >= 500]
        assert {*codes[1:]} <= {200, 204, 401, 404, 409}, codes
        # A book stays if the account was deleted first.
        left = set(Book.objects.exclude(cover_url="").values_list("cover_url", flat=True))
        assert stored_files() == left
        for book in Book.objects.all():
            book.delete_book()
        assert stored_files() == set()
