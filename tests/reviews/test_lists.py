"""Lists of reviews: filters, orderings, and the cost of a page."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from catalog.models import Book
from clubs.models import Entry
from reviews.models import Review
from tests.reviews.helpers import REVIEWS, bad_parameters, ids

pytestmark = pytest.mark.django_db

ORDERINGS = ["-created_at", "-rating", "-likes_count"]


def create_reviews(count, *, books=5):
    """Create reviews of a few books, one per user; every fourth is a club review, and every ordering has ties."""
    User.objects.bulk_create(User(username=f"m{n}", username_key=f"m{n}") for n in range(count))
    Book.objects.bulk_create(Book(title=f"Book {n}", title_key=f"book {n}", origin=f"test:{n}") for n in range(books))
    users = list(User.objects.filter(username__startswith="m").order_by("pk").values_list("pk", flat=True))
    shelf = list(Book.objects.filter(origin__startswith="test:").order_by("pk").values_list("pk", flat=True))
    start = timezone.now() - datetime.timedelta(days=900)
    rows = [
        Review(
            author_id=user,
            book_id=shelf[n % books],
            rating=None if n % 6 == 0 else n % 10 + 1,
            body="Text",
            likes_count=n % 4,
            visibility="clubs" if n % 4 == 3 else "public",
            created_at=start + datetime.timedelta(minutes=n // 2),
        )
        for n, user in enumerate(users)
    ]
    Review.objects.bulk_create(rows)
    return shelf


@pytest.fixture
def four(alice, bob, charlie, make_user, book, add_book):
    """Four reviews: Emma by Alice, Bob and Charlie, and another book by Alice."""
    other = add_book("Persuasion")
    reviews = [
        Review.create_review(book=book, by=alice, rating=8, language="pt"),
        Review.create_review(book=book, by=bob, body="Text", language="pt-br"),
        Review.create_review(book=book, by=charlie, rating=7, language="en"),
        Review.create_review(book=other, by=alice, rating=3, language="por"),
    ]
    reviews[2].like(by=alice)
    return reviews


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [3, 2, 1, 0]),
        ("ordering=-created_at", [3, 2, 1, 0]),
        ("ordering=-rating", [0, 2, 3, 1]),
        ("ordering=-likes_count", [2, 3, 1, 0]),
        ("min_rating=3.5", [2, 0]),
        ("min_rating=3.6", [0]),
        ("min_rating=0.5", [3, 2, 0]),
        ("min_rating=5", []),
        ("language=pt", [1, 0]),
        ("language=PT-BR", [1]),
        ("language=po", []),
        ("user={alice}&ordering=-rating", [0, 3]),
        ("user={alice}&book={book}", [0]),
        ("book={book}&ordering=-rating&min_rating=0.5", [0, 2]),
        ("book=99999999", []),
        ("user=99999999", []),
    ],
)
def test_list_filters_and_orderings(anonymous, four, alice, book, query, found):
    url = f"{REVIEWS}?{query}".format(alice=alice.pk, book=book.pk)
    assert ids(anonymous.get(url)) == [four[n].pk for n in found]


@pytest.mark.parametrize(
    ("query", "bad"),
    [
        ("min_rating=0", "min_rating"),
        ("min_rating=5.5", "min_rating"),
        ("min_rating=NaN", "min_rating"),
        ("min_rating=good", "min_rating"),
        ("user=alice", "user"),
        ("user=0", "user"),
        (f"book={10**30}", "book"),
        ("book=", "book"),
        ("language=klingon!", "language"),
        ("ordering=rating", "ordering"),
        ("author=1", "author"),
        ("visibility=private", "visibility"),
    ],
)
def test_invalid_parameter_is_rejected(anonymous, book, query, bad):
    for url in (REVIEWS, f"/api/v1/books/{book.pk}/reviews/"):
        assert bad_parameters(anonymous.get(f"{url}?{query}")) == {bad}


def test_liked_depends_on_the_user(as_alice, as_bob, anonymous, four):
    liked = {row["id"]: row["liked"] for row in as_alice.get(REVIEWS).json()["results"]}
    assert liked == {review.pk: review == four[2] for review in four}
    for client in (as_bob, anonymous):
        assert not any(row["liked"] for row in client.get(REVIEWS).json()["results"])


@pytest.mark.parametrize("size", [3, 300])
def test_list_query_count_does_not_depend_on_length(anonymous, as_bob, alice, club, django_assert_num_queries, size):
    shelf = create_reviews(size)
    Entry.add_entry(club=club, book=Book.objects.get(pk=shelf[0]), by=alice)
    # reviews with books, authors and `liked`
    with django_assert_num_queries(1):
        anonymous.get(REVIEWS, {"page_size": 100})
    # session; reviews
    with django_assert_num_queries(2):
        as_bob.get(REVIEWS, {"page_size": 100})
    # session; book; reviews
    with django_assert_num_queries(3):
        as_bob.get(f"/api/v1/books/{shelf[0]}/reviews/", {"page_size": 100})
    # session; club with the membership; reviews
    with django_assert_num_queries(3):
        as_bob.get(f"/api/v1/clubs/{club.pk}/reviews/", {"page_size": 100})


def test_detail_takes_one_query(anonymous, four, django_assert_num_queries):
    # review with book and author
    with django_assert_num_queries(1):
        anonymous.get(f"{REVIEWS}{four[0].pk}/")


@pytest.mark.parametrize("ordering", ORDERINGS)
def test_every_page_takes_the_same_queries(anonymous, as_bob, ordering, db):
    """Every visible review is listed exactly once, even with ties."""
    create_reviews(240)
    for client, queries_each in ((anonymous, 1), (as_bob, 2)):
        url, seen = f"{REVIEWS}?page_size=7&ordering={ordering}", []
        while url:
            with CaptureQueriesContext(connection) as queries:
                page = client.get(url).json()
            assert len(queries) == queries_each
            assert " OFFSET " not in queries[-1]["sql"]
            seen += [row["id"] for row in page["results"]]
            url = page["next"]
        assert len(seen) == len(set(seen)) == 180


@pytest.mark.parametrize("ordering", ORDERINGS)
@pytest.mark.parametrize("about", ["all", "book"])
@pytest.mark.django_db(transaction=True)
def test_late_page_is_read_from_an_index(anonymous, as_bob, about, ordering):
    # With only two books, a full table scan would be the right plan.
    Book.objects.bulk_create(Book(title="T", title_key="t", origin=f"other:{n}") for n in range(1000))
    shelf = create_reviews(3000, books=2)
    for client in (anonymous, as_bob):
        url = f"{REVIEWS if about == 'all' else f'/api/v1/books/{shelf[0]}/reviews/'}?page_size=100&ordering={ordering}"
        for _page in range(5):
            url = client.get(url).json()["next"]
        with CaptureQueriesContext(connection) as queries:
            client.get(url.replace("page_size=100", "page_size=20"))
        assert uses_index_order(queries[-1]["sql"]), queries[-1]["sql"]


def uses_index_order(sql):
    """Return whether the query reads an index of reviews in its order, without sorting."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            plan = " ".join(str(row) for row in cursor.fetchall())
            return "INDEX reviews_review_" in plan and "TEMP B-TREE" not in plan
        cursor.execute("ANALYZE TABLE reviews_review, catalog_book, accounts_user")
        cursor.fetchall()
        cursor.execute(f"EXPLAIN FORMAT=TRADITIONAL {sql}")
        names = [column[0] for column in cursor.description]
        plan = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    reviews = next(row for row in plan if row["table"] == "reviews_review")
    sorts = any(word in str(row["Extra"]) for row in plan for word in ("filesort", "temporary"))
    return str(reviews["key"]).startswith("reviews_review_") and not sorts
