"""What the admin's pages have in common: quick at any size of a table, and each deed in the audit log."""

import datetime
from collections.abc import Callable, Sequence
from functools import cached_property, wraps
from itertools import islice
from typing import Any, NamedTuple

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ORDER_VAR
from django.contrib.auth import get_user_model
from django.core.exceptions import BadRequest, PermissionDenied
from django.core.paginator import Paginator
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_time
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.views import ChangeList
from unfold.widgets import UnfoldAdminTextareaWidget

from bookbridge.api.audit import Target, audit
from bookbridge.api.text import identifier_key

MOST_COUNTED = 10_000
# A list ends there; who looks for what lies behind searches or filters.
MOST_LISTED = 2_000
# How filters ask for a value of their column.
PLAIN = ("exact", "isnull", "isempty", "in")
MOST_DIGITS = 18
# So many readers are no longer named one by one.
MANY = 1_000
# Of what keeps a row from being deleted.
MOST_SHOWN = 20
# Of the rows that an action is done to, so many are named in the audit log.
MOST_NAMED = 1_000

Action = Callable[..., Any]


class Panel(NamedTuple):
    """A part of the front page: a title, and (label, value, address) for each figure."""

    title: str | Promise
    rows: Sequence[tuple[str | Promise, Any, str]]


def capped(rows: QuerySet[Any], most: int) -> int:
    """How many rows there are, or `most`."""
    return int(rows.order_by()[:most].count())


def counted(rows: QuerySet[Any]) -> str:
    """How many rows there are, in the reader's way of writing numbers; "10,000+" where they are that many or more."""
    count = capped(rows, MOST_COUNTED)
    return number_format(count, force_grouping=True) + "+" * (count == MOST_COUNTED)


def id_in(term: str) -> int | None:
    """The id that a search box names; None for a text, and for a number that is none of a row."""
    return int(term) if term.isdecimal() and len(term) <= MOST_DIGITS else None


