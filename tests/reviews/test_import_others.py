"""Exports of Hardcover, BookWyrm and LibraryThing."""

import csv
import io

import pytest

from readings.models import Reading
from reviews.models import Review

pytestmark = pytest.mark.django_db

HARDCOVER = (
    "Title,Author,Series,Status,Privacy,Hardcover Book ID,Hardcover Edition ID,ISBN 10,ISBN 13,ASIN,Media,Country Code,"
    "Language Code,Binding,Pages,Duration in Seconds,Publish Date,Publisher,Genres,Moods,Tags,Content Warnings,Lists,"
    "Date Added,Date Started,Date Finished,Rating,Review,Review Contains Spoilers,Sponsored Review,Review Date,"
    "Review Url,Review Media Url,Private Notes,Owned,Compilation,Review Slate"
).split(",")
HARDCOVER_ROW = {
    "Title": "Red Rising",
    "Author": "Pierce Brown",
    "Status": "Read",
    "Privacy": "Public",
    "Hardcover Book ID": "427578",
    "ISBN 10": "0345539788",
    "ISBN 13": "9780345539786",
    "Binding": "Hardcover",
    "Pages": "382",
    "Publish Date": "2014-01-28",
    "Publisher": "Del Rey",
    "Date Added": "2023-01-02",
    "Date Started": "2023-01-05",
    "Date Finished": "2023-01-20",
    "Rating": "4.5",
    "Review": "Grim &amp; funny.",
    "Private Notes": "do not tell",
}
BOOKWYRM = (
    "title,author_text,remote_id,openlibrary_key,inventaire_id,librarything_key,goodreads_key,bnf_id,viaf,wikidata,asin,"
    "aasin,isfdb,isbn_10,isbn_13,oclc_number,start_date,finish_date,stopped_date,rating,review_name,review_cw,"
    "review_content,review_published,shelf,shelf_name,shelf_date"
).split(",")
BOOKWYRM_ROW = {
    "title": "Gideon the Ninth",
    "author_text": "Tamsyn Muir",
    "remote_id": "https://books.example/book/2",
    "isbn_10": "1250313198",
    "isbn_13": "9781250313195",
    "start_date": "2020-10-21",
    "finish_date": "2020-10-25",
    "rating": "3",
    "review_name": "Bones",
    "review_content": "<p>Many bones.</p>",
    "shelf": "read",
}
LIBRARYTHING = (
    "Book Id,Title,Sort Character,Primary Author,Primary Author Role,Secondary Author,Secondary Author Roles,"
    "Publication,Date,Review,Rating,Comment,Private Comment,Summary,Media,Page Count,Acquired,Date Started,Date Read,"
    "Tags,Collections,Languages,ISBN,ISBNs,Entry Date"
).split(",")
LIBRARYTHING_ROW = {
    "Book Id": "5498194",
    "Title": "Marelle",
    "Primary Author": "Cortázar, Julio",
    "Secondary Author": "Bataillon, Laure|Rosset, Françoise",
    "Publication": "Gallimard (1979), Poche",
    "Date": "1979",
    "Review": "chef d'œuvre",
    "Rating": "4.5",
    "Private Comment": "do not tell",
    "Page Count": "590 ",
    "Date Started": "[2007-04-16]",
    "Date Read": "[2007-05-08]",
    "Collections": "Your library",
    "ISBN": "[2070291340]",
    "ISBNs": "2070291340, 9782070291342",
    "Entry Date": "[2006-08-09]",
}
FORMATS = {
    "hardcover": (HARDCOVER, HARDCOVER_ROW, ","),
    "bookwyrm": (BOOKWYRM, BOOKWYRM_ROW, ","),
    "librarything": (LIBRARYTHING, LIBRARYTHING_ROW, "\t"),
}


def file(source, *changes, encoding="utf-8"):
    columns, row, delimiter = FORMATS[source]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", delimiter=delimiter)
    writer.writeheader()
    writer.writerows(row | change for change in changes or ({},))
    return text.getvalue().encode(encoding)


def found():
    rows = Reading.objects.order_by("finished_on", "pk").values_list("state", "started_on", "finished_on")
    return [(state, start and str(start), end and str(end)) for state, start, end in rows]


