"""Prepared queries (`core.db.prepared`) and the readers of serializers."""

import datetime
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from rest_framework import serializers

from accounts.models import User
from catalog.models import Book
from clubs.models import Club, Entry, Membership, Milestone
from core.api.serializers import ModelSerializer
from core.db import prepared as module
from core.db.prepared import PreparedQuery, prepared, prepared_update
from discussions.models import Post, Thread
from reviews.models import Review
from tests.conftest import client_of

pytestmark = pytest.mark.django_db
V1 = "/api/v1"
# An export lists when it was made, and is in the caller's activity.
EXCLUDED = ("/export/", "/export.csv", "/schema/")


@prepared
def books_since(title: Any, since: Any) -> Any:
    return Book.objects.filter(title=title, created_at__gt=since).prefetch_related("author_rows").order_by("pk")


@prepared
def sessions_of(user: Any) -> Any:
    return User.objects.filter(pk=user.pk) if user.is_authenticated else User.objects.none()


@pytest.fixture
def emma(db: None) -> Book:
    return Book.create_book(by=None, title="Emma", authors=["Jane Austen", "Anon"])


def test_arguments_take_the_places_of_stand_ins(emma, django_assert_num_queries):
    past, future = (timezone.now() + datetime.timedelta(days=days) for days in (-1, 1))
    assert [book.pk for book in books_since("Emma", past)] == [emma.pk]
    assert list(books_since("Emma", future)) == list(books_since("Other", past)) == []
    with django_assert_num_queries(2):
        (book,) = books_since("Emma", past)
        assert book.authors == ["Jane Austen", "Anon"]
        assert all(row.book is book for row in book.author_rows.all())


def test_instances_are_like_those_of_the_queryset(emma):
    loaded, expected = books_since("Emma", emma.created_at - datetime.timedelta(1)).get(pk=emma.pk), Book.objects.get()
    assert loaded == expected
    assert {name: value for name, value in vars(loaded).items() if not name.startswith("_")} == {
        name: value for name, value in vars(expected).items() if not name.startswith("_")
    }
    assert (loaded._state.adding, loaded._state.db) == (False, "default")
    loaded.title = "Emma again"
    loaded.save(update_fields=["title"])
    assert Book.objects.get().title == "Emma again"


def test_deferred_columns_are_loaded_on_demand(emma, django_assert_num_queries):
    book = prepared(lambda: Book.objects.defer("title"))().get(pk=emma.pk)
    with django_assert_num_queries(1):
        assert book.title == "Emma"


def test_get_raises_for_no_row_and_for_two(emma):
    Book.create_book(by=None, title="Emma", authors=["Other"])
    books = prepared(lambda: Book.objects.all())()
    with pytest.raises(Book.DoesNotExist):
        books.get(pk=0)
    with pytest.raises(Book.MultipleObjectsReturned):
        books.get(title="Emma")
    with pytest.raises(Book.DoesNotExist):
        books.get(pk=2**70)  # SQLite would raise OverflowError


def test_everything_else_comes_from_the_queryset(emma):
    books = books_since("Emma", emma.created_at - datetime.timedelta(1))
    assert books.count() == 1
    assert books.filter(pk=0).first() is None


def test_anonymous_users_have_a_shape_of_their_own(alice):
    assert list(sessions_of(AnonymousUser())) == []
    assert list(sessions_of(alice)) == [alice]


def test_current_time_is_that_of_each_call(emma):
    new_books = prepared(lambda: Book.objects.filter(created_at__lt=timezone.now()))()
    assert new_books.fetch("all", lambda rows: rows) == [emma]
    Book.objects.update(created_at=timezone.now() + datetime.timedelta(seconds=0.2))
    assert new_books.fetch("all", lambda rows: rows) == []


@pytest.mark.parametrize(
    "build",
    [
        lambda user: User.objects.filter(pk=user.pk + 1),
        lambda user: User.objects.filter(username=f"user {user.pk}"),
        lambda user: User.objects.filter(joined_at__gt=timezone.now() - datetime.timedelta(days=1)),
        lambda user: User.objects.filter(joined_at__gt=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)),
    ],
)
def test_derived_or_fixed_parameters_are_rejected(build, alice):
    with pytest.raises(ImproperlyConfigured):
        list(prepared(build)(alice))


def test_user_gives_nothing_but_its_id(alice):
    with pytest.raises(AttributeError):
        list(prepared(lambda user: User.objects.filter(is_staff=user.is_staff))(alice))


def test_number_of_statements_is_limited(monkeypatch, emma):
    monkeypatch.setattr(module, "MAX_STATEMENTS", 2)
    monkeypatch.setattr(module, "_statements", {})
    for size in range(1, 9):
        assert prepared(lambda: Book.objects.all())().top(size, "pk") == [emma]
        assert len(module._statements) <= 2


@prepared_update
def add_ratings(title: Any, n: Any, since: Any) -> Any:
    return Book.objects.filter(title=title), {"ratings_count": F("ratings_count") + n, "created_at": since}


