"""What activity contributes to `bookbridge.api.registry`."""

from activity.details import render_time
from activity.export import SECTIONS
from activity.listening import RENDERERS
from activity.models import Notification
from bookbridge.api.expiry import expires
from bookbridge.api.registry import export_sections, message_renderers

export_sections.register_all(SECTIONS)
message_renderers.register("time", render_time)
message_renderers.register_all(RENDERERS)
expires("notifications", lambda: Notification.objects.expired())
