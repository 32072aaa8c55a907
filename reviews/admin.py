"""Admin of reviews: search, read, open moderation cases and delete. Reviews cannot be edited."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.authentication import current_user
from accounts.models import User
from core.admin.base import ReadOnlyModelAdmin
from core.admin.filters import parse_id
from core.db.joins import select_related_left
from moderation.admin_mixins import ReportableModelAdmin
from moderation.services import open_case
from reviews.models import Review

MAX_CASES_AT_ONCE = 50


@admin.register(Review)
class ReviewAdmin(ReportableModelAdmin, ReadOnlyModelAdmin):
    """Read-only admin of all reviews, regardless of visibility."""

    target_type = "review"
    list_display = ("id", "book", "author", "rating_display", "visibility", "hidden_at", "likes_count", "created_at")
    list_display_links = ("id", "book")
    list_filter = (("hidden_at", admin.EmptyFieldListFilter),)
    sortable_by = ("likes_count", "created_at")
    # Django only shows the search box if this is set; `get_search_results` does the search.
    search_fields = ("id",)
    search_help_text = _("A review id, book:7, or a username")
    fields = (
        *("book", "author", "rating_display", "title", "body", "contains_spoilers", "language", "visibility"),
        *("hidden_at", "likes_count", "created_at", "edited_at"),
    )
    readonly_fields = fields
    actions = ("open_cases",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Review]:
        """Defer long texts that no page shows."""
        rows: QuerySet[Review] = select_related_left(super().get_queryset(request).select_related("author"), "book")
        return rows.defer("book__description", "book__search_text", "author__bio", "author__search_text")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        number, book = parse_id(term), parse_id(term.removeprefix("book:").strip())
        if not term:
            return queryset, False
        if number is not None:
            return queryset.filter(pk=number), False
        if book is not None:
            return queryset.filter(book=book), False
        return queryset.filter(author__in=User.objects.by_username(term).values("pk")), False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow deletion, for content that must not be stored at all."""
        return request.user.has_perm("reviews.delete_review")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("moderation.decide")

    @admin.display(description=_("rating"), ordering="rating")
    def rating_display(self, review: Review) -> str:
        return review.stars_display or "-"

    @admin.action(description=_("Open moderation cases for the selected reviews"), permissions=["decide"])
    def open_cases(self, request: HttpRequest, queryset: QuerySet[Review]) -> HttpResponse:
        """Open the cases of the selected reviews and show them in the queue."""
        user = current_user(request)
        cases = [
            open_case("review", pk, by=user).pk for pk in queryset.values_list("pk", flat=True)[:MAX_CASES_AT_ONCE]
        ]
        return HttpResponseRedirect(f"{reverse('admin:moderation_case_changelist')}?id__in={','.join(map(str, cases))}")

    def delete_model(self, request: HttpRequest, obj: Review) -> None:
        obj.delete_review()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Review]) -> None:
        with transaction.atomic():
            for review in queryset.order_by("id"):
                review.delete_review()
