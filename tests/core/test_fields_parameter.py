"""`?fields=` limits the results of a list to some of their fields."""

from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from catalog.models import Book
from clubs.models import Club, Entry

pytestmark = pytest.mark.django_db

V1 = "/api/v1/"


@pytest.fixture
def club(alice):
    club = Club.create_club(by=alice, name="Night readers")
    Entry.add_entry(club=club, book=Book.create_book(by=alice, title="Emma", authors=["Jane Austen"]), by=alice)
    return club


@pytest.mark.parametrize(
    "place", ["books/", "clubs/", "clubs/{club}/books/", "clubs/{club}/members/", "auth/sessions/"]
)
def test_list_has_the_requested_fields(client_of, alice, club, place):
    client, url = client_of(alice), V1 + place.format(club=club.pk)
    rows = client.get(url).json()["results"]
    assert rows
    for count in (1, 2, len(rows[0])):
        names = [*rows[0]][-count:]
        response = client.get(f"{url}?fields={','.join(reversed(names))}&page_size=1")
        assert response.json()["results"] == [{name: rows[0][name] for name in names}]
        assert client.get(f"{url}?fields={','.join(names)}", headers={"If-None-Match": "*"}).status_code == 304


def test_links_keep_the_fields(anonymous, alice):
    for title in ("Emma", "Persuasion"):
        Book.create_book(by=alice, title=title, authors=["Jane Austen"])
    page = anonymous.get(f"{V1}books/?fields=title&page_size=1&ordering=title").json()
    assert page["results"] == [{"title": "Emma"}]
    assert anonymous.get(page["next"]).json()["results"] == [{"title": "Persuasion"}]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("nonsense", "invalid_choice"),
        ("id,nonsense", "invalid_choice"),
        ("id,", "invalid_choice"),
        (",", "invalid_choice"),
        ("id, title", "invalid_choice"),
        ("ID", "invalid_choice"),
        ("password", "invalid_choice"),
        ("author.id", "invalid_choice"),
        ("", "blank"),
        ("%20", "blank"),
        ("id&fields=title", "invalid"),
    ],
)
def test_invalid_fields_are_400_also_for_an_empty_list(anonymous, sent, code):
    response = anonymous.get(f"{V1}books/?fields={sent}")
    problem = response.json()
    assert (response.status_code, problem["code"]) == (400, "invalid_parameter")
    assert [(error["field"], error["code"]) for error in problem["errors"]] == [("fields", code)]


def test_single_object_has_no_fields_parameter(client_of, alice):
    response = client_of(alice).get(f"{V1}users/me/?fields=id")
    assert (response.status_code, response.json()["errors"][0]["code"]) == (400, "unknown")


def test_document_lists_the_fields_of_each_list():
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    schemas, seen = document["components"]["schemas"], 0
    for path in document["paths"].values():
        for operation in path.values():
            parameters = {parameter.get("name"): parameter for parameter in operation["parameters"]}
            if "cursor" not in parameters:
                assert "fields" not in parameters
                continue
            seen += 1
            content = operation["responses"]["200"]["content"]["application/json"]["schema"]
            page = schemas[content["$ref"].rpartition("/")[2]]
            row = schemas[page["properties"]["results"]["items"]["$ref"].rpartition("/")[2]]
            assert set(parameters["fields"]["schema"]["items"]["enum"]) == set(row["properties"])
    assert seen > 20
