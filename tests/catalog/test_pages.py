"""Query counts and query plans of the pages of a list."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from catalog.models import Book, BookAuthor, BookSubject, sort_key

URL = "/api/v1/books/"
ORDERINGS = ["-ratings_count", "-average_rating", "title", "-published_year", "-created_at"]


def add_many(count: int, start: int = 0) -> None:
    books = Book.objects.bulk_create(
        Book(
            title=f"Book {n}",
            title_key=sort_key(f"Book {n:06}"),
            author=f"Author {n % 7}",
            ratings_count=n % 11,
            average_rating=None if n % 5 == 0 else n % 10 / 2,
            published_year=None if n % 6 == 0 else 1900 + n % 100,
            origin=f"test:{n}",
        )
        for n in range(start, start + count)
    )
    if books[0].pk is None:
        books = list(Book.objects.filter(origin__in=[book.origin for book in books]))
    BookAuthor.objects.bulk_create(row for book in books for row in BookAuthor.build(book, ["A", "B"]))
    BookSubject.objects.bulk_create(row for book in books for row in BookSubject.build(book, ["S", "T"]))


@pytest.mark.parametrize("size", [3, 300])
def test_list_query_count(
    anonymous: APIClient, django_assert_num_queries: Callable[..., Any], db: None, size: int
) -> None:
    add_many(size)
    # the books with their authors and subjects
    with django_assert_num_queries(1):
        response = anonymous.get(URL, {"page_size": 100})
    assert len(response.json()["results"]) == min(size, 100)


def test_authenticated_list_query_count(as_alice: APIClient, django_assert_num_queries: Callable[..., Any]) -> None:
    add_many(3)
    # the session with its user; the books with their authors and subjects
    with django_assert_num_queries(2):
        as_alice.get(URL)


def test_detail_query_count(
    anonymous: APIClient, add_book: Callable[..., Book], django_assert_num_queries: Callable[..., Any]
) -> None:
    book = add_book("Emma", "Jane Austen", isbn13="9780306406157", subjects=["Novel"])
    # the book with its authors, subjects and editions
    with django_assert_num_queries(1):
        anonymous.get(f"{URL}{book.pk}/")
    # the book
    with django_assert_num_queries(1):
        anonymous.get(f"{URL}{book.pk}/stats/")


@pytest.mark.parametrize(("ordering", "page_size"), [(ORDERINGS[0], 1), *((word, 20) for word in ORDERINGS[1:])])
def test_all_pages_have_the_same_query_count(anonymous: APIClient, db: None, ordering: str, page_size: int) -> None:
    """With the first ordering 150 pages of one book; each book is listed exactly once."""
    add_many(150)
    url, seen, costs = f"{URL}?page_size={page_size}&ordering={ordering}", [], set()
    while url:
        with CaptureQueriesContext(connection) as queries:
            page = anonymous.get(url).json()
        seen += [book["id"] for book in page["results"]]
        costs.add(len(queries))
        assert " OFFSET " not in queries[0]["sql"]
        url = page["next"]
    assert len(seen) == len(set(seen)) == 150
    # the books with their authors and subjects
    assert costs == {1}


@pytest.mark.parametrize("ordering", ORDERINGS)
@pytest.mark.django_db(transaction=True)
def test_late_page_uses_index(anonymous: APIClient, ordering: str) -> None:
    add_many(1000)
    url = f"{URL}?page_size=100&ordering={ordering}"
    for _page in range(5):
        url = anonymous.get(url).json()["next"]
    with CaptureQueriesContext(connection) as queries:
        anonymous.get(url.replace("page_size=100", "page_size=20"))
    assert uses_index_without_sorting(queries[0]["sql"]), queries[0]["sql"]


def uses_index_without_sorting(sql: str) -> bool:
    """Return whether the database finds the page by an index, in its order, without sorting."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            plan = " ".join(str(row) for row in cursor.fetchall())
            return "USING INDEX catalog_book_by_" in plan and "TEMP B-TREE" not in plan
        cursor.execute("ANALYZE TABLE catalog_book")
        cursor.fetchall()
        cursor.execute(f"EXPLAIN FORMAT=TRADITIONAL {sql}")
        names = [column[0] for column in cursor.description]
        plan_row = dict(zip(names, cursor.fetchone(), strict=True))
        return str(plan_row["key"]).startswith("catalog_book_by_") and "filesort" not in str(plan_row["Extra"])
