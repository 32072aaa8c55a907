"""A club's picture."""

import pytest

from clubs.models import Club
from tests.clubs.helpers import CLUBS, problem
from tests.pictures import fetched, files, made, put, seen

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def cover(club):
    return f"{CLUBS}{club.pk}/cover/"


def test_it_is_shown_on_the_clubs_card_and_keeps_its_form(cover, club, as_alice, as_charlie, anonymous):
    answer = put(as_alice, cover, made("JPEG", (3200, 800)))
    assert answer.status_code == 200, answer.content
    url = answer.json()["cover_url"]
    assert url.startswith("http://testserver/media/club-covers/")
    assert answer.json() == as_alice.get(f"{CLUBS}{club.pk}/").json()
    assert [row["cover_url"] for row in as_charlie.get(CLUBS).json()["results"]] == [url]
    assert anonymous.get(f"{CLUBS}{club.pk}/", HTTP_HOST="localhost").json()["cover_url"] == url.replace(
        "testserver", "localhost"
    )
    assert seen(url).size == (1600, 400)
    assert seen(put(as_alice, cover, made("PNG", (20, 90))).json()["cover_url"]).size == (20, 90)
    assert seen(put(as_alice, cover, made("PNG", (3200, 1))).json()["cover_url"]).size == (1600, 1)
    assert len(files()) == 1


def test_it_is_the_owners_to_choose_and_to_take_away(cover, club, as_alice, as_moe, as_bob):
    for client in (as_moe, as_bob):
        problem(put(client, cover, made()), 403, "owner_only")
        problem(client.delete(cover), 403, "owner_only")
    put(as_alice, cover, made())
    for _twice in range(2):
        assert as_alice.delete(cover).status_code == 204
    assert as_alice.get(f"{CLUBS}{club.pk}/").json()["cover_url"] is None
    assert files() == set()


def test_a_refused_stranger_is_not_read(private_club, as_charlie):
    """Neither 400 nor 413 tells that the club is there."""
    for data in (made(), b"nonsense", b"x" * 5_050_000):
        problem(put(as_charlie, f"{CLUBS}{private_club.pk}/cover/", data), 404, "not_found")


def test_another_change_leaves_it_and_the_club_takes_it_along(cover, club, as_alice):
    url = put(as_alice, cover, made()).json()["cover_url"]
    shown = as_alice.put(f"{CLUBS}{club.pk}/", {"name": "Day readers", "cover_url": "x", "cover": "y"}).json()
    assert shown["cover_url"] == url
    assert as_alice.delete(f"{CLUBS}{club.pk}/").status_code == 204
    assert files() == set()
    assert fetched(url).status_code == 404


def test_a_precondition_is_that_of_the_club(cover, club, as_alice):
    etag = as_alice.get(f"{CLUBS}{club.pk}/")["ETag"]
    assert put(as_alice, cover, made(), HTTP_IF_MATCH=etag).status_code == 200
    problem(put(as_alice, cover, made(), HTTP_IF_MATCH=etag), 412, "precondition_failed")


def test_staff_take_a_picture_away(cover, club, as_alice, staff, client):
    put(as_alice, cover, made())
    client.force_login(staff)
    answer = client.post("/admin/clubs/club/", {"action": "remove_covers", "_selected_action": [club.pk]})
    assert answer.status_code == 302
    assert Club.objects.get(pk=club.pk).cover == ""
    assert files() == set()
