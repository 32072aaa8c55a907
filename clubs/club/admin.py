"""Admin of clubs."""

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

from clubs.club.choices import JoinPolicy, Visibility
from clubs.club.models import Club
from clubs.club.querysets import ClubQuerySet
from core.admin.base import LargeTableModelAdmin
from core.admin.filters import parse_id
from core.registry import club_charts
from moderation.admin_mixins import ReportableModelAdmin


class ClubForm(forms.ModelForm):  # type: ignore[type-arg]
    """Fields that staff may change, saved by `Club.update_club`."""

    class Meta:
        model = Club
        fields = ("name", "description", "visibility", "join_policy", "member_limit", "language", "timezone")

    def clean_language(self) -> str:
        return str(self.cleaned_data["language"]).lower()

    def clean(self) -> dict[str, Any]:
        """Set the join policy of private clubs and check the member limit."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("visibility") == Visibility.PRIVATE:
            cleaned["join_policy"] = JoinPolicy.INVITE
        limit = cleaned.get("member_limit")
        if limit is not None and limit < self.instance.members_count:
            raise ValidationError({"member_limit": _("The club already has more members.")})
        return cleaned


@admin.register(Club)
class ClubAdmin(ReportableModelAdmin, LargeTableModelAdmin):
    """Clubs can be searched, changed and deleted by staff, but not created."""

    target_type = "club"
    form = ClubForm
    list_display = ("name", "visibility", "join_policy", "owner", "members_count", "language", "created_at")
    list_filter = ("visibility", "join_policy")
    list_prefetch_related = ("owner",)
    sortable_by = ("members_count", "created_at")
    # Django only shows the search box if this is set; `get_search_results` does the search.
    search_fields = ("name_key",)
    search_help_text = _("A club id, or words of name or description")
    actions = ("remove_covers",)
    readonly_fields = ("owner", "members_count", "cover_image", "links", "created_at", "updated_at")
    fields = (*ClubForm.Meta.fields, *readonly_fields)
    change_form_outer_before_template = "core/charts.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Club]:
        return super().get_queryset(request).defer("search_text")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search by id, or by words as in the API."""
        term = search_term.strip()
        if not term or not isinstance(queryset, ClubQuerySet):
            return queryset, False
        number = parse_id(term)
        return queryset.search(term) if number is None else queryset.filter(pk=number), False

    @admin.display(description=_("cover image"))
    def cover_image(self, club: Club) -> str | None:
        return club.cover_url

    @admin.display(description=_("in this club"))
    def links(self, club: Club) -> SafeString:
        urls = [f"{reverse(f'admin:clubs_{name}_changelist')}?club__id__exact={club.pk}" for name in LINKED_MODELS]
        text = '<a class="underline" href="{}">{}</a> · <a class="underline" href="{}">{}</a>'
        return format_html(text, urls[0], _("members"), urls[1], _("invitations"))

    def has_covers_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("clubs.change_club") or request.user.has_perm("moderation.decide")

    @admin.action(description=_("Remove cover images"), permissions=["covers"])
    def remove_covers(self, request: HttpRequest, queryset: QuerySet[Club]) -> None:
        for club in queryset.exclude(cover="").order_by("id"):
            club.update_club(by=None, cover="")
        self.message_user(request, _("The cover images have been removed."))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Club, form: Any, change: bool) -> None:
        changed = [*form.changed_data, "join_policy"]
        Club.objects.get(pk=obj.pk).update_club(by=None, **{name: form.cleaned_data[name] for name in changed})

    def delete_model(self, request: HttpRequest, obj: Club) -> None:
        obj.delete_club(by=None)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Club]) -> None:
        with transaction.atomic():
            for club in queryset.order_by("id"):
                club.delete_club(by=None)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """List only the clubs, because a club may have ten thousand related objects."""
        names = [str(club) for club in objs]
        return names, {Club._meta.verbose_name_plural: len(names)}, set(), []

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        club = self.get_object(request, object_id) if request.method == "GET" else None
        charts = [chart for build in club_charts.values() for chart in build(club)] if club else []
        context = {"charts": charts} if club else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show an API error, such as a conflict with a concurrent change, as a message."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except APIException as error:
            self.message_user(request, str(error.detail), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())


LINKED_MODELS = ("membership", "invitation")
