"""What the opinions app contributes to `core.registry`."""

from core.counters.consistency import DenormalizationCheck
from core.registry import column_checks, entry_annotations, entry_setters, export_sections
from opinions.export import EXPORT_SECTIONS
from opinions.models import Seal, is_sealed, sealed_with
from opinions.serializers import SealedWithField

entry_annotations.register("is_sealed", is_sealed)
entry_annotations.register("sealed_with", sealed_with)
entry_setters.register("sealed_with", (SealedWithField, Seal.set_meeting))
export_sections.register_all(EXPORT_SECTIONS)
check = DenormalizationCheck("opening of opinions", Seal, {"opens_at": None}, Seal.objects.expected_opens_at)
column_checks.register(check.name, check)
