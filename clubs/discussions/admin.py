"""Admin of threads. Posts are not shown; staff read them in moderation cases only."""

from django.contrib import admin

from clubs.discussions.models import Thread
from clubs.reading.admin import OfClubAdmin
from clubs.shown import said


@admin.register(Thread)
class ThreadAdmin(OfClubAdmin):
    """Admin of threads. Titles in private clubs are not shown."""

    list_display = ("id", "club", said(Thread, "title"), "author", "pinned", "closed", "posts_count", "last_post_at")
    list_filter = ("closed",)
    beside = ("club", "author")
    fields = ("club", "entry", *list_display[2:], "created_at")
