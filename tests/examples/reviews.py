"""Reviews, and their import from other services."""

import csv
import io

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.examples.recorder import Walk

ANA = {
    "rating": 5,
    "title": "Uma voz que fica",
    "body": "Bibiana e Belonísia contam o sertão como ninguém tinha contado.",
    "contains_spoilers": False,
    "language": "pt-BR",
    "visibility": "public",
}
EMMA = {"rating": 4.5, "title": "Half agony, half hope", "body": "The letter alone is worth it.", "language": "en"}
EXPORT = {
    "Title": "Persuasion",
    "Author": "Jane Austen",
    "ISBN13": "",
    "My Rating": "5",
    "Date Read": "2025/12/20",
    "Exclusive Shelf": "read",
    "My Review": "Reread every winter.",
}


def record(walk: Walk) -> None:
    torto = walk.objects["torto"]
    review = walk.objects["review"] = walk.call("createReview", "ana", {"book": torto} | ANA)["id"]
    walk.call("createBookReview", "emma", EMMA, book_id=walk.objects["persuasion"])
    walk.call("createBookReview", "carla", {"rating": 4.5, "body": "Bonito e duro."}, book_id=torto)
    walk.call("likeReview", "carla", review_id=review)
    walk.call("replaceReview", "ana", {"book": torto} | ANA | {"rating": 4.5}, review_id=review)
    walk.call("updateReview", "ana", {"rating": 5}, review_id=review)
    walk.call("getReview", "carla", review_id=review)
    walk.call("listReviews", None, query={"page_size": 1})
    walk.call("listBookReviews", "carla", book_id=torto, query={"page_size": 1})
    walk.call("listClubReviews", "carla", club_id=walk.objects["club"], query={"page_size": 1})
    record_import(walk)


def record_import(walk: Walk) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, EXPORT)
    writer.writeheader()
    writer.writerow(EXPORT)
    file = SimpleUploadedFile("goodreads_library_export.csv", text.getvalue().encode(), "text/csv")
    started = walk.call("createImport", "bruno", {"source": "goodreads", "visibility": "public"}, file=file)
    walk.call("getImport", "bruno", import_id=started["id"])
    walk.call("listImports", "bruno")
    walk.call("getLibraryExport", "bruno")
    walk.call("listMyActivity", "bruno", query={"page_size": 1})