def test_update_takes_the_arguments_of_each_call(emma, django_assert_num_queries):
    Book.create_book(by=None, title="Persuasion", authors=["Jane Austen"])
    times = [timezone.now().replace(microsecond=0) - datetime.timedelta(days=days) for days in (1, 2)]
    add_ratings("Emma", 0, times[0])
    with django_assert_num_queries(3):
        assert add_ratings("Emma", 3, times[0]) == 1
        assert add_ratings("Emma", -1, times[1]) == 1
        assert add_ratings("Sanditon", 1, times[0]) == 0
    rows = Book.objects.order_by("pk").values_list("title", "ratings_count", "created_at")
    assert rows[0] == ("Emma", 2, times[1])
    assert rows[1][:2] == ("Persuasion", 0)


def test_update_without_possible_rows_sends_nothing(emma, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert prepared_update(lambda n: (Book.objects.none(), {"ratings_count": n}))(1) == 0


def test_update_with_an_unsupported_argument_is_not_prepared(emma):
    update = prepared_update(lambda titles: (Book.objects.filter(title__in=titles), {"ratings_count": 4}))
    assert update(["Emma", "Persuasion"]) == 1


def test_update_with_a_derived_value_is_rejected(emma):
    with pytest.raises(ImproperlyConfigured):
        prepared_update(lambda n: (Book.objects.all(), {"ratings_count": n * 2}))(1)


def test_failed_update_rolls_the_transaction_back(emma):
    update = prepared_update(lambda n: (Book.objects.filter(pk=emma.pk), {"ratings_count": n}))
    with transaction.atomic():
        with pytest.raises(DatabaseError):
            update(-1)
        assert connection.needs_rollback


# --- Both paths, byte for byte ---------------------------------------------------------------------------------------


def slow_fetch(self: PreparedQuery, key: Any, refine: Any, *values: Any) -> list[Any]:
    return list(refine(self.queryset, *values))


def slow_representation(self: Any, instance: Any) -> Any:
    return serializers.ModelSerializer.to_representation(self, instance)


def read_addresses() -> Iterator[str]:
    """Yield every GET of the API, each list in each order, for the largest club and the most rated book."""
    club: Any = Club.objects.order_by("-members_count", "pk").first()
    thread: Any = Thread.objects.filter(club=club).order_by("-posts_count").first()
    milestone: Any = Milestone.objects.filter(entry__club=club).first()
    rows = {
        "club_id": club,
        "thread_id": thread,
        "post_id": Post.objects.filter(thread=thread).first(),
        "milestone_id": milestone,
        "entry_id": milestone.entry if milestone else Entry.objects.filter(club=club).first(),
        "ballot_id": club.ballots.first(),
        "meeting_id": club.meetings.first(),
        "review_id": Review.objects.order_by("-likes_count").first(),
        "book_id": Book.objects.order_by("-ratings_count").first(),
        "user_id": club.owner,
    }
    for path, methods in SchemaGenerator().get_schema(request=None, public=True)["paths"].items():
        if "get" not in methods or path.endswith(EXCLUDED):
            continue
        address = re.sub(r"{(\w+)}", lambda name: str(getattr(rows.get(name[1]), "pk", club.owner.username)), path)
        orders = [
            p["schema"].get("enum", []) for p in methods["get"].get("parameters", []) if p.get("name") == "ordering"
        ]
        yield address
        for order in orders[0] if orders else []:
            yield f"{address}?ordering={order}&page_size=2"
    yield f"{V1}/clubs/{club.pk}/?include=books"
    yield f"{V1}/books/?search=the"


def read_all(clients: dict[str, Any]) -> dict[tuple[str, str], bytes]:
    """Return every response, with the next page of a list and the way back."""
    responses: dict[tuple[str, str], bytes] = {}
    for name, client in clients.items():
        for address in read_addresses():
            cursor: str | None = address
            for step in ("next", "previous", ""):
                cache.clear()
                response: Any = client.get(cursor, HTTP_X_REQUEST_ID="same")  # it is in the body of errors
                body = b"".join(response.streaming_content) if response.streaming else response.content
                body = re.sub(rb'"as_of":"[^"]+"', b"", body)
                responses[name, cursor or ""] = b"%d %s" % (response.status_code, body)
                data = response.data if isinstance(getattr(response, "data", None), dict) else {}
                cursor = data.get(step) or (data.get("previous") if step == "next" else None)
                if not cursor or (name, cursor) in responses:
                    break
    return responses


def test_prepared_responses_are_those_of_querysets(monkeypatch):
    for scope in ("user", "anon"):
        monkeypatch.setitem(settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], scope, None)
    call_command("load_demo", verbosity=0)
    call_command("seed_demo", verbosity=0)
    club: Any = Club.objects.order_by("-members_count", "pk").first()
    member = Membership.objects.active().filter(club=club).exclude(user=club.owner)[0].user
    author: Any = Review.objects.exclude(author=None).exclude(audience="public")[0].author
    # One sign-in each, because it is in the lists of sessions and activities.
    clients = {str(user): client_of(user) for user in (None, club.owner, member, author)}
    found = read_all(clients)
    assert sum(body.startswith(b"200") for body in found.values()) > 300
    monkeypatch.setattr(PreparedQuery, "fetch", slow_fetch)
    monkeypatch.setattr(ModelSerializer, "to_representation", slow_representation)
    expected = read_all(clients)
    assert found.keys() ^ expected.keys() == set()
    assert [(key, body, expected[key]) for key, body in found.items() if body != expected[key]] == []
