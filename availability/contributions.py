"""What the availability app contributes to `core.registry`."""

from availability.export import EXPORT_SECTIONS
from core.registry import export_sections

export_sections.register_all(EXPORT_SECTIONS)
