"""Numbers, dates and times are read in the notation of JSON and RFC 3339, in every field and query parameter."""

from collections.abc import Iterator
from typing import Any

import pytest
from django_filters import FilterSet, NumberFilter
from drf_spectacular.generators import SchemaGenerator
from rest_framework import serializers

from catalog.models import Book
from clubs.models import Entry
from core.api.filters import NumberFormField
from core.api.serializers import AwareDateTimeField, DateField, NumberTextMixin
from tests.clubs.helpers import bad_fields

pytestmark = pytest.mark.django_db
V1 = "/api/v1/"

# Python reads all of these as 3, 30 or 300.
NOT_NUMBERS = ["3_00", "1_0", " 3 ", "3\n", "+3", "٣", "３", "3e1", "03", "3.", "0x3", "३0", True]


@pytest.fixture
def entry(club, alice):
    book = Book.create_book(by=alice, title="Emma", authors=["Jane Austen"])
    return Entry.add_entry(club=club, book=book, by=alice, status="reading")


def number_fields(club, entry, value) -> Iterator[tuple[str, str, dict[str, Any], str]]:
    """Yield calls with `value` in a number field: method, path, body and the field."""
    here = f"{V1}clubs/{club.pk}/"
    meeting = {"title": "T", "starts_at": "2099-01-01T10:00:00Z"}
    yield "put", f"{here}books/{entry.pk}/progress/", {"percent": value}, "percent"
    yield "put", f"{here}books/{entry.pk}/progress/", {"page": value, "page_count": 900}, "page"
    yield "patch", f"{here}books/{entry.pk}/", {"position": value}, "position"
    yield "patch", here, {"member_limit": value}, "member_limit"
    yield "post", f"{here}books/", {"book": value}, "book"
    yield "post", f"{here}threads/", {"title": "T", "body": "B", "entry": value}, "entry"
    yield "post", f"{here}invites/", {"max_uses": value}, "max_uses"
    yield "post", f"{here}meetings/", meeting | {"capacity": value}, "capacity"
    yield "post", f"{here}meetings/", meeting | {"repeats": {"every": "weekly", "count": value}}, "repeats.count"
    yield "post", f"{V1}books/", {"title": "T", "author": "A", "page_count": value}, "page_count"
    yield "post", f"{V1}reviews/", {"book": entry.book_id, "rating": value}, "rating"
    yield "post", f"{V1}users/me/notifications/read/", {"ids": [value]}, "ids.0"


@pytest.mark.parametrize("value", NOT_NUMBERS, ids=ascii)
def test_number_in_another_notation_is_rejected(club, entry, as_alice, value):
    for method, path, body, field in number_fields(club, entry, value):
        response = getattr(as_alice, method)(path, body, format="json")
        assert set(bad_fields(response)) == {field}, (path, value)


@pytest.mark.parametrize("value", ["3", "3.0", 3, 3.0], ids=repr)
def test_number_and_its_text_are_the_same_value(club, entry, as_alice, value):
    path = f"{V1}clubs/{club.pk}/books/{entry.pk}/progress/"
    assert as_alice.put(path, {"page": value, "page_count": 12}, format="json").json()["percent"] == 25
    response = as_alice.patch(f"{V1}clubs/{club.pk}/", {"member_limit": value}, format="json")
    assert response.json()["member_limit"] == 3


@pytest.mark.parametrize(
    "value", ["1_0", "%201", "1%20", "%2B1", "+1", "%D9%A1", "%EF%BC%91", "1e0", "01", "1.", "0x1"]
)
@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("books/", "page_size"),
        ("books/", "min_rating"),
        ("books/", "year_from"),
        ("reviews/", "book"),
        ("reviews/", "min_rating"),
        ("stats/", "min_ratings"),
    ],
)
def test_query_number_in_another_notation_is_rejected(anonymous, problem, path, field, value):
    response = anonymous.get(f"{V1}{path}?{field}={value}")
    assert [error["field"] for error in problem(response, 400, "invalid_parameter")["errors"]] == [field]


