"""What the catalog app contributes to `core.registry`."""

from catalog.covers import COVER_FOLDER
from catalog.export import EXPORT_SECTIONS
from catalog.models import Book
from catalog.moderation import BookTarget
from core.counters.consistency import CounterCheck
from core.registry import counter_checks, export_sections, image_folders, report_targets

report_targets.register(BookTarget.target_type, BookTarget())
image_folders.register(COVER_FOLDER, Book.objects.used_covers)
export_sections.register_all(EXPORT_SECTIONS)
counter_checks.register(
    "total of books", CounterCheck(("books",), lambda: {"books": Book.objects.not_merged().count()})
)
