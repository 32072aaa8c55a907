"""Books. The lookup is answered by a recorded response of Open Library."""

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.examples.recorder import Walk
from tests.images import make_image

TORTO_ARADO = {
    "title": "Torto arado",
    "authors": ["Itamar Vieira Junior"],
    "isbn": "978-65-80309-31-3",
    "published_year": 2019,
    "language": "pt-BR",
    "page_count": 264,
    "description": "Duas irmãs crescem no sertão da Bahia, ligadas por um acidente com uma faca antiga.",
    "subjects": ["Romance brasileiro", "Chapada Diamantina"],
}
# What else the club may read: the key in `walk.objects`, and the request.
OTHERS = {
    "estrela": {"title": "A hora da estrela", "author": "Clarice Lispector", "published_year": 1977},
    "despejo": {"title": "Quarto de despejo", "author": "Carolina Maria de Jesus", "published_year": 1960},
    "persuasion": {"title": "Persuasion", "author": "Jane Austen", "published_year": 1817, "language": "en"},
}
# Slow Reading by John Miedema, in tests/catalog/recorded.
LOOKUP = {"isbn": "978-0-9802004-4-7"}


def picture() -> SimpleUploadedFile:
    """Return an image to upload."""
    return SimpleUploadedFile("capa.png", make_image(), "image/png")


def record(walk: Walk) -> None:
    walk.objects["torto"] = walk.call("createBook", "ana", TORTO_ARADO)["id"]
    for name, body in OTHERS.items():
        walk.objects[name] = walk.call("createBook", "ana", body)["id"]
    estrela = walk.objects["estrela"]
    replaced = {"title": "A hora da estrela", "authors": ["Clarice Lispector"], "language": "pt-BR"}
    walk.call("replaceBook", "ana", replaced | {"published_year": 1977, "subjects": ["Novela"]}, book_id=estrela)
    walk.call("updateBook", "ana", {"page_count": 88}, book_id=estrela)
    walk.call("setBookCover", "ana", file=picture(), book_id=walk.objects["torto"])
    edition = {"title": "Persuasão", "language": "pt-BR", "published_year": 2012, "page_count": 272}
    persuasion = walk.objects["persuasion"]
    walk.call("createEdition", "ana", edition | {"isbn": "978-85-378-0411-7"}, book_id=persuasion)
    # By another user, whose proposal waits for the editors.
    walk.call("createEdition", "bruno", edition | {"isbn": "978-972-665-281-6"}, book_id=persuasion)
    for _known in (False, True):
        walk.call("lookUpBook", "bruno", LOOKUP)


def record_reads(walk: Walk) -> None:
    """Read a book that has been reviewed."""
    walk.call("getBook", "ana", book_id=walk.objects["torto"])
    walk.call("listBooks", None, query={"search": "arado"})
