"""Clubs in the admin."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException

from bookbridge.api.admin.base import QuickAdmin
from bookbridge.api.admin.filters import id_in
from clubs.clubs.models import Club, ClubQuerySet, JoinPolicy, Visibility
from clubs.statistics.charts import of_club
from moderation.links import ReportableAdmin


class ClubForm(forms.ModelForm):  # type: ignore[type-arg]
    """What staff may change of a club; `Club.change` does it."""

    class Meta:
        model = Club
        fields = ("name", "description", "visibility", "join_policy", "member_limit", "language", "timezone")

    def clean_language(self) -> str:
        """In lower case."""
        return str(self.cleaned_data["language"]).lower()

    def clean(self) -> dict[str, Any]:
        """A private club's policy follows from its visibility, and its members must have room."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("visibility") == Visibility.PRIVATE:
            cleaned["join_policy"] = JoinPolicy.INVITE
        limit = cleaned.get("member_limit")
        if limit is not None and limit < self.instance.members_count:
            raise ValidationError({"member_limit": _("More readers than that are in the club.")})
        return cleaned


@admin.register(Club)
class ClubAdmin(ReportableAdmin, QuickAdmin):
    """Clubs: found by their words, changed and dissolved by the model's own rules; readers found them."""

    word = "club"
    form = ClubForm
    list_display = ("name", "visibility", "join_policy", "owner", "members_count", "language", "created_at")
    list_filter = ("visibility", "join_policy")
    beside = ("owner",)
    sortable_by = ("members_count", "created_at")
    # What makes the search box appear; `get_search_results` does the searching.
    search_fields = ("name_key",)
    search_help_text = _("Words of name and description, or a club's id")
    actions = ("remove_covers",)
    readonly_fields = ("owner", "members_count", "picture", "links", "created_at", "updated_at")
    fields = (*ClubForm.Meta.fields, *readonly_fields)
    change_form_outer_before_template = "charts/all.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Club]:
        """Without the words of the search index."""
        return super().get_queryset(request).defer("search_text")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By the same rules as in the API, and by id."""
        term = search_term.strip()
        if not term or not isinstance(queryset, ClubQuerySet):
            return queryset, False
        number = id_in(term)
        return queryset.search(term) if number is None else queryset.filter(pk=number), False

    @admin.display(description=_("picture"))
    def picture(self, club: Club) -> str | None:
        """Its address."""
        return club.cover_url

    @admin.display(description=_("in this club"))
    def links(self, club: Club) -> SafeString:
        """The ways to its members and invitations."""
        links = [f"{reverse(f'admin:clubs_{name}_changelist')}?club__id__exact={club.pk}" for name in SUBJECTS]
        text = '<a class="underline" href="{}">{}</a> · <a class="underline" href="{}">{}</a>'
        return format_html(text, links[0], _("members"), links[1], _("invitations"))

    def has_pictures_permission(self, request: HttpRequest) -> bool:
        """Who may change clubs here, or decides about what they show."""
        return request.user.has_perm("clubs.change_club") or request.user.has_perm("moderation.decide")

    @admin.action(description=_("Remove pictures"), permissions=["pictures"])
    def remove_covers(self, request: HttpRequest, queryset: QuerySet[Club]) -> None:
        """For pictures that nobody should have to see."""
        for club in queryset.exclude(cover="").order_by("id"):
            club.change(by=None, cover="")
        self.message_user(request, _("The pictures are removed."))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Readers found clubs."""
        return False

    def save_model(self, request: HttpRequest, obj: Club, form: Any, change: bool) -> None:
        """In the model's words: what was changed in the form."""
        changed = [*form.changed_data, "join_policy"]
        Club.objects.get(pk=obj.pk).change(by=None, **{name: form.cleaned_data[name] for name in changed})

    def delete_model(self, request: HttpRequest, obj: Club) -> None:
        """In the model's words."""
        obj.dissolve(by=None)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Club]) -> None:
        """In the model's words, all or none."""
        with transaction.atomic():
            for club in queryset.order_by("id"):
                club.dissolve(by=None)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The clubs alone: a page with ten thousand members on it helps nobody."""
        names = [str(club) for club in objs]
        return names, {Club._meta.verbose_name_plural: len(names)}, set(), []

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With pictures of how the club is doing."""
        club = self.get_object(request, object_id) if request.method == "GET" else None
        shown = {"charts": of_club(club)} if club else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """As it is; who loses a race is told so."""
        return self._or_told(super().changeform_view, request, *args, **kwargs)

    def _or_told(
        self, view: Callable[..., HttpResponse], request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except APIException as lost:
            self.message_user(request, str(lost.detail), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())


SUBJECTS = ("membership", "invitation")
