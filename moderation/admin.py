"""The desk: the queue of cases, each on a page of its own, and the rows that nobody changes."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.dateparse import parse_datetime
from django.utils.formats import localize
from django.utils.timesince import timesince
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException
from unfold.decorators import display

from accounts.admin import UserAdmin
from accounts.authentication import caller
from accounts.models import User
from bookbridge.api.admin.base import LookingAdmin
from bookbridge.api.admin.filters import id_in
from bookbridge.api.transactions import conflict_as, retrying_atomic
from moderation import desk
from moderation.deciding import decide, possible, undo
from moderation.forms import ACTIONS, DecisionForm, WhyForm
from moderation.links import ReportableAdmin
from moderation.models import Case, Concealed, Decision, Opening, target_gone
from moderation.reasons import Ground
from moderation.services import open_case
from moderation.targets import targets

URGENCIES = {"high": _("high"), "middle": _("middle"), "low": _("low")}
COLORS = {"high": "danger", "middle": "warning", "low": "info"}


class QueueFilter(admin.SimpleListFilter):
    """What waits, unless something else is asked for."""

    title = _("queue")
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """By their words."""
        return [(word, name) for word, (name, _rows) in desk.QUEUES.items()]

    def choices(self, changelist: Any) -> Any:
        """Without a word for none."""
        for word, name in self.lookup_choices:
            query = changelist.get_query_string({self.parameter_name: word})
            yield {"selected": self.value() == word, "query_string": query, "display": name}

    def value(self) -> str:
        """The word; cases that are named are shown whatever their state."""
        value = super().value()
        return value if value in desk.QUEUES else "open"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those cases."""
        named = "id__in" in request.GET or request.GET.get("q")
        return queryset if named and super().value() is None else queryset.filter(desk.QUEUES[self.value()][1])


class KindFilter(admin.SimpleListFilter):
    """By what they are about."""

    title, parameter_name = _("kind"), "target_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """All that can be reported."""
        return [(word, target.label) for word, target in targets.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those cases."""
        return queryset.filter(target_type=self.value()) if self.value() else queryset


