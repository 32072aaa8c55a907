"""Registries through which higher apps extend lower ones, which cannot import them.

An app registers its contributions in its `contributions.py`, which `AppConfig.ready()` imports, so they have the order
of INSTALLED_APPS. For code that must run inside another app's transaction use a signal instead (`signals.py` of the
sender, `receivers.py` of the receiver). Types of higher apps are `Any` here, since this module cannot import them.
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
        """Add a contribution, before all others if `first`. Raises ImproperlyConfigured if the name is taken."""
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

# Deferred messages: code -> the text for an argument, in the active language. Read by `activity.messages`.
message_renderers: Registry[Callable[[str], Any]] = Registry()

# What can be reported: the target type -> an instance of `moderation.targets.base.ReportTarget`. Read by `moderation`.
report_targets: Registry[ReportTarget[Any]] = Registry()

# Panels of the admin's index page: name -> the panel for a request, or None if the user may not see it; each takes a
# constant number of queries. Read by the dashboard (`stats.dashboard`).
admin_panels: Registry[Callable[[HttpRequest], Panel | None]] = Registry()

# Panels of a user's page in the admin, for moderators: name -> the panel for (user, request), or None if the
# moderator may not see it; each takes a constant number of queries. Read by `moderation.user_page`.
user_panels: Registry[Callable[[Any, HttpRequest], Panel | None]] = Registry()

# Folders of stored images: folder -> which of the given names are in use, given the owners' ids and the names.
# Read by `core.images.storage.delete_orphans`, which deletes the others.
image_folders: Registry[Callable[[Collection[int], Collection[str]], set[str]]] = Registry()

# Daily cleanup: name -> a function that deletes one batch of rows and returns their number; 0 means none is left.
# Read by `core.tasks.cleanup`, whose `register_cleanup` registers a queryset.
cleanups: Registry[Callable[[], int]] = Registry()

# Logs with the retention of the audit log: name -> the rows that are older than a given age.
# Read by `core.audit.retention`.
audit_logs: Registry[Callable[[datetime.timedelta], QuerySet[Any]]] = Registry()

# Handlers that move the rows of an app when two books are merged: name -> an instance of
# `catalog.merges.runner.MergeHandler`. Run in reverse order when a merge is undone. Read by `catalog.merges.runner`.
merge_handlers: Registry[Any] = Registry()

# Activities of a member in a club: name -> an expression for a query of memberships, the time of the member's last
# such activity or NULL. Read by `clubs.members.models.memberships.MembershipQuerySet`.
activity_sources: Registry[Callable[[], Any]] = Registry()

# Annotations of reading list entries: name -> the expression in a query of entries. Read by
# `clubs.reading.querysets.EntryQuerySet.with_details_for`.
entry_annotations: Registry[Callable[[], Any]] = Registry()

# Attributes of reading list entries that higher apps store: name in `EntryUpdateSerializer` -> the field's class, and
# the function that saves the value for (entry, value, acting user), with club and entry locked, and returns whether it
# has changed. Read by `clubs.reading`.
entry_setters: Registry[tuple[type[Any], Callable[[Any, Any, Any], bool]]] = Registry()

# Changes that a member's progress makes to other objects for that member: name -> queries of
# `activity.changes.services.changes_of` for the user's id, ids of entries, and the lower and the higher percentage
# between which the progress has changed. Read by `clubs.reading.guards`.
progress_changes: Registry[Callable[[int, Collection[int], Any, Any], list[Any]]] = Registry()

# What opens the guards about a book to a user, besides their progress: name -> the condition for rows with the given
# column of an entry. Read by `clubs.reading.guards`.
guard_openers: Registry[Callable[[Any, str], Any]] = Registry()

# Visibility of the objects that `GET users/me/changes/` names: type -> for a user and ids, the ids that the user may
# see, and those that they could see before they were hidden. Read by `clubs.feed.changes`.
change_visibility: Registry[Callable[[Any, Collection[int]], tuple[set[int], set[int]]]] = Registry()

# Fields of a book in the API: name in `BookSerializer.Meta.fields` -> the field's class. Read by
# `catalog.serializers.BookSerializer`.
book_fields: Registry[type[Any]] = Registry()

# Fields of a club in the API: name in `ClubSerializer.Meta.fields` -> the field's class. Read by
# `clubs.club.serializers.ClubSerializer`.
club_fields: Registry[type[Any]] = Registry()

# Prefetches for these fields: name -> the prefetch for a query of clubs on behalf of a user. Read by
# `clubs.club.services.prefetch_club_details`.
club_prefetches: Registry[Callable[[Any], Prefetch[Any]]] = Registry()

# Charts on a club's page in the admin: name -> the charts of a club. Read by `clubs.club.admin`.
club_charts: Registry[Callable[[Any], list[BarChart]]] = Registry()

# Objects of notifications to a club's members: object type -> the reference and the text's detail for an id, or None
# if the object was deleted. Read by the task of `clubs.notifications.notify_members`.
notification_targets: Registry[Callable[[int], Any]] = Registry()

# Users who do not get such a notification: kind -> the ids of users for an object's id. Read by the same task.
notification_exclusions: Registry[Callable[[int], Any]] = Registry()

# Notifications that are not sent by e-mail: name -> whether that holds for a notification, just before it is sent. Read
# by `activity.emails`.
email_exclusions: Registry[Callable[[Any], bool]] = Registry()

# Texts of e-mails below the sentence of the notification: kind -> the text for an object's id, read just before the
# e-mail is sent. Read by `activity.emails`.
email_texts: Registry[Callable[[int], str]] = Registry()

# Checks of stored columns: name -> the check. Read by `manage.py verify_counters`.
column_checks: Registry[DenormalizationCheck] = Registry()

# Checks of stored counters: name -> the check. Read by `manage.py verify_counters`.
counter_checks: Registry[CounterCheck] = Registry()
