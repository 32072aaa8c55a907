"""Books and revisions in the admin."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db.models import ProtectedError
from django.test import Client
from django.utils.html import escape
from rest_framework.test import APIClient

from accounts.models import User
from catalog.models import Book, Revision
from core.audit.models import AuditEntry
from reviews.models import Review

BOOKS, REVISIONS = "/admin/catalog/book/", "/admin/catalog/revision/"
ISBN, OTHER_ISBN = "9780306406157", "9780804429573"


@pytest.fixture
def admin(staff: User, client: Client) -> Client:
    client.force_login(staff)
    return client


@pytest.fixture
def book(add_book: Callable[..., Book]) -> Book:
    return add_book("Emma", "Jane Austen", isbn13=ISBN, subjects=["Novel"], published_year=1815)


def form(**changed: Any) -> dict[str, Any]:
    """Return the form data of Emma, with changes."""
    sent = {
        "title": "Emma",
        "authors": "Jane Austen",
        "isbn": ISBN,
        "published_year": "1815",
        "language": "",
        "page_count": "",
        "description": "",
        "subjects": "Novel",
        "cover_url": "",
        "editions-TOTAL_FORMS": "0",
        "editions-INITIAL_FORMS": "0",
    }
    return sent | changed


def test_book_list_query_count(
    admin: Client, add_book: Callable[..., Book], django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for n in range(30):
        add_book(f"Book {n}", language="en")
    # session, user; the count, the page, the languages, the two emptiness filters
    with django_assert_max_num_queries(8):
        response = admin.get(BOOKS)
    assert response.status_code == 200
    assert b"Book 29" in response.content


@pytest.mark.django_db(transaction=True)
def test_book_list_search_matches_api_search(admin: Client, add_book: Callable[..., Book]) -> None:
    add_book("Cem Anos de Solidão", "Gabriel García Márquez", isbn13=ISBN)
    add_book("Emma", "Jane Austen")
    for words in ("garcia solidao", "s gabr", "0-306-40615-2", "solidao 0-306-40615-2", "so-lidao"):
        page = admin.get(BOOKS, {"q": words}).content.decode()
        assert "Cem Anos" in page
        assert "Emma" not in page
    assert "Emma" not in admin.get(BOOKS, {"q": "%%%"}).content.decode()
    assert "Emma" in admin.get(BOOKS, {"q": " "}).content.decode()


@pytest.mark.parametrize("query", ["language=en", "isbn13__isempty=1", "added_by__isempty=0", "o=4"])
def test_book_list_filters_and_ordering(admin: Client, book: Book, query: str) -> None:
    assert admin.get(f"{BOOKS}?{query}").status_code == 200


def test_changing_book_creates_revision(admin: Client, book: Book, staff: User) -> None:
    assert admin.get(f"{BOOKS}{book.pk}/change/").status_code == 200
    response = admin.post(
        f"{BOOKS}{book.pk}/change/", form(title="Emma!", authors="Jane Austen\n Editor ", language="EN")
    )
    assert response.status_code == 302, response.context["errors"]
    book = Book.objects.get()
    assert (book.title, book.authors, book.language, book.author) == (
        "Emma!",
        ["Jane Austen", "Editor"],
        "en",
        "Jane Austen, Editor",
    )
    revision = Revision.objects.get()
    assert revision.editor == staff
    assert set(revision.changes) == {"title", "authors", "language"}
    assert admin.get(f"{BOOKS}{book.pk}/change/").status_code == 200


def test_saving_unchanged_form_creates_no_revision(admin: Client, book: Book) -> None:
    assert admin.post(f"{BOOKS}{book.pk}/change/", form()).status_code == 302
    assert not Revision.objects.exists()


def test_add_book(admin: Client, staff: User) -> None:
    assert admin.get(f"{BOOKS}add/").status_code == 200
    response = admin.post(f"{BOOKS}add/", form(isbn="0-306-40615-2", cover_url="https://covers.example/1.jpg"))
    assert response.status_code == 302
    book = Book.objects.get()
    assert (book.isbn13, book.added_by, book.authors) == (ISBN, staff, ["Jane Austen"])
    assert (book.editions.count(), book.cover_url) == (1, "https://covers.example/1.jpg")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("isbn", "9780306406158"),
        ("isbn", OTHER_ISBN),
        ("title", ""),
        ("authors", "\n \n"),
        ("subjects", "S" * 201),
        ("page_count", "0"),
        ("published_year", "2101"),
        ("cover_url", "javascript:alert(1)"),
    ],
)
def test_invalid_values_show_errors(
    admin: Client, book: Book, add_book: Callable[..., Book], field: str, value: str
) -> None:
    add_book("Other", isbn13=OTHER_ISBN)
    response = admin.post(f"{BOOKS}{book.pk}/change/", form(**{field: value}))
    assert response.status_code == 200
    assert list(response.context["adminform"].form.errors) == [field]


def test_lost_race_for_isbn_shows_error(
    admin: Client, book: Book, add_book: Callable[..., Book], monkeypatch: pytest.MonkeyPatch
) -> None:
    add_book("Other", isbn13=OTHER_ISBN)
    monkeypatch.setattr("catalog.admin.books.BookForm.clean_isbn", lambda form: form.cleaned_data["isbn"])
    response = admin.post(f"{BOOKS}{book.pk}/change/", form(isbn=OTHER_ISBN), follow=True)
    assert "The catalog already has a book with this ISBN." in response.content.decode()
    assert Book.objects.get(pk=book.pk).isbn13 == ISBN


def test_add_edition(admin: Client, book: Book) -> None:
    edition = {"editions-TOTAL_FORMS": "1", "editions-0-isbn13": "0-8044-2957-X", "editions-0-format": "Paperback"}
    assert admin.post(f"{BOOKS}{book.pk}/change/", form(**edition)).status_code == 302
    assert list(book.editions.values_list("isbn13", "format")) == [(ISBN, ""), (OTHER_ISBN, "Paperback")]


def test_added_edition_is_found_and_shown_at_once(admin: Client, book: Book, anonymous: APIClient) -> None:
    url = f"/api/v1/books/{book.pk}/"
    assert len(anonymous.get(url).json()["editions"]) == 1
    edition = {
        "editions-TOTAL_FORMS": "1",
        "editions-0-isbn13": OTHER_ISBN,
        "editions-0-title": "A casamenteira",
        "editions-0-language": "por-BR",
    }
    assert admin.post(f"{BOOKS}{book.pk}/change/", form(**edition)).status_code == 302
    shown = anonymous.get(url).json()["editions"]
    assert [(row["title"], row["language"]) for row in shown[1:]] == [("A casamenteira", "pt-BR")]
    found = anonymous.get("/api/v1/books/", {"search": "casamenteira"}).json()["results"]
    assert [row["id"] for row in found] == [book.pk]


@pytest.mark.parametrize(("entered", "stored"), [("pt-BR", "pt-br"), ("por", "pt"), ("", "")])
def test_language_of_book_is_stored_as_the_api_stores_it(admin: Client, book: Book, entered: str, stored: str) -> None:
    assert admin.post(f"{BOOKS}{book.pk}/change/", form(language=entered)).status_code == 302
    assert Book.objects.get(pk=book.pk).language == stored


@pytest.mark.parametrize("field", ["language", "editions-0-language"])
def test_invalid_language_shows_error(admin: Client, book: Book, field: str) -> None:
    sent = {"editions-TOTAL_FORMS": "1", "editions-0-isbn13": OTHER_ISBN, field: "Portuguese!"}
    response = admin.post(f"{BOOKS}{book.pk}/change/", form(**sent))
    assert response.status_code == 200
    assert "Enter a valid language tag" in response.content.decode()


def test_revision_is_reverted(admin: Client, book: Book, staff: User) -> None:
    book.update_book(by=None, title="Spam <b>", authors=["Spammer"])
    first = Revision.objects.get()
    assert admin.get(f"{REVISIONS}?book__id__exact={book.pk}").status_code == 200
    page = admin.get(f"{REVISIONS}{first.pk}/change/").content.decode()
    assert escape("<b>") in page
    assert "Spam <b>" not in page

    address, why = f"{REVISIONS}{first.pk}/change/", {"reason": "Spam"}
    assert "This field is required" in admin.post(address, {"reason": " "}).content.decode()
    response = admin.post(address, why, follow=True)
    assert "Reverted." in response.content.decode()
    book = Book.objects.get()
    assert (book.title, book.authors) == ("Emma", ["Jane Austen"])
    assert Revision.objects.first().editor == staff  # type: ignore[union-attr]
    assert "Nothing to revert" in admin.post(address, why, follow=True).content.decode()


def test_revert_to_isbn_of_another_book_is_rejected(admin: Client, book: Book, add_book: Callable[..., Book]) -> None:
    book.update_book(by=None, isbn13=None)
    add_book("Other", isbn13=ISBN)
    response = admin.post(f"{REVISIONS}{Revision.objects.get().pk}/change/", {"reason": "Wrong"}, follow=True)
    assert "The catalog already has a book with this ISBN." in response.content.decode()
    assert Book.objects.get(pk=book.pk).isbn13 is None


def test_revisions_are_read_only(admin: Client, book: Book) -> None:
    book.update_book(by=None, title="T")
    pk = Revision.objects.get().pk
    assert admin.get(f"{REVISIONS}add/").status_code == 403
    assert (
        admin.post(f"{REVISIONS}{pk}/change/", {"number": 7}).status_code == 200
    )  # it shows the form for a reason and ignores other fields
    assert Revision.objects.get().number == 1
    assert admin.post(f"{REVISIONS}{pk}/delete/", {"post": "yes"}).status_code == 403


def test_delete_book_with_revisions(admin: Client, book: Book) -> None:
    book.update_book(by=None, title="T")
    assert admin.get(f"{BOOKS}{book.pk}/delete/").status_code == 200
    assert admin.post(f"{BOOKS}{book.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Book.objects.exists()


def test_delete_page_lists_some_protected_objects(
    admin: Client, book: Book, make_user: Callable[..., User], django_assert_num_queries: Callable[..., Any]
) -> None:
    for n in range(30):
        Review.create_review(book=book, by=make_user(f"reader{n}"), rating=1)
    # session, user, two-factor session; the book; entries, reviews, readings, merges (twice), changes, changes of
    # lists, proposed editions
    with django_assert_num_queries(11):
        page = admin.get(f"{BOOKS}{book.pk}/delete/").content.decode()
    assert page.count("review ") == 20
    admin.post(f"{BOOKS}{book.pk}/delete/", {"post": "yes"})
    assert Book.objects.filter(pk=book.pk).exists()


def test_delete_selected_books(admin: Client, add_book: Callable[..., Book]) -> None:
    books = [add_book(f"Book {n}") for n in range(3)]
    selected = {"action": "delete_selected", "_selected_action": [book.pk for book in books], "post": "yes"}
    assert admin.post(BOOKS, selected).status_code == 302
    assert not Book.objects.exists()


@pytest.mark.parametrize("together", [True, False])
def test_delete_book_used_meanwhile_is_rejected(
    admin: Client, book: Book, monkeypatch: pytest.MonkeyPatch, together: bool
) -> None:
    def in_use(self: Book) -> None:
        raise ProtectedError("in use", set())

    monkeypatch.setattr(Book, "delete", in_use)
    selected = {"action": "delete_selected", "_selected_action": [book.pk]} if together else {}
    address = BOOKS if together else f"{BOOKS}{book.pk}/delete/"
    response = admin.post(address, {**selected, "post": "yes"}, follow=True)
    assert response.status_code == 200
    assert "This book is on a list or has been reviewed." in response.content.decode()
    assert Book.objects.exists()


def test_admin_is_closed_to_users(client: Client, alice: User, book: Book) -> None:
    client.force_login(alice)
    assert client.get(BOOKS).status_code == 302


def test_unchanged_fields_are_not_logged(admin: Client, book: Book) -> None:
    Book.objects.filter(pk=book.pk).update(description="A comedy.\nOf manners.")
    page = f"{BOOKS}{book.pk}/change/"
    # Browsers send CRLF line ends.
    same = {"description": "A comedy.\r\nOf manners.", "isbn": "0-306-40615-2"}
    assert admin.post(page, form(**same)).status_code == 302
    assert not book.revisions.exists()
    assert admin.post(page, form(**same, language="EN")).status_code == 302
    assert [revision.changes for revision in book.revisions.all()] == [{"language": {"before": "", "after": "en"}}]
    logged = AuditEntry.objects.filter(verb="admin.changed").order_by("id")
    assert [entry.changes for entry in logged] == [{}, {"language": ["", "en"]}]
    assert "Changed Language." in admin.get(f"{BOOKS}{book.pk}/history/").content.decode()


def test_view_permission_shows_readable_values(make_user: Callable[..., User], book: Book) -> None:
    moderator = make_user("moira", is_staff=True)
    moderator.groups.add(Group.objects.get(name="Moderators"))
    client = Client(headers={"accept-language": "pt-BR"})
    client.force_login(moderator)
    page = client.get(f"{BOOKS}{book.pk}/change/").content.decode()
    for shown in ("Autores", "Assuntos", "URL da capa", ISBN, "Jane Austen", "Novel"):
        assert shown in page, shown
    for code in ("[&#x27;", "Subjects", "Cover url"):
        assert code not in page, code
