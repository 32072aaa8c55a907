"""Books and their revisions in the admin."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget, UnfoldAdminURLInputWidget

from bookbridge.api.errors import Conflict
from catalog.isbn import NO_ISBN, normal_isbn
from catalog.models import EDITABLE, Book, BookQuerySet, Edition, Revision


class LinesField(forms.CharField):
    """A list of names, one a line."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=UnfoldAdminTextareaWidget({"rows": 3}), help_text=_("One a line."), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """A list as lines."""
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        """Lines as a list."""
        names = [name.strip() for name in super().clean(value).splitlines() if name.strip()]
        if len(names) > 50 or any(len(name) > 200 for name in names):
            raise ValidationError(_("At most 50 names of at most 200 characters."))
        return names


class IsbnField(forms.CharField):
    """An ISBN in any spelling, or none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=UnfoldAdminTextInputWidget(), **kwargs)

    def clean(self, value: Any) -> Any:
        """The normal form."""
        text = super().clean(value)
        try:
            return normal_isbn(text) if text else None
        except ValueError:
            raise ValidationError(NO_ISBN) from None


class BookForm(forms.ModelForm):  # type: ignore[type-arg]
    """What staff may change of a book; `save` leaves that to `Book.add` and `Book.change`."""

    authors = LinesField()
    subjects = LinesField(required=False)
    isbn = IsbnField(required=False, label="ISBN", help_text=_("Of the main edition."))
    cover_url = forms.URLField(
        required=False, max_length=500, assume_scheme="https", widget=UnfoldAdminURLInputWidget(), label=_("Cover URL")
    )

    class Meta:
        model = Book
        fields = ("title", "published_year", "language", "page_count", "description")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            for name in ("authors", "subjects", "cover_url"):
                self.initial[name] = getattr(self.instance, name)
            self.initial["isbn"] = self.instance.isbn13

    def clean_language(self) -> str:
        """In lower case."""
        return str(self.cleaned_data["language"]).lower()

    def clean_isbn(self) -> str | None:
        """One that no other book has."""
        isbn13: str | None = self.cleaned_data["isbn"]
        if isbn13 and Edition.objects.filter(isbn13=isbn13).exclude(book=self.instance.pk).exists():
            raise ValidationError(_("Another book has this ISBN."))
        return isbn13


class EditionForm(forms.ModelForm):  # type: ignore[type-arg]
    """A further printing."""

    isbn13 = IsbnField(label="ISBN")

    class Meta:
        model = Edition
        fields = ("isbn13", "format", "publisher", "language", "page_count", "published_year")


class EditionInline(TabularInline):
    """The printings of a book; further ones can be added here."""

    model = Edition
    form = EditionForm
    extra = 0

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The main edition follows its book."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The main edition follows its book."""
        return False


class LanguageFilter(admin.SimpleListFilter):
    """By language, out of those there are; one walk along an index."""

    title = _("language")
    parameter_name = "language"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The tags there are."""
        tags = Book.objects.order_by("language").values_list("language", flat=True).distinct()[:100]
        return [(tag, tag) for tag in tags if tag]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those books."""
        return queryset.filter(language=self.value()) if self.value() else queryset