@pytest.mark.parametrize(
    "query", ["books/?page_size=1&min_rating=4.5&year_from=-300", "reviews/?book=1&user=2", "stats/?min_ratings=1"]
)
def test_query_number_in_plain_notation_is_accepted(anonymous, query):
    assert anonymous.get(f"{V1}{query}").status_code == 200


@pytest.mark.parametrize(
    "time",
    [
        "2099-01-01T10:00:00+02:60",
        "2099-01-01T10:00:00-03:99",
        "2099-01-01T10:00:00+24:00",
        "2099-01-01T10:00:00+99:00",
        "2099-01-01T24:00:00Z",
        "2099-01-01T10:60:00Z",
        "2099-01-01T10:00:60Z",
        "2099-01-01T10:00:00+0200",
        "2099-01-01T10:00:00+02",
        "2099-01-01T10:00:00+٠٢:٠٠",
        "20990101T100000Z",
        "2099-W01-1T10:00:00Z",
    ],
)
def test_time_outside_of_rfc_3339_is_rejected(club, entry, as_alice, time):
    other = Entry.add_entry(club=club, book=Book.create_book(by=club.owner, title="P", authors=["A"]), by=club.owner)
    Entry.objects.update(status="proposed")
    here = f"{V1}clubs/{club.pk}/"
    assert set(bad_fields(as_alice.post(f"{here}meetings/", {"title": "T", "starts_at": time}))) == {"starts_at"}
    ballot = {"title": "T", "method": "approval", "candidates": [entry.pk, other.pk], "closes_at": time}
    assert set(bad_fields(as_alice.post(f"{here}ballots/", ballot))) == {"closes_at"}


@pytest.mark.parametrize("offset", ["+02:59", "-03:30", "+05:45", "-00:00", "z"])
def test_time_with_any_real_offset_is_accepted(club, as_alice, offset):
    body = {"title": "T", "starts_at": f"2099-01-01T10:00:00{offset}"}
    assert as_alice.post(f"{V1}clubs/{club.pk}/meetings/", body).status_code == 201


@pytest.mark.parametrize(
    "day",
    ["20990101", "2099-W01-1", "2099-001", "2099-1-1", " 2099-01-01", "٢٠٩٩-٠١-٠١", "2099-01-01T00:00:00Z", 20990101],
)
def test_date_in_another_notation_is_rejected(club, entry, as_alice, day):
    path = f"{V1}clubs/{club.pk}/books/{entry.pk}/"
    for field in ("starts_on", "ends_on"):
        assert bad_fields(as_alice.patch(path, {field: day}, format="json")) == {field: "invalid"}
    milestone = {"title": "T", "up_to_percent": 9, "due_on": day}
    assert bad_fields(as_alice.post(f"{path}milestones/", milestone, format="json")) == {"due_on": "invalid"}


def request_fields() -> Iterator[tuple[str, Any]]:
    """Yield all writable fields of request bodies, and the children of lists and references."""
    generator = SchemaGenerator()
    generator.get_schema(request=None, public=True)
    for component in generator.registry._components.values():
        serializer = component.object if component.name.endswith("Request") else None
        serializer = serializer() if isinstance(serializer, type) else serializer
        for name, field in getattr(serializer, "fields", {}).items():
            for part in (field, getattr(field, "child", None), getattr(field, "pk_field", None)):
                if part is not None and not field.read_only:
                    yield f"{component.name}.{name}", part


def test_every_request_field_is_strict():
    strict = {
        (serializers.IntegerField, serializers.FloatField, serializers.DecimalField): NumberTextMixin,
        (serializers.DateField,): DateField,
        (serializers.DateTimeField,): AwareDateTimeField,
    }
    fields = list(request_fields())
    assert len(fields) > 50
    for name, field in fields:
        for lenient, required in strict.items():
            assert not isinstance(field, lenient) or isinstance(field, required), name


def subclasses(parent: type) -> Iterator[type]:
    for child in parent.__subclasses__():
        yield child
        yield from subclasses(child)


def test_every_query_number_is_strict():
    for filterset in subclasses(FilterSet):
        for name, field in filterset.base_filters.items():
            if isinstance(field, NumberFilter) and filterset.__module__.partition(".")[0] != "django_filters":
                assert issubclass(field.field_class, NumberFormField), (filterset, name)
