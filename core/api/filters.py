"""Strict query parameters: an unknown one, or an invalid value, is 400 and never ignored."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db.models import BigIntegerField, QuerySet
from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.request import Request

from core.api.exceptions import InvalidParameter, field_errors
from core.api.numbers import is_number
from core.db.prepared import PreparedQuery
from core.languages import shortest_tag
from core.search.normalize import is_blank

if TYPE_CHECKING:
    from rest_framework.views import APIView


class StrictFilterBackend(DjangoFilterBackend):
    """django-filter's backend, with errors in the format of the API."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        """Filter the queryset; raise InvalidParameter for invalid values."""
        filterset_class = getattr(view, "filterset_class", None)
        # A filter without its parameter changes nothing, and a filter set with its form is expensive to build.
        names = filterset_class.base_filters.keys() & request.query_params.keys() if filterset_class else ()
        if not names:
            return queryset
        rows = queryset.queryset if isinstance(queryset, PreparedQuery) else queryset
        filterset = _with_filters(filterset_class, frozenset(names))(request.query_params, rows, request=request)
        if not filterset.is_valid():
            errors = filterset.errors.as_data()
            detail = {name: [error.messages[0] for error in invalid] for name, invalid in errors.items()}
            raise InvalidParameter(list(field_errors(detail)))
        return filterset.qs


@lru_cache(maxsize=200)
def _with_filters(filterset_class: Any, names: frozenset[str]) -> Any:
    """Return a filter set with only these filters, because each request copies all of them and builds a form."""
    reduced: Any = type(filterset_class.__name__, (filterset_class,), {})
    reduced.base_filters = {name: item for name, item in filterset_class.base_filters.items() if name in names}
    return reduced


def check_query_parameters(request: Request, view: APIView) -> None:
    """Raise InvalidParameter for parameters that are unknown, repeated, blank or not valid text.

    Only `search` may be empty.
    """
    known = set(getattr(view, "allowed_query_params", ()))
    if getattr(view, "action", None) == "list" or getattr(view, "is_list", False):
        known |= {"cursor", "fields", "page_size"} | ({"ordering"} if hasattr(view, "ordering_fields") else set())
        filterset = getattr(view, "filterset_class", None)
        known |= set(filterset.base_filters) if filterset else set()
    errors = []
    for name, values in request.query_params.lists():
        if name not in known:
            errors.append({"field": name[:100], "code": "unknown", "detail": _("Unknown query parameter.")})
        elif len(values) > 1:
            errors.append({"field": name, "code": "invalid", "detail": _("This parameter may be given only once.")})
        elif name == "cursor":
            continue  # pagination returns 404 for an invalid cursor
        elif not _is_acceptable(values[0]):
            errors.append({"field": name, "code": "invalid", "detail": _("Invalid text.")})
        elif name == "search" and not values[0]:
            continue  # an emptied search box, which forms send along; django-filter does not filter
        elif is_blank(values[0]):
            # django-filter ignores a filter without a value, and the list would not be filtered.
            errors.append({"field": name, "code": "blank", "detail": _("This may not be blank.")})
    if errors:
        raise InvalidParameter(errors[:20])


def _is_acceptable(value: str) -> bool:
    # The longest valid value is a cursor with the longest title; each filter checks its own text further.
    return "\x00" not in value and "\ufffd" not in value and len(value) <= 8000


class NumberFormField(forms.DecimalField):
    """A number in the notation of JSON (`core.api.numbers`)."""

    def to_python(self, value: Any) -> Any:
        """Return the number, or None without a value."""
        if value and not is_number(str(value)):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)


class NumberFilter(django_filters.NumberFilter):
    """A number."""

    field_class = NumberFormField


class SearchTextFilter(django_filters.CharFilter):
    """A search text of up to 200 characters that is not blank."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=200, validators=[_not_blank], **kwargs)


class IdFilter(NumberFilter):
    """An id: a positive integer that fits into a column; SQLite raises OverflowError for larger ones."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=BigIntegerField.MAX_BIGINT, decimal_places=0, **kwargs)


class StrictBooleanFilter(django_filters.ChoiceFilter):
    """`true` or `false`; any other value is rejected, while django-filter's BooleanFilter would ignore it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[("true", "true"), ("false", "false")], **kwargs)


class LanguageFormField(forms.CharField):
    """A language tag, in the form in which it is stored."""

    def to_python(self, value: Any) -> str:
        """Return the tag in lower case, with the shortest code of its language."""
        return shortest_tag(super().to_python(value) or "")


class LanguageFilter(django_filters.CharFilter):
    """A language tag such as `en` or `pt-BR`."""

    field_class = LanguageFormField

    def __init__(self, **kwargs: Any) -> None:
        validators = [RegexValidator(r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")]
        super().__init__(max_length=12, validators=validators, **kwargs)


def _not_blank(value: str) -> None:
    if is_blank(value):
        raise ValidationError(_("This may not be blank."), code="blank")