@admin.register(Book)
class BookAdmin(ModelAdmin):
    """Books: found as readers find them, changed with a revision each time."""

    form = BookForm
    inlines = (EditionInline,)
    list_display = ("title", "author", "language", "published_year", "ratings_count", "average_rating", "created_at")
    list_filter = (LanguageFilter, ("isbn13", admin.EmptyFieldListFilter), ("added_by", admin.EmptyFieldListFilter))
    sortable_by = ("published_year", "ratings_count", "average_rating", "created_at")
    ordering = ("-ratings_count", "-id")
    # What makes the search box appear; `get_search_results` does the searching.
    search_fields = ("title_key",)
    search_help_text = _("Words of title and authors, or an ISBN")
    show_full_result_count = False
    fieldsets = (
        (None, {"fields": ("title", "authors", "isbn", "published_year", "language", "page_count")}),
        (_("More"), {"fields": ("description", "subjects", "cover_url")}),
        (_("History"), {"fields": ("added_by", "origin", "created_at", "updated_at", "revisions_link")}),
    )
    readonly_fields = ("added_by", "origin", "created_at", "updated_at", "revisions_link")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Book]:
        """Without the words of the search index."""
        return super().get_queryset(request).defer("search_text", "description")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By the same rules as in the API, and by ISBN."""
        if not search_term.strip():
            return queryset, False
        try:
            return _books(queryset).with_isbn(normal_isbn(search_term)), False
        except ValueError:
            return _books(queryset).search(search_term), False

    @admin.display(description=_("revisions"))
    def revisions_link(self, book: Book) -> SafeString | str:
        """The way to what was changed."""
        if not book.pk:
            return "-"
        address = f"{reverse('admin:catalog_revision_changelist')}?book__id__exact={book.pk}"
        return format_html('<a class="underline" href="{}">{}</a>', address, book.revisions.count())

    def save_model(self, request: HttpRequest, obj: Book, form: Any, change: bool) -> None:
        """Add or change, in the model's words; the admin's own transaction is around it."""
        cleaned = form.cleaned_data | {"isbn13": form.cleaned_data["isbn"]}
        fields = {name: cleaned[name] for name in EDITABLE}
        if change:
            obj.change(by=request.user, **fields)  # type: ignore[arg-type]
        else:
            obj.pk = Book.add(by=request.user, **fields).pk  # type: ignore[arg-type]
            obj.refresh_from_db()

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """As it is; who loses a race is told so."""
        return self._or_told(super().changeform_view, request, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """As it is; who loses a race is told so."""
        return self._or_told(super().delete_view, request, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """As it is; who loses a race is told so."""
        return self._or_told(super().changelist_view, request, *args, **kwargs)

    def _or_told(
        self, view: Callable[..., HttpResponse], request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except Conflict as lost:
            self.message_user(request, lost.detail, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def delete_model(self, request: HttpRequest, obj: Book) -> None:
        """As the model says."""
        obj.remove()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Book]) -> None:
        """As the model says, all of them or none."""
        with transaction.atomic():
            for book in queryset:
                book.remove()

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Revisions go with their book, though nobody may delete one by itself."""
        deleted, counts, needed, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, needed - {Revision._meta.verbose_name}, protected


@admin.register(Revision)
class RevisionAdmin(ModelAdmin):
    """What was changed by whom: read here, and undone."""

    list_display = ("id", "book", "number", "fields_changed", "editor", "at")
    list_select_related = ("book", "editor")
    list_display_links = ("id",)
    search_fields = ("editor__username_key__startswith",)
    search_help_text = _("Beginning of the editor's username")
    ordering = ("-id",)
    show_full_result_count = False
    fields = ("book", "number", "editor", "at", "differences")
    readonly_fields = ("differences",)
    actions = ("undo",)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Also by book, as the link on a book's page asks."""
        return lookup == "book__id__exact" or super().lookup_allowed(lookup, value, request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only a change makes one."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What happened has happened."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nor is it forgotten."""
        return False

    def has_undo_permission(self, request: HttpRequest) -> bool:
        """Who may change books here."""
        return request.user.has_perm("catalog.change_book")

    @admin.display(description=_("fields"))
    def fields_changed(self, revision: Revision) -> str:
        """Their names."""
        return ", ".join(revision.changes)

    @admin.display(description=_("changes"))
    def differences(self, revision: Revision) -> SafeString:
        """Each field with what it was and what it became."""
        rows = ((name, _shown(change["before"]), _shown(change["after"])) for name, change in revision.changes.items())
        return format_html_join("", "<p><b>{}</b>: <del>{}</del> → <ins>{}</ins></p>", rows)

    @admin.action(description=_("Undo the selected changes"), permissions=["undo"])
    def undo(self, request: HttpRequest, queryset: QuerySet[Revision]) -> None:
        """Newest first, each as a revision of its own."""
        for revision in queryset.order_by("-id"):
            try:
                done = revision.undo(by=request.user)  # type: ignore[arg-type]
            except Conflict as conflict:
                self.message_user(request, f"{revision.book}: {conflict.detail}", messages.ERROR)
            else:
                text = _("Undone: %(what)s.") if done else _("Nothing to undo: %(what)s.")
                self.message_user(request, text % {"what": f"{revision.book}, {revision}"})


def _books(queryset: QuerySet[Any]) -> BookQuerySet:
    """The same rows, with the rules about books."""
    if not isinstance(queryset, BookQuerySet):
        raise TypeError("Only books are searched here.")
    return queryset


def _shown(value: Any) -> str:
    return "; ".join(value) if isinstance(value, list) else str("" if value is None else value)
