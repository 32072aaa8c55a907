"""Base classes of model admins: fast for large tables, and with every change in the audit log."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.views import ChangeList
from unfold.widgets import UnfoldAdminTextareaWidget

from core.admin import changelist
from core.admin.changelist import CappedPaginator, IndexOrderedChangeList, count_up_to, indexed_columns
from core.admin.filters import parse_id
from core.audit import AuditTarget, log_audit_event

# Lookups of a filter's column that a URL may use.
ALLOWED_LOOKUP_SUFFIXES = ("exact", "isnull", "isempty", "in")
# Maximum number of listed rows that prevent a deletion.
MAX_PROTECTED_SHOWN = 20
# Maximum number of ids that the audit entry of an action lists.
MAX_AUDITED_IDS = 1_000

Action = Callable[..., Any]


class NormalizedNewlinesTextarea(UnfoldAdminTextareaWidget):
    """A text area with \\n as its line ending, as in the API: browsers send \\r\\n, which would look like a change."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        value = super().value_from_datadict(data, files, name)
        return value.replace("\r\n", "\n") if isinstance(value, str) else value


class AuditedModelAdmin(ModelAdmin):
    """Records each added, changed and deleted row, and each action, in the audit log.

    In the transaction of the change; an action is recorded before it runs, since it may have several transactions.
    """

    formfield_overrides: Any = {models.TextField: {"widget": NormalizedNewlinesTextarea}}
    # Actions that record their own entries; an action that first shows a page must not be recorded for that.
    unaudited_actions: tuple[str, ...] = ()
    # Lookups that the URL of a list may use in addition to its filters.
    extra_allowed_lookups: tuple[str, ...] = ()

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Allow the lookups of filters and links only: `?notes__startswith=` would reveal what no page shows.

        A name that is not a field is a filter's own parameter, or is rejected later.
        """
        filters = {_filter_lookup(item) for item in self.list_filter}
        path, _separator, suffix = lookup.rpartition("__")
        if (
            lookup in self.extra_allowed_lookups
            or lookup in filters
            or (path in filters and suffix in ALLOWED_LOOKUP_SUFFIXES)
        ):
            return True
        return lookup.partition("__")[0] not in {"pk", *(field.name for field in self.opts.get_fields())}

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """Check the permission before the row is looked up."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        return super().history_view(request, object_id, extra_context)

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Store the form's changes for the audit entry."""
        request._audited_changes = _form_changes(form, formsets or ())  # type: ignore[attr-defined]
        return super().construct_change_message(request, form, formsets, add)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._audit(request, "added", obj, changes=getattr(request, "_audited_changes", {}))
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._audit(request, "changed", obj, changes=getattr(request, "_audited_changes", {}))
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            self._audit(request, "deleted", obj)
        return super().log_deletions(request, queryset)

    def get_actions(self, request: HttpRequest) -> Any:
        """Wrap each action so that it is recorded first, except `unaudited_actions` and deletion."""
        actions = super().get_actions(request)
        return {
            name: (
                action if name in ("delete_selected", *self.unaudited_actions) else self._audited_action(name, action),
                name,
                label,
            )
            for name, (action, _name, label) in actions.items()
        }

    def _audited_action(self, name: str, action: Action) -> Action:
        @wraps(action)
        def run(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
            ids = [str(pk) for pk in queryset.values_list("pk", flat=True)[:MAX_AUDITED_IDS]]
            target_id = int(ids[0]) if len(ids) == 1 and ids[0].isdecimal() else None
            log_audit_event(
                f"admin.{name}",
                by=request.user,
                target=AuditTarget(self.opts.label_lower, target_id),
                detail=", ".join(ids),
            )
            return action(modeladmin, request, queryset)

        return run

    def _audit(self, request: HttpRequest, verb: str, obj: models.Model, **kwargs: Any) -> None:
        log_audit_event(f"admin.{verb}", by=request.user, target=obj, **kwargs)


def _filter_lookup(item: Any) -> Any:
    """Return the field or the parameter name of an item of `list_filter`."""
    name = item[0] if isinstance(item, tuple) else item
    return getattr(name, "parameter_name", name)


def _form_changes(form: Any, formsets: Any) -> dict[str, tuple[Any, Any]]:
    """Return the values of each changed field before and after, and each added, changed and deleted inline row."""
    changes = {name: (form.initial.get(name), form.cleaned_data.get(name)) for name in form.changed_data}
    for formset in formsets:
        name = formset.model._meta.model_name
        for row in formset.new_objects:
            changes[f"{name} +{row.pk}"] = (None, str(row))
        for row, fields in formset.changed_objects:
            changes[f"{name} {row.pk}"] = (None, {field: str(getattr(row, field, "")) for field in fields})
        for row in formset.deleted_objects:
            changes[f"{name} -{row.pk}"] = (str(row), None)
    return changes


def _cascading_relations(model: type[models.Model]) -> list[Any]:
    """Return the foreign keys that would cascade a deletion of the model's rows, or prevent it."""
    fields: list[Any] = [field for field in model._meta.get_fields(include_hidden=True) if field.auto_created]
    on_delete = (models.CASCADE, models.PROTECT, models.RESTRICT)
    return [field for field in fields if getattr(field, "on_delete", None) in on_delete and not field.concrete]


class LargeTableModelAdmin(AuditedModelAdmin):
    """For large tables: lists use an index, and neither count all rows nor offer them in a dropdown.

    A list is sortable by the columns with an index, unless `sortable_by` names others. `list_prefetch_related` replaces
    `list_select_related`: with a join, MariaDB would begin with the smaller table and sort the larger one.
    """

    paginator = CappedPaginator
    show_full_result_count = False
    # Facets would count the rows of each filter in full.
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_select_related: Any = ()
    ordering: Any = ("-id",)
    list_prefetch_related: tuple[str, ...] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.prefetch_related(*self.list_prefetch_related)

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Reject an action on more rows than a list shows, since the user cannot have seen them all.

        Raises BadRequest for a selected value that is not an id.
        """
        if None in map(parse_id, request.POST.getlist(ACTION_CHECKBOX_NAME)):
            raise BadRequest
        limit = changelist.MAX_LIST_ROWS
        if request.POST.get("select_across") == "1" and count_up_to(queryset, limit) == limit:
            text = _("Not done: %(most)d rows or more match. Narrow your search.")
            self.message_user(request, text % {"most": limit}, messages.ERROR)
            return None
        return super().response_action(request, queryset)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Return the rows and what prevents their deletion, without the rows deleted by cascade, which may be many."""
        names, needed, protected = [str(obj) for obj in objs], set(), []
        if not all(self.has_delete_permission(request, obj) for obj in objs):
            needed.add(self.opts.verbose_name)
        for relation in _cascading_relations(self.model):
            model, name = relation.related_model, relation.related_model._meta.verbose_name
            rows = model._base_manager.filter(**{f"{relation.field.name}__in": objs})
            if relation.on_delete in (models.PROTECT, models.RESTRICT):
                protected += [f"{name} {pk}" for pk in rows.values_list("pk", flat=True)[:MAX_PROTECTED_SHOWN]]
            elif self._blocks_deletion(model, request) and rows.exists():
                needed.add(name)
        return names, {self.opts.verbose_name_plural: len(names)}, needed, protected

    def _blocks_deletion(self, model: type[models.Model], request: HttpRequest) -> bool:
        """Return whether the model has an admin in which this user may not delete rows."""
        model_admin = self.admin_site._registry.get(model)
        return model_admin is not None and not model_admin.has_delete_permission(request)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return IndexOrderedChangeList

    def get_sortable_by(self, request: HttpRequest) -> Any:
        """Return the columns with an index, except relations, which would be sorted by id."""
        columns = super().get_sortable_by(request)
        indexed = indexed_columns(self.model) - set(self.list_prefetch_related)
        return columns if self.sortable_by is not None else [name for name in columns if name in indexed]


class ReadOnlyModelAdmin(LargeTableModelAdmin):
    """Read-only pages, on which staff may only run actions."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
