"""Generates Goodreads and StoryGraph exports with real books and fictional users."""

import csv
import io
from typing import Any

GOODREADS = (
    "Book Id,Title,Author,Author l-f,Additional Authors,ISBN,ISBN13,My Rating,Average Rating,Publisher,Binding,"
    "Number of Pages,Year Published,Original Publication Year,Date Read,Date Added,Bookshelves,"
    "Bookshelves with positions,Exclusive Shelf,My Review,Spoiler,Private Notes,Read Count,Owned Copies"
).split(",")
OLD_GOODREADS = [
    *GOODREADS[:-1],
    *("Recommended For", "Recommended By", "Owned Copies", "Original Purchase Date", "Original Purchase Location"),
    *("Condition", "Condition Description", "BCID"),
]
STORYGRAPH = (
    "Title,Authors,Contributors,ISBN/UID,Format,Read Status,Date Added,Last Date Read,Dates Read,Read Count,Moods,Pace,"
    "Character- or Plot-Driven?,Strong Character Development?,Loveable Characters?,Diverse Characters?,"
    "Flawed Characters?,Star Rating,Review,Content Warnings,Content Warning Description,Tags,Owned?"
).split(",")

GOODREADS_ROW = {
    "Book Id": "15839976",
    "Title": "Red Rising (Red Rising Saga, #1)",
    "Author": "Pierce  Brown",
    "Author l-f": "Brown, Pierce",
    "ISBN": '="0345539788"',
    "ISBN13": '="9780345539786"',
    "My Rating": "5",
    "Average Rating": "4.27",
    "Publisher": "Del Rey",
    "Binding": "Hardcover",
    "Number of Pages": "382",
    "Year Published": "2014",
    "Original Publication Year": "2013",
    "Date Read": "2015/03/14",
    "Date Added": "2014/12/01",
    "Bookshelves": "sci-fi, favorites",
    "Bookshelves with positions": "sci-fi (#3), favorites (#1)",
    "Exclusive Shelf": "read",
    "My Review": "Awesome.<br/>Loved <i>Darrow</i> &amp; Sevro.",
    "Private Notes": "lent to my sister, do not tell",
    "Read Count": "2",
    "Owned Copies": "1",
}
STORYGRAPH_ROW = {
    "Title": "Red Rising",
    "Authors": "Pierce Brown",
    "ISBN/UID": "9780345539786",
    "Format": "paperback",
    "Read Status": "read",
    "Date Added": "2020/12/01",
    "Last Date Read": "2021/02/09",
    "Dates Read": "2021/01/20-2021/02/09",
    "Read Count": "1",
    "Star Rating": "4.0",
    "Review": "Grim and funny.",
    "Tags": "fantasy",
    "Owned?": "No",
}


def goodreads(*rows: dict[str, Any], columns: list[str] = GOODREADS, **dialect: Any) -> bytes:
    """Return a Goodreads export; each row overrides cells of a review of Red Rising."""
    return export(columns, *rows, **dialect)


def storygraph(*rows: dict[str, Any], **dialect: Any) -> bytes:
    """Return a StoryGraph export; each row overrides cells of a review of Red Rising."""
    return _file(STORYGRAPH, [STORYGRAPH_ROW | row for row in rows], **dialect)


def export(columns: list[str], *rows: dict[str, Any], **dialect: Any) -> bytes:
    """Return these columns of a Goodreads export, in another encoding or dialect of CSV."""
    return _file(columns, [GOODREADS_ROW | row for row in rows], **dialect)


def book(n: int, **cells: Any) -> dict[str, Any]:
    """Return a Goodreads row about the nth of any number of books without an ISBN."""
    return {
        "Book Id": str(n),
        "Title": f"Book {n}",
        "Author": f"Author {n % 7}",
        "ISBN": '=""',
        "ISBN13": '=""',
    } | cells


def _file(
    columns: list[str], rows: list[dict[str, Any]], *, encoding: str = "utf-8", errors: str = "strict", **dialect: Any
) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, **{"lineterminator": "\n"} | dialect)
    writer.writerow(columns)
    writer.writerows([row.get(column, "") for column in columns] for row in rows)
    return out.getvalue().encode(encoding, errors)
