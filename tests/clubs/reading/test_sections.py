"""Sections of a book: names for percentages."""

import datetime

import pytest

from clubs.models import Milestone
from discussions.models import Post, Thread
from tests.clubs.reading.helpers import codes, url

pytestmark = pytest.mark.django_db
SECTIONS = [
    {"title": "Fio de corte", "up_to_percent": 33},
    {"title": "Torto arado", "up_to_percent": 66.5},
    {"title": "Rio de sangue", "up_to_percent": 100},
]


@pytest.fixture
def entry(put_on_list):
    return put_on_list("Torto arado", status="reading")


@pytest.fixture
def address(club, entry):
    return url(club, entry, "sections/")


@pytest.fixture
def sections(as_moe, address):
    response = as_moe.put(address, {"sections": SECTIONS})
    assert response.status_code == 200, response.content
    return response.json()["sections"]


def titles(client, address):
    return [row["title"] for row in client.get(address).json()["sections"]]


def test_sections_are_kept_in_order(as_alice, address, sections):
    expected = [{"number": n, **section} for n, section in enumerate(SECTIONS, 1)]
    assert sections == expected
    assert as_alice.get(address).json() == {"sections": expected}


def test_sections_without_percentages_get_equal_shares(as_moe, address):
    response = as_moe.put(address, {"sections": [{"title": str(n)} for n in range(3)]})
    assert [row["up_to_percent"] for row in response.json()["sections"]] == [33.33, 66.67, 100]
    many = as_moe.put(address, {"sections": [{"title": str(n)} for n in range(300)]})
    assert (many.status_code, many.json()["sections"][-1]["up_to_percent"]) == (200, 100)


@pytest.mark.parametrize(
    ("ends", "errors"),
    [
        ([10, 10, 100], {"sections.1.up_to_percent": "not_ascending"}),
        ([50, 40, 100], {"sections.1.up_to_percent": "not_ascending"}),
        ([0, 100], {"sections.0.up_to_percent": "not_ascending"}),
        ([50, 99], {"sections.1.up_to_percent": "not_whole"}),
        ([50, None], {"sections.1.up_to_percent": "required"}),
        ([50, 101], {"sections.1.up_to_percent": "max_value"}),
        ([], {"sections": "min_length"}),
        ([None] * 301, {"sections": "max_length"}),
    ],
)
def test_invalid_sections_are_rejected(as_moe, address, ends, errors):
    rows = [{"title": "T", "up_to_percent": end} for end in ends]
    assert codes(as_moe.put(address, {"sections": rows})) == errors
    assert as_moe.get(address).json() == {"sections": []}


def test_title_is_null_until_it_is_reached(as_bob, as_moe, club, entry, address, sections):
    progress = url(club, entry, "progress/")
    assert titles(as_bob, address) == [None, None, None]
    as_bob.put(progress, {"percent": 10})
    assert titles(as_bob, address) == ["Fio de corte", None, None]
    as_bob.put(progress, {"section": 1})
    assert titles(as_bob, address) == ["Fio de corte", None, None]
    as_bob.put(progress, {"percent": 40})
    assert titles(as_bob, address) == ["Fio de corte", "Torto arado", None]
    as_bob.put(progress, {"spoilers_ok": True})
    assert None not in titles(as_bob, address)
    assert None not in titles(as_moe, address)


def test_progress_by_section_is_its_end(as_bob, club, entry, sections):
    progress = url(club, entry, "progress/")
    assert as_bob.put(progress, {"section": 2}).json()["percent"] == 66.5
    assert as_bob.put(progress, {"section": 3}).json()["finished_on"] is not None
    assert codes(as_bob.put(progress, {"section": 4})) == {"section": "does_not_exist"}
    assert codes(as_bob.put(progress, {"section": 1, "percent": 5})) == {"section": "one_way"}


def test_chapter_milestone_is_judged_by_its_section(as_bob, club, entry, sections):
    Milestone.create_milestone(entry=entry, title="M", up_to_chapter=2, due_on=datetime.date(2026, 1, 1))
    Milestone.create_milestone(entry=entry, title="Nowhere", up_to_chapter=9, due_on=datetime.date(2026, 2, 1))
    progress = url(club, entry, "progress/")
    for section, on_track in ((1, False), (2, True)):
        as_bob.put(progress, {"section": section})
        assert [row["on_track"] for row in as_bob.get(progress).json()["results"]] == [on_track]


def test_chapter_milestone_without_sections_is_not_judged(as_bob, club, entry):
    Milestone.create_milestone(entry=entry, title="M", up_to_chapter=2, due_on=datetime.date(2026, 1, 1))
    progress = url(club, entry, "progress/")
    as_bob.put(progress, {"percent": 1})
    assert [row["on_track"] for row in as_bob.get(progress).json()["results"]] == [None]


def test_post_is_guarded_by_the_end_of_a_section(as_alice, as_bob, club, entry, sections):
    threads = f"/api/v1/clubs/{club.pk}/threads/"
    thread = as_alice.post(threads, {"title": "T", "body": "First", "entry": entry.pk, "section": 1}).json()
    posts = f"{threads}{thread['id']}/posts/"
    post = as_alice.post(posts, {"body": "Second", "section": 2}).json()
    assert post["spoiler_percent"] == 66.5
    rows = as_bob.get(posts).json()["results"]
    assert [(row["spoiler_percent"], row["unlocks_at_section"], row["body"]) for row in rows] == [
        (33, 1, None),
        (66.5, 2, None),
    ]
    as_bob.put(url(club, entry, "progress/"), {"section": 1})
    assert [row["unlocks_at_section"] for row in as_bob.get(posts).json()["results"]] == [None, 2]
    changed = as_alice.patch(f"{posts}{post['id']}/", {"section": 3}).json()
    assert changed["spoiler_percent"] == 100
    assert codes(as_alice.post(posts, {"body": "B", "section": 9})) == {"section": "does_not_exist"}
    assert codes(as_alice.post(posts, {"body": "B", "section": 1, "spoiler_percent": 0})) == {"section": "one_way"}
    assert codes(as_alice.post(threads, {"title": "T", "body": "B", "section": 1})) == {"section": "no_entry"}


def test_deleted_sections_leave_posts_guarded(as_moe, as_bob, alice, club, entry, address, sections):
    thread = Thread.create_thread(club=club, by=alice, title="T", body="B", entry=entry, spoiler_percent=None)
    assert as_moe.delete(address).status_code == 204
    assert as_moe.delete(address).status_code == 204
    assert as_bob.get(address).json() == {"sections": []}
    post = Post.objects.get(thread=thread)
    row = as_bob.get(f"/api/v1/clubs/{club.pk}/posts/{post.pk}/").json()
    assert (row["locked"], row["unlocks_at_section"]) == (True, None)


def test_sections_honour_if_match(as_moe, address, sections):
    tag = as_moe.get(address)["ETag"]
    assert as_moe.put(address, {"sections": SECTIONS[1:]}, HTTP_IF_MATCH=tag).status_code == 200
    assert as_moe.put(address, {"sections": SECTIONS}, HTTP_IF_MATCH=tag).status_code == 412
    assert len(as_moe.get(address).json()["sections"]) == 2


def test_sections_take_a_constant_number_of_queries(as_bob, address, sections, django_assert_num_queries):
    # Session with user; club; entry; sections with progress.
    with django_assert_num_queries(4):
        assert as_bob.get(address).status_code == 200
