"""Which book of the catalog an imported row is about."""

import pytest

from accounts.models import User
from catalog.merges.services import merge_books, undo_merge
from catalog.models import Book, Merge
from readings.models import Reading
from reviews.imports import matching
from reviews.imports.runner import ImportRunner
from reviews.imports.shared_isbns import shared_isbns
from reviews.models import Review, ReviewImport
from tests.reviews.exports import export, goodreads, storygraph
from tests.reviews.helpers import remarks

pytestmark = pytest.mark.django_db

NO_ISBN = {"ISBN": '=""', "ISBN13": '=""'}


def row(title: str, author: str, additional: str = "", **cells):
    return NO_ISBN | {"Title": title, "Author": author, "Additional Authors": additional} | cells


def add(title: str, *authors: str, **fields) -> Book:
    return Book.create_book(by=None, title=title, authors=authors, **fields)


def reviewed() -> list[tuple[str, list[str]]]:
    return [(review.book.title, review.book.authors) for review in Review.objects.order_by("id")]


@pytest.mark.parametrize(
    ("title", "author", "additional", "other"),
    [
        ("1984", "Fido Nesti", "George Orwell", "George Orwell"),
        ("Vidas Secas", "Arnaldo Branco", "Graciliano Ramos, Eloar Guazzelli", "Graciliano Ramos"),
        ("The Odyssey", "Gareth Hinds", "Homer", "Homer"),
        ("Alice in Wonderland", "Robert Sabuda", "Lewis Carroll", "Lewis Carroll"),
    ],
)
def test_adaptation_is_not_the_adapted_work(upload, title, author, additional, other):
    original = add(title, other)
    report = upload(goodreads(row(title, author, additional), row(title, other, **{"Book Id": "2"})))
    assert report["created"] == 2
    assert reviewed() == [(title, [author, *additional.split(", ")]), (title, [other])]
    assert Review.objects.get(book=original).author.username == "alice"


@pytest.mark.parametrize("order", [1, -1])
def test_adapted_work_is_not_the_adaptation(upload, order):
    rows = [
        row("1984", "Fido Nesti", "George Orwell"),
        row("1984", "George Orwell", "Alex Jennings", **{"Book Id": "2"}),
    ]
    assert upload(goodreads(*rows[::order]))["created"] == 2
    assert sorted(authors[0] for _title, authors in reviewed()) == ["Fido Nesti", "George Orwell"]
    assert upload(goodreads(*rows))["skipped"] == 2


@pytest.mark.parametrize(
    ("authors", "author", "additional"),
    [
        (("Terry Pratchett", "Neil Gaiman"), "Neil Gaiman", "Terry Pratchett"),
        (("George Orwell", "Erich Fromm"), "George Orwell", ""),
        (("J.R.R. Tolkien",), "Tolkien, J. R. R.", "Alan Lee"),
        (("José Saramago",), "Jose Saramago", ""),
        (("村上 春樹",), "村上春樹", ""),
    ],
)
def test_first_authors_are_among_those_of_the_other(upload, authors, author, additional):
    book = add("Good Omens", *authors)
    upload(goodreads(row("Good Omens", author, additional)))
    assert Review.objects.get().book == book


def test_book_that_names_the_author_first_comes_first(upload):
    add("1984", "Fido Nesti", "George Orwell", origin="test:1")
    Book.objects.update(ratings_count=9)
    novel = add("1984: A Novel", "George Orwell")
    upload(goodreads(row("1984", "George Orwell")))
    assert Review.objects.get().book == novel


