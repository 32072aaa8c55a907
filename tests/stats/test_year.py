"""The year in books of a club and of a user, and its picture."""

import datetime
import io

import pytest
from PIL import Image

from catalog.models import Book
from clubs.models import Entry
from meetings.models import Attendance, Meeting
from readings.models import Reading
from reviews.models import Review
from stats.year import card
from tests.clubs.helpers import bad_parameters, bring_in

pytestmark = pytest.mark.django_db
V1 = "/api/v1/"


@pytest.fixture
def add_finished(club, alice):
    def add(title, day, *, where=club, pages=None):
        book = Book.create_book(by=None, title=title, authors=["A"], page_count=pages)
        return Entry.add_entry(club=where, book=book, by=alice, status="finished", finished_on=day)

    return add


def days(*texts):
    return [datetime.date.fromisoformat(text) for text in texts]


def year_of(client, club, year=2025):
    response = client.get(f"{V1}clubs/{club.pk}/year/{year}/")
    assert response.status_code == 200, response.content
    return response.json()


def test_empty_year_has_exactly_these_fields(as_bob, club):
    assert year_of(as_bob, club) == {
        "books": [],
        "books_finished": 0,
        "pages": 0,
        "pages_known_of": 0,
        "months": [0] * 12,
        "meetings_held": 0,
        "mean_attendance": None,
        "best_rated": None,
        "most_divisive": None,
        "longest": None,
    }


def test_year_counts_the_books_finished_in_it(as_bob, club, add_finished):
    first, last, before = days("2025-01-01", "2025-12-31", "2024-12-31")
    add_finished("Last", last, pages=300)
    add_finished("First", first, pages=200)
    add_finished("Unknown", first)
    add_finished("Before", before, pages=900)
    year = year_of(as_bob, club)
    assert [(row["title"], row["finished_on"]) for row in year["books"]] == [
        ("First", "2025-01-01"),
        ("Unknown", "2025-01-01"),
        ("Last", "2025-12-31"),
    ]
    assert (year["books_finished"], year["pages"], year["pages_known_of"]) == (3, 500, 2)
    assert year["months"] == [2, *[0] * 10, 1]
    assert (year["longest"]["title"], year["longest"]["page_count"]) == ("Last", 300)


def test_best_rated_and_most_divisive_are_of_the_clubs_ratings(as_alice, club, add_finished, make_user):
    (day,) = days("2025-05-01")
    loved, disputed = add_finished("Loved", day), add_finished("Disputed", day)
    for number, ratings in enumerate([(10, 10), (9, 2), (9, 10), (10, 1), (9, 10)]):
        reader = make_user(f"reader{number}")
        bring_in(club, reader)
        for entry, rating in zip((loved, disputed), ratings, strict=True):
            Review.create_review(book=entry.book, by=reader, rating=rating)
    year = year_of(as_alice, club)
    best, divisive = year["best_rated"], year["most_divisive"]
    assert (best["title"], best["average_rating"], best["ratings_count"]) == ("Loved", 4.7, 5)
    assert (divisive["id"], divisive["ratings_count"]) == (disputed.book_id, 5)


def test_private_club_counts_reviews_shared_with_clubs(as_alice, private_club, add_finished, alice, bob):
    (day,) = days("2025-05-01")
    entry = add_finished("Emma", day, where=private_club)
    Review.create_review(book=entry.book, by=bob, rating=8, visibility="clubs")
    Review.create_review(book=entry.book, by=alice, rating=2, visibility="private")
    best = year_of(as_alice, private_club)["best_rated"]
    assert (best["average_rating"], best["ratings_count"]) == (4, 1)


def test_meetings_of_the_year_in_the_zone_of_the_club(as_alice, alice, bob, make_club):
    club = make_club("Leitoras", timezone="America/Sao_Paulo")
    for starts_at, users in (("2025-12-31T23:30:00-03:00", [alice, bob]), ("2026-01-01T00:30:00-03:00", [bob])):
        moment = datetime.datetime.fromisoformat(starts_at)
        meeting = Meeting.create_meeting(club=club, by=alice, title="Tea", starts_at=moment)
        Attendance.set_attendance(meeting=meeting, by=alice, users=[user.pk for user in users])
    year = year_of(as_alice, club)
    assert (year["meetings_held"], year["mean_attendance"]) == (1, 2)
    # In her time zone, UTC, it is 2026 already.
    own = as_alice.get(f"{V1}users/me/year/2026/").json()
    assert (own["meetings_held"], own["mean_attendance"]) == (1, 2)


