"""What apps contribute to apps below them: the one place where a lower app looks such things up.

An app registers its contributions in its `contributions.py`, which `AppConfig.ready()` imports, so they stand in the
order of INSTALLED_APPS. What must run inside a transaction is no contribution but a signal (`signals.py` of the sender,
`receivers.py` of the receiver). Types of apps above are `Any` here, since this module imports none of them.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest

if TYPE_CHECKING:
    from core.admin.charts import BarChart
    from core.admin.dashboard import Panel
    from core.counters.consistency import CounterCheck, DenormalizationCheck
    from moderation.targets.base import ReportTarget

Item = TypeVar("Item")


class Registry(dict[str, Item]):
    """Contributions by name, in the order in which they were registered."""

    def register(self, name: str, item: Item, *, first: bool = False) -> None:
        """Add a contribution, before all others if `first`. Raise ImproperlyConfigured if the name is taken."""
        if name in self:
            raise ImproperlyConfigured(f"{name!r} is registered twice.")
        others = dict(self) if first else {}
        for other in others:
            del self[other]
        self[name] = item
        self.update(others)

    def register_all(self, items: Mapping[str, Item]) -> None:
        """Add several contributions."""
        for name, item in items.items():
            self.register(name, item)


# Sections of a user's data export: name in the document -> the section's content for a user, as a mapping or as rows.
# Read by `accounts.export`.
export_sections: Registry[Callable[[Any], Any]] = Registry()

# Fields of a public profile: name -> the value for (user, viewer). Read by
# `accounts.serializers.UserProfileSerializer`.
profile_fields: Registry[Callable[[Any, Any], Any]] = Registry()

# Deferred messages: code -> the text for an argument, in the language of the moment. Read by `activity.messages`.
message_renderers: Registry[Callable[[str], Any]] = Registry()

# What can be reported: the target type -> an instance of `moderation.targets.base.ReportTarget`. Read by `moderation`.
report_targets: Registry[ReportTarget[Any]] = Registry()

# Panels of the admin's front page: name -> the panel for a request, None where the user may not see it; each in a
# constant number of queries. Read by the dashboard (`stats.dashboard`).
admin_panels: Registry[Callable[[HttpRequest], Panel | None]] = Registry()

# Folders of stored images: folder -> which of the given names are in use, given the owners' ids and the names.
# Read by `core.images.storage.delete_orphans`, which deletes the others.
image_folders: Registry[Callable[[Collection[int], Collection[str]], set[str]]] = Registry()

# Daily cleanup: what is deleted -> a function that deletes a part of it and returns how much; 0 means none is left.
# Read by `core.tasks.cleanup`, whose `register_cleanup` registers a queryset.
cleanups: Registry[Callable[[], int]] = Registry()

# Tables that are kept as long as the audit log: name -> the rows that are older than a given age.
# Read by `core.audit.retention`.
audit_logs: Registry[Callable[[datetime.timedelta], QuerySet[Any]]] = Registry()

# Handlers that move the rows of an app when two books are merged: name -> an instance of
# `catalog.merges.runner.MergeHandler`. Run in reverse order when a merge is undone. Read by `catalog.merges.runner`.
merge_handlers: Registry[Any] = Registry()

# What counts as a member's activity in a club: name -> an expression for a query of memberships, when the member last
# did it (None: never). Read by `clubs.members.models.memberships.MembershipQuerySet`.
activity_sources: Registry[Callable[[], Any]] = Registry()

# Annotations of reading list entries: name -> the expression in a query of entries. Read by
# `clubs.reading.models.entries.EntryQuerySet.with_details_for`.
entry_annotations: Registry[Callable[[], Any]] = Registry()

# Fields of a club in the API: name in `ClubSerializer.Meta.fields` -> the field's class. Read by
# `clubs.club.serializers.ClubSerializer`.
club_fields: Registry[type[Any]] = Registry()

# What those fields need: name -> the prefetch for a query of clubs on behalf of a user. Read by
# `clubs.club.services.prefetch_club_details`.
club_prefetches: Registry[Callable[[Any], Prefetch[Any]]] = Registry()

# Charts on a club's page in the admin: name -> the charts of a club. Read by `clubs.club.admin`.
club_charts: Registry[Callable[[Any], list[BarChart]]] = Registry()

# What a club's members are notified of: object type -> the reference and the text's detail for an id, None where the
# object is gone. Read by the task of `clubs.notifications.notify_members`.
notification_targets: Registry[Callable[[int], Any]] = Registry()

# Who is left out of such a notification: kind -> the ids of users for an object's id. Read by the same task.
notification_exclusions: Registry[Callable[[int], Any]] = Registry()

# Stored columns and how to count them afresh. Read by `manage.py verify_counters`.
column_checks: Registry[DenormalizationCheck] = Registry()

# Stored totals of the platform and how to count them afresh. Read by `manage.py verify_counters`.
counter_checks: Registry[CounterCheck] = Registry()