@pytest.mark.parametrize("additional", ["", "Nancy Butler"])
def test_book_by_the_same_authors_comes_first(upload, additional):
    novel, adaptation = add("Emma", "Jane Austen"), add("Emma", "Jane Austen", "Nancy Butler")
    Book.objects.filter(pk=(novel if additional else adaptation).pk).update(ratings_count=9)
    upload(goodreads(row("Emma", "Jane Austen", additional)))
    assert Review.objects.get().book == (adaptation if additional else novel)


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("The Hitchhiker's Guide", "The Hitchhiker’s Guide (Hitchhiker's Guide, #1)"),
        ("Catch-22", "Catch\u201122"),
        ("Pride & Prejudice", "Pride and Prejudice"),
        ("Guards! Guards! (Discworld, Book 11)", "Guards Guards"),
        ("Sapiens", "Sapiens: A Brief History of Humankind"),
        ("Sapiens: Uma Breve História da Humanidade", "sapiens"),
        ("O Alienista", "Alienista"),
        ("Hob\u00adbit", "The Hobbit"),
    ],
)
def test_spellings_of_a_title_are_one_work(upload, here, there):
    book = add(here, "Author")
    for data, source in (
        (goodreads(row(there, "Author")), "goodreads"),
        (storygraph({"Title": there, "Authors": "Author", "ISBN/UID": ""}), "storygraph"),
    ):
        Review.objects.all().delete()
        upload(data, source)
        assert Review.objects.get().book == book


@pytest.mark.parametrize(
    "titles",
    [
        ("かぎ", "かき"),
        ("कमल", "कोमल"),
        ("கடல்", "கூடல்"),
        ("Avó", "Avô"),
        ("Henry IV, Part 1", "Henry IV, Part 2"),
        ("Naruto (Naruto, #1)", "Naruto (Naruto, #2)"),
        ("C", "C++", "C#"),
        ("Star Wars: Aftermath", "Star Wars: Life Debt", "Star Wars"),
    ],
)
def test_different_works_of_a_file_keep_their_reviews(upload, titles):
    data = goodreads(*(row(title, "Author", **{"Book Id": str(n)}) for n, title in enumerate(titles)))
    assert upload(data)["created"] == len(titles)
    assert [title for title, _authors in reviewed()] == list(titles)
    again = upload(data)
    assert (again["skipped"], again["remarks"][0]["code"]) == (len(titles), "unchanged")


SHARED = {"ISBN": '="8181312570"', "ISBN13": '="9788181312570"'}


@pytest.mark.parametrize("known", [None, "The Set", "Time"])
def test_isbn_of_several_titles_keeps_all_reviews(upload, known):
    if known:
        book = add(known, "Britannica", isbn13="9788181312570")
    data = goodreads(*(row(t, "Britannica", **SHARED, **{"Book Id": t}) for t in ("Animals", "Time", "Me")))
    report = upload(data)
    assert (report["created"], report["skipped"]) == (3, 0)
    assert remarks(report)["shared_isbn"] == 3
    assert [title for title, _authors in reviewed()] == ["Animals", "Time", "Me"]
    if known:
        assert Review.objects.filter(book=book).count() == (known == "Time")
    assert upload(data)["skipped"] == 3


@pytest.mark.parametrize(
    "spelling",
    ["9788181312570", "978-81-8131-257-0", "8181312570.0", "9788181312570,00", "'9788181312570", "ISBN 8181312570"],
)
@pytest.mark.parametrize("column", ["ISBN", "ISBN13"])
def test_shared_isbn_is_recognized_in_any_spelling(upload, spelling, column):
    data = goodreads(
        row("Animals", "Britannica", **{"ISBN13": '="9788181312570"'}),
        row("Time", "Britannica", **{column: spelling, "Book Id": "2"}),
    )
    report = upload(data)
    assert report["created"] == 2
    assert remarks(report)["shared_isbn"] == 2
    assert upload(data)["skipped"] == 2


def test_isbn_of_one_title_in_two_spellings_is_used(upload):
    book = add("Something", "Else", isbn13="9788181312570")
    data = goodreads(
        row("Emma", "Jane Austen", **SHARED),
        row("EMMA (Classics, #1)", "Jane Austen", **SHARED, **{"Book Id": "2", "My Rating": "4"}),
    )
    assert remarks(upload(data)) == {"same_book": 1, "other_title": 1}
    assert Review.objects.get().book == book


