"""Catalogue editors find duplicates, merge books and undo it, and take changes back: each with a reason, in the log."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from bookbridge.api.audit.models import AuditEntry
from catalog.differences import marked
from catalog.duplicates import print_key, work_key
from catalog.merging.models import Merge, State
from catalog.models import Book, Revision

BOOKS, MERGES, REVISIONS = "/admin/catalog/book/", "/admin/catalog/merge/", "/admin/catalog/revision/"
DUPLICATES = f"{BOOKS}duplicates/"


@pytest.fixture
def editor(make_user: Callable[..., User]) -> User:
    user = make_user("editor", is_staff=True)
    user.groups.add(Group.objects.get(name="Catalogue editors"))
    return user


@pytest.fixture
def room(editor: User) -> Client:
    client = Client()
    client.force_login(editor)
    return client


@pytest.fixture
def twice(add_book: Callable[..., Book]) -> tuple[Book, Book]:
    known = add_book("The Hobbit", "J.R.R. Tolkien", isbn13="9780261103344", ratings_count=3)
    return known, add_book("Hobbit (Middle-earth, #0)", "Tolkien, J. R. R.", description="There & back")


def address(*books: Book) -> str:
    return f"{BOOKS}merge/?" + "&".join(f"book={book.pk}" for book in books)


def text(response: Any) -> str:
    assert response.status_code == 200, response.status_code
    return str(response.content.decode())


def test_an_editor_merges_two_books_and_undoes_it(room: Client, twice: tuple[Book, Book], editor: User) -> None:
    known, other = twice
    page = text(room.get(address(*twice)))
    assert "There &amp; back" in page
    assert "This field is required" in text(room.post(address(*twice), {"kept": known.pk}))
    done = room.post(address(*twice), {"kept": known.pk, "reason": "One work"}, follow=True)
    assert "part of" in text(done)
    merge = Merge.objects.get()
    assert (merge.kept, merge.gone, merge.by, merge.state) == (known, other, editor, State.MERGED)
    assert room.post(f"{MERGES}{merge.pk}/change/", {"reason": ""}).status_code == 200
    assert "two books again" in text(room.post(f"{MERGES}{merge.pk}/change/", {"reason": "No"}, follow=True))
    told = room.post(f"{MERGES}{merge.pk}/change/", {"reason": "No"}, follow=True)
    assert "undone already" in text(told)
    verbs = AuditEntry.objects.filter(actor=editor.pk, verb__startswith="book.").order_by("pk")
    assert [(row.verb, row.reason) for row in verbs] == [("book.merged", "One work"), ("book.unmerged", "No")]


def test_columns_are_called_by_their_names(room: Client, twice: tuple[Book, Book], editor: User) -> None:
    known = twice[0]
    known.change(by=editor, page_count=310, cover_url="https://covers.example/1.jpg", language="en")
    headers = {"accept-language": "pt-BR"}
    revision = f"{REVISIONS}{Revision.objects.get().pk}/change/"
    for path in (REVISIONS, revision):
        page = text(room.get(path, headers=headers))
        for name, called in (("page_count", "Páginas"), ("cover_url", "URL da capa"), ("language", "Idioma")):
            assert called in page, (path, called)
            assert f">{name}<" not in page, (path, name)
            assert f"{name}, " not in page, (path, name)
    assert "<title> Mudança em um livro: The Hobbit |" in " ".join(text(room.get(revision, headers=headers)).split())
    done = room.post(address(*twice), {"kept": known.pk, "reason": "One work"}, follow=True, headers=headers)
    assert "O livro mantido recebeu do outro: Descrição" in " ".join(text(done).split())
    assert "<title> Mesclagem |" in " ".join(text(done).split())


def test_the_other_one_can_be_kept(room: Client, twice: tuple[Book, Book]) -> None:
    room.post(address(*twice), {"kept": twice[1].pk, "reason": "A better title"})
    assert Merge.objects.get().kept == twice[1]


def test_who_forgets_the_reason_keeps_their_choice(room: Client, twice: tuple[Book, Book]) -> None:
    known, other = twice
    assert f'value="{known.pk}" checked' in text(room.get(address(*twice)))
    page = text(room.post(address(*twice), {"kept": other.pk, "reason": ""}))
    assert f'value="{other.pk}" checked' in page
    assert page.count(" checked>") == 1


def test_what_is_kept_is_one_of_the_two(room: Client, twice: tuple[Book, Book], add_book: Callable[..., Book]) -> None:
    for kept in (add_book("Third").pk, 987654321, "x", ""):
        assert "Are they one work?" in text(room.post(address(*twice), {"kept": kept, "reason": "One work"}))
    assert not Merge.objects.exists()


def test_a_choice_that_is_none_is_told(room: Client, twice: tuple[Book, Book], add_book: Callable[..., Book]) -> None:
    for books in ((), (twice[0],), (twice[0], twice[0])):
        assert "Select two books" in text(room.get(address(*books), follow=True))
    third = add_book("Third")
    selected = {"action": "compare", "_selected_action": [book.pk for book in (*twice, third)]}
    assert "Select two books" in text(room.post(BOOKS, selected, follow=True))
    selected["_selected_action"] = [book.pk for book in twice]
    assert "Are they one work?" in text(room.post(BOOKS, selected, follow=True))


def test_who_may_only_look_may_not_merge_nor_take_back(
    make_user: Callable[..., User], twice: tuple[Book, Book], alice: User
) -> None:
    moderator = make_user("moderator", is_staff=True)
    moderator.groups.add(Group.objects.get(name="Moderators"))
    client = Client()
    client.force_login(moderator)
    twice[0].change(by=alice, title="T")
    revision = Revision.objects.get()
    for path in (address(*twice), DUPLICATES, f"{REVISIONS}{revision.pk}/change/", f"{MERGES}1/change/"):
        assert client.get(path).status_code == 403, path
        assert client.post(path, {"reason": "x", "kept": twice[0].pk}).status_code == 403, path
    assert not Merge.objects.exists()


def test_likely_duplicates_are_shown_until_they_are_told_apart_or_merged(
    room: Client, twice: tuple[Book, Book], add_book: Callable[..., Book], editor: User
) -> None:
    add_book("The Hobbit", "Somebody Else")
    page = text(room.get(DUPLICATES))
    assert page.count("data-group") == 1
    assert "Middle-earth" in page
    assert "Somebody Else" not in page
    room.post(DUPLICATES, {"book": [book.pk for book in twice]})
    assert "No likely duplicates" in text(room.get(DUPLICATES))
    assert AuditEntry.objects.get(verb="book.told_apart").actor == editor.pk
    third = add_book("Hobbit", "J R R Tolkien")
    assert text(room.get(DUPLICATES)).count("Compare with the first") == 2
    room.post(address(twice[0], third), {"kept": twice[0].pk, "reason": "One work"})
    assert "No likely duplicates" in text(room.get(DUPLICATES))


def test_printings_of_one_publisher_with_one_title_are_likely_duplicates(
    room: Client, add_book: Callable[..., Book]
) -> None:
    add_book("Silmarillion", "Tolkien", isbn13="9780261102736")
    add_book("The Silmarillion", "Christopher Tolkien", isbn13="9780261102422")
    assert "No likely duplicates" in text(room.get(DUPLICATES))
    assert text(room.get(f"{DUPLICATES}?way=print_key")).count("data-group") == 1
    assert room.get(f"{DUPLICATES}?way=nothing").status_code == 404


def test_pages_of_duplicates_follow_each_other(room: Client, add_book: Callable[..., Book]) -> None:
    for n in range(25):
        for _ in range(2):
            add_book(f"Book {n:02}", "A")
    first = text(room.get(DUPLICATES))
    assert first.count("data-group") == 20
    assert text(room.get(f"{DUPLICATES}?way=work_key&after=a+book+19")).count("data-group") == 5
    assert "after=a+book+19" in first


def test_no_page_takes_many_queries(
    room: Client, twice: tuple[Book, Book], add_book: Callable[..., Book], editor: User
) -> None:
    twice[0].change(by=editor, title="T")
    for n in range(12):
        add_book("Same", "A", isbn13=None, page_count=n + 1)
    merge = room.post(address(*twice), {"kept": twice[0].pk, "reason": "x"})["Location"]
    for path in (DUPLICATES, MERGES, merge, REVISIONS, f"{REVISIONS}{Revision.objects.first().pk}/change/"):  # type: ignore[union-attr]
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert room.get(path).status_code == 200
        assert len(queries) <= 30, path


def test_what_was_changed_again_since_is_not_taken_back(room: Client, twice: tuple[Book, Book], alice: User) -> None:
    book = twice[0]
    first = book.change(by=alice, title="Spam", page_count=7)
    book.change(by=alice, title="The Hobbit, or There and Back Again")
    assert first is not None
    told = text(room.post(f"{REVISIONS}{first.pk}/change/", {"reason": "Spam"}, follow=True))
    assert "Changed again since: title." in told
    book.refresh_from_db()
    assert book.page_count == 7


def test_taking_back_stands_in_the_audit_log_with_its_reason(
    room: Client, twice: tuple[Book, Book], alice: User, editor: User
) -> None:
    revision = twice[0].change(by=alice, title="Spam")
    assert revision is not None
    room.post(f"{REVISIONS}{revision.pk}/change/", {"reason": "Somebody's joke"})
    entry = AuditEntry.objects.get(verb="book.reverted")
    assert (entry.actor, entry.reason) == (editor.pk, "Somebody's joke")
    assert entry.changes == {"title": ["Spam", "The Hobbit"]}


def test_a_difference_is_shown_word_by_word_and_escaped() -> None:
    shown = marked("A <b>dark</b> night", "A <b>stormy</b> night")
    assert "<b>" not in shown
    assert shown.count("<ins") == shown.count("<del") == 1
    assert "night" in shown.rpartition("</")[2]


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_difference_holds_both_texts(before: str, after: str) -> None:
    import re
    from html import unescape

    shown = marked(before, after)
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
def test_spellings_of_a_work_have_one_key(title: str, author: str) -> None:
    assert work_key(title, [author]) == "jrrtolkien hobbit"


def test_what_has_nothing_to_compare_has_no_key() -> None:
    assert work_key("???", ["A"]) is None
    assert work_key("The", ["A"]) == "a the"
    assert print_key("Hobbit", None) is None
    assert print_key("The Hobbit", "9780261103344") == "978-0-261 hobbit"
