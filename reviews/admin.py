"""Admin of reviews: search, read, open moderation cases and delete. Reviews cannot be edited."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.authentication import caller
from accounts.models import User
from bookbridge.api.admin import LookingAdmin, id_in
from bookbridge.api.joins import looking_up
from moderation.links import ReportableAdmin
from moderation.services import open_case
from reviews.models import Review

MOST_AT_ONCE = 50


@admin.register(Review)
class ReviewAdmin(ReportableAdmin, LookingAdmin):
    """Read-only admin of all reviews, regardless of visibility."""

    word = "review"
    list_display = ("id", "book", "author", "shown_rating", "visibility", "hidden_at", "likes_count", "created_at")
    list_display_links = ("id", "book")
    list_filter = (("hidden_at", admin.EmptyFieldListFilter),)
    sortable_by = ("likes_count", "created_at")
    # Django only shows the search box if this is set; `get_search_results` does the search.
    search_fields = ("id",)
    search_help_text = _("A review id, book:7, or a username")
    fields = (
        *("book", "author", "shown_rating", "title", "body", "contains_spoilers", "language", "visibility"),
        *("hidden_at", "likes_count", "created_at", "edited_at"),
    )
    readonly_fields = fields
    actions = ("take_to_desk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Review]:
        """Defer long texts that no page shows."""
        rows: QuerySet[Review] = looking_up(super().get_queryset(request).select_related("author"), "book")
        return rows.defer("book__description", "book__search_text", "author__bio", "author__search_text")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        number, book = id_in(term), id_in(term.removeprefix("book:").strip())
        if not term:
            return queryset, False
        if number is not None:
            return queryset.filter(pk=number), False
        if book is not None:
            return queryset.filter(book=book), False
        return queryset.filter(author__in=User.objects.named(term).values("pk")), False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow deletion, for content that must not be stored at all."""
        return request.user.has_perm("reviews.delete_review")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("moderation.decide")

    @admin.display(description=_("rating"), ordering="rating")
    def shown_rating(self, review: Review) -> str:
        return review.in_stars or "-"

    @admin.action(description=_("Open moderation cases for the selected reviews"), permissions=["decide"])
    def take_to_desk(self, request: HttpRequest, queryset: QuerySet[Review]) -> HttpResponse:
        """Open the cases of the selected reviews and show them in the queue."""
        user = caller(request)
        cases = [open_case("review", pk, by=user).pk for pk in queryset.values_list("pk", flat=True)[:MOST_AT_ONCE]]
        return HttpResponseRedirect(f"{reverse('admin:moderation_case_changelist')}?id__in={','.join(map(str, cases))}")

    def delete_model(self, request: HttpRequest, obj: Review) -> None:
        obj.remove()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Review]) -> None:
        with transaction.atomic():
            for review in queryset.order_by("id"):
                review.remove()
