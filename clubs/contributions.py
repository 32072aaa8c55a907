"""What the clubs app contributes to `core.registry`."""

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from activity.choices import NotificationKind
from catalog.models import Book
from clubs.admin_dashboard import user_clubs_panel
from clubs.club.choices import Visibility
from clubs.club.models import COVER_FOLDER, Club
from clubs.club.services import get_profile_clubs
from clubs.export import EXPORT_SECTIONS
from clubs.members.models import Membership
from clubs.moderation import ClubTarget
from clubs.notifications import is_answered_request, is_muted_by_pause
from clubs.reading.choices import EntryStatus
from clubs.reading.merges import EntryMergeHandler
from clubs.reading.models import Entry, Progress, notification_target
from clubs.reading.notifications import first_day, milestone_target, render_shift, users_without_milestone_notice
from clubs.roles import PUBLIC_ROLES
from core.counters.consistency import DenormalizationCheck, monthly_counter_check
from core.registry import (
    activity_sources,
    column_checks,
    counter_checks,
    email_exclusions,
    email_texts,
    export_sections,
    image_folders,
    merge_handlers,
    message_renderers,
    notification_exclusions,
    notification_targets,
    profile_fields,
    report_targets,
    user_panels,
)


def _finished() -> QuerySet[Entry]:
    return Entry.objects.filter(
        club__visibility=Visibility.PUBLIC, status=EntryStatus.FINISHED, finished_on__isnull=False
    )


user_panels.register("clubs", user_clubs_panel)
report_targets.register(ClubTarget.target_type, ClubTarget())
message_renderers.register("role", dict(PUBLIC_ROLES).__getitem__)
message_renderers.register("pause", lambda argument: _("you end the pause"))
profile_fields.register("clubs", get_profile_clubs)
image_folders.register(COVER_FOLDER, Club.objects.cover_names)
activity_sources.register("progress", Progress.objects.last_updated_at)
email_exclusions.register("pauses", is_muted_by_pause)
email_exclusions.register("answered join requests", is_answered_request)
merge_handlers.register("entries", EntryMergeHandler())
notification_targets.register("entry", notification_target)
notification_targets.register("milestone", milestone_target)
notification_exclusions.register(NotificationKind.MILESTONE_DUE, users_without_milestone_notice)
message_renderers.register("shift", render_shift)
email_texts.register(NotificationKind.BOOK_PLANNED, first_day)
export_sections.register_all(EXPORT_SECTIONS)
for check in (
    DenormalizationCheck(
        "clubs of books", Book, {"clubs_reading": 0, "clubs_finished": 0}, Entry.objects.count_by_book
    ),
    DenormalizationCheck("members of clubs", Club, {"members_count": 0}, Membership.objects.count_by_club),
    DenormalizationCheck(
        "activity of members", Membership, {"last_active_at": None}, Membership.objects.expected_last_active
    ),
):
    column_checks.register(check.name, check)
counter_checks.register("total of clubs", monthly_counter_check("clubs", "created_at", Club.objects.public))
counter_checks.register("total of finished books", monthly_counter_check("finished", "finished_on", _finished))