def test_own_year_counts_readings_of_all_sources_once(as_bob, bob, add_book):
    (first, second, other) = days("2025-02-01", "2025-09-01", "2024-01-01")
    book, stopped = add_book("Emma", page_count=100), add_book("Stopped")
    for day, source in ((second, "import"), (first, "own"), (other, "own")):
        Reading.objects.create(user=bob, book=book, state="finished", percent=100, finished_on=day, source=source)
    Reading.objects.create(user=bob, book=stopped, state="stopped", percent=10, finished_on=first)
    Review.create_review(book=book, by=bob, rating=9, visibility="private")
    year = as_bob.get(f"{V1}users/me/year/2025/").json()
    assert [(row["title"], row["finished_on"]) for row in year["books"]] == [("Emma", "2025-02-01")]
    assert (year["pages"], year["best_rated"]["average_rating"]) == (100, 4.5)
    assert as_bob.get(f"{V1}users/me/stats/").json()["books_finished_by_year"] == [
        {"year": 2024, "count": 1},
        {"year": 2025, "count": 1},
    ]


@pytest.mark.parametrize("year", [0, 1899, 2101, 10**12])
def test_year_out_of_range_is_not_found(as_bob, club, year):
    for place in (f"clubs/{club.pk}", "users/me"):
        for rest in ("", "card.png"):
            assert as_bob.get(f"{V1}{place}/year/{year}/{rest}").status_code == 404


def test_year_takes_a_constant_number_of_queries(as_bob, bob, club, add_finished, django_assert_num_queries):
    for number in range(5):
        entry = add_finished(f"Book {number}", datetime.date(2025, 1, 1 + number))
        Reading.objects.create(
            user=bob, book=entry.book, state="finished", percent=100, finished_on=datetime.date(2025, 3, 1)
        )
    # Session with user; club; entries with books; meetings.
    with django_assert_num_queries(4):
        year_of(as_bob, club)
    # Session with user; readings with books; own ratings; meetings.
    with django_assert_num_queries(4):
        as_bob.get(f"{V1}users/me/year/2025/")


def picture(client, path, **headers):
    response = client.get(f"{V1}{path}", **headers)
    assert (response.status_code, response["Content-Type"]) == (200, "image/png"), response.content
    return Image.open(io.BytesIO(response.content)), response


def test_card_is_a_picture_of_1200_by_630(as_bob, club, add_finished):
    add_finished("Vidas secas", datetime.date(2025, 5, 1), pages=176)
    for path in (f"clubs/{club.pk}/year/2025/card.png", "users/me/year/2025/card.png"):
        image, response = picture(as_bob, path)
        assert (image.format, image.size) == ("PNG", (1200, 630))
        assert response["Cache-Control"] == "private, no-cache"
        assert as_bob.get(f"{V1}{path}", HTTP_IF_NONE_MATCH=response["ETag"]).status_code == 304
        assert as_bob.get(f"{V1}{path}", HTTP_ACCEPT="application/json").status_code == 200


def test_card_names_a_private_club_only_if_asked(as_bob, club, private_club, monkeypatch):
    names = []

    def render(year, *, title, name=""):
        names.append(name)
        return card.render_card(year, title=title, name=name)

    monkeypatch.setattr("stats.year.views.render_card", render)
    for where in (club, private_club):
        for query in ("", "?club_name=true", "?club_name=false"):
            picture(as_bob, f"clubs/{where.pk}/year/2025/card.png{query}")
    assert names == [club.name, club.name, "", "", private_club.name, ""]
    bad = as_bob.get(f"{V1}clubs/{club.pk}/year/2025/card.png?club_name=perhaps")
    assert bad_parameters(bad) == {"club_name"}


def test_card_is_in_the_callers_language(as_bob, club):
    path = f"clubs/{club.pk}/year/2025/card.png"
    english, portuguese = (picture(as_bob, path, HTTP_ACCEPT_LANGUAGE=tag)[0] for tag in ("en", "pt-BR"))
    assert english.tobytes() != portuguese.tobytes()


@pytest.mark.parametrize(
    ("text", "drawn"),
    [("Memórias póstumas", True), ("Мёртвые души", True), ("こころ", False), ("ألف ليلة", False), ("x\ue000", False)],
)
def test_card_leaves_out_text_that_the_font_lacks(text, drawn):
    assert card._printable(text) == (text if drawn else "")


def test_long_title_stays_inside_the_card(as_alice, club, add_finished, alice):
    entry = add_finished("Muito " * 30, datetime.date(2025, 5, 1))
    Review.create_review(book=entry.book, by=alice, rating=10)
    image, _response = picture(as_alice, f"clubs/{club.pk}/year/2025/card.png")
    margin = image.crop((1200 - card.MARGIN + 4, 0, 1200, 560)).getcolors()
    assert len(margin) == 1
