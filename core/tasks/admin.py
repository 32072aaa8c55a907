"""The task queue in the admin."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin.base import ReadOnlyModelAdmin
from core.admin.dashboard import Panel, format_capped_count
from core.registry import admin_panels
from core.tasks.models import QueuedTask, TaskStatus


@admin.register(QueuedTask)
class QueuedTaskAdmin(ReadOnlyModelAdmin):
    """Queued and finished tasks. Their arguments are not shown."""

    list_display = ("id", "task_path", "status", "attempts", "error", "run_after", "created_at", "finished_at")
    list_filter = ("status",)
    fields = ("key", *list_display[1:], "traceparent")
    actions = ("retry",)

    def get_sortable_by(self, request: HttpRequest) -> Any:
        """Allow sorting by `run_after` only within one status, for which there is an index."""
        return ("id", "run_after") if "status__exact" in request.GET else ("id",)

    @admin.action(description=_("Retry failed tasks"), permissions=["retry"])
    def retry(self, request: HttpRequest, queryset: Any) -> None:
        count = queryset.retry()
        self.message_user(request, _("%(count)d tasks queued for retry.") % {"count": count})

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("core.change_queuedtask")


def tasks_panel(request: HttpRequest) -> Panel | None:
    """Return the dashboard panel of failed and late tasks."""
    if not request.user.has_perm("core.view_queuedtask"):
        return None
    tasks = QueuedTask.objects.all()
    url = reverse("admin:core_queuedtask_changelist")
    rows = [
        (
            pgettext_lazy("tasks", "failed"),
            format_capped_count(tasks.filter(status=TaskStatus.FAILED)),
            f"{url}?status__exact={TaskStatus.FAILED}",
        ),
        (
            _("over five minutes late"),
            format_capped_count(tasks.overdue()),
            f"{url}?status__exact={TaskStatus.READY}&o=6",
        ),
    ]
    return Panel(_("Tasks"), rows)


admin_panels.register("tasks", tasks_panel)
