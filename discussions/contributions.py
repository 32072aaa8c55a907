"""What the discussions app contributes to `core.registry`."""

from core.counters.consistency import DenormalizationCheck
from core.registry import activity_sources, column_checks, export_sections, report_targets
from discussions.export import EXPORT_SECTIONS
from discussions.models import NO_POSTS, Post, Thread
from discussions.moderation import PostTarget

report_targets.register(PostTarget.target_type, PostTarget())
activity_sources.register("post", Post.objects.last_posted_at)
export_sections.register_all(EXPORT_SECTIONS)
check = DenormalizationCheck("posts of threads", Thread, NO_POSTS, Post.objects.count_by_thread)
column_checks.register(check.name, check)
