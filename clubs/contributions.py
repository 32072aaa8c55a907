"""What clubs contribute to `bookbridge.api.registry`."""

from django.db.models import QuerySet

from bookbridge.api.counters import recount_by_month
from bookbridge.api.registry import (
    activity_sources,
    column_checks,
    counter_checks,
    export_sections,
    image_folders,
    merge_handlers,
    message_renderers,
    notification_targets,
    profile_fields,
    report_targets,
)
from bookbridge.api.verification import Check
from catalog.models import Book
from clubs.clubs.models import COVERS, Club, Visibility
from clubs.clubs.services import clubs_of_profile
from clubs.export import SECTIONS
from clubs.members.models import Membership
from clubs.moderation import ClubTarget
from clubs.reading.merging import Entries
from clubs.reading.models import Entry, Progress, planned
from clubs.reading.rules import Status
from clubs.roles import SHOWN_ROLES


def _finished() -> QuerySet[Entry]:
    return Entry.objects.filter(club__visibility=Visibility.PUBLIC, status=Status.FINISHED, finished_at__isnull=False)


report_targets.register(ClubTarget.word, ClubTarget())
message_renderers.register("role", dict(SHOWN_ROLES).__getitem__)
profile_fields.register("clubs", clubs_of_profile)
image_folders.register(COVERS, Club.objects.covers)
activity_sources.register("mark", Progress.objects.last_shown)
merge_handlers.register("entries", Entries())
notification_targets.register("entry", planned)
export_sections.register_all(SECTIONS)
for check in (
    Check("clubs of books", Book, {"clubs_reading": 0, "clubs_finished": 0}, Entry.objects.count_by_book),
    Check("members of clubs", Club, {"members_count": 0}, Membership.objects.count_by_club),
    Check("activity of members", Membership, {"last_active_at": None}, Membership.objects.expected_last_active),
):
    column_checks.register(check.name, check)
counter_checks.register("total of clubs", recount_by_month("clubs", "created_at", Club.objects.public))
counter_checks.register("total of finished books", recount_by_month("finished", "finished_at", _finished))