@pytest.mark.parametrize(
    ("source", "rating", "body", "title", "authors", "isbn", "reading"),
    [
        (
            *("hardcover", 9, "Grim & funny.", "", ["Pierce Brown"], "9780345539786"),
            ("finished", "2023-01-05", "2023-01-20"),
        ),
        (
            "bookwyrm",
            6,
            "Many bones.",
            "Bones",
            ["Tamsyn Muir"],
            "9781250313195",
            ("finished", "2020-10-21", "2020-10-25"),
        ),
        (
            *("librarything", 9, "chef d'œuvre", "", ["Julio Cortázar", "Laure Bataillon", "Françoise Rosset"]),
            *("9782070291342", ("finished", "2007-04-16", "2007-05-08")),
        ),
    ],
)
def test_row_becomes_a_review_and_a_reading(upload, source, rating, body, title, authors, isbn, reading):
    report = upload(file(source), source)
    assert (report["created"], report["failed"]) == (1, 0), report
    review = Review.objects.get()
    assert (review.rating, review.body, review.title) == (rating, body, title)
    assert (review.book.authors, review.book.isbn13) == (authors, isbn)
    assert found() == [reading]
    assert review.created_at.date().isoformat() == reading[2]
    again = upload(file(source), source)
    assert (again["created"], again["updated"], again["skipped"]) == (0, 0, 1)
    assert found() == [reading]


@pytest.mark.parametrize(
    ("source", "row", "expected"),
    [
        ("hardcover", {"Status": "Did Not Finish"}, [("stopped", "2023-01-05", "2023-01-20")]),
        ("hardcover", {"Status": "Currently Reading", "Date Finished": ""}, [("reading", "2023-01-05", None)]),
        ("hardcover", {"Status": "Want to Read"}, []),
        ("bookwyrm", {"finish_date": "", "stopped_date": "2020-10-23"}, [("stopped", "2020-10-21", "2020-10-23")]),
        ("bookwyrm", {"finish_date": "", "shelf": "reading"}, [("reading", "2020-10-21", None)]),
        ("bookwyrm", {"finish_date": "", "start_date": "", "shelf": "stopped-reading"}, [("stopped", None, None)]),
        ("bookwyrm", {"finish_date": "", "start_date": "", "shelf": "cooking"}, []),
        ("librarything", {"Collections": "Your library,Did not finish"}, [("stopped", "2007-04-16", "2007-05-08")]),
        ("librarything", {"Date Read": ""}, [("reading", "2007-04-16", None)]),
        (
            "librarything",
            {"Date Started": "[2007-04-16], [2015-01-01]", "Date Read": "[2007-05-08], [2015-02-01]"},
            [("finished", "2007-04-16", "2007-05-08"), ("finished", "2015-01-01", "2015-02-01")],
        ),
        ("librarything", {"Date Read": "", "Date Started": ""}, []),
        (
            "librarything",
            {
                "Collections": "Did not finish",
                "Date Started": "[2007-04-16], [2009-01-02]",
                "Date Read": "[2007-05-08]",
            },
            [("stopped", "2009-01-02", None), ("finished", "2007-04-16", "2007-05-08")],  # NULL comes first
        ),
    ],
)
def test_states_and_days_are_kept(upload, source, row, expected):
    upload(file(source, row), source)
    assert found() == expected


def test_hardcover_rereads_in_several_rows_are_kept(upload):
    data = file("hardcover", {}, {"Date Started": "2025-02-01", "Date Finished": "2025-02-10"})
    for _again in range(2):
        upload(data, "hardcover")
        assert found() == [("finished", "2023-01-05", "2023-01-20"), ("finished", "2025-02-01", "2025-02-10")]
    assert Review.objects.count() == 1


@pytest.mark.parametrize(
    ("privacy", "visibility"),
    [("Public", "public"), ("", "public"), ("Private", "private"), ("Followers", "private")],
)
def test_hardcover_privacy_becomes_visibility(upload, privacy, visibility):
    upload(file("hardcover", {"Privacy": privacy}), "hardcover")
    assert Review.objects.get().visibility == visibility


def test_spoilers_are_guarded(upload):
    upload(file("hardcover", {"Review Contains Spoilers": "true"}), "hardcover")
    upload(file("bookwyrm", {"review_cw": "spoilers!"}), "bookwyrm")
    assert set(Review.objects.values_list("contains_spoilers", flat=True)) == {True}


def test_private_notes_are_not_imported(upload):
    for source in ("hardcover", "librarything"):
        upload(file(source), source)
    assert not Review.objects.filter(body__contains="do not tell").exists()


def test_librarything_in_latin_1_is_decoded(upload):
    upload(file("librarything", {"Review": "déjà vu"}, encoding="latin-1"), "librarything")
    assert Review.objects.get().body == "déjà vu"


@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize(
    "text", ["T" * 100_000, "\u202e" * 50, "=cmd|' /C calc'!A0", "x\x00y", "<script>", "9" * 400, "["]
)
def test_hostile_cells_never_fail_an_import(upload, source, text):
    columns, row, _delimiter = FORMATS[source]
    changes = [{column: text} for column in columns if column in row]
    report = upload(file(source, *changes), source)
    assert (report["status"], report["done"]) == ("done", len(changes))
    assert "unexpected" not in {error["code"] for error in report["errors"]}