def test_titles_of_a_shared_isbn_are_all_compared():
    def shared(*titles: str) -> bool:
        return bool(shared_isbns((title, ["9788181312570"]) for title in titles))

    assert not shared("Avo", "Avó")
    assert not shared("Emma", "Emma: A Novel", "Emma (Classics, #1)")
    # The first of these matches both others, which do not match each other.
    assert shared("Avo", "Avó", "Avô")
    assert shared("Emma", "Emma: A Novel", "Emma: A Story")
    assert shared("Perry", *(f"Perry (Series, #{n})" for n in range(100)))


@pytest.mark.parametrize(
    ("title", "author", "count"),
    [
        ("Cooking for Cats", "Mary Unrelated", 1),
        ("Torto Arado: romance", "Mary Unrelated", 0),
        ("Crooked Plow", "Vieira Junior, Itamar", 0),
    ],
)
def test_isbn_of_another_title_and_author_is_reported(upload, title, author, count):
    add("Torto Arado", "Itamar Vieira Junior", isbn13="9788181312570")
    data = goodreads(row(title, author, **SHARED))
    assert remarks(upload(data)).get("other_title", 0) == count
    assert remarks(upload(data)) == {"unchanged": 1}


def test_storygraph_ids_and_isbns_may_be_shared(upload):
    rows = [{"Title": title, "ISBN/UID": uid} for title in ("One", "Two") for uid in ("9788181312570", "b1c2")]
    report = upload(storygraph(*rows), "storygraph")
    assert remarks(report)["shared_isbn"] == 2
    assert (Review.objects.count(), Book.objects.filter(isbn13=None).count()) == (2, 2)


def test_matching_takes_constant_queries(upload, alice, django_assert_max_num_queries):
    def import_one(number: int) -> int:
        data = goodreads(row("Title", "Author", **{"Book Id": f"x{number}"}))
        review_import = ReviewImport.objects.create(
            user=alice, source="goodreads", visibility="public", rows=1, digest=str(number)
        )
        with django_assert_max_num_queries(100) as queries:
            ImportRunner(review_import, data).run(should_stop=lambda: False)
        return len(queries)

    add("Title", "Author")
    import_one(0)
    first = import_one(1)
    for n in range(20):
        add("Title", "Author")
        add("Title: A Novel", "Author", "Another")
        add(f"Title (Series, #{n})", "Author")
    assert import_one(2) == first


def test_all_volumes_of_a_long_series_are_compared(upload):
    data = goodreads(*(row(f"Perry (Perry Series, #{n})", "Author", **{"Book Id": str(n)}) for n in range(1, 73)))
    assert upload(data)["created"] == 72
    for _again in range(2):
        assert upload(data)["skipped"] == 72
    assert Book.objects.count() == Review.objects.count() == 72


@pytest.mark.parametrize(
    "titles",
    [
        [f"Avatar: The Last Airbender ({series}, #1)" for series in ("The Promise", "The Search", "The Rift")],
        ["Phoenix (Harry Potter, #5)", "Phoenix (Harry Potter, #5, Part 1)", "Phoenix (Harry Potter, #5, Part 2)"],
        ["Буря (Песнь, #3, часть 1)", "Буря (Песнь, #3, часть 2)"],
        ["三体（三体、#1）", "三体（三体、#2）"],
        ["Sabiá", "Sábia"],
        ["Humans of New York", "Humans of New York: Stories"],
    ],
)
def test_each_book_of_two_users_is_its_own(upload, as_bob, titles):
    rows = [row(title, "Author", **{"Book Id": str(n)}) for n, title in enumerate(titles)]
    assert upload(goodreads(*rows))["created"] == len(titles)
    assert upload(goodreads(*rows[::-1]), client=as_bob)["created"] == len(titles)
    assert Book.objects.count() == len(titles)
    assert sorted(title for title, _authors in reviewed()) == sorted([*titles, *titles])


