"""Admin of threads. Posts are not shown; staff read them in moderation cases only."""

from django.contrib import admin

from clubs.admin_redaction import redacted_column
from clubs.reading.admin import ClubChildAdmin
from discussions.models import Thread


@admin.register(Thread)
class ThreadAdmin(ClubChildAdmin):
    """Admin of threads. Titles in private clubs are not shown."""

    list_display = (
        "id",
        "club",
        redacted_column(Thread, "title"),
        "author",
        "pinned",
        "closed",
        "posts_count",
        "last_post_at",
    )
    list_filter = ("closed",)
    list_prefetch_related = ("club", "author")
    fields = ("club", "entry", *list_display[2:], "created_at")
