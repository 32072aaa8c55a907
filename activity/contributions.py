"""What the activity app contributes to `core.registry`."""

from activity.account_events import RENDERERS
from activity.changes.models import Change
from activity.changes.services import visible_notifications
from activity.export import EXPORT_SECTIONS
from activity.messages import render_date, render_time
from activity.push.models import Device
from activity.services import delete_expired_notifications
from core.db.transactions import atomic_with_retry
from core.registry import change_visibility, cleanups, export_sections, message_renderers
from core.tasks.cleanup import register_cleanup

export_sections.register_all(EXPORT_SECTIONS)
message_renderers.register("time", render_time)
message_renderers.register("date", render_date)
message_renderers.register_all(RENDERERS)
register_cleanup("devices", Device.objects.ended)
change_visibility.register("notification", visible_notifications)
cleanups.register("notifications", delete_expired_notifications)
cleanups.register("changes", atomic_with_retry(Change.objects.delete_outdated))