def merge(source: Book, target: Book, by: User) -> None:
    merge_books(target=target, source=source, by=by, reason="The same work")


@pytest.mark.parametrize("steps", [1, 2])
def test_merged_book_is_found_by_its_title(upload, as_bob, staff, steps):
    data = goodreads(row("Война и мир", "Лев Толстой"))
    upload(data)
    merged, target = Book.objects.get(), add("War and Peace", "Leo Tolstoy")
    for book in (add("Krieg und Frieden", "Lew Tolstoi"), target)[-steps:]:
        merge(merged, book, staff)
        merged = book
    assert remarks(upload(data)) == {"unchanged": 1}
    assert upload(data, client=as_bob)["created"] == 1
    assert Book.objects.count() == 3
    assert set(Review.objects.values_list("book", flat=True)) == {target.pk}


KEYLESS = ["Title", "Author", "ISBN", "My Rating", "Date Read"]


def without_id(*rows) -> bytes:
    return export(KEYLESS, *rows)


def storygraph_row(row) -> dict[str, str]:
    return {"Title": row["Title"], "Authors": row["Author"], "Star Rating": row["My Rating"], "ISBN/UID": "b1c2"}


@pytest.mark.parametrize("source", ["goodreads", "skoob", "storygraph"])
def test_row_keeps_its_book_after_a_rename(upload, as_alice, source):
    cells = row("Typoo in Title", "Autora", **{"My Rating": "5"})
    data = {"goodreads": goodreads(cells), "skoob": without_id(cells), "storygraph": storygraph(storygraph_row(cells))}
    upload(data[source], source)
    book = Book.objects.get()
    assert as_alice.patch(f"/api/v1/books/{book.pk}/", {"title": "Another Title"}).status_code == 200
    assert remarks(upload(data[source], source)) == {"unchanged": 1}
    assert (Book.objects.count(), Review.objects.count()) == (1, 1)


@pytest.mark.parametrize("title", ["Obra: edição revista", "Оригинал", "Obra (Coleção, #1)", "作品"])
def test_row_keeps_its_book_under_a_new_title(upload, title):
    upload(goodreads(row("Obra", "Autora")))
    report = upload(goodreads(row(title, "Autora", **{"My Rating": "1"})))
    assert (report["created"], report["updated"]) == (0, 1)
    assert (Book.objects.count(), Review.objects.get().rating) == (1, 2)


def test_row_keeps_its_book_after_rename_and_merge(upload, as_alice, staff):
    data = goodreads(row("Obra", "Autora"), row("Outra", "Autora", **{"Book Id": "2"}))
    upload(data)
    book, target = Book.objects.get(title="Obra"), add("Work", "Autora")
    as_alice.patch(f"/api/v1/books/{book.pk}/", {"title": "Obra Prima"})
    merge(book, target, staff)
    assert remarks(upload(data)) == {"unchanged": 2}
    assert Book.objects.count() == 3


def test_id_of_another_row_now_does_not_overwrite_its_review(upload):
    """The ids may be line numbers of a spreadsheet that has got a row at the top."""
    titles = {"Alfa Um": "Autora", "Beta Dois": "Autor", "Gama Tres": "Outra Autora"}
    cells = [row(title, author, **{"My Review": f"Sobre {title}"}) for title, author in titles.items()]
    for rows_ in (cells[1:], cells):
        upload(goodreads(*({**each, "Book Id": str(n)} for n, each in enumerate(rows_, 1))))
    found = {review.book.title: review.body for review in Review.objects.select_related("book")}
    assert found == {title: f"Sobre {title}" for title in titles}


def test_key_of_a_title_with_other_accents_is_another_book(upload):
    upload(without_id(row("O Sabiá", "Autora", **{"My Rating": "5"})))
    assert upload(without_id(row("O Sábia", "Autora", **{"My Rating": "1"})))["created"] == 1
    found = {review.book.title: review.rating for review in Review.objects.select_related("book")}
    assert found == {"O Sabiá": 10, "O Sábia": 2}


