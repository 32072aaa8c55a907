"""What the discussions app contributes to `core.registry`."""

from activity.choices import NotificationKind
from core.counters.consistency import DenormalizationCheck
from core.registry import (
    activity_sources,
    change_visibility,
    column_checks,
    email_texts,
    export_sections,
    notification_targets,
    progress_changes,
    report_targets,
    user_panels,
)
from discussions.admin_dashboard import user_posts_panel
from discussions.changes import posts_by_progress, visible_posts, visible_threads
from discussions.export import EXPORT_SECTIONS
from discussions.models import NO_POSTS, Post, Thread
from discussions.moderation import PostTarget
from discussions.notifications import announcement_body, thread_target

user_panels.register("posts", user_posts_panel)
report_targets.register(PostTarget.target_type, PostTarget())
activity_sources.register("post", Post.objects.last_posted_at)
change_visibility.register("thread", visible_threads)
change_visibility.register("post", visible_posts)
progress_changes.register("posts", posts_by_progress)
notification_targets.register("thread", thread_target)
email_texts.register(NotificationKind.ANNOUNCEMENT, announcement_body)
export_sections.register_all(EXPORT_SECTIONS)
check = DenormalizationCheck("posts of threads", Thread, NO_POSTS, Post.objects.count_by_thread)
column_checks.register(check.name, check)
