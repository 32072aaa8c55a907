"""What statistics contribute to `core.registry`."""

from clubs.reading.entry_counters import ZERO_COUNTERS
from clubs.reading.models import Entry
from core.counters.consistency import DenormalizationCheck
from core.registry import activity_sources, club_charts, column_checks
from stats.club_charts import build_club_charts
from stats.ratings import last_reviewed_at
from stats.services import expected_counters

activity_sources.register("review", last_reviewed_at)
club_charts.register("statistics", build_club_charts)
check = DenormalizationCheck("figures of list entries", Entry, ZERO_COUNTERS, expected_counters)
column_checks.register(check.name, check)
