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

pytestmark = pytest.mark.django_db(transaction=True)

MIGRATIONS = (
    "accounts.migrations.0004_search_words",
    "clubs.migrations.0003_search_words",
    "discussions.migrations.0004_search_words",
    "catalog.migrations.0008_keys_of_works",
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


def migrate() -> None:
    for name in MIGRATIONS:
        import_module(name).forward(apps, SimpleNamespace(connection=connection))


@pytest.fixture
def rows(make_user: Callable[..., User]) -> Post:
    user = make_user("alice", display_name="Їжак")
    club = Club.create_club(by=user, name="かぎ")
    thread = Thread.create_thread(club=club, by=user, title="T", body="कोमल")
    for n in range(5):
        Book.create_book(
            by=None, title=f"The Catch-{n}", authors=["Heller, J. R.", "Два"], subjects=["Війна"], isbn13=None
        )
    Book.create_book(by=None, title="O Май", authors=["Їжакевич"], isbn13="9780261103344", language="pt")
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
