"""Filters of the moderation queue."""

import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.registry import report_targets
from moderation.case_page import language_name
from moderation.choices import CaseStatus, Reason
from moderation.models import Case, Report
from moderation.queue import QUEUES

MAX_LANGUAGES = 50


class QueueFilter(admin.SimpleListFilter):
    """Filter cases by queue; open cases are the default."""

    title = _("queue")
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(key, label) for key, (label, _condition) in QUEUES.items()]

    def choices(self, changelist: Any) -> Any:
        for key, label in self.lookup_choices:
            query = changelist.get_query_string({self.parameter_name: key})
            yield {"selected": self.value() == key, "query_string": query, "display": label}

    def value(self) -> str:
        value = super().value()
        return value if value in QUEUES else "open"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        is_search = "id__in" in request.GET or request.GET.get("q")
        return queryset if is_search and super().value() is None else queryset.filter(QUEUES[self.value()][1])


class TargetTypeFilter(admin.SimpleListFilter):
    """Filter cases by the type of the reported object."""

    title, parameter_name = _("kind"), "target_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, target.label) for name, target in report_targets.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(target_type=self.value()) if self.value() else queryset


class ReasonFilter(admin.SimpleListFilter):
    """Filter cases by the reason of a pending report."""

    title, parameter_name = _("reason"), "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Reason.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in Reason.values:
            return queryset
        reports = Report.objects.pending().filter(case=OuterRef("pk"), reason=self.value())
        return queryset.filter(Exists(reports))


class LanguageFilter(admin.SimpleListFilter):
    """Filter cases by the language of their content; the choices are those of the open cases."""

    title, parameter_name = _("language"), "language"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        used = Case.objects.filter(status=CaseStatus.OPEN).exclude(language="").order_by("language")
        codes = used.values_list("language", flat=True).distinct()[:MAX_LANGUAGES]
        return sorted(((code, language_name(code)) for code in codes), key=lambda choice: choice[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(language=self.value()) if self.value() else queryset


class AgeFilter(admin.SimpleListFilter):
    """Filter cases by how long they have waited."""

    title, parameter_name = _("waiting time"), "age"
    days = {"1": _("more than a day"), "3": _("more than three days"), "7": _("more than a week")}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(self.days.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        days = self.value()
        if days not in self.days:
            return queryset
        return queryset.filter(opened_at__lt=timezone.now() - datetime.timedelta(days=int(days)))
