"""GET books/{id}/stats/."""

from collections.abc import Callable

from rest_framework.test import APIClient

from catalog.models import Book


def test_book_stats(anonymous: APIClient, add_book: Callable[..., Book]) -> None:
    book = add_book(
        "Emma", average_rating="3.67", ratings_count=3, ratings_sum=22, stars_10=1, stars_6=2, clubs_reading=4
    )
    response = anonymous.get(f"/api/v1/books/{book.pk}/stats/")
    assert response.status_code == 200
    assert response.json() == {
        "average_rating": 3.67,
        "ratings_count": 3,
        "histogram": {
            **dict.fromkeys(("0.5", "1.0", "1.5", "2.0", "2.5"), 0),
            **{"3.0": 2, "3.5": 0, "4.0": 0, "4.5": 0, "5.0": 1},
        },
        "clubs_reading": 4,
        "clubs_finished": 0,
    }


def test_average_without_ratings_is_null(anonymous: APIClient, add_book: Callable[..., Book]) -> None:
    response = anonymous.get(f"/api/v1/books/{add_book('Emma').pk}/stats/")
    assert response.json()["average_rating"] is None
    assert set(response.json()["histogram"].values()) == {0}


def test_stats_of_unknown_book_is_404(anonymous: APIClient, db: None) -> None:
    assert anonymous.get("/api/v1/books/999/stats/").status_code == 404