def of_people(rows: QuerySet[Any], person: str, name: str) -> QuerySet[Any]:
    """The rows of readers whose username begins so, `person` being the column: by the ids of a few.

    Where they are many the rows are read in their order until the page is full; for a few that would be all rows.
    """
    named = {"username_key__startswith": identifier_key(name.strip())}
    few = list(get_user_model().objects.filter(**named).values_list("pk", flat=True)[:MANY])
    if len(few) < MANY:
        return rows.filter(**{f"{person}__in": few})
    return rows.filter(**{f"{person}__{column}": value for column, value in named.items()})


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than 2,000 rows, so that no page scans a table; what lies behind is found by a search."""

    # The theme draws the page numbers with it. Its own would tell 2,000 for how many there are.
    template_name = "admin/page_numbers.html"

    @property
    def is_capped(self) -> bool:
        """Whether there may be more than are listed."""
        return self.count == MOST_LISTED

    @cached_property
    def count(self) -> int:
        """How many rows there are, or 2,000."""
        rows: Any = self.object_list
        return capped(rows, MOST_LISTED)


class PeriodFilter(RangeDateTimeFilter):
    """From one moment to another. A day without a time begins and ends with the day; nonsense finds nothing.

    The theme's own leaves out what it cannot read, and so shows more than was asked for.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("period")  # "By at" is no English.

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the period."""
        for end, lookup, time in (("from", "gte", datetime.time.min), ("to", "lte", datetime.time.max)):
            day, hour = (str(self.used_parameters.get(f"{self.parameter_name}_{end}_{n}") or "") for n in (0, 1))
            if day or hour:
                moment = _moment(day, hour, time)
                if moment is None:
                    return queryset.none()
                queryset = queryset.filter(**{f"{self.parameter_name}__{lookup}": moment})
        return queryset


def _moment(day: str, hour: str, otherwise: datetime.time) -> datetime.datetime | None:
    try:
        date, time = parse_date(day), parse_time(hour) if hour else otherwise
    except ValueError:
        return None
    if date is None or time is None or not 1900 <= date.year <= 2100:
        return None
    return timezone.make_aware(datetime.datetime.combine(date, time.replace(tzinfo=None)))


class Textarea(UnfoldAdminTextareaWidget):
    """Lines end as the API ends them: a browser sends them otherwise, and so changes what nobody has touched."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """What was sent, with the ends of its lines made even."""
        value = super().value_from_datadict(data, files, name)
        return value.replace("\r\n", "\n") if isinstance(value, str) else value


class AuditedAdmin(ModelAdmin):
    """Each row that is added, changed or deleted here, and each action, stands in the audit log.

    Written in the transaction of the deed; an action's entry before the action, which may have several transactions.
    """

    formfield_overrides: Any = {models.TextField: {"widget": Textarea}}
    # What the address of a list may ask for beside its filters.
    asked_by_links: tuple[str, ...] = ()

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """What a filter or a link asks, and no other column: `?notes__startswith=` would tell what no page shows.

        What is no column is the word of a filter, or is refused further on.
        """
        filters = {_asks_by(found) for found in self.list_filter}
        path, _column, how = lookup.rpartition("__")
        if lookup in self.asked_by_links or lookup in filters or (path in filters and how in PLAIN):
            return True
        return lookup.partition("__")[0] not in {"pk", *(field.name for field in self.opts.get_fields())}

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """As Django's, which looks the row up before it asks who may see any."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        return super().history_view(request, object_id, extra_context)

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """As Django's; what the form changes is kept for the entry."""
        request._audited = _changes(form, formsets or ())  # type: ignore[attr-defined]
        return super().construct_change_message(request, form, formsets, add)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """In the object's history and in the audit log."""
        self._audit(request, "added", obj, changes=getattr(request, "_audited", {}))
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """In the object's history and in the audit log."""
        self._audit(request, "changed", obj, changes=getattr(request, "_audited", {}))
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """In the admin's history and in the audit log."""
        for obj in queryset:
            self._audit(request, "deleted", obj)
        return super().log_deletions(request, queryset)

    def get_actions(self, request: HttpRequest) -> Any:
        """As Django's, each written down before it is done; deletions see to themselves."""
        actions = super().get_actions(request)
        return {
            name: (action if name == "delete_selected" else self._written(name, action), name, label)
            for name, (action, _name, label) in actions.items()
        }

    def _written(self, name: str, action: Action) -> Action:
        @wraps(action)
        def run(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
            ids = [str(pk) for pk in queryset.values_list("pk", flat=True)[:MOST_NAMED]]
            target: Any = Target(self.opts.label_lower, int(ids[0])) if len(ids) == 1 and ids[0].isdecimal() else None
            detail = ", ".join(ids)
            audit(f"admin.{name}", by=request.user, target=target or Target(self.opts.label_lower, None), detail=detail)
            return action(modeladmin, request, queryset)

        return run

    def _audit(self, request: HttpRequest, deed: str, obj: models.Model, **more: Any) -> None:
        audit(f"admin.{deed}", by=request.user, target=obj, **more)


def _asks_by(listed: Any) -> Any:
    """The column, or the word of its own, by which the address of a list asks a filter."""
    found = listed[0] if isinstance(listed, tuple) else listed
    return getattr(found, "parameter_name", found)


def _changes(form: Any, formsets: Any) -> dict[str, tuple[Any, Any]]:
    """Of each field that a form changes the values before and after; of each inline row that it came, moved or went."""
    found = {name: (form.initial.get(name), form.cleaned_data.get(name)) for name in form.changed_data}
    for formset in formsets:
        name = formset.model._meta.model_name
        for row in formset.new_objects:
            found[f"{name} +{row.pk}"] = (None, str(row))
        for row, fields in formset.changed_objects:
            found[f"{name} {row.pk}"] = (None, {field: str(getattr(row, field, "")) for field in fields})
        for row in formset.deleted_objects:
            found[f"{name} -{row.pk}"] = (str(row), None)
    return found


class StraightChangeList(ChangeList):
    """A list in one order at a time, in which equal rows go the same way as all: an index has that, nothing is sorted.

    Django's own has equal rows backwards in either direction, and keeps each column that was clicked on before.
    """

    def get_results(self, request: HttpRequest) -> None:
        """One page. At its head the theme tells a count and the way to all: where nothing is narrowed that is no news.

        And where the counting ended early it is untrue; the foot of the page says so.
        """
        super().get_results(request)
        if getattr(self.paginator, "is_capped", False) or not (self.query or self.has_active_filters):
            self.full_result_count = self.result_count

    def get_ordering_field(self, field_name: Any) -> Any:
        """None for a column that is not offered, also where an address names it."""
        return super().get_ordering_field(field_name) if field_name in self.sortable_by else None

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """By the column that was asked for last."""
        ordering = super().get_ordering(request, queryset)
        if ORDER_VAR not in self.params:
            return ordering
        sign = "-" if ordering[0].startswith("-") else ""
        return [ordering[0], f"{sign}pk"] if ordering[0].removeprefix("-") not in ("id", "pk") else ordering[:1]

    def get_ordering_field_columns(self) -> dict[int, str]:
        """The one that the list is by."""
        return dict(islice(super().get_ordering_field_columns().items(), 1))


def in_order(model: type[models.Model]) -> set[str]:
    """The columns that a list of any length is in the order of at once: an index has them, and the id behind."""
    fields: Any = model._meta.concrete_fields
    own = {field.name for field in fields if field.db_index or field.unique}
    return own | {index.fields[0] for index in model._meta.indexes if index.fields[1:] in ([], ["id"])}


def _references(model: type[models.Model]) -> list[Any]:
    """The foreign keys that rows of a model would take along, or be kept by."""
    fields: list[Any] = [field for field in model._meta.get_fields(include_hidden=True) if field.auto_created]
    deeds = (models.CASCADE, models.PROTECT, models.RESTRICT)
    return [field for field in fields if getattr(field, "on_delete", None) in deeds and not field.concrete]


class QuickAdmin(AuditedAdmin):
    """Rows are found through an index, and neither counted nor offered in a dropdown all at once.

    A list has the orders that an index has, unless `sortable_by` names others. `beside` names the relations that it
    shows. Each comes by a query of its own, not by a join: MariaDB would begin with the smaller table and sort the
    larger one.
    """

    paginator = CappedPaginator
    show_full_result_count = False
    # How many rows each filter has would be counted in full.
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_select_related: Any = ()
    ordering: Any = ("-id",)
    beside: tuple[str, ...] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With what stands beside."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.prefetch_related(*self.beside)

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """As Django's; where more is selected than a list shows, nothing is done: nobody has seen that.

        Raises BadRequest where something is selected that is no id.
        """
        if None in map(id_in, request.POST.getlist(ACTION_CHECKBOX_NAME)):
            raise BadRequest
        if request.POST.get("select_across") == "1" and capped(queryset, MOST_LISTED) == MOST_LISTED:
            text = _("Not done: that would be %(most)d rows or more. Search or filter for fewer.")
            self.message_user(request, text % {"most": MOST_LISTED}, messages.ERROR)
            return None
        return super().response_action(request, queryset)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The rows alone, and what keeps them from going: what would go along may be any number of rows."""
        names, needed, protected = [str(obj) for obj in objs], set(), []
        if not all(self.has_delete_permission(request, obj) for obj in objs):
            needed.add(self.opts.verbose_name)
        for relation in _references(self.model):
            model, name = relation.related_model, relation.related_model._meta.verbose_name
            rows = model._base_manager.filter(**{f"{relation.field.name}__in": objs})
            if relation.on_delete in (models.PROTECT, models.RESTRICT):
                protected += [f"{name} {pk}" for pk in rows.values_list("pk", flat=True)[:MOST_SHOWN]]
            elif self._keeps(model, request) and rows.exists():
                needed.add(name)
        return names, {self.opts.verbose_name_plural: len(names)}, needed, protected

    def _keeps(self, model: type[models.Model], request: HttpRequest) -> bool:
        """Whether the rows of a model have a page here, on which this user may not delete them."""
        page = self.admin_site._registry.get(model)
        return page is not None and not page.has_delete_permission(request)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """One that sorts no table."""
        return StraightChangeList

    def get_sortable_by(self, request: HttpRequest) -> Any:
        """The columns whose order an index has; of what is beside it would be that of ids."""
        named = super().get_sortable_by(request)
        ordered = in_order(self.model) - set(self.beside)
        return named if self.sortable_by is not None else [name for name in named if name in ordered]


class LookingAdmin(QuickAdmin):
    """Rows that staff look at; what they may do with them are actions."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """The API makes them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The API changes them."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """They go with what they belong to."""
        return False


# Django looks for pages here, and these register by being imported.
from bookbridge.api import job_pages  # noqa: E402, F401
from bookbridge.api.audit import admin as audit_admin  # noqa: E402, F401
