"""Keyset pagination: a page is found by the values at its edge, not by counting rows, so each costs the same.

A view lists its orders in `orderings`: the word a client sends -> the fields it means. The first is the default.
The primary key is added as the last field, so that every order is total and nothing is skipped or shown twice.
"""

from __future__ import annotations

import base64
import datetime
import json
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Field, Model, Q
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from bookbridge.api.errors import InvalidParameter

if TYPE_CHECKING:
    from rest_framework.views import APIView

DEFAULT_ORDERINGS: dict[str, tuple[str, ...]] = {"-id": ("-id",)}
BIGGEST_INT = 2**63 - 1


class KeysetPagination(BasePagination):
    """`{"next", "previous", "results"}` with opaque cursors; `page_size` 1 to 100, a bad cursor is 404."""

    page_size = 20
    max_page_size = 100
    parameters = ("cursor", "page_size", "ordering")

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        """One page of `queryset` in the order asked for."""
        self.request = request
        self.word, self.order = self._ordering(request, view)
        size = self._page_size(request)
        position, backwards = self._cursor(request, queryset.model)
        order = tuple(_opposite(f) for f in self.order) if backwards else self.order
        if position is not None:
            queryset = queryset.filter(_beyond(order, position, queryset.model))
        rows = list(queryset.order_by(*order)[: size + 1])
        more, rows = len(rows) > size, rows[:size]
        if backwards:
            rows.reverse()
        self.has_next = more if not backwards else True
        self.has_previous = position is not None if not backwards else more
        self.rows = rows
        self.came_from = request.query_params.get("cursor")
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        """The page in its envelope."""
        return Response({"next": self._link(-1), "previous": self._link(0), "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The envelope, for the OpenAPI document."""
        link = {"type": ["string", "null"], "format": "uri"}
        properties = {"next": link, "previous": link, "results": schema}
        return {"type": "object", "required": list(properties), "properties": properties}

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """The query parameters, for the OpenAPI document."""
        words = list(_orderings(view))
        size = {"type": "integer", "minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
        parameters = [("cursor", {"type": "string"}), ("page_size", size)]
        if hasattr(view, "orderings"):
            parameters.append(("ordering", {"type": "string", "enum": words, "default": words[0]}))
        return [{"name": n, "in": "query", "required": False, "schema": s} for n, s in parameters]

    def _ordering(self, request: Request, view: Any) -> tuple[str, tuple[str, ...]]:
        orderings = _orderings(view)
        word = request.query_params.get("ordering", next(iter(orderings)))
        if word not in orderings:
            choices = ", ".join(orderings)
            detail = _("Must be one of: %(choices)s.") % {"choices": choices}
            raise InvalidParameter([{"field": "ordering", "code": "invalid_choice", "detail": str(detail)}])
        fields = tuple(orderings[word])
        if fields[-1].lstrip("-") not in ("id", "pk"):
            fields += ("-id" if fields[-1].startswith("-") else "id",)
        return word, fields

    def _page_size(self, request: Request) -> int:
        given = request.query_params.get("page_size")
        if given is None:
            return self.page_size
        if not (given.isascii() and given.isdigit() and len(given) < 5 and 1 <= int(given) <= self.max_page_size):
            detail = _("Must be a whole number from 1 to %(most)s.") % {"most": self.max_page_size}
            raise InvalidParameter([{"field": "page_size", "code": "invalid", "detail": str(detail)}])
        return int(given)

    def _cursor(self, request: Request, model: type[Model]) -> tuple[list[Any] | None, bool]:
        """The values at the edge the client stands at, and whether it looks back from there."""
        given = request.query_params.get("cursor")
        if given is None:
            return None, False
        try:
            word, values, backwards = json.loads(base64.b64decode(given.encode(), b"-_", validate=True))
            if word != self.word or len(values) != len(self.order) or not isinstance(backwards, bool):
                raise ValueError
            return [_typed(model, name, value) for name, value in zip(self.order, values, strict=True)], backwards
        except (ValueError, TypeError, ValidationError, RecursionError, OverflowError):
            raise NotFound from None

    def _link(self, edge: int) -> str | None:
        """The address of the page after the last row (-1) or before the first one (0)."""
        backwards = edge == 0
        if not (self.has_previous if backwards else self.has_next):
            return None
        url = self.request.build_absolute_uri()
        if not self.rows:
            # An empty page that was reached by a cursor: the way back is the start of the list.
            return remove_query_param(url, "cursor") if backwards else None
        values = [_plain(_value(self.rows[edge], name.lstrip("-"))) for name in self.order]
        cursor = json.dumps([self.word, values, backwards], separators=(",", ":"), ensure_ascii=False)
        return replace_query_param(url, "cursor", base64.urlsafe_b64encode(cursor.encode()).decode())


def _orderings(view: Any) -> dict[str, tuple[str, ...]]:
    return getattr(view, "orderings", None) or DEFAULT_ORDERINGS


def _opposite(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _field(model: type[Model], path: str) -> Field[Any, Any]:
    """The model field at the end of a path such as `book__title_key`."""
    field: Any = None
    for part in path.lstrip("-").split("__"):
        field = model._meta.pk if part == "pk" else model._meta.get_field(part)
        model = field.related_model or model
    return field


def _value(row: Any, path: str) -> Any:
    for part in path.split("__"):
        row = row[part] if isinstance(row, dict) else getattr(row, part)
    return row


def _plain(value: Any) -> int | str | None:
    """A column's value as it travels in a cursor."""
    if value is None or isinstance(value, int):
        return value
    return value.isoformat() if isinstance(value, datetime.date) else str(value)


def _typed(model: type[Model], name: str, value: Any) -> Any:
    """A cursor's value as the field's own type; ValueError for anything a row could not have held."""
    if value is None:
        return None
    if not isinstance(value, int | str) or "\x00" in str(value):
        raise ValueError
    str(value).encode()  # a lone surrogate is a ValueError
    try:
        typed = _field(model, name).to_python(value)
    except FieldDoesNotExist:
        # An annotation: it travels as it is.
        typed = value
    if isinstance(typed, int) and abs(typed) > BIGGEST_INT:
        raise ValueError
    if isinstance(typed, datetime.datetime) and typed.tzinfo is None:
        raise ValueError
    return typed


def _beyond(order: tuple[str, ...], position: list[Any], model: type[Model]) -> Q:
    """The rows that come after `position` in `order`. NULL counts as the least, as all three databases sort it."""
    condition: Any = Q()
    for index in reversed(range(len(order))):
        name, value = order[index].lstrip("-"), position[index]
        equal = Q(**{f"{name}__isnull": True}) if value is None else Q(**{name: value})
        further = _further(name, value, descending=order[index].startswith("-"))
        tail = equal & condition if condition else None
        condition = further if tail is None else tail if further is None else further | tail
        condition = condition if condition is not None else Q(pk__in=[])
    # The same thing said once more about the first field alone, so that the database can start within its index.
    name, value = order[0].lstrip("-"), position[0]
    if value is not None and len(order) > 1:
        least = order[0].startswith("-")
        bound = Q(**{f"{name}__lte" if least else f"{name}__gte": value})
        nullable = _is_nullable(model, name)
        condition = (bound | Q(**{f"{name}__isnull": True}) if least and nullable else bound) & condition
    return condition


def _further(name: str, value: Any, *, descending: bool) -> Q | None:
    """Strictly after `value` in one field; None where nothing can be."""
    if value is None:
        return None if descending else Q(**{f"{name}__isnull": False})
    if descending:
        return Q(**{f"{name}__lt": value}) | Q(**{f"{name}__isnull": True})
    return Q(**{f"{name}__gt": value})


def _is_nullable(model: type[Model], name: str) -> bool:
    try:
        return bool(_field(model, name).null)
    except FieldDoesNotExist:
        return True
