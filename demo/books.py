"""Books of the demo data, and their Brazilian editions."""

from typing import Any

from catalog.models import Book, Edition, title_sort_key

# The beginning of the book's title, and the ISBN, title, publisher, year and pages of an edition.
BRAZILIAN_EDITIONS = (
    ("Blindness", "9788571644953", "Ensaio sobre a cegueira", "Companhia das Letras", 1995, 312),
    ("One Hundred Years of Solitude", "9788501012074", "Cem anos de solidão", "Record", 1977, 394),
    ("Animal Farm", "9788535909555", "A revolução dos bichos", "Companhia das Letras", 2007, 152),
    ("The Handmaid's Tale", "9788532520661", "O conto da aia", "Rocco", 2006, 366),
)


def add_brazilian_editions() -> None:
    """Add the editions of the books that the catalog has."""
    for beginning, isbn13, title, publisher, year, pages in BRAZILIAN_EDITIONS:
        book = find_book(beginning)
        if book and not Edition.objects.filter(isbn13=isbn13).exists():
            fields: dict[str, Any] = {"publisher": publisher, "published_year": year, "page_count": pages}
            book.add_edition(isbn13=isbn13, title=title, language="pt-br", **fields)


def find_book(title: str) -> Book | None:
    """Return the most rated book whose title starts with `title`, ignoring case and accents."""
    books = Book.objects.filter(title_key__startswith=title_sort_key(title))
    return books.order_by("-ratings_count", "id").first()
