"""Names and titles must be a single line without bidirectional control characters."""

import pytest

from catalog.models import Book
from clubs.models import Entry
from discussions.models import Thread
from tests.clubs.helpers import bad_fields

pytestmark = pytest.mark.django_db
V1 = "/api/v1/"


@pytest.mark.parametrize(
    "mark",
    [
        "\n",
        "\r",
        "\t",
        "\x01",
        "\x1b",
        "\x7f",
        "\x85",
        "\x9f",
        "\u2028",
        "\u2029",
        "\u202a",
        "\u202e",
        "\u2066",
        "\u2069",
    ],
    ids=ascii,
)
def test_line_breaks_and_control_characters_are_rejected(as_alice, mark):
    answer = as_alice.patch(f"{V1}users/me/", {"display_name": f"Alice{mark}Admin"})
    assert bad_fields(answer) == {"display_name": "not_one_line"}


@pytest.mark.parametrize(
    "name",
    [
        "João Guimarães Rosa",
        "Joa\u0303o",
        "👩\u200d👩\u200d👧 & 🏳\ufe0f\u200d🌈",
        "علی\u200cرضا",
        "שלום\u200f!",
        "O'Neil\u00a0II",
    ],
)
def test_international_names_are_accepted(as_alice, name):
    answer = as_alice.patch(f"{V1}users/me/", {"display_name": f" {name}\n"})
    assert answer.status_code == 200, answer.content
    assert answer.json()["display_name"] == name


def test_all_names_titles_and_places_are_single_line(club, alice, as_alice, anonymous):
    book = Book.create_book(by=alice, title="Emma", authors=["Jane Austen"])
    entry = Entry.add_entry(club=club, book=book, by=alice)
    thread = Thread.create_thread(club=club, by=alice, title="T", body="B")
    here = f"{V1}clubs/{club.pk}/"
    bad = "a\u202eb"
    meeting = {"title": "T", "starts_at": "2099-01-01T10:00:00Z"}
    account = {"username": "dora", "password": "kq7-zxwv-93"}
    for client, path, body, field in [
        (anonymous, f"{V1}auth/register/", account | {"display_name": bad}, "display_name"),
        (anonymous, f"{V1}auth/register/", account | {"device": bad}, "device"),
        (anonymous, f"{V1}auth/login/", account | {"device": bad}, "device"),
        (as_alice, f"{V1}books/", {"title": bad, "author": "A"}, "title"),
        (as_alice, f"{V1}books/", {"title": "T", "author": bad}, "author"),
        (as_alice, f"{V1}books/", {"title": "T", "authors": ["A", bad]}, "authors.1"),
        (as_alice, f"{V1}books/", {"title": "T", "author": "A", "subjects": [bad]}, "subjects.0"),
        (as_alice, f"{V1}clubs/", {"name": bad}, "name"),
        (as_alice, f"{V1}reviews/", {"book": book.pk, "rating": 4, "title": bad}, "title"),
        (as_alice, f"{here}meetings/", meeting | {"title": bad}, "title"),
        (as_alice, f"{here}meetings/", meeting | {"place": bad}, "place"),
        (as_alice, f"{here}threads/", {"title": bad, "body": "B"}, "title"),
        (as_alice, f"{here}books/{entry.pk}/milestones/", {"title": bad, "up_to_percent": 9}, "title"),
    ]:
        assert bad_fields(client.post(path, body, format="json")).get(field) == "not_one_line", (path, field)
    for path, body in [
        (f"{V1}books/{book.pk}/", {"title": bad}),
        (here, {"name": bad}),
        (f"{here}threads/{thread.pk}/", {"title": bad}),
    ]:
        assert set(bad_fields(as_alice.patch(path, body, format="json")).values()) == {"not_one_line"}, path
    several = "One\n\tTwo \u202eeno\u202c"
    assert as_alice.patch(f"{V1}users/me/", {"bio": several}).json()["bio"] == several
