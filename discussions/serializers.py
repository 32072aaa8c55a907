"""Serializers of threads and posts."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import User
from accounts.serializers import NullableUserSummarySerializer
from clubs.reading.models import Entry
from clubs.reading.serializers import PercentField
from core.api.serializers import IntegerField, ModelSerializer, SingleLineField, VisibleTextField
from discussions.models import BODY_LENGTH, TITLE_LENGTH, Post, Thread
from moderation.author_notice import ModerationSerializer

EMOJI_COUNTS = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}}
SPOILER_HELP = _(
    "Progress required to read the post; null for the author's own progress. At least that of the post it replies to."
)


class ThreadSerializer(ModelSerializer):
    """A discussion thread of a club."""

    entry = serializers.IntegerField(source="entry_id", read_only=True, allow_null=True)
    author = NullableUserSummarySerializer(read_only=True)

    class Meta:
        model = Thread
        fields = ["id", "title", "entry", "author", "pinned", "closed", "posts_count", "last_post_at", "created_at"]
        read_only_fields = fields


class EntryIdField(serializers.PrimaryKeyRelatedField):  # type: ignore[type-arg]
    """The id of an entry of the club's reading list."""

    default_error_messages = {"does_not_exist": _("This entry is not on the reading list.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(queryset=Entry.objects.all(), pk_field=IntegerField(), **kwargs)

    def get_queryset(self) -> Any:
        return Entry.objects.filter(club=self.context["club"]).only("pk")


class PostIdField(serializers.PrimaryKeyRelatedField):  # type: ignore[type-arg]
    """The id of a visible post of the thread."""

    default_error_messages = {"does_not_exist": _("This post is not in this thread.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(queryset=Post.objects.all(), pk_field=IntegerField(), **kwargs)

    def get_queryset(self) -> Any:
        posts = Post.objects.filter(thread=self.context["thread"]).visible_to(self.context["request"].user)
        return posts.defer("body", "search_text")


class ThreadCreateSerializer(serializers.Serializer[Any]):
    """A thread with its first post."""

    title = SingleLineField(max_length=TITLE_LENGTH, help_text=_("Visible to all members."))
    body = VisibleTextField(max_length=BODY_LENGTH)
    entry = EntryIdField(
        required=False, allow_null=True, help_text=_("The reading list entry that the thread is about.")
    )
    spoiler_percent = PercentField(required=False, allow_null=True, help_text=SPOILER_HELP)


class ThreadUpdateSerializer(serializers.Serializer[Any]):
    """Changes to a thread. Its author may change the title, moderators all fields."""

    title = SingleLineField(max_length=TITLE_LENGTH, required=False)
    pinned = serializers.BooleanField(required=False)
    closed = serializers.BooleanField(required=False)


class PostAuthorSerializer(NullableUserSummarySerializer):
    """The author of a post; null if the post is deleted."""

    def get_attribute(self, instance: Post) -> User | None:  # type: ignore[override]  # None is rendered as null
        return None if instance.is_deleted else super().get_attribute(instance)


class PostSerializer(ModelSerializer):
    """A post. If it is locked for the caller, its body is null."""

    thread = serializers.IntegerField(source="thread_id", read_only=True)
    author = PostAuthorSerializer(read_only=True, allow_null=True, help_text=_("Null if the post is deleted."))
    body = serializers.SerializerMethodField()
    reply_to = serializers.IntegerField(source="reply_to_id", read_only=True, allow_null=True)
    spoiler_percent = PercentField(
        read_only=True, allow_null=True, help_text=_("Null if the thread is not about a book.")
    )
    locked = serializers.BooleanField(source="is_locked", read_only=True)
    unlocks_at_percent = serializers.SerializerMethodField()
    deleted = serializers.BooleanField(source="is_deleted", read_only=True)
    reactions = serializers.SerializerMethodField()
    my_reactions = serializers.SerializerMethodField()
    moderation = ModerationSerializer(help_text=_("Shown to the author while the post is hidden."))

    class Meta:
        model = Post
        fields = [
            *("id", "thread", "author", "body", "reply_to", "spoiler_percent", "locked", "unlocks_at_percent"),
            *("deleted", "reactions", "my_reactions", "moderation", "created_at", "edited_at"),
        ]
        read_only_fields = fields

    def get_body(self, post: Post) -> str | None:
        return None if post.is_deleted else post.text  # type: ignore[attr-defined]  # `with_details_for` adds it

    @extend_schema_field({"type": ["number", "null"], "minimum": 0, "maximum": 100})
    def get_unlocks_at_percent(self, post: Post) -> float | None:
        return float(post.spoiler_percent) if post.is_locked and post.spoiler_percent is not None else None

    @extend_schema_field(EMOJI_COUNTS)
    def get_reactions(self, post: Post) -> dict[str, int]:
        return {row.emoji: row.count for row in post.reaction_counts}  # type: ignore[attr-defined]

    def get_my_reactions(self, post: Post) -> list[str]:
        return [row.emoji for row in post.reaction_counts if row.is_own]  # type: ignore[attr-defined]


class PostCreateSerializer(serializers.Serializer[Any]):
    """A new post, optionally in reply to another post of the thread."""

    body = VisibleTextField(max_length=BODY_LENGTH)
    reply_to = PostIdField(required=False, allow_null=True)
    spoiler_percent = PercentField(required=False, allow_null=True, help_text=SPOILER_HELP)


class PostUpdateSerializer(serializers.Serializer[Any]):
    """Changes to a post. Moderators who are not its author may only raise `spoiler_percent`."""

    body = VisibleTextField(max_length=BODY_LENGTH, required=False)
    spoiler_percent = PercentField(required=False, allow_null=True, help_text=SPOILER_HELP)
