"""Reviews in the admin: found, read, taken to the moderators' desk and removed; nobody writes another's."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.authentication import caller
from accounts.models import User
from bookbridge.api.admin.base import LookingAdmin
from bookbridge.api.admin.filters import id_in
from bookbridge.api.joins import looking_up
from moderation.links import ReportableAdmin
from moderation.services import open_case
from reviews.models import Review

MOST_AT_ONCE = 50


@admin.register(Review)
class ReviewAdmin(ReportableAdmin, LookingAdmin):
    """Staff read every review, whoever it is for, and take to the desk what may break the rules."""

    word = "review"
    list_display = ("id", "book", "author", "shown_rating", "visibility", "hidden_at", "likes_count", "created_at")
    list_display_links = ("id", "book")
    list_filter = (("hidden_at", admin.EmptyFieldListFilter),)
    sortable_by = ("likes_count", "created_at")
    # What makes the search box appear; `get_search_results` does the searching.
    search_fields = ("id",)
    search_help_text = _("An id, book: and an id, or a username")
    fields = (
        *("book", "author", "shown_rating", "title", "body", "contains_spoilers", "language", "visibility"),
        *("hidden_at", "likes_count", "created_at", "edited_at"),
    )
    readonly_fields = fields
    actions = ("take_to_desk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Review]:
        """Without the long texts that no page shows."""
        rows: QuerySet[Review] = looking_up(super().get_queryset(request).select_related("author"), "book")
        return rows.defer("book__description", "book__search_text", "author__bio", "author__search_text")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Through an index in any case: by id, by book, by author."""
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
        """What must not be kept at all can be removed."""
        return request.user.has_perm("reviews.delete_review")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Who may decide cases."""
        return request.user.has_perm("moderation.decide")

    @admin.display(description=_("rating"), ordering="rating")
    def shown_rating(self, review: Review) -> str:
        """In stars."""
        return review.in_stars or "-"

    @admin.action(description=_("Take the selected reviews to the moderators’ desk"), permissions=["decide"])
    def take_to_desk(self, request: HttpRequest, queryset: QuerySet[Review]) -> HttpResponse:
        """Where they are hidden, restored and answered for, each decision with its reason."""
        user = caller(request)
        cases = [open_case("review", pk, by=user).pk for pk in queryset.values_list("pk", flat=True)[:MOST_AT_ONCE]]
        return HttpResponseRedirect(f"{reverse('admin:moderation_case_changelist')}?id__in={','.join(map(str, cases))}")

    def delete_model(self, request: HttpRequest, obj: Review) -> None:
        """In the model's words."""
        obj.remove()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Review]) -> None:
        """In the model's words, all or none."""
        with transaction.atomic():
            for review in queryset.order_by("id"):
                review.remove()
