"""Keyset pagination: a page starts after the values of the previous page's last row, so every page takes equally long.

A view lists its orderings in `ordering_fields`: value of `?ordering=` -> fields. The first is the default. The primary
key is appended unless the last field is unique, so that every ordering is total and no row is skipped or repeated.
"""

from __future__ import annotations

import base64
import datetime
import json
import math
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from django.core.exceptions import ValidationError
from django.db.models import BigIntegerField, BooleanField, DecimalField, Field, Q
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from core.api.exceptions import InvalidParameter
from core.api.numbers import parse_integer
from core.db.prepared import PreparedQuery
from core.search.lookups import scan_instead_of_index

if TYPE_CHECKING:
    from rest_framework.views import APIView

DEFAULT_ORDERINGS: dict[str, tuple[str, ...]] = {"-id": ("-id",)}


class KeysetPagination(BasePagination):
    """`{"next", "previous", "results"}` with opaque cursors; `page_size` 1 to 100, a bad cursor is 404.

    `?fields=id,title` limits the results to some of their fields.
    """

    page_size = 20
    max_page_size = 100

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        """Return one page of `queryset` in the requested ordering."""
        self.request = request
        self.ordering, self.order = self._ordering(request, view, queryset)
        self.fields = self._fields(request, view)
        size = self.get_page_size(request)
        position, backwards = self._cursor(request, queryset)
        order = tuple(_reverse_ordering(f) for f in self.order) if backwards else self.order
        self.position = position
        if isinstance(queryset, PreparedQuery):
            rows = queryset.fetch(
                ("page", order, size), partial(self._prepare, order, slice(size + 1)), *position or ()
            )
        else:
            if position is not None:
                queryset = queryset.filter(_after_condition(order, position, queryset))
            rows = self.get_rows(queryset, order, size + 1)
        more, rows = len(rows) > size, rows[:size]
        if backwards:
            rows.reverse()
        started = position is not None
        self.has_next, self.has_previous = (started, more) if backwards else (more, started)
        self.rows = rows
        return rows

    def get_rows(self, queryset: Any, order: tuple[str, ...], limit: int) -> list[Any]:
        """Return the first `limit` rows."""
        return list(queryset.order_by(*self._order_after_position(order))[:limit])

    def _order_after_position(self, order: tuple[str, ...]) -> tuple[str, ...]:
        if self.position and self.position[0] is None and order[0].startswith("-"):
            # All further rows have NULL in this field, but MariaDB would sort them by it.
            return order[1:]
        return order

    @staticmethod
    def _prepare(order: tuple[str, ...], limits: slice, rows: Any, *position: Any) -> Any:
        """Return a slice of the rows in this order, those after `position` if there is one."""
        if position:
            rows = rows.filter(_after_condition(order, list(position), rows))
            order = order[1:] if position[0] is None and order[0].startswith("-") else order
        return rows.order_by(*order)[limits]

    def get_paginated_response(self, data: Any) -> Response:
        """Return the page with the links to the next and the previous one."""
        if self.fields:
            data = [{name: value for name, value in row.items() if name in self.fields} for row in data]
        return Response({"next": self._link(-1), "previous": self._link(0), "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return the schema of a page."""
        link = {"type": ["string", "null"], "format": "uri"}
        properties = {"next": link, "previous": link, "results": schema}
        return {"type": "object", "required": list(properties), "properties": properties}

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Return the query parameters for the OpenAPI document."""
        names = list(_orderings(view))
        size = {"type": "integer", "minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
        parameters = [
            ("cursor", "Opaque; use the URLs in `next` and `previous`.", {"type": "string"}),
            ("page_size", "The maximum number of rows.", size),
        ]
        if hasattr(view, "ordering_fields"):
            parameters.append(("ordering", f"By default `{names[0]}`.", _ordering_schema(names)))
        fields = {"type": "array", "items": _fields_schema(_field_names(view)), "minItems": 1}
        parameters.append(("fields", "The fields of the results, separated by commas; without it all.", fields))
        return [
            {"name": n, "in": "query", "required": False, "description": d, "schema": s}
            | ({"style": "form", "explode": False} if n == "fields" else {})
            for n, d, s in parameters
        ]

    def _fields(self, request: Request, view: Any) -> set[str]:
        """Return the fields that the caller asks for, an empty set for all."""
        value = request.query_params.get("fields")
        if value is None:
            return set()
        names, fields = _field_names(view), set(value.split(","))
        if not fields <= set(names):
            detail = _("Must be some of these, separated by commas: %(choices)s.") % {"choices": ", ".join(names)}
            raise InvalidParameter([{"field": "fields", "code": "invalid_choice", "detail": str(detail)}])
        return fields

    def _ordering(self, request: Request, view: Any, queryset: Any) -> tuple[str, tuple[str, ...]]:
        ordering_fields = _orderings(view)
        ordering = request.query_params.get("ordering", next(iter(ordering_fields)))
        if ordering not in ordering_fields:
            choices = ", ".join(ordering_fields)
            detail = _("Must be one of: %(choices)s.") % {"choices": choices}
            raise InvalidParameter([{"field": "ordering", "code": "invalid_choice", "detail": str(detail)}])
        fields = tuple(ordering_fields[ordering])
        if not _is_unique(queryset, fields[-1]):
            fields += ("-id" if fields[-1].startswith("-") else "id",)
        return ordering, fields

    def get_page_size(self, request: Request) -> int:
        """Return the requested number of rows. Raises InvalidParameter."""
        value = request.query_params.get("page_size")
        if value is None:
            return self.page_size
        size = parse_integer(value, min_value=1, max_value=self.max_page_size)
        if size is None:
            detail = _("Must be a whole number from 1 to %(most)s.") % {"most": self.max_page_size}
            raise InvalidParameter([{"field": "page_size", "code": "invalid", "detail": str(detail)}])
        return size

    def _cursor(self, request: Request, queryset: Any) -> tuple[list[Any] | None, bool]:
        """Return the cursor's values, None at an end of the list, and whether the page is read backwards."""
        value = request.query_params.get("cursor")
        if value is None:
            return None, False
        try:
            ordering, values, backwards = json.loads(base64.b64decode(value.encode(), b"-_", validate=True))
            if ordering != self.ordering or not isinstance(backwards, bool):
                raise ValueError
            if values is None and backwards:
                return None, True
            if not isinstance(values, list):
                raise ValueError
            return [
                _from_cursor_value(queryset, name, value) for name, value in zip(self.order, values, strict=True)
            ], backwards
        except (ValueError, TypeError, ValidationError, RecursionError, OverflowError):
            raise NotFound from None

    def _link(self, edge: int) -> str | None:
        """Return the URL of the page after the last row (-1) or before the first one (0)."""
        backwards = edge == 0
        if not (self.has_previous if backwards else self.has_next):
            return None
        url = self.request.build_absolute_uri()
        # If all rows of the page were deleted, next is the first page of the list and previous the last.
        if not self.rows and not backwards:
            return remove_query_param(url, "cursor")
        values = (
            [_to_cursor_value(_value(self.rows[edge], name.lstrip("-"))) for name in self.order] if self.rows else None
        )
        cursor = json.dumps([self.ordering, values, backwards], separators=(",", ":"), ensure_ascii=False)
        return replace_query_param(url, "cursor", base64.urlsafe_b64encode(cursor.encode()).decode())


class SearchPagination(KeysetPagination):
    """Pages of a list with `?search=`; the view's `get_unsearched_queryset` returns the list without the search.

    For common prefixes the search index is slow, because it collects every match first. So the next 100 rows of
    the list are scanned first. If they have so many matches that 1,000 rows would probably fill the page, 1,000 are
    scanned; otherwise the index is used.

    A page takes three queries with or without the index, five if more rows are searched, and a page of a prepared list
    one more with the index. It loads the rows by their ids, so its filters need none of its annotations.
    """

    search_windows = (100, 1000)

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        """Return one page."""
        self.view: Any = view
        return super().paginate_queryset(queryset, request, view)

    def get_rows(self, queryset: Any, order: tuple[str, ...], limit: int) -> list[Any]:
        """Return the first `limit` rows, from the next rows of the list if they have enough matches."""
        if not self.request.query_params.get("search"):
            return super().get_rows(queryset, order, limit)
        listed = self.view.get_queryset()
        found = self._scan(queryset, order, limit)
        if found is None:
            if not isinstance(listed, PreparedQuery):
                return super().get_rows(queryset, order, limit)
            found = self._get_ids(queryset, self._order_after_position(order), limit)
        if isinstance(listed, PreparedQuery):
            return listed.with_ids(found, *order)
        return super().get_rows(queryset.filter(pk__in=found), order, limit)

    def _scan(self, queryset: Any, order: tuple[str, ...], limit: int) -> list[int] | None:
        """Return the ids of the first `limit` rows, or None if the next rows of the list do not contain them."""
        for size in (max(size, limit) for size in self.search_windows):
            edge = self._window_end(order, size)
            window = (
                queryset
                if edge is None
                else queryset.filter(_after_condition(tuple(map(_reverse_ordering, order)), edge, queryset))
            )
            with scan_instead_of_index():
                found = self._get_ids(window, order, limit)
            if edge is None or len(found) >= limit:
                return found
            if len(found) * self.search_windows[-1] < limit * size:
                return None
        return None

    @staticmethod
    def _get_ids(rows: Any, order: tuple[str, ...], limit: int) -> list[int]:
        return list(rows.prefetch_related(None).order_by(*order).values_list("pk", flat=True)[:limit])

    def _window_end(self, order: tuple[str, ...], size: int) -> list[Any] | None:
        """Return the ordering values of the row after the next `size` rows; None if the list is shorter."""
        rows, limits = self.view.get_unsearched_queryset(), slice(size, size + 1)
        if isinstance(rows, PreparedQuery):
            key = ("edge", order, limits.start)
            found = rows.fetch(key, partial(self._prepare, order, limits), *self.position or ())
            return [_value(found[0], name.lstrip("-")) for name in order] if found else None
        if self.position is not None:
            rows = rows.filter(_after_condition(order, self.position, rows))
        names = [name.lstrip("-") for name in order]
        return next(map(list, rows.order_by(*order).values_list(*names)[limits]), None)


def _orderings(view: Any) -> dict[str, tuple[str, ...]]:
    return getattr(view, "ordering_fields", None) or DEFAULT_ORDERINGS


def _field_names(view: Any) -> list[str]:
    """Return the names of the fields of the list's rows."""
    return [name for name, field in view.get_serializer().fields.items() if not field.write_only]


def _ordering_schema(names: list[str]) -> dict[str, Any]:
    # `name` is a property of every Kotlin enum, and `-title` is not an identifier in any language. The default is not
    # declared, because the Kotlin generator would refer to it by the name that it would have without these.
    identifiers = [f"{n[1:]}_descending" if n.startswith("-") else f"{n}_ascending" for n in names]
    return {"type": "string", "enum": names, "x-enum-varnames": identifiers}


def _fields_schema(names: list[str]) -> dict[str, Any]:
    # Identifiers for the same reason.
    return {"type": "string", "enum": names, "x-enum-varnames": [f"{name}_field" for name in names]}


def _reverse_ordering(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _column(queryset: Any, path: str) -> tuple[Field[Any, Any], bool]:
    """Return the field of a path such as `book__title_key` or of an annotation, and whether it may be NULL."""
    name = path.lstrip("-")
    queryset = queryset.example if isinstance(queryset, PreparedQuery) else queryset
    if name in queryset.query.annotations:
        return queryset.query.annotations[name].output_field, True
    model, field, nullable = queryset.model, cast(Any, None), False
    for part in name.split("__"):
        field = model._meta.pk if part == "pk" else model._meta.get_field(part)
        nullable = nullable or field.null
        model = field.related_model or model
    return field, nullable


def _is_unique(queryset: Any, path: str) -> bool:
    """Return whether the field is unique. MariaDB would sort the whole table by a unique key followed by the id."""
    name = path.lstrip("-")
    queryset = queryset.example if isinstance(queryset, PreparedQuery) else queryset
    if "__" in name or name in queryset.query.annotations:
        return False
    field, nullable = _column(queryset, name)
    return bool(field.unique) and not nullable


def _value(row: Any, path: str) -> Any:
    for part in path.split("__"):
        row = row[part] if isinstance(row, dict) else getattr(row, part)
    return row


def _to_cursor_value(value: Any) -> int | str | None:
    """Return the value of a column as it is stored in a cursor."""
    if value is None or isinstance(value, int):
        return value
    return value.isoformat() if isinstance(value, datetime.date) else str(value)


def _from_cursor_value(queryset: Any, name: str, value: Any) -> Any:
    """Return a value of a cursor in the column's type; raise ValueError or a similar error if it is impossible."""
    field, nullable = _column(queryset, name)
    if value is None and nullable:
        return None
    if not isinstance(value, int | str) or isinstance(value, bool) != isinstance(field, BooleanField):
        raise ValueError
    if "\x00" in str(value):
        raise ValueError
    str(value).encode()  # raises ValueError for a lone surrogate
    typed = field.to_python(value)
    if isinstance(typed, int) and abs(typed) > BigIntegerField.MAX_BIGINT:
        raise ValueError
    if isinstance(typed, float) and not math.isfinite(typed):
        raise ValueError
    if isinstance(field, DecimalField):
        field.run_validators(typed)
    if isinstance(typed, datetime.datetime):
        if typed.tzinfo is None:
            raise ValueError
        return typed.astimezone(datetime.UTC)  # raises OverflowError near the minimum and the maximum
    return typed


def _after_condition(order: tuple[str, ...], position: list[Any], queryset: Any) -> Q:
    """Return the condition for rows after `position` in `order`. NULL sorts first, as in all three databases."""
    condition: Any = Q()
    for index in reversed(range(len(order))):
        name, value = order[index].lstrip("-"), position[index]
        equal = Q(**{f"{name}__isnull": True}) if value is None else Q(**{name: value})
        further = _strictly_after(name, value, descending=order[index].startswith("-"))
        tail = equal & condition if condition else None
        condition = further if tail is None else tail if further is None else further | tail
        condition = condition if condition is not None else Q(pk__in=[])
    # Redundant, but on the first field alone, so that the database can start within its index.
    name, value = order[0].lstrip("-"), position[0]
    if value is not None and len(order) > 1:
        descending = order[0].startswith("-")
        bound = Q(**{f"{name}__lte" if descending else f"{name}__gte": value})
        nullable = _column(queryset, name)[1]
        condition = (bound | Q(**{f"{name}__isnull": True}) if descending and nullable else bound) & condition
    return condition


def _strictly_after(name: str, value: Any, *, descending: bool) -> Q | None:
    """Return the condition for values strictly after `value` in one field; None if there can be none."""
    if value is None:
        return None if descending else Q(**{f"{name}__isnull": False})
    if descending:
        return Q(**{f"{name}__lt": value}) | Q(**{f"{name}__isnull": True})
    return Q(**{f"{name}__gt": value})
