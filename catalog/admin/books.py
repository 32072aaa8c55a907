"""Admin for books."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from catalog.isbn import INVALID_ISBN_MESSAGE, find_isbn, normalize_isbn
from catalog.merges import admin_views
from catalog.models import EDITABLE_FIELDS, MAX_NAMES, NAME_LENGTH, NAMES_ERROR, Book, Edition, Revision
from catalog.querysets import BookQuerySet
from core.admin.base import LargeTableModelAdmin
from core.api.exceptions import Conflict
from core.images.storage import is_stored_name
from core.languages import INVALID_LANGUAGE_MESSAGE, parse_tag
from core.search.fields import query_terms
from moderation.admin_mixins import ReportableModelAdmin

# Search terms are common if this share of the most rated books contains them.
SAMPLE_SIZE, COMMON_WORD_SHARE = 2_000, 0.02


class NormalizedCharField(forms.CharField):
    """A text field that compares normalized values, so that another notation of the same value is not a change."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare the cleaned value; compare invalid and empty input as text."""
        try:
            return bool(self.clean(data) != initial)
        except ValidationError:
            return super().has_changed(initial, data)


class OnePerLineField(NormalizedCharField):
    """A list of names, one per line."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=UnfoldAdminTextareaWidget({"rows": 3}), help_text=_("One per line."), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        names = [name.strip() for name in super().clean(value).splitlines() if name.strip()]
        if len(names) > MAX_NAMES or any(len(name) > NAME_LENGTH for name in names):
            raise ValidationError(NAMES_ERROR)
        return names


class IsbnField(NormalizedCharField):
    """An optional ISBN in any notation, normalized by `clean()`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=UnfoldAdminTextInputWidget(), **kwargs)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return normalize_isbn(text) if text else None
        except ValueError:
            raise ValidationError(INVALID_ISBN_MESSAGE) from None


class CoverField(forms.URLField):
    """The URL of an external image, or the name of an image in our storage."""

    def __init__(self, **kwargs: Any) -> None:
        widget = UnfoldAdminTextInputWidget()  # type="url" would reject the name of a stored image
        super().__init__(
            required=False, max_length=500, assume_scheme="https", widget=widget, label=_("Cover URL"), **kwargs
        )

    def to_python(self, value: Any) -> Any:
        return value if is_stored_name(str(value)) else super().to_python(value)

    def run_validators(self, value: Any) -> None:
        if not is_stored_name(str(value)):
            super().run_validators(value)


class LanguageForm(forms.ModelForm):  # type: ignore[type-arg]
    """Base of the forms with a language, which is stored as the API stores it."""

    def clean_language(self) -> str:
        text = self.cleaned_data["language"]
        tag = parse_tag(text)
        if text and not tag:
            raise ValidationError(INVALID_LANGUAGE_MESSAGE)
        return tag


class BookForm(LanguageForm):
    """Form for books. `BookAdmin.save_model` saves with `Book.create_book` and `Book.update_book`."""

    authors = OnePerLineField(label=_("Authors"))
    subjects = OnePerLineField(label=_("Subjects"), required=False)
    isbn = IsbnField(required=False, label="ISBN", help_text=_("ISBN of the main edition."))
    cover_url = CoverField()

    class Meta:
        model = Book
        fields = ("title", "published_year", "language", "page_count", "description")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            for name in ("authors", "subjects", "cover_url"):
                self.initial[name] = getattr(self.instance, name)
            self.initial["isbn"] = self.instance.isbn13

    def clean_isbn(self) -> str | None:
        isbn13: str | None = self.cleaned_data["isbn"]
        if isbn13 and Edition.objects.filter(isbn13=isbn13).exclude(book=self.instance.pk).exists():
            raise ValidationError(_("Another book has this ISBN."))
        return isbn13


class EditionForm(LanguageForm):
    isbn13 = IsbnField(label="ISBN")

    class Meta:
        model = Edition
        fields = ("isbn13", "title", "format", "publisher", "language", "page_count", "published_year")


class EditionInline(TabularInline):
    """Editions of a book. They cannot be changed or deleted here, because the main edition must match its book."""

    model = Edition
    form = EditionForm
    extra = 0

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LanguageFilter(admin.SimpleListFilter):
    """Filter by the languages that books have, which are read from an index."""

    title = _("language")
    parameter_name = "language"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        tags = Book.objects.order_by("language").values_list("language", flat=True).distinct()[:100]
        return [(tag, tag) for tag in tags if tag]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(language=self.value()) if self.value() else queryset


