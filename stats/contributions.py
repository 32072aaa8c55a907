"""What the stats app contributes to `core.registry`."""

from clubs.reading.entry_counters import ZERO_COUNTERS
from clubs.reading.models import Entry
from core.counters.consistency import DenormalizationCheck
from core.registry import activity_sources, club_charts, column_checks
from stats.charts import build_club_charts
from stats.counters import expected_counters
from stats.ratings import last_reviewed_at

activity_sources.register("review", last_reviewed_at)
club_charts.register("statistics", build_club_charts)
check = DenormalizationCheck("counters of list entries", Entry, ZERO_COUNTERS, expected_counters)
column_checks.register(check.name, check)