def test_rows_with_one_key_are_matched_by_title(upload):
    """Keys of rows without an id ignore accents."""
    avos = [row("Avó", "Autora"), row("Avô", "Autora", **{"My Rating": "1"})]
    upload(without_id(avos[0]))
    assert upload(without_id(*avos[::-1]))["created"] == 1
    assert upload(without_id(*avos))["skipped"] == 2
    assert sorted(title for title, _authors in reviewed()) == ["Avó", "Avô"]


def test_storygraph_rows_with_one_isbn_are_matched_by_title(upload):
    works = [
        {"Title": title, "ISBN/UID": "9788181312570", "Star Rating": n} for title, n in (("One", "1"), ("Two", "2"))
    ]
    upload(storygraph(works[0]), "storygraph")
    assert upload(storygraph(*works[::-1]), "storygraph")["created"] == 1
    assert upload(storygraph(*works), "storygraph")["skipped"] == 2
    assert {review.book.title: review.rating for review in Review.objects.all()} == {"One": 2, "Two": 4}


def test_row_of_a_deleted_book_adds_it_again(upload, as_alice):
    data = goodreads(row("Obra", "Autora"))
    upload(data)
    Review.objects.get().delete_review()
    Reading.objects.all().delete()
    Book.objects.get().delete_book()
    assert upload(data)["created"] == 1


def test_rows_of_others_do_not_decide_the_book(upload, as_bob):
    upload(goodreads(row("Obra", "Autora")))
    upload(goodreads(row("Outra", "Autora")), client=as_bob)
    assert [title for title, _authors in reviewed()] == ["Obra", "Outra"]


def test_two_titles_merged_into_one_book_are_certain(upload, staff):
    target = add("Grandmother", "Author")
    for title in ("Avó", "Avô"):
        merge(add(title, "Author"), target, staff)
    upload(goodreads(row("Avo", "Author")))
    assert Review.objects.get().book == target


def test_merged_books_of_different_works_are_uncertain(upload, staff):
    for title in ("Avó", "Avô"):
        merge(add(title, "Author"), add(f"The {title} Story", "Author"), staff)
    upload(goodreads(row("Avo", "Author")))
    assert Review.objects.get().book.title == "Avo"


def test_book_comes_before_a_merged_one(upload, staff):
    merge(add("Emma", "Author"), add("Emma and Other Novels", "Author"), staff)
    novel = add("Emma", "Author")
    upload(goodreads(row("Emma", "Author")))
    assert Review.objects.get().book == novel


def test_separated_book_is_found_again(upload, staff):
    source, target = add("Emma", "Author"), add("Other", "Author")
    merge(source, target, staff)
    undo_merge(Merge.objects.get(), by=staff, reason="Two works")
    upload(goodreads(row("Emma", "Author")))
    assert Review.objects.get().book == source


def test_book_that_is_merged_meanwhile_is_followed(upload, alice, staff, monkeypatch):
    source, target = add("Emma", "Jane Austen"), add("Emma, a Novel", "Austen")
    Review.create_review(book=target, by=alice, rating=3)
    merge_books(target=target, source=source, by=staff, reason="The same work")
    monkeypatch.setattr(matching, "find_book", lambda _row: source)
    report = upload(goodreads(row("Emma", "Jane Austen")))
    assert [remark["code"] for remark in report["remarks"]] == ["reviewed_here"]
    assert Review.objects.get().book == target


def test_book_that_is_deleted_meanwhile_is_added(upload, monkeypatch):
    deleted = add("Emma", "Jane Austen")
    Book.objects.filter(pk=deleted.pk).delete()
    found = iter([deleted, None, None])
    monkeypatch.setattr(matching, "find_book", lambda _row: next(found))
    assert upload(goodreads(row("Emma", "Jane Austen")))["created"] == 1
