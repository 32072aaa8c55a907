"""What discussions contribute to `bookbridge.api.registry`."""

from bookbridge.api.registry import activity_sources, column_checks, export_sections, report_targets
from bookbridge.api.verification import Check
from clubs.discussions.export import SECTIONS
from clubs.discussions.models import NO_POSTS, Thread
from clubs.discussions.moderation import PostTarget
from clubs.discussions.posts import Post

report_targets.register(PostTarget.word, PostTarget())
activity_sources.register("post", Post.objects.last_said)
export_sections.register_all(SECTIONS)
check = Check("posts of threads", Thread, NO_POSTS, Post.objects.count_by_thread)
column_checks.register(check.name, check)
