"""Admin views that list likely duplicates and merge two books."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.authentication import current_user
from catalog.merges.duplicate_groups import KEY_FIELDS, MAX_BOOKS_PER_GROUP, duplicate_groups
from catalog.merges.services import merge_books
from catalog.models import REASON_LENGTH, Book
from core.admin.filters import parse_id
from core.api.exceptions import Conflict
from core.audit import log_audit_event
from core.db.transactions import atomic_with_retry
from core.search.normalize import is_blank

KEY_FIELD_LABELS = {"work_key": _("Same title and author"), "edition_key": _("Same title and publisher")}


class ReasonForm(forms.Form):
    """Form that asks for the reason of an action."""

    reason = forms.CharField(max_length=REASON_LENGTH, label=_("Reason"), widget=UnfoldAdminTextareaWidget({"rows": 3}))

    def clean_reason(self) -> str:
        reason = str(self.cleaned_data["reason"])
        if is_blank(reason):
            raise ValidationError(_("Enter a reason."))
        return reason


def duplicates(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Show groups of likely duplicates, or mark a group as distinct."""
    _check_permission(model_admin, request)
    key_field = request.GET.get("key_field", KEY_FIELDS[0])
    if key_field not in KEY_FIELDS:
        raise Http404
    if request.method == "POST":
        _mark_distinct(model_admin, request, key_field)
        return HttpResponseRedirect(request.get_full_path())
    groups, next_key = duplicate_groups(key_field, after=request.GET.get("after", ""))
    key_fields = [(key, name, key == key_field) for key, name in KEY_FIELD_LABELS.items()]
    next_page = "?" + urlencode({"key_field": key_field, "after": next_key}) if next_key else ""
    return _render(
        model_admin,
        request,
        "duplicates",
        title=gettext("Likely duplicates"),
        groups=groups,
        key_fields=key_fields,
        next_page=next_page,
    )


def merge(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Show two books side by side, or merge them."""
    _check_permission(model_admin, request)
    ids = [parse_id(text) for text in request.GET.getlist("book")]
    candidates = Book.objects.not_merged().filter(pk__in=[pk for pk in ids if pk is not None]).for_detail()
    books = sorted(candidates, key=lambda book: (-book.ratings_count, book.pk))
    if len(books) != 2:
        model_admin.message_user(request, _("Select two books that have not been merged into others."), messages.ERROR)
        return HttpResponseRedirect(reverse("admin:catalog_book_changelist"))
    form = ReasonForm(request.POST or None)
    target = parse_id(request.POST.get("target", ""))
    if request.method == "POST" and form.is_valid() and target in {book.pk for book in books}:
        ordered = sorted(books, key=lambda book: book.pk != target)
        return _merge(model_admin, request, *ordered, reason=form.cleaned_data["reason"])
    compared = [(name, [_display_value(book, name) for book in books]) for name in COMPARED_FIELDS]
    rows = [(COMPARED_FIELDS[name], values, values[0] != values[1]) for name, values in compared]
    context = {
        "books": books,
        "rows": rows,
        "form": form,
        "target": target if request.method == "POST" else books[0].pk,
    }
    return _render(model_admin, request, "merge", title=gettext("Merge two books"), **context)


def _merge(model_admin: Any, request: HttpRequest, target: Book, source: Book, *, reason: str) -> HttpResponse:
    try:
        merge = merge_books(target=target, source=source, by=current_user(request), reason=reason)
    except Conflict as conflict:
        model_admin.message_user(request, conflict.detail, messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())
    text = _("“%(source)s” was merged into “%(target)s”.") % {"source": source, "target": target}
    model_admin.message_user(request, text, messages.SUCCESS)
    return HttpResponseRedirect(reverse("admin:catalog_merge_change", args=[merge.pk]))


@atomic_with_retry
def _mark_distinct(model_admin: Any, request: HttpRequest, key_field: str) -> None:
    """Mark the submitted books of a group as distinct."""
    ids = [pk for text in request.POST.getlist("book")[:MAX_BOOKS_PER_GROUP] if (pk := parse_id(text)) is not None]
    Book.objects.not_merged().filter(pk__in=ids).update(confirmed_distinct=True)
    log_audit_event("book.told_apart", by=current_user(request), detail=f"{key_field}: {', '.join(map(str, ids))}")
    model_admin.message_user(request, _("Marked as different books."), messages.SUCCESS)


def _check_permission(model_admin: Any, request: HttpRequest) -> None:
    if not model_admin.has_merge_permission(request):
        raise PermissionDenied


def _render(model_admin: Any, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    context = {**model_admin.admin_site.each_context(request), "opts": model_admin.opts, **context}
    return TemplateResponse(request, f"catalog/{template}.html", context)


COMPARED_FIELDS: dict[str, Any] = {
    "title": _("Title"),
    "authors": _("Authors"),
    "isbn13": "ISBN",
    "editions": _("Editions"),
    "published_year": _("Year"),
    "language": _("Language"),
    "page_count": _("Pages"),
    "subjects": _("Subjects"),
    "description": _("Description"),
    "ratings_count": _("Ratings"),
    "average_rating": _("Average"),
    "clubs_reading": _("Clubs reading it"),
    "clubs_finished": _("Clubs that finished it"),
}
COLUMN_LABELS = COMPARED_FIELDS | {"cover_url": _("Cover URL")}


def column_label(name: str) -> str:
    """Return the label of a field of `Book`."""
    return str(COLUMN_LABELS.get(name, name))


def _display_value(book: Book, name: str) -> str:
    value = [edition.isbn13 for edition in book.all_editions] if name == "editions" else getattr(book, name)
    return "; ".join(value) if isinstance(value, list) else str("" if value is None else value)
