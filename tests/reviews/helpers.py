"""Helpers shared by the review tests."""

import io
from typing import Any

from django.core.management import CommandError, call_command

from accounts.deletion import close_account
from accounts.models import ReviewsOnDeletion, User
from catalog.models import Book
from reviews.models import Review
from tests.clubs.helpers import bad_fields, bad_parameters, problem
from tests.conftest import PASSWORD

__all__ = [
    "REVIEWS",
    "bad_fields",
    "bad_parameters",
    "book_statistics",
    "counter_differences",
    "counts",
    "delete_account",
    "ids",
    "problem",
    "remarks",
    "snapshot",
]

REVIEWS = "/api/v1/reviews/"


def delete_account(user: User, *, anonymize: bool) -> None:
    """Delete an account as its user would."""
    close_account(
        user, password=PASSWORD, reviews=ReviewsOnDeletion.ANONYMIZE if anonymize else ReviewsOnDeletion.DELETE
    )


def ids(response: Any) -> list[int]:
    """Return the ids on a page of a list."""
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["results"]]


def book_statistics(client: Any, book: Book) -> tuple[float | None, int, dict[str, int]]:
    """Return mean, number of ratings and histogram (without zeros) of a book; check that both endpoints agree."""
    detail = client.get(f"/api/v1/books/{book.pk}/").json()
    stats = client.get(f"/api/v1/books/{book.pk}/stats/").json()
    assert (detail["average_rating"], detail["ratings_count"]) == (stats["average_rating"], stats["ratings_count"])
    assert list(stats["histogram"]) == ["0.5", "1.0", "1.5", "2.0", "2.5", "3.0", "3.5", "4.0", "4.5", "5.0"]
    histogram = {star: n for star, n in stats["histogram"].items() if n}
    return stats["average_rating"], stats["ratings_count"], histogram


def counter_differences(*arguments: str) -> tuple[int, list[str]]:
    """Return the exit status of `verify_counters` and the differences it prints."""
    out, status = io.StringIO(), 0
    try:
        call_command("verify_counters", *arguments, stdout=out)
    except CommandError:
        status = 1
    return status, [line for line in out.getvalue().splitlines() if "should be" in line]


def counts(report: dict[str, Any]) -> tuple[int, int, int, int]:
    """Return how many rows of an import were created, updated, skipped and failed."""
    return report["created"], report["updated"], report["skipped"], report["failed"]


def remarks(report: dict[str, Any]) -> dict[str, int]:
    """Return the codes of the remarks of an import with their numbers of rows."""
    return {remark["code"]: remark["rows"] for remark in report["remarks"]}


def snapshot() -> list[dict[str, Any]]:
    """Return all columns of all reviews and books."""
    return [*Review.objects.order_by("id").values(), *Book.objects.order_by("id").values()]
