"""Milestones."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from clubs.models import Club, Entry, Milestone
from tests.clubs.reading.helpers import codes, status_and_code, url

PutOnList = Callable[..., Entry]


@pytest.fixture
def address(club: Club, put_on_list: PutOnList) -> str:
    return url(club, put_on_list("Emma", status="reading"), "milestones/")


def test_list_is_ordered_by_due_date(as_moe: APIClient, anonymous: APIClient, address: str) -> None:
    for title, day in (("II", "2027-02-01"), ("III", "2027-02-01"), ("I", "2027-01-01")):
        response = as_moe.post(address, {"title": title, "up_to_percent": 50, "due_on": day})
        assert response.status_code == 201, response.content
    assert [row["title"] for row in anonymous.get(address).json()["results"]] == ["I", "II", "III"]
    first = anonymous.get(address, {"page_size": 1}).json()
    assert anonymous.get(first["next"]).json()["results"][0]["title"] == "II"


def test_milestone_fields(as_moe: APIClient, address: str) -> None:
    response = as_moe.post(address, {"title": "Half", "up_to_percent": 33.335, "due_on": "2027-01-01"})
    data = response.json()
    assert data == {
        "id": data["id"],
        "title": "Half",
        "up_to_percent": 33.34,
        "up_to_chapter": None,
        "due_on": "2027-01-01",
    }
    assert as_moe.get(f"{address}{data['id']}/").json() == data
    chapter = as_moe.post(address, {"title": "Ten", "up_to_chapter": 10, "due_on": "2027-01-01"}).json()
    assert (chapter["up_to_percent"], chapter["up_to_chapter"]) == (None, 10)


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"title": None}, {"title": "null"}),
        ({"title": "\u200b"}, {"title": "invisible"}),
        ({"title": "x" * 201}, {"title": "max_length"}),
        ({"due_on": None}, {"due_on": "null"}),
        ({"due_on": "soon"}, {"due_on": "invalid"}),
        ({"up_to_percent": None}, {"up_to_percent": "required"}),
        ({"up_to_percent": 100.001}, {"up_to_percent": "max_value"}),
        ({"up_to_percent": -1}, {"up_to_percent": "min_value"}),
        ({"up_to_percent": "half"}, {"up_to_percent": "invalid"}),
        ({"up_to_percent": True}, {"up_to_percent": "invalid"}),
        ({"up_to_chapter": 3}, {"up_to_chapter": "one_goal"}),
        ({"up_to_percent": None, "up_to_chapter": 0}, {"up_to_chapter": "min_value"}),
        ({"up_to_percent": None, "up_to_chapter": 10**9}, {"up_to_chapter": "max_value"}),
    ],
)
def test_create_with_invalid_values_fails(
    as_moe: APIClient, address: str, body: dict[str, Any], errors: dict[str, str]
) -> None:
    assert codes(as_moe.post(address, {"title": "I", "up_to_percent": 5, "due_on": "2027-01-01"} | body)) == errors
    assert not Milestone.objects.exists()


def test_create_without_required_fields_fails(as_moe: APIClient, address: str) -> None:
    assert codes(as_moe.post(address, {})) == {"title": "required", "due_on": "required"}


def test_milestone_update_and_delete(as_moe: APIClient, address: str) -> None:
    one = as_moe.post(address, {"title": "I", "up_to_percent": 5, "due_on": "2027-01-01"}).json()
    place = f"{address}{one['id']}/"
    assert as_moe.patch(place, {"title": "One"}).json() == one | {"title": "One"}
    changed = as_moe.patch(place, {"up_to_chapter": 4}).json()
    assert (changed["up_to_percent"], changed["up_to_chapter"]) == (None, 4)
    assert codes(as_moe.patch(place, {"up_to_chapter": None})) == {"up_to_percent": "required"}
    etag = as_moe.get(place)["ETag"]
    assert as_moe.patch(place, {"title": "Uno"}, headers={"If-Match": etag}).status_code == 200
    assert as_moe.delete(place, headers={"If-Match": etag}).status_code == 412
    assert as_moe.delete(place).status_code == 204
    assert status_and_code(as_moe.get(place)) == (404, "not_found")


def test_changes_require_moderator(
    anonymous: APIClient, as_bob: APIClient, as_charlie: APIClient, as_moe: APIClient, address: str
) -> None:
    body = {"title": "I", "up_to_percent": 5, "due_on": "2027-01-01"}
    assert anonymous.post(address, body).status_code == 401
    assert status_and_code(as_bob.post(address, body)) == (403, "moderators_only")
    assert status_and_code(as_charlie.post(address, body)) == (403, "moderators_only")
    place = f"{address}{as_moe.post(address, body).json()['id']}/"
    assert as_charlie.get(place).status_code == 200
    assert status_and_code(as_bob.patch(place, {"title": "x"})) == (403, "moderators_only")
    assert status_and_code(as_bob.delete(place)) == (403, "moderators_only")
    assert status_and_code(as_moe.put(place, body)) == (405, "method_not_allowed")


def test_list_query_count_is_constant(as_moe: APIClient, address: str, django_assert_num_queries: Any) -> None:
    for count in (1, 3):
        as_moe.post(address, {"title": f"{count}", "up_to_percent": count, "due_on": "2027-01-01"})
        # Session with user, club with membership, entry, milestones.
        with django_assert_num_queries(4):
            as_moe.get(address)
