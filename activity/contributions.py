"""What the activity app contributes to `core.registry`."""

from activity.account_events import RENDERERS
from activity.export import EXPORT_SECTIONS
from activity.messages import render_time
from activity.models import Notification
from activity.push.models import Device
from core.registry import export_sections, message_renderers
from core.tasks.cleanup import register_cleanup

export_sections.register_all(EXPORT_SECTIONS)
message_renderers.register("time", render_time)
message_renderers.register_all(RENDERERS)
register_cleanup("devices", lambda: Device.objects.ended())
register_cleanup("notifications", lambda: Notification.objects.expired())
