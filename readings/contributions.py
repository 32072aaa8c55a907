"""What readings contribute to `core.registry`."""

from core.registry import export_sections, guard_openers, merge_handlers
from readings.export import readings
from readings.merges import ReadingMergeHandler
from readings.models import finished_book

export_sections.register("readings", readings)
guard_openers.register("readings", finished_book)
merge_handlers.register("readings", ReadingMergeHandler())
