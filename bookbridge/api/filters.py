"""Query parameters that are taken at their word: an unknown one, or a bad value, is 400 and never ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import django_filters
from django.core.validators import RegexValidator
from django.db.models import BigIntegerField, QuerySet
from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.request import Request

from bookbridge.api.errors import InvalidParameter, field_errors
from bookbridge.api.text import is_blank

if TYPE_CHECKING:
    from rest_framework.views import APIView


class StrictFilterBackend(DjangoFilterBackend):
    """django-filter's backend, with its errors in the API's shape."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        """Filter; bad values raise InvalidParameter, naming each parameter."""
        filterset = self.get_filterset(request, queryset, view)
        if filterset is None:
            return queryset
        if not filterset.is_valid():
            errors = filterset.errors.as_data()
            detail = {name: [error.messages[0] for error in found] for name, found in errors.items()}
            raise InvalidParameter(list(field_errors(detail)))
        return filterset.qs


def check_query_parameters(request: Request, view: APIView) -> None:
    """Refuse parameters that the view does not know, sent twice, or holding what is no text."""
    known = set(getattr(view, "query_parameters", ()))
    if getattr(view, "action", None) == "list" or getattr(view, "is_list", False):
        known |= {"cursor", "page_size"} | ({"ordering"} if hasattr(view, "orderings") else set())
        filterset = getattr(view, "filterset_class", None)
        known |= set(filterset.base_filters) if filterset else set()
    errors = []
    for name, values in request.query_params.lists():
        if name not in known:
            errors.append({"field": name[:100], "code": "unknown", "detail": _("There is no such parameter here.")})
        elif len(values) > 1:
            errors.append({"field": name, "code": "invalid", "detail": _("This parameter may be given once.")})
        elif name == "cursor":
            continue  # a bad one is 404, which pagination says
        elif not _sane(values[0]):
            errors.append({"field": name, "code": "invalid", "detail": _("This is not a text.")})
        elif is_blank(values[0]):
            # A filter without a value would be left out, and the answer would be everything.
            errors.append({"field": name, "code": "blank", "detail": _("This is blank.")})
    if errors:
        raise InvalidParameter(errors[:20])


def _sane(value: str) -> bool:
    # As long as the cursor behind a row with the longest title; what a text may hold is for its own filter to say.
    return "\x00" not in value and "\ufffd" not in value and len(value) <= 8000


class SearchFilter(django_filters.CharFilter):
    """A text of up to 200 characters that is not blank."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=200, validators=[_not_blank], **kwargs)


class IdFilter(django_filters.NumberFilter):
    """An id: a whole number that a column can hold, so that SQLite does not choke on a larger one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=BigIntegerField.MAX_BIGINT, decimal_places=0, **kwargs)


class FlagFilter(django_filters.ChoiceFilter):
    """`true` or `false`; any other word is refused, where django-filter's BooleanFilter would ignore it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[("true", "true"), ("false", "false")], **kwargs)


class LanguageFilter(django_filters.CharFilter):
    """A language tag such as `en` or `pt-BR`."""

    def __init__(self, **kwargs: Any) -> None:
        validators = [RegexValidator(r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")]
        super().__init__(max_length=12, validators=validators, **kwargs)


def _not_blank(value: str) -> None:
    from django.core.exceptions import ValidationError

    if is_blank(value):
        raise ValidationError(_("This is blank."), code="blank")