@admin.register(Case)
class CaseAdmin(LookingAdmin):
    """One queue, the greatest harm first, and a page for each case; decided by those who may."""

    list_display = ("what", "urgency", "reports", "standing", "author", "waits", "who_looks")
    list_filter = (QueueFilter, KindFilter)
    sortable_by = ("reports", "waits")
    ordering = ("-harm", "opened_at", "id")
    beside = ("author",)
    # As whoever takes several reviews to the desk is led.
    asked_by_links = ("id__in",)
    # What makes the search box appear; `get_search_results` does the searching.
    search_fields = ("id",)
    search_help_text = _("review:7, or an author’s username")
    actions = ("decide_together",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Case]:
        """With who else is at it."""
        return super().get_queryset(request).prefetch_related(desk.beside(caller(request)))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Through an index in any case."""
        term = search_term.strip()
        word, _colon, number = term.partition(":")
        pk = id_in(number.strip())
        if not term:
            return queryset, False
        if pk is not None:
            return queryset.filter(target_type=word.strip(), target_id=pk), False
        return queryset.filter(author__in=User.objects.named(term).values("pk")), False

    def has_decide_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may decide."""
        return request.user.has_perm("moderation.decide")

    def get_urls(self) -> list[Any]:
        """With the way from a thing to its case."""
        about = self.admin_site.admin_view(self.about_view)
        return [path("about/<str:word>/<int:pk>/", about, name="moderation_case_about"), *super().get_urls()]

    def about_view(self, request: HttpRequest, word: str, pk: int) -> HttpResponse:
        """To the case about a thing, opened where there is none: staff need no report to look at what they see."""
        if not self.has_decide_permission(request):
            raise PermissionDenied
        case = open_case(word, pk, by=caller(request))
        return HttpResponseRedirect(reverse("admin:moderation_case_change", args=[case.pk]))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of one case; each time it is opened is written down."""
        pk = id_in(object_id)
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
        undoing: Any = None,
        written: dict[str, Any] | None = None,
        written_to_undo: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """As the case is now; what was written in vain is kept, and what was chosen is to be chosen again."""
        user = caller(request)
        with conflict_as(PermissionDenied()):  # They have closed their account meanwhile.
            Opening.objects.create(case=case, by=user, by_name=user.username)
        shown = desk.shown_of(case, by=user)
        first = {"version": case.version, "seen": shown["about"].digest if shown["about"] else ""}
        may = self.has_decide_permission(request) and shown["about"] is not None
        if may and form is None:
            form = DecisionForm(possible=_possible(case), initial={**(written or {}), **first, "decision": None})
        if may and shown["last"] and undoing is None:
            undoing = WhyForm(initial=(written_to_undo or {}) | first, prefix="undo")
        # By these the theme shows which case it is, and an arrow back to the queue as it was filtered.
        shown |= {"original": case, "adminform": True, "preserved_filters": self.get_preserved_filters(request)}
        return self._answer(request, "case", title=shown["heading"], form=form, undoing=undoing, **shown)

    def _decide(self, request: HttpRequest, case: Case) -> HttpResponse:
        # Who comes too late is told so, and not that there is no such choice.
        is_late = id_in(request.POST.get("version", "")) not in (None, case.version)
        form = DecisionForm(request.POST, possible=ACTIONS if is_late else _possible(case))
        if not form.is_valid():
            return self._page(request, case, form=form)
        if self._try(request, case, lambda: decide(case, form.order(), by=caller(request))):
            return HttpResponseRedirect(request.get_full_path())
        return self._page(request, case, written=form.cleaned_data)

    def _undo(self, request: HttpRequest, case: Case) -> HttpResponse:
        form = WhyForm(request.POST, prefix="undo")
        if not form.is_valid():
            return self._page(request, case, undoing=form)
        decision = get_object_or_404(case.decisions, pk=id_in(request.POST["undo"]))
        cleaned = form.cleaned_data
        why = {"ground": Ground(cleaned["ground"]), "words": cleaned["words"], "version": cleaned["version"] or 0}
        if self._try(request, case, lambda: undo(decision, by=caller(request), **why)):
            return HttpResponseRedirect(request.get_full_path())
        return self._page(request, case, written_to_undo=cleaned)

    def _try(self, request: HttpRequest, case: Case, act: Any, *, quietly: bool = False) -> bool:
        """Do it; who loses a race, or may not, is told so."""
        try:
            act()
        except APIException as refused:
            if getattr(refused, "code", "") == "gone":
                retrying_atomic(target_gone)(case.target_type, [case.target_id])
            self.message_user(request, f"{case}: {_said(refused)}", messages.ERROR)
            case.refresh_from_db()
            return False
        if not quietly:
            self.message_user(request, gettext("Done. Its author is told, where it concerns them."), messages.SUCCESS)
        return True

    @admin.action(description=_("Decide the selected cases together"), permissions=["decide"])
    def decide_together(self, request: HttpRequest, queryset: QuerySet[Case]) -> HttpResponse | None:
        """One decision and one reason for several; each stands or falls by itself."""
        # Not out of `queryset`: what was decided while the page was open is no longer in the queue, and is to be told.
        chosen = [pk for text in request.POST.getlist(ACTION_CHECKBOX_NAME) if (pk := id_in(text)) is not None]
        cases = list(Case.objects.select_related("author").filter(pk__in=chosen[: self.list_per_page]).order_by("pk"))
        if "ground" not in request.POST:
            form = DecisionForm(possible=ACTIONS)
        else:
            form = DecisionForm(request.POST, possible=ACTIONS)
            if form.is_valid():
                done = sum(self._one_of_many(request, case, form) for case in cases)
                text = ngettext("%(n)d case decided.", "%(n)d cases decided.", done) % {"n": done}
                self.message_user(request, text, messages.SUCCESS if done else messages.WARNING)
                return None
        title = gettext("Decide together")
        return self._answer(request, "together", title=title, form=form, cases=[(desk.heading(c), c) for c in cases])

    def _one_of_many(self, request: HttpRequest, case: Case, form: DecisionForm) -> bool:
        version = id_in(request.POST.get(f"version_{case.pk}", ""))
        order = form.order(version=-1 if version is None else version)
        return self._try(request, case, lambda: decide(case, order, by=caller(request)), quietly=True)

    def _answer(self, request: HttpRequest, template: str, **shown: Any) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, **shown}
        context["may_see_people"] = request.user.has_perm("accounts.view_user")
        return TemplateResponse(request, f"moderation/{template}.html", context)

    @admin.display(description=_("what"))
    def what(self, case: Case) -> str:
        """The kind and the title."""
        return desk.heading(case)

    @display(description=_("urgency"), label=COLORS, ordering="harm")  # type: ignore[untyped-decorator]
    def urgency(self, case: Case) -> Any:
        """In three words."""
        if not case.harm:
            return None
        word = "high" if case.harm >= 40 else "middle" if case.harm >= 20 else "low"
        return word, URGENCIES[word]

    @display(description=_("standing"), label=True)  # type: ignore[untyped-decorator]
    def standing(self, case: Case) -> Any:
        """Whether it is hidden, and appealed: a label each, or a list would be too wide for its page."""
        hidden = case.get_concealed_display() if case.concealed else ""
        return [word for word in (hidden, gettext("appealed") if case.is_appealed else "") if word] or None

    @admin.display(description=_("reports"), ordering="reports_count")
    def reports(self, case: Case) -> int:
        """How many wait."""
        return case.reports_count

    @admin.display(description=_("waits for"), ordering="opened_at")
    def waits(self, case: Case) -> str:
        """How long the oldest report or appeal has waited."""
        return timesince(case.opened_at) if case.state == "open" else "—"

    @admin.display(description=_("being looked at by"))
    def who_looks(self, case: Any) -> str:
        """Who else has opened it a moment ago."""
        return ", ".join(dict.fromkeys(opening.by_name for opening in case.looking)) or "—"


@admin.register(Decision)
class DecisionAdmin(LookingAdmin):
    """What was decided: who, when, why. Nobody changes it here or anywhere."""

    list_display = ("id", "case", "action", "ground", "by_name", "subject", "at")
    list_filter = ("action",)
    beside = ("case", "subject")
    search_fields = ("by_name",)
    search_help_text = _("The username of whom it bears on")
    fields = ("case", "action", "ground", "words", "until", "by_name", "subject", "undoes", "shown_before", "at")
    readonly_fields = ("shown_before",)

    @admin.display(description=_("before"))
    def shown_before(self, decision: Decision) -> str:
        """How things were, in words."""
        concealed, until = decision.before.get("concealed", ""), decision.before.get("suspended_until")
        suspended = ""
        if until:
            suspended = gettext("Suspended until %(until)s") % {"until": localize(parse_datetime(until))}
        return " · ".join(filter(None, (str(Concealed(concealed).label), suspended)))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As for cases."""
        return request.user.has_perm("moderation.view_case")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Through an index."""
        term = search_term.strip()
        return (queryset.filter(subject__in=User.objects.named(term).values("pk")) if term else queryset), False


@admin.register(Opening)
class OpeningAdmin(LookingAdmin):
    """Who has opened which case, and so read what it is about."""

    list_display = ("id", "case", "by_name", "at")
    beside = ("case",)
    fields = ("case", "by_name", "at")


admin.site.unregister(User)


@admin.register(User)
class ReportableUserAdmin(UserAdmin, ReportableAdmin):  # type: ignore[misc]
    """Readers, whom accounts know nothing to report about."""

    word = "user"


def _possible(case: Case) -> list[Any]:
    if case.target_type not in targets:
        raise Http404
    return possible(case, targets[case.target_type])


def _said(refused: APIException) -> str:
    """A refusal in one sentence."""
    detail: Any = refused.detail
    while isinstance(detail, dict | list):
        detail = next(iter(detail.values() if isinstance(detail, dict) else detail), "")
    return str(detail)
