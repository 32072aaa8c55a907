"""Admin of cases: the queue and the page of each case."""

from __future__ import annotations

from copy import copy
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.timesince import timesince
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException
from unfold.decorators import display
from unfold.views import ChangeList

from accounts.authentication import current_user
from accounts.models import User
from core.admin.base import ReadOnlyModelAdmin
from core.admin.filters import parse_id
from core.db.transactions import atomic_with_retry, conflict_on_integrity_error
from core.registry import report_targets
from moderation import case_page
from moderation.choices import Action, DecisionReason
from moderation.decisions import available_actions, decide, undo
from moderation.filters import (
    AgeFilter,
    LanguageFilter,
    QueueFilter,
    ReasonFilter,
    TargetTypeFilter,
)
from moderation.forms import ACTIONS, DecisionForm, ReasonForm
from moderation.models import Case, CaseView, close_cases_for_deleted
from moderation.queue import CaseChangeList, attach_reasons, attach_texts, get_next_case
from moderation.services import open_case

SEVERITY_LABELS = {"high": _("high"), "middle": _("medium"), "low": _("low")}
MAX_TEXT_LENGTH = 5_000
COLORS = {"high": "danger", "middle": "warning", "low": "info"}


@admin.register(Case)
class CaseAdmin(ReadOnlyModelAdmin):
    """The moderation queue, most severe cases first, and a page for each case."""

    list_display = (
        *("case_title", "severity_badge", "reports", "language_name", "author_history", "waiting_time"),
        "status_badges",
    )
    list_filter = (QueueFilter, ReasonFilter, LanguageFilter, TargetTypeFilter, AgeFilter)
    # Recorded for each case when it is decided.
    unaudited_actions = ("decide_selected",)
    empty_message = _("No case is waiting in this list.")
    sortable_by = ("reports", "waiting_time")
    ordering = ("-severity", "opened_at", "id")
    list_prefetch_related = ("author",)
    # The redirect of the review action `open_cases` filters by ids.
    extra_allowed_lookups = ("id__in",)
    # Django only shows the search box if this is set; `get_search_results` does the search.
    search_fields = ("id",)
    search_help_text = _("review:7, or an author’s username")
    actions = ("decide_selected",)

    class Media:
        css: ClassVar = {"all": ("moderation/case.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Case]:
        return super().get_queryset(request).prefetch_related(case_page.prefetch_other_viewers(current_user(request)))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        target_type, _colon, number = term.partition(":")
        pk = parse_id(number.strip())
        if not term:
            return queryset, False
        if pk is not None:
            return queryset.filter(target_type=target_type.strip(), target_id=pk), False
        return queryset.filter(author__in=User.objects.with_username(term).values("pk")), False

    def has_decide_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("moderation.decide")

    def get_urls(self) -> list[Any]:
        open_view = self.admin_site.admin_view(self.open_case_view)
        next_view = self.admin_site.admin_view(self.next_case_view)
        return [
            path("open/<str:target_type>/<int:pk>/", open_view, name="moderation_case_open"),
            path("<int:pk>/next/", next_view, name="moderation_case_next"),
            *super().get_urls(),
        ]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CaseChangeList

    def next_case_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Skip a case: redirect to the next one in the filtered queue."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        case = get_object_or_404(Case, pk=pk)
        return self._redirect_to_next(request, self._get_next_case(request, case))

    def _get_next_case(self, request: HttpRequest, case: Case) -> Case | None:
        """Return the case after this one in the page of the queue from which the moderator came."""
        listed = copy(request)
        listed.GET = QueryDict(request.GET.get("_changelist_filters", ""))
        try:
            cases = self.get_changelist_instance(listed).result_list
        except IncorrectLookupParameters:
            cases = []
        return get_next_case(cases, case, by=current_user(request))

    def _redirect_to_next(self, request: HttpRequest, case: Case | None) -> HttpResponse:
        if case is None:
            self.message_user(request, gettext("No other case is waiting in this list."), messages.INFO)
            filters = request.GET.get("_changelist_filters", "")
            return HttpResponseRedirect(f"{reverse('admin:moderation_case_changelist')}?{filters}")
        query = f"?{request.GET.urlencode()}" if request.GET else ""
        return HttpResponseRedirect(reverse("admin:moderation_case_change", args=[case.pk]) + query)

    def open_case_view(self, request: HttpRequest, target_type: str, pk: int) -> HttpResponse:
        """Redirect to the case of an object; create the case if there is none."""
        if not self.has_decide_permission(request):
            raise PermissionDenied
        case = open_case(target_type, pk, by=current_user(request))
        return HttpResponseRedirect(reverse("admin:moderation_case_change", args=[case.pk]))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the case page and log that it was viewed, or process a decision."""
        pk = parse_id(object_id)
        if not self.has_view_permission(request):
            raise PermissionDenied
        case = get_object_or_404(Case.objects.select_related("author"), pk=pk)
        if request.method == "POST":
            if not self.has_decide_permission(request):
                raise PermissionDenied
            return self._undo(request, case) if "undo" in request.POST else self._decide(request, case)
        return self._page(request, case)

    def _page(
        self,
        request: HttpRequest,
        case: Case,
        *,
        form: Any = None,
        undo_form: Any = None,
        form_values: dict[str, Any] | None = None,
        undo_values: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Render the case in its current state, keeping the comments of a rejected form but not its decision."""
        user = current_user(request)
        # The moderator may have deleted their account in the meantime.
        with conflict_on_integrity_error(PermissionDenied()):
            CaseView.objects.create(case=case, by=user, by_name=user.username)
        context = case_page.get_case_context(case, by=user)
        snapshot = context["snapshot"]
        initial = {"version": case.version, "digest": snapshot.digest if snapshot else ""}
        can_decide = self.has_decide_permission(request) and snapshot is not None
        if can_decide and form is None:
            form = self._form(case, context, initial={**(form_values or {}), **initial, "decision": None})
        if can_decide and context["last_decision"] and undo_form is None:
            undo_form = ReasonForm(initial=(undo_values or {}) | initial, prefix="undo")
        context["blocked"] = case_page.get_decision_block(case, by=user)
        # The theme needs these for the heading and for the link back to the filtered queue.
        context |= {"original": case, "adminform": True, "preserved_filters": self.get_preserved_filters(request)}
        return self._render(request, "case", form=form, undo_form=undo_form, **context)

    def _decide(self, request: HttpRequest, case: Case) -> HttpResponse:
        # A late form gets the conflict message, not "invalid choice".
        is_late = parse_id(request.POST.get("version", "")) not in (None, case.version)
        form = self._form(case, {}, data=request.POST, actions=ACTIONS if is_late else None)
        if not form.is_valid():
            return self._page(request, case, form=form)
        next_case = self._get_next_case(request, case) if "_next" in request.POST else None
        if self._run_or_report(request, case, lambda: decide(case, form.to_request(), by=current_user(request))):
            if "_next" in request.POST:
                return self._redirect_to_next(request, next_case)
            return HttpResponseRedirect(request.get_full_path())
        return self._page(request, case, form_values=form.cleaned_data)

    def _form(self, case: Case, context: dict[str, Any], *, actions: Any = None, **kwargs: Any) -> DecisionForm:
        reports, appeals = context.get("open_reports"), context.get("appeals")
        return DecisionForm(
            actions=_available_actions(case) if actions is None else actions,
            suggested=case_page.suggest_reasons(case, reports=reports, appeals=appeals),
            is_appealed=case.is_appealed,
            can_be_hidden=report_targets[case.target_type].can_be_hidden,
            **kwargs,
        )

    def _undo(self, request: HttpRequest, case: Case) -> HttpResponse:
        form = ReasonForm(request.POST, prefix="undo")
        if not form.is_valid():
            return self._page(request, case, undo_form=form)
        decision = get_object_or_404(case.decisions, pk=parse_id(request.POST["undo"]))
        cleaned = form.cleaned_data
        fields = {
            "reason": DecisionReason(cleaned["reason"]),
            "comment": cleaned["comment"],
            "version": cleaned["version"] or 0,
        }
        if self._run_or_report(request, case, lambda: undo(decision, by=current_user(request), **fields)):
            return HttpResponseRedirect(request.get_full_path())
        return self._page(request, case, undo_values=cleaned)

    def _run_or_report(self, request: HttpRequest, case: Case, decide_or_undo: Any, *, quiet: bool = False) -> bool:
        """Call `decide_or_undo`; on an API error, show it as a message and return False."""
        try:
            decision = decide_or_undo()
        except APIException as error:
            if getattr(error, "code", "") == "gone":
                atomic_with_retry(close_cases_for_deleted)(case.target_type, [case.target_id])
            self.message_user(request, f"{case}: {_error_message(error)}", messages.ERROR)
            case.refresh_from_db()
            return False
        if not quiet:
            self.message_user(request, case_page.describe_decision(decision), messages.SUCCESS)
        return True

    @admin.action(description=_("Decide the selected cases together"), permissions=["decide"])
    def decide_selected(self, request: HttpRequest, queryset: QuerySet[Case]) -> HttpResponse | None:
        """Apply one decision to several cases; each of them succeeds or fails separately."""
        # `queryset` misses cases decided in the meantime, which must be reported as conflicts.
        selected = [pk for text in request.POST.getlist(ACTION_CHECKBOX_NAME) if (pk := parse_id(text)) is not None]
        cases = list(Case.objects.select_related("author").filter(pk__in=selected[: self.list_per_page]).order_by("pk"))
        if not {"decision", "reason", "comment"} & request.POST.keys():
            form = DecisionForm(actions=ACTIONS, is_bulk=True)
        else:
            form = DecisionForm(request.POST, actions=ACTIONS, is_bulk=True)
            if form.is_valid():
                decided = sum(self._decide_one(request, case, form) for case in cases)
                text = ngettext("%(n)d case decided.", "%(n)d cases decided.", decided) % {"n": decided}
                self.message_user(request, text, messages.SUCCESS if decided else messages.WARNING)
                return None
        user = current_user(request)
        CaseView.objects.bulk_create(CaseView(case=case, by=user, by_name=user.username) for case in cases)
        attach_texts(cases, max_length=MAX_TEXT_LENGTH)
        attach_reasons(cases)
        title = gettext("Decide together")
        return self._render(
            request, "decide_selected", title=title, form=form, cases=[(case_page.case_title(c), c) for c in cases]
        )

    def _decide_one(self, request: HttpRequest, case: Case, form: DecisionForm) -> bool:
        version = parse_id(request.POST.get(f"version_{case.pk}", ""))
        reason = None
        if not request.POST.get("reason"):
            reason = case_page.suggest_reasons(case).get(Action(form.cleaned_data["decision"]))
        requested = form.to_request(version=-1 if version is None else version, reason=reason)
        return self._run_or_report(request, case, lambda: decide(case, requested, by=current_user(request)), quiet=True)

    def _render(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        context["can_view_users"] = request.user.has_perm("accounts.view_user")
        return TemplateResponse(request, f"moderation/{template}.html", context)

    @admin.display(description=_("case"))
    def case_title(self, case: Any) -> str:
        title = case_page.case_title(case)
        excerpt = (
            '{}<span class="block font-normal text-subtle" style="max-width: 34rem; white-space: normal">{}</span>'
        )
        return format_html(excerpt, title, case.excerpt) if case.excerpt else title

    @display(description=_("urgency"), label=COLORS, ordering="severity")  # type: ignore[untyped-decorator]
    def severity_badge(self, case: Case) -> Any:
        if not case.severity:
            return None
        level = "high" if case.severity >= 40 else "middle" if case.severity >= 20 else "low"
        return level, SEVERITY_LABELS[level]

    @display(description=_("status"), label=True)  # type: ignore[untyped-decorator]
    def status_badges(self, case: Any) -> Any:
        """Return the hidden state, "appealed" and the colleagues who view the case as separate labels."""
        hidden = case.get_hidden_state_display() if case.hidden_state else ""
        names = dict.fromkeys(view.by_name for view in case.other_views)
        viewed = [gettext("being viewed by %(name)s") % {"name": name} for name in names]
        return [label for label in (hidden, gettext("appealed") if case.is_appealed else "", *viewed) if label] or None

    @admin.display(description=_("reports"), ordering="reports_count")
    def reports(self, case: Any) -> str:
        """Return the reasons of the pending reports with their numbers."""
        return " · ".join(f"{label} {count}" for label, count in case.reasons) or "—"

    @admin.display(description=_("language"))
    def language_name(self, case: Case) -> str:
        return case_page.language_name(case.language) if case.language else "—"

    @admin.display(description=_("author"))
    def author_history(self, case: Any) -> str:
        """Return the author's name and the number of decisions against them."""
        if case.author is None:
            return "—"
        history = case_page.format_history(case.history)
        return format_html('{}<span class="block text-subtle">{}</span>', case.author.username, history)

    @admin.display(description=_("waiting time"), ordering="opened_at")
    def waiting_time(self, case: Case) -> str:
        """Return the age of the oldest pending report or appeal."""
        return timesince(case.opened_at) if case.status == "open" else "—"


def _available_actions(case: Case) -> list[Any]:
    if case.target_type not in report_targets:
        raise Http404
    return available_actions(case, report_targets[case.target_type])


def _error_message(error: APIException) -> str:
    """Return the first error message."""
    detail: Any = error.detail
    while isinstance(detail, dict | list):
        detail = next(iter(detail.values() if isinstance(detail, dict) else detail), "")
    return str(detail)
