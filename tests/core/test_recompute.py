"""Migrations that recompute stored keys and words."""

from collections.abc import Callable
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from accounts.models import User
from catalog.models import Book, BookAuthor, BookSubject
from clubs.models import Club
from core.db import recompute
from discussions.models import Post, Thread
from reviews.imports.rows import key
from reviews.models import ImportedReview, Review

pytestmark = pytest.mark.django_db(transaction=True)

MIGRATIONS = (
    "accounts.migrations.0006_search_words_again",
    "clubs.migrations.0011_search_words_again",
    "discussions.migrations.0006_search_words_again",
    "catalog.migrations.0008_normalized_words_again",
)
KEYS = {
    User: ("search_text",),
    Club: ("name_key", "search_text"),
    Post: ("search_text",),
    Book: ("title_key", "match_key", "search_text", "work_key", "edition_key"),
    BookAuthor: ("key",),
    BookSubject: ("key",),
}


def stored() -> list[tuple[Any, ...]]:
    return [row for model, names in KEYS.items() for row in model._base_manager.order_by("pk").values_list(*names)]


def migrate(*names: str) -> None:
    for name in names or MIGRATIONS:
        (operation,) = import_module(name).Migration.operations
        operation.code(apps, SimpleNamespace(connection=connection))


@pytest.fixture
def rows(make_user: Callable[..., User]) -> Post:
    user = make_user("zora", display_name="Їжак احمد")
    club = Club.create_club(by=user, name="かぎ")
    thread = Thread.create_thread(club=club, by=user, title="T", body="कोमल")
    for n in range(5):
        Book.create_book(
            by=None,
            title=f"The Catch-{n}",
            authors=["Heller, J. R.", "Два"],
            subjects=["Війна", "R&B", "Children’s"],
            isbn13=None,
        )
    Book.create_book(by=None, title="O Май 20.000 ۱۹", authors=["Їжакевич"], isbn13="9780261103344", language="pt")
    return Post.objects.get(thread=thread)


def test_migrations_restore_what_rows_derive(rows: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recompute, "BATCH_SIZE", 2)
    before = stored()
    for model, names in KEYS.items():
        model._base_manager.update(**dict.fromkeys(names, "old"))
    migrate()
    assert stored() == before


def test_deleted_posts_and_merged_books_stay_unfindable(rows: Post) -> None:
    Post.objects.update(search_text="")
    Book.objects.update(merged_into=1, work_key=None, edition_key=None)
    before = stored()
    migrate()
    assert stored() == before


def test_unchanged_rows_are_not_written(rows: Post, django_assert_num_queries: Callable[..., Any]) -> None:
    migrate()
    # per table: transaction with one batch, and the end; books also load their authors
    with django_assert_num_queries(6 * 6 + 1) as queries:
        migrate()
    assert not [query for query in queries.captured_queries if query["sql"].startswith("UPDATE")]


def test_keys_of_imported_rows_follow_the_normal_form(rows: Post, alice: User) -> None:
    book_ids = Book.objects.order_by("pk").values_list("pk", flat=True)
    origins = [
        "skoob:کتاب علی ۱۹۸۴",
        "skoob:ɗan ƙasa",
        f"goodreads:{key('The Catch-22', ['Joseph Heller'])}",
        "goodreads:۱۲",
        "storygraph:9780261103344",
    ]
    for pk, origin in zip(book_ids, origins, strict=False):
        review = Review.create_review(book=Book.objects.get(pk=pk), by=alice, rating=8)
        ImportedReview.objects.create(review=review, origin=origin, last_import=1)
    migrate("reviews.migrations.0005_import_keys")
    assert list(ImportedReview.objects.order_by("pk").values_list("origin", flat=True)) == [
        f"skoob:{key('كتاب', ['علي 1984'])}",
        "skoob:dan kasa",
        *origins[2:],
    ]
