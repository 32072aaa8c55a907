"""The pages on which staff find likely duplicates and merge two books."""

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

from accounts.authentication import caller
from bookbridge.api.admin.filters import id_in
from bookbridge.api.audit import audit
from bookbridge.api.errors import Conflict
from bookbridge.api.text import is_blank
from bookbridge.api.transactions import retrying_atomic
from catalog.duplicates import MOST_SHOWN, WAYS, groups
from catalog.merging.models import REASON_LENGTH
from catalog.merging.services import merge_books
from catalog.models import Book

WAY_NAMES = {"work_key": _("Same title and author"), "print_key": _("Same title and publisher")}


class ReasonForm(forms.Form):
    """Why something is done."""

    reason = forms.CharField(max_length=REASON_LENGTH, label=_("Why"), widget=UnfoldAdminTextareaWidget({"rows": 3}))

    def clean_reason(self) -> str:
        """Something that is seen."""
        reason = str(self.cleaned_data["reason"])
        if is_blank(reason):
            raise ValidationError(_("Please say why."))
        return reason


def duplicates(page: Any, request: HttpRequest) -> HttpResponse:
    """Likely duplicates, a group each, in the order of their keys."""
    _require(page, request)
    way = request.GET.get("way", WAYS[0])
    if way not in WAYS:
        raise Http404
    if request.method == "POST":
        _tell_apart(page, request, way)
        return HttpResponseRedirect(request.get_full_path())
    found, further = groups(way, after=request.GET.get("after", ""))
    ways = [(word, name, word == way) for word, name in WAY_NAMES.items()]
    more = "?" + urlencode({"way": way, "after": further}) if further else ""
    return _answer(page, request, "duplicates", title=gettext("Likely duplicates"), groups=found, ways=ways, more=more)


def merge(page: Any, request: HttpRequest) -> HttpResponse:
    """Two books side by side; which is kept, and why."""
    _require(page, request)
    wanted = [id_in(text) for text in request.GET.getlist("book")]
    rows = Book.objects.standing().filter(pk__in=[pk for pk in wanted if pk is not None]).for_detail()
    found = sorted(rows, key=lambda book: (-book.ratings_count, book.pk))
    if len(found) != 2:
        page.message_user(request, _("Select two books that are not part of others."), messages.ERROR)
        return HttpResponseRedirect(reverse("admin:catalog_book_changelist"))
    form = ReasonForm(request.POST or None)
    kept = id_in(request.POST.get("kept", ""))
    if request.method == "POST" and form.is_valid() and kept in {book.pk for book in found}:
        ordered = sorted(found, key=lambda book: book.pk != kept)
        return _merge(page, request, *ordered, reason=form.cleaned_data["reason"])
    facts = [(name, [_fact(book, name) for book in found]) for name in FACTS]
    labelled = [(FACTS[name], values, values[0] != values[1]) for name, values in facts]
    shown = {"books": found, "facts": labelled, "form": form, "kept": kept if request.method == "POST" else found[0].pk}
    return _answer(page, request, "merge", title=gettext("Merge two books"), **shown)


def _merge(page: Any, request: HttpRequest, kept: Book, gone: Book, *, reason: str) -> HttpResponse:
    try:
        done = merge_books(kept=kept, gone=gone, by=caller(request), reason=reason)
    except Conflict as refused:
        page.message_user(request, refused.detail, messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())
    text = _("“%(gone)s” is part of “%(kept)s” now.") % {"gone": gone, "kept": kept}
    page.message_user(request, text, messages.SUCCESS)
    return HttpResponseRedirect(reverse("admin:catalog_merge_change", args=[done.pk]))


@retrying_atomic
def _tell_apart(page: Any, request: HttpRequest, way: str) -> None:
    """Remember that the books of a group are not the same, as it was shown."""
    ids = [pk for text in request.POST.getlist("book")[:MOST_SHOWN] if (pk := id_in(text)) is not None]
    Book.objects.standing().filter(pk__in=ids).update(told_apart=True)
    audit("book.told_apart", by=caller(request), detail=f"{way}: {', '.join(map(str, ids))}")
    page.message_user(request, _("They are not shown together again."), messages.SUCCESS)


def _require(page: Any, request: HttpRequest) -> None:
    if not page.has_merge_permission(request):
        raise PermissionDenied


def _answer(page: Any, request: HttpRequest, template: str, **shown: Any) -> HttpResponse:
    context = {**page.admin_site.each_context(request), "opts": page.opts, **shown}
    return TemplateResponse(request, f"catalog/{template}.html", context)


FACTS: dict[str, Any] = {
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
COLUMNS = FACTS | {"cover_url": _("Cover URL")}


def called(name: str) -> str:
    """What a column of a book is called on these pages."""
    return str(COLUMNS.get(name, name))


def _fact(book: Book, name: str) -> str:
    value = getattr(book, name)
    if name == "editions":
        value = [edition.isbn13 for edition in value.all()]
    return "; ".join(value) if isinstance(value, list) else str("" if value is None else value)
