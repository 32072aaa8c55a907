"""What the catalog contributes to `bookbridge.api.registry`."""

from bookbridge.api.counters import Recount
from bookbridge.api.registry import counter_checks, export_sections, image_folders, report_targets
from catalog.covers import COVERS
from catalog.export import SECTIONS
from catalog.models import Book
from catalog.moderation import BookTarget

report_targets.register(BookTarget.word, BookTarget())
image_folders.register(COVERS, Book.objects.covers)
export_sections.register_all(SECTIONS)
counter_checks.register("total of books", Recount(("books",), lambda: {"books": Book.objects.standing().count()}))