@admin.register(Book)
class BookAdmin(ReportableModelAdmin, LargeTableModelAdmin):
    """Admin for books. Searches like the API, and saves a revision with each change."""

    target_type = "book"
    form = BookForm
    inlines = (EditionInline,)
    list_display = ("title", "author", "language", "published_year", "ratings_count", "average_rating", "created_at")
    list_filter = (LanguageFilter, ("isbn13", admin.EmptyFieldListFilter), ("added_by", admin.EmptyFieldListFilter))
    sortable_by = ("published_year", "ratings_count", "average_rating", "created_at")
    ordering = ("-ratings_count", "-id")
    # Django only shows the search box if this is set; `get_search_results` does the search.
    search_fields = ("title_key",)
    search_help_text = _("Words of title and authors, or an ISBN")
    actions = ("compare_selected",)
    actions_list = ("duplicates",)
    fieldsets = (
        (None, {"fields": ("title", "authors", "isbn", "published_year", "language", "page_count")}),
        (_("More"), {"fields": ("description", "subjects", "cover_url")}),
        (_("History"), {"fields": ("added_by", "origin", "created_at", "updated_at", "revisions_link")}),
    )
    readonly_fields = ("added_by", "origin", "created_at", "updated_at", "revisions_link")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Book]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return _as_book_queryset(rows).not_merged().defer("search_text", "description")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search by the same rules as the API, or by ISBN."""
        if not search_term.strip():
            return queryset, False
        books = _as_book_queryset(queryset)
        if find_isbn(search_term):
            return books.search(search_term), False
        return self._search(books, query_terms(search_term)), False

    def _search(self, books: BookQuerySet, terms: list[list[str]]) -> BookQuerySet:
        """Return the books that match every term.

        The full-text index collects every match before it returns the first one. If the terms are common among the
        most rated books, scan the books in the order of the list instead, until the page is full.
        """
        if not terms:
            return books.none()
        sample = list(Book.objects.order_by("-ratings_count", "-id").values_list("pk", flat=True)[:SAMPLE_SIZE])
        common = Book.objects.filter(pk__in=sample, search_text__read=terms).count() >= SAMPLE_SIZE * COMMON_WORD_SHARE
        return books.filter(search_text__read=terms) if common else books.filter(search_text__indexed=terms)

    def has_merge_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("catalog.merge_books")

    @admin.action(description=_("Compare and merge"), permissions=["merge"])
    def compare_selected(self, request: HttpRequest, queryset: QuerySet[Book]) -> HttpResponse | None:
        ids = list(queryset.values_list("pk", flat=True)[:3])
        if len(ids) != 2:
            self.message_user(request, _("Select two books."), messages.ERROR)
            return None
        return HttpResponseRedirect(f"{reverse('admin:catalog_book_merge')}?{urlencode({'book': ids}, doseq=True)}")

    @action(description=_("Likely duplicates"), url_path="duplicates", icon="content_copy", permissions=["merge"])  # type: ignore[untyped-decorator]
    def duplicates(self, request: HttpRequest) -> HttpResponse:
        return admin_views.duplicates(self, request)

    def get_urls(self) -> list[Any]:
        merge = self.admin_site.admin_view(lambda request: admin_views.merge(self, request))
        return [path("merge/", merge, name="catalog_book_merge"), *super().get_urls()]

    # For users with view permission only, who get no form: without these methods they would see Python lists.

    @admin.display(description=_("Authors"))
    def authors(self, book: Book) -> str:
        return "; ".join(book.authors)

    @admin.display(description=_("Subjects"))
    def subjects(self, book: Book) -> str:
        return "; ".join(book.subjects)

    @admin.display(description="ISBN")
    def isbn(self, book: Book) -> str | None:
        return book.isbn13

    @admin.display(description=_("revisions"))
    def revisions_link(self, book: Book) -> SafeString | str:
        if not book.pk:
            return "-"
        url = f"{reverse('admin:catalog_revision_changelist')}?book__id__exact={book.pk}"
        return format_html('<a class="underline" href="{}">{}</a>', url, book.revisions.count())

    def save_model(self, request: HttpRequest, obj: Book, form: Any, change: bool) -> None:
        cleaned = form.cleaned_data | {"isbn13": form.cleaned_data["isbn"]}
        fields = {name: cleaned[name] for name in EDITABLE_FIELDS}
        if change:
            obj.update_book(by=request.user, **fields)  # type: ignore[arg-type]
        else:
            obj.pk = Book.create_book(by=request.user, **fields).pk  # type: ignore[arg-type]
            obj.refresh_from_db()

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Save new editions with `Book.add_edition`."""
        for edition in formset.save(commit=False):
            fields = {name: getattr(edition, name) for name in EditionForm.Meta.fields}
            form.instance.add_edition(by=request.user, **fields)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._report_conflicts(super().changeform_view, request, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._report_conflicts(super().delete_view, request, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._report_conflicts(super().changelist_view, request, *args, **kwargs)

    def _report_conflicts(
        self, view: Callable[..., HttpResponse], request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Call the view and show a `Conflict` as an error message."""
        try:
            return view(request, *args, **kwargs)
        except Conflict as conflict:
            self.message_user(request, conflict.detail, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def delete_model(self, request: HttpRequest, obj: Book) -> None:
        obj.delete_book(by=request.user)  # type: ignore[arg-type]

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Book]) -> None:
        """Delete all of the books or none."""
        with transaction.atomic():
            for book in queryset:
                book.delete_book(by=request.user)  # type: ignore[arg-type]

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Allow the deletion of revisions along with their book, although nobody has permission to delete one."""
        deleted, counts, perms_needed, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, perms_needed - {Revision._meta.verbose_name}, protected


def _as_book_queryset(queryset: QuerySet[Any]) -> BookQuerySet:
    if not isinstance(queryset, BookQuerySet):
        raise TypeError("A BookQuerySet is required.")
    return queryset
