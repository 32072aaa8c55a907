"""Cover images of clubs."""

import pytest

from clubs.models import Club
from tests.clubs.helpers import CLUBS, problem
from tests.images import fetch, make_image, open_image, stored_files, upload_image

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def cover(club):
    return f"{CLUBS}{club.pk}/cover/"


def test_cover_is_scaled_and_shown_in_responses(cover, club, as_alice, as_charlie, anonymous):
    response = upload_image(as_alice, cover, make_image("JPEG", (3200, 800)))
    assert response.status_code == 200, response.content
    url = response.json()["cover_url"]
    assert url.startswith("http://testserver/media/club-covers/")
    assert response.json() == as_alice.get(f"{CLUBS}{club.pk}/").json()
    assert [row["cover_url"] for row in as_charlie.get(CLUBS).json()["results"]] == [url]
    assert anonymous.get(f"{CLUBS}{club.pk}/", HTTP_HOST="localhost").json()["cover_url"] == url.replace(
        "testserver", "localhost"
    )
    assert open_image(url).size == (1024, 256)
    assert open_image(upload_image(as_alice, cover, make_image("PNG", (20, 90))).json()["cover_url"]).size == (20, 90)
    assert open_image(upload_image(as_alice, cover, make_image("PNG", (3200, 1))).json()["cover_url"]).size == (1024, 1)
    assert len(stored_files()) == 1


def test_cover_changes_require_the_owner(cover, club, as_alice, as_moe, as_bob):
    for client in (as_moe, as_bob):
        problem(upload_image(client, cover, make_image()), 403, "owner_only")
        problem(client.delete(cover), 403, "owner_only")
    upload_image(as_alice, cover, make_image())
    for _twice in range(2):
        assert as_alice.delete(cover).status_code == 204
    assert as_alice.get(f"{CLUBS}{club.pk}/").json()["cover_url"] is None
    assert stored_files() == set()


def test_cover_upload_hides_private_club_before_validation(private_club, as_charlie):
    # Neither 400 nor 413 may reveal that the club exists.
    for data in (make_image(), b"nonsense", b"x" * 5_050_000):
        problem(upload_image(as_charlie, f"{CLUBS}{private_club.pk}/cover/", data), 404, "not_found")


def test_cover_survives_updates_and_is_deleted_with_club(cover, club, as_alice):
    url = upload_image(as_alice, cover, make_image()).json()["cover_url"]
    data = as_alice.put(f"{CLUBS}{club.pk}/", {"name": "Day readers", "cover_url": "x", "cover": "y"}).json()
    assert data["cover_url"] == url
    assert as_alice.delete(f"{CLUBS}{club.pk}/").status_code == 204
    assert stored_files() == set()
    assert fetch(url).status_code == 404


def test_cover_upload_checks_if_match_of_the_club(cover, club, as_alice):
    etag = as_alice.get(f"{CLUBS}{club.pk}/")["ETag"]
    assert upload_image(as_alice, cover, make_image(), HTTP_IF_MATCH=etag).status_code == 200
    problem(upload_image(as_alice, cover, make_image(), HTTP_IF_MATCH=etag), 412, "precondition_failed")


def test_staff_can_remove_a_cover(cover, club, as_alice, staff, client):
    upload_image(as_alice, cover, make_image())
    client.force_login(staff)
    response = client.post("/admin/clubs/club/", {"action": "remove_covers", "_selected_action": [club.pk]})
    assert response.status_code == 302
    assert Club.objects.get(pk=club.pk).cover == ""
    assert stored_files() == set()
