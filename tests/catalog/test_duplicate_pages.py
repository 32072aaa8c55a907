"""Admin pages for duplicates, merges and reverts, and their audit log entries."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from accounts.models import User
from catalog.diff import render_diff
from catalog.duplicate_keys import edition_key, work_key
from catalog.models import Book, Merge, MergeStatus, Revision
from core.audit.models import AuditEntry

BOOKS, MERGES, REVISIONS = "/admin/catalog/book/", "/admin/catalog/merge/", "/admin/catalog/revision/"
DUPLICATES = f"{BOOKS}duplicates/"


@pytest.fixture
def editor(make_user: Callable[..., User]) -> User:
    user = make_user("editor", is_staff=True)
    user.groups.add(Group.objects.get(name="Catalog editors"))
    return user


@pytest.fixture
def editor_client(editor: User) -> Client:
    client = Client()
    client.force_login(editor)
    return client


@pytest.fixture
def duplicates(add_book: Callable[..., Book]) -> tuple[Book, Book]:
    known = add_book("The Hobbit", "J.R.R. Tolkien", isbn13="9780261103344", ratings_count=3)
    return known, add_book("Hobbit (Middle-earth, #0)", "Tolkien, J. R. R.", description="There & back")


def merge_url(*books: Book) -> str:
    return f"{BOOKS}merge/?" + "&".join(f"book={book.pk}" for book in books)


def text(response: Any) -> str:
    assert response.status_code == 200, response.status_code
    return str(response.content.decode())


def test_editor_merges_books_and_undoes_merge(
    editor_client: Client, duplicates: tuple[Book, Book], editor: User
) -> None:
    known, other = duplicates
    page = text(editor_client.get(merge_url(*duplicates)))
    assert "There &amp; back" in page
    assert "This field is required" in text(editor_client.post(merge_url(*duplicates), {"target": known.pk}))
    done = editor_client.post(merge_url(*duplicates), {"target": known.pk, "reason": "One work"}, follow=True)
    assert "was merged into" in text(done)
    assert ">merged<" in "".join(text(done).split())
    merge = Merge.objects.get()
    assert (merge.target, merge.source, merge.created_by, merge.status) == (known, other, editor, MergeStatus.MERGED)
    assert editor_client.post(f"{MERGES}{merge.pk}/change/", {"reason": ""}).status_code == 200
    assert "merge was undone" in text(editor_client.post(f"{MERGES}{merge.pk}/change/", {"reason": "No"}, follow=True))
    page = editor_client.post(f"{MERGES}{merge.pk}/change/", {"reason": "No"}, follow=True)
    assert "already been undone" in text(page)
    verbs = AuditEntry.objects.filter(actor=editor.pk, verb__startswith="book.").order_by("pk")
    assert [(row.verb, row.reason) for row in verbs] == [("book.merged", "One work"), ("book.unmerged", "No")]


def test_columns_are_shown_with_labels(editor_client: Client, duplicates: tuple[Book, Book], editor: User) -> None:
    known = duplicates[0]
    known.update_book(by=editor, page_count=310, cover_url="https://covers.example/1.jpg", language="en")
    headers = {"accept-language": "pt-BR"}
    revision = f"{REVISIONS}{Revision.objects.get().pk}/change/"
    for path in (REVISIONS, revision):
        page = text(editor_client.get(path, headers=headers))
        for name, label in (("page_count", "Páginas"), ("cover_url", "URL da capa"), ("language", "Idioma")):
            assert label in page, (path, label)
            assert f">{name}<" not in page, (path, name)
            assert f"{name}, " not in page, (path, name)
    assert "<title> Mudança em um livro: The Hobbit |" in " ".join(
        text(editor_client.get(revision, headers=headers)).split()
    )
    done = editor_client.post(
        merge_url(*duplicates), {"target": known.pk, "reason": "One work"}, follow=True, headers=headers
    )
    assert "Copiado do livro mesclado: Descrição" in " ".join(text(done).split())
    assert "<title> Mesclagem |" in " ".join(text(done).split())


def test_merge_copies_only_fields_that_the_target_lacks(
    editor_client: Client, duplicates: tuple[Book, Book], editor: User, anonymous: APIClient
) -> None:
    known, other = duplicates
    known.update_book(by=editor, page_count=310, published_year=1937)
    other.update_book(by=editor, page_count=600, published_year=2012, language="en")
    editor_client.post(merge_url(*duplicates), {"target": known.pk, "reason": "One work"})
    shown = anonymous.get(f"/api/v1/books/{known.pk}/").json()
    assert (shown["page_count"], shown["published_year"]) == (310, 1937)
    assert (shown["language"], shown["description"]) == ("en", "There & back")


def test_second_book_can_be_merge_target(editor_client: Client, duplicates: tuple[Book, Book]) -> None:
    editor_client.post(merge_url(*duplicates), {"target": duplicates[1].pk, "reason": "A better title"})
    assert Merge.objects.get().target == duplicates[1]


def test_missing_reason_preserves_selected_target(editor_client: Client, duplicates: tuple[Book, Book]) -> None:
    known, other = duplicates
    assert f'value="{known.pk}" checked' in text(editor_client.get(merge_url(*duplicates)))
    page = text(editor_client.post(merge_url(*duplicates), {"target": other.pk, "reason": ""}))
    assert f'value="{other.pk}" checked' in page
    assert page.count(" checked>") == 1


def test_merge_target_must_be_one_of_two_books(
    editor_client: Client, duplicates: tuple[Book, Book], add_book: Callable[..., Book]
) -> None:
    for target in (add_book("Third").pk, 987654321, "x", ""):
        assert "Are these the same book?" in text(
            editor_client.post(merge_url(*duplicates), {"target": target, "reason": "One work"})
        )
    assert not Merge.objects.exists()


def test_selection_of_other_than_two_books_shows_error(
    editor_client: Client, duplicates: tuple[Book, Book], add_book: Callable[..., Book]
) -> None:
    for books in ((), (duplicates[0],), (duplicates[0], duplicates[0])):
        assert "Select two books" in text(editor_client.get(merge_url(*books), follow=True))
    third = add_book("Third")
    selected = {"action": "compare_selected", "_selected_action": [book.pk for book in (*duplicates, third)]}
    assert "Select two books" in text(editor_client.post(BOOKS, selected, follow=True))
    selected["_selected_action"] = [book.pk for book in duplicates]
    assert "Are these the same book?" in text(editor_client.post(BOOKS, selected, follow=True))


def test_view_permission_does_not_allow_merge_or_revert(
    make_user: Callable[..., User], duplicates: tuple[Book, Book], alice: User
) -> None:
    moderator = make_user("moderator", is_staff=True)
    moderator.groups.add(Group.objects.get(name="Moderators"))
    client = Client()
    client.force_login(moderator)
    duplicates[0].update_book(by=alice, title="T")
    revision = Revision.objects.get()
    for path in (merge_url(*duplicates), DUPLICATES, f"{REVISIONS}{revision.pk}/change/", f"{MERGES}1/change/"):
        assert client.get(path).status_code == 403, path
        assert client.post(path, {"reason": "x", "target": duplicates[0].pk}).status_code == 403, path
    assert not Merge.objects.exists()


def test_duplicates_are_listed_until_resolved(
    editor_client: Client, duplicates: tuple[Book, Book], add_book: Callable[..., Book], editor: User
) -> None:
    add_book("The Hobbit", "Somebody Else")
    page = text(editor_client.get(DUPLICATES))
    assert page.count("data-group") == 1
    assert "Middle-earth" in page
    assert "Somebody Else" not in page
    editor_client.post(DUPLICATES, {"book": [book.pk for book in duplicates]})
    assert "No likely duplicates" in text(editor_client.get(DUPLICATES))
    assert AuditEntry.objects.get(verb="book.told_apart").actor == editor.pk
    third = add_book("Hobbit", "J R R Tolkien")
    assert text(editor_client.get(DUPLICATES)).count("Compare with the first") == 2
    editor_client.post(merge_url(duplicates[0], third), {"target": duplicates[0].pk, "reason": "One work"})
    assert "No likely duplicates" in text(editor_client.get(DUPLICATES))


def test_editions_of_one_publisher_are_duplicates(editor_client: Client, add_book: Callable[..., Book]) -> None:
    add_book("Silmarillion", "Tolkien", isbn13="9780261102736")
    add_book("The Silmarillion", "Christopher Tolkien", isbn13="9780261102422")
    assert "No likely duplicates" in text(editor_client.get(DUPLICATES))
    assert text(editor_client.get(f"{DUPLICATES}?key_field=edition_key")).count("data-group") == 1
    assert editor_client.get(f"{DUPLICATES}?key_field=nothing").status_code == 404


def test_duplicates_pagination(editor_client: Client, add_book: Callable[..., Book]) -> None:
    for n in range(25):
        for _ in range(2):
            add_book(f"Book {n:02}", "A")
    first = text(editor_client.get(DUPLICATES))
    assert first.count("data-group") == 20
    assert text(editor_client.get(f"{DUPLICATES}?key_field=work_key&after=a+book19")).count("data-group") == 5
    assert "after=a+book19" in first


def test_pages_query_count(
    editor_client: Client, duplicates: tuple[Book, Book], add_book: Callable[..., Book], editor: User
) -> None:
    duplicates[0].update_book(by=editor, title="T")
    for n in range(12):
        add_book("Same", "A", isbn13=None, page_count=n + 1)
    merge = editor_client.post(merge_url(*duplicates), {"target": duplicates[0].pk, "reason": "x"})["Location"]
    for path in (DUPLICATES, MERGES, merge, REVISIONS, f"{REVISIONS}{Revision.objects.first().pk}/change/"):  # type: ignore[union-attr]
        with CaptureQueriesContext(connection) as queries:
            assert editor_client.get(path).status_code == 200
        assert len(queries) <= 30, path


def test_revert_after_later_change_is_rejected(
    editor_client: Client, duplicates: tuple[Book, Book], alice: User
) -> None:
    book = duplicates[0]
    first = book.update_book(by=alice, title="Spam", page_count=7)
    book.update_book(by=alice, title="The Hobbit, or There and Back Again")
    assert first is not None
    page = text(editor_client.post(f"{REVISIONS}{first.pk}/change/", {"reason": "Spam"}, follow=True))
    assert "These fields have been changed again: title." in page
    book.refresh_from_db()
    assert book.page_count == 7


def test_revert_is_in_audit_log(
    editor_client: Client, duplicates: tuple[Book, Book], alice: User, editor: User
) -> None:
    revision = duplicates[0].update_book(by=alice, title="Spam")
    assert revision is not None
    editor_client.post(f"{REVISIONS}{revision.pk}/change/", {"reason": "Somebody's joke"})
    entry = AuditEntry.objects.get(verb="book.reverted")
    assert (entry.actor, entry.reason) == (editor.pk, "Somebody's joke")
    assert entry.changes == {"title": ["Spam", "The Hobbit"]}


def test_diff_is_by_word_and_escaped() -> None:
    shown = render_diff("A <b>dark</b> night", "A <b>stormy</b> night")
    assert "<b>" not in shown
    assert shown.count("<ins") == shown.count("<del") == 1
    assert "night" in shown.rpartition("</")[2]


@given(st.text(max_size=60), st.text(max_size=60))
def test_diff_contains_both_texts(before: str, after: str) -> None:
    shown = render_diff(before, after)
    without = {tag: re.sub(rf"<{tag}[^>]*>.*?</{tag}>", "", shown, flags=re.DOTALL) for tag in ("ins", "del")}
    plain = {tag: unescape(re.sub(r"</?(ins|del)[^>]*>", "", text)) for tag, text in without.items()}
    assert (plain["ins"], plain["del"]) == (before, after)


@pytest.mark.parametrize(
    ("title", "author"),
    [
        ("The Hobbit", "J.R.R. Tolkien"),
        ("the hobbit!", "J. R. R. TOLKIEN"),
        ("Hobbit (Middle-earth, #0)", "Tolkien, J.R.R."),
    ],
)
def test_work_key_ignores_spelling(title: str, author: str) -> None:
    assert work_key(title, [author]) == "jrrtolkien hobbit"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Spider-Man", "Spiderman"),
        ("Micro-ondas", "Microondas"),
        ("20.000 Léguas", "20 000 leguas"),
        ("Rock 'n' Roll", "Rock’n’Roll"),
        ("Auto Estrada", "Auto-estrada"),
    ],
)
def test_work_key_ignores_boundaries_of_words(one: str, other: str) -> None:
    assert work_key(one, ["A B"]) == work_key(other, ["A B"]) != work_key(f"{one} 2", ["A B"])
    isbn = "9780306406157"
    assert edition_key(one, isbn) == edition_key(other, isbn)


def test_keys_of_empty_values_are_none() -> None:
    assert work_key("???", ["A"]) is None
    assert work_key("The", ["A"]) == "a the"
    assert edition_key("Hobbit", None) is None
    assert edition_key("The Hobbit", "9780261103344") == "978-0-261 hobbit"
