"""Discussions in the admin: that there are threads, not what is said in them; a post is read where it is reported."""

from django.contrib import admin

from clubs.discussions.models import Thread
from clubs.reading.admin import OfClubAdmin
from clubs.shown import said


@admin.register(Thread)
class ThreadAdmin(OfClubAdmin):
    """Threads, and the titles of those in public clubs."""

    list_display = ("id", "club", said(Thread, "title"), "author", "pinned", "closed", "posts_count", "last_post_at")
    list_filter = ("closed",)
    beside = ("club", "author")
    fields = ("club", "entry", *list_display[2:], "created_at")
