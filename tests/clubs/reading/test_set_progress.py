"""Setting progress in percent, pages or minutes."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from clubs.models import Club, Entry, Progress
from tests.clubs.reading.helpers import codes, status_and_code, url

PutOnList = Callable[..., Entry]


@pytest.fixture
def entry(put_on_list: PutOnList) -> Entry:
    return put_on_list("Emma", status="reading")


@pytest.fixture
def address(club: Club, entry: Entry) -> str:
    return url(club, entry, "progress/")


@pytest.mark.parametrize(
    ("body", "percent", "sent"),
    [
        ({"percent": 0}, 0, ("percent", 0, 100)),
        ({"percent": 100}, 100, ("percent", 100, 100)),
        ({"percent": 33.335}, 33.34, ("percent", 33.34, 100)),
        ({"percent": 33.334999}, 33.33, ("percent", 33.33, 100)),
        ({"percent": "12.5"}, 12.5, ("percent", 12.5, 100)),
        ({"percent": -0.0}, 0, ("percent", 0, 100)),
        ({"page": 1, "page_count": 3}, 33.33, ("page", 1, 3)),
        ({"page": 2, "page_count": 3}, 66.67, ("page", 2, 3)),
        ({"minutes": 29_999, "total_minutes": 30_000}, 99.99, ("minutes", 29_999, 30_000)),
        # Exactly 0.125 %, rounded half up.
        ({"page": 1, "page_count": 800}, 0.13, ("page", 1, 800)),
        ({"page": 0, "page_count": 1}, 0, ("page", 0, 1)),
        ({"page": 50_000, "page_count": 50_000}, 100, ("page", 50_000, 50_000)),
        ({"minutes": 90, "total_minutes": 600}, 15, ("minutes", 90, 600)),
        ({"percent": 5, "page": None, "page_count": None}, 5, ("percent", 5, 100)),
    ],
)
def test_progress_is_saved_in_percent_and_as_sent(
    as_bob: APIClient, address: str, body: dict[str, Any], percent: float, sent: tuple[Any, ...]
) -> None:
    response = as_bob.put(address, body)
    assert response.status_code == 200, response.content
    data = response.json()
    assert data.pop("updated_at").endswith("Z")
    finished_on = data.pop("finished_on")
    assert (finished_on is not None) == (percent == 100)
    assert data == {"percent": percent, "hidden": False, "stopped": False, "spoilers_ok": False}
    assert isinstance(data["percent"], float)
    assert "-" not in str(data["percent"])
    progress = Progress.objects.get()
    assert (progress.unit, float(progress.amount), progress.total) == sent


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"percent": "required"}),
        ({"hidden": True}, {"percent": "required"}),
        ({"percent": None}, {"percent": "required"}),
        ({"page": 3}, {"page_count": "required"}),
        ({"page_count": 3}, {"page": "required"}),
        ({"minutes": 3}, {"total_minutes": "required"}),
        ({"total_minutes": 3}, {"minutes": "required"}),
        ({"percent": 3, "page": 3, "page_count": 9}, {"page": "one_way"}),
        ({"percent": 3, "page_count": 9}, {"page_count": "one_way"}),
        ({"page": 3, "page_count": 9, "minutes": 1, "total_minutes": 2}, {"minutes": "one_way"}),
        ({"page": 10, "page_count": 9}, {"page": "max_value"}),
        ({"minutes": 3, "total_minutes": 2}, {"minutes": "max_value"}),
        ({"page": 0, "page_count": 0}, {"page_count": "min_value"}),
        ({"page": 1, "page_count": 50_001}, {"page_count": "max_value"}),
        ({"page": -1, "page_count": 5}, {"page": "min_value"}),
        ({"page": 1.5, "page_count": 5}, {"page": "invalid"}),
        ({"page": True, "page_count": 5}, {"page": "invalid"}),
        ({"percent": True}, {"percent": "invalid"}),
        ({"percent": False}, {"percent": "invalid"}),
        ({"percent": "NaN"}, {"percent": "invalid"}),
        ({"percent": "Infinity"}, {"percent": "invalid"}),
        ({"percent": "half"}, {"percent": "invalid"}),
        ({"percent": ""}, {"percent": "required"}),
        ({"percent": [5]}, {"percent": "invalid"}),
        ({"percent": {"x": 5}}, {"percent": "invalid"}),
        ({"percent": 100.001}, {"percent": "max_value"}),
        ({"percent": -0.001}, {"percent": "min_value"}),
        ({"percent": 10**40}, {"percent": "max_value"}),
        ({"percent": 5, "hidden": "perhaps"}, {"hidden": "invalid"}),
        ({"percent": 5, "hidden": None}, {"hidden": "null"}),
    ],
)
def test_invalid_values_are_rejected(
    as_bob: APIClient, address: str, body: dict[str, Any], errors: dict[str, str]
) -> None:
    assert codes(as_bob.put(address, body)) == errors
    assert not Progress.objects.exists()


@pytest.mark.parametrize("raw", ['{"percent": NaN}', '{"percent": Infinity}', '{"percent": 1e400}', "[5]", "null", "5"])
def test_invalid_json_is_rejected(as_bob: APIClient, address: str, raw: str) -> None:
    response = as_bob.generic("PUT", address, raw, content_type="application/json")
    assert response.status_code == 400, response.content
    assert not Progress.objects.exists()


@pytest.mark.parametrize("number", ["1e-999999999", "1e999999999", "0." + "3" * 900])
def test_extreme_numbers_do_not_fail(as_bob: APIClient, address: str, number: str) -> None:
    assert as_bob.put(address, {"percent": number}).status_code in (200, 400)


def test_last_write_wins(as_bob: APIClient, address: str) -> None:
    as_bob.put(address, {"percent": 50})
    assert as_bob.put(address, {"page": 1, "page_count": 10}).json()["percent"] == 10
    assert Progress.objects.get().percent == 10


def test_hidden_is_kept_if_not_sent(as_bob: APIClient, address: str) -> None:
    assert as_bob.put(address, {"percent": 5, "hidden": True}).json()["hidden"] is True
    assert as_bob.put(address, {"percent": 6}).json()["hidden"] is True
    assert as_bob.put(address, {"percent": 7, "hidden": False}).json()["hidden"] is False


def test_entry_shows_own_progress(as_bob: APIClient, as_moe: APIClient, club: Club, entry: Entry) -> None:
    response = as_bob.put(url(club, entry, "progress/"), {"percent": 42.5, "hidden": True}).json()
    assert as_bob.get(url(club, entry)).json()["my_progress"] == response
    assert as_bob.get(url(club)).json()["results"][0]["my_progress"] == response
    assert as_moe.get(url(club, entry)).json()["my_progress"] is None


def test_member_progress_does_not_change_the_status(
    as_bob: APIClient, as_moe: APIClient, club: Club, entry: Entry
) -> None:
    as_bob.put(url(club, entry, "progress/"), {"percent": 100})
    data = as_moe.get(url(club, entry)).json()
    assert (data["status"], data["members_finished"]) == ("reading", 1)
    as_bob.put(url(club, entry, "progress/"), {"percent": 40})
    as_moe.patch(url(club, entry), {"status": "finished"})
    data = as_bob.get(url(club, entry)).json()
    assert (data["my_progress"]["percent"], data["members_finished"]) == (40, 0)


@pytest.mark.parametrize("status", ["proposed", "planned", "finished", "dropped"])
def test_progress_is_accepted_in_any_status(as_bob: APIClient, club: Club, put_on_list: PutOnList, status: str) -> None:
    entry = put_on_list("Persuasion", status=status)
    assert as_bob.put(url(club, entry, "progress/"), {"percent": 5}).status_code == 200


def test_update_requires_membership(
    anonymous: APIClient, as_bob: APIClient, as_charlie: APIClient, club: Club, bob: User, alice: User, address: str
) -> None:
    assert anonymous.put(address, {"percent": 5}).status_code == 401
    assert status_and_code(as_charlie.put(address, {"percent": 5})) == (403, "members_only")
    club.get_membership(bob).remove(by=alice)
    assert status_and_code(as_bob.put(address, {"percent": 5})) == (403, "members_only")
    assert not Progress.objects.exists()


def test_stale_if_match_fails(as_bob: APIClient, as_moe: APIClient, address: str) -> None:
    as_bob.put(address, {"percent": 5})
    etag = as_bob.get(f"{address}mine/")["ETag"]
    # What others do is in the list, and no change of one's own progress.
    as_moe.put(address, {"percent": 50})
    assert as_bob.put(address, {"percent": 6}, headers={"If-Match": etag}).status_code == 200
    assert status_and_code(as_bob.put(address, {"percent": 7}, headers={"If-Match": etag})) == (
        412,
        "precondition_failed",
    )
    assert as_bob.get(f"{address}mine/").json()["percent"] == 6
    assert as_bob.put(address, {"percent": 8}, headers={"If-Match": "*"}).status_code == 200


def test_own_progress_is_the_response_to_its_change(as_bob: APIClient, as_moe: APIClient, address: str) -> None:
    written = as_bob.put(address, {"page": 131, "page_count": 262, "hidden": True})
    found = as_bob.get(f"{address}mine/")
    assert found.json() == written.json()
    assert found.json().keys() == {"percent", "hidden", "stopped", "finished_on", "spoilers_ok", "updated_at"}
    assert found["ETag"] == written["ETag"]
    as_moe.put(address, {"percent": 1})
    assert as_bob.get(f"{address}mine/")["ETag"] == written["ETag"]
    chained = as_bob.put(address, {"percent": 60}, headers={"If-Match": written["ETag"]})
    assert chained.status_code == 200
    assert as_bob.put(address, {"percent": 61}, headers={"If-Match": f"W/{chained['ETag']}"}).status_code == 200


def test_own_progress_that_is_not_set_can_be_a_precondition(as_bob: APIClient, address: str) -> None:
    unset = as_bob.get(f"{address}mine/")
    nulls = dict.fromkeys(("percent", "finished_on", "updated_at"))
    assert unset.json() == nulls | {"hidden": False, "stopped": False, "spoilers_ok": False}
    first, second = (as_bob.put(address, {"percent": n}, headers={"If-Match": unset["ETag"]}) for n in (5, 6))
    assert (first.status_code, second.status_code) == (200, 412)


def test_own_progress_is_for_members(
    anonymous: APIClient, as_charlie: APIClient, as_mallory: APIClient, address: str
) -> None:
    assert anonymous.get(f"{address}mine/").status_code == 401
    assert as_charlie.get(f"{address}mine/").status_code == 403
    assert as_mallory.put(address, {"percent": 5}, headers={"If-Match": '"old"'}).status_code == 403


def test_list_etag_is_no_precondition_of_own_progress(as_bob: APIClient, address: str) -> None:
    as_bob.put(address, {"percent": 5})
    stale = as_bob.put(address, {"percent": 6}, headers={"If-Match": as_bob.get(address)["ETag"]})
    assert stale.status_code == 412


def test_own_progress_query_count(
    as_bob: APIClient, address: str, django_assert_num_queries: Callable[..., Any]
) -> None:
    as_bob.put(address, {"percent": 5})
    # The session, the club, the entry and the progress.
    with django_assert_num_queries(4):
        as_bob.get(f"{address}mine/")


def test_options_describes_progress_to_members_only(address: str, anonymous: APIClient, as_bob: APIClient) -> None:
    assert "actions" not in anonymous.options(address).json()
    assert as_bob.options(address).json()["actions"].keys() == {"PUT"}
