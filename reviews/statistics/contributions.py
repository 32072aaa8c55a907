"""What statistics contribute to `bookbridge.api.registry`."""

from bookbridge.api.registry import activity_sources, club_charts, column_checks
from bookbridge.api.verification import Check
from clubs.reading.entry_counters import NOTHING
from clubs.reading.models import Entry
from clubs.statistics.charts import of_club
from clubs.statistics.services import recount
from reviews.statistics.ratings import last_written

activity_sources.register("review", last_written)
club_charts.register("statistics", of_club)
check = Check("figures of list entries", Entry, NOTHING, recount)
column_checks.register(check.name, check)
