"""Serializers of threads and posts."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import User
from accounts.serializers import NullableUserSummarySerializer
from clubs.reading.models import MAX_SECTIONS, Entry, Section
from clubs.reading.serializers import PercentField
from core.api.exceptions import InvalidFieldError
from core.api.serializers import IntegerField, ModelSerializer, SingleLineField, VisibleTextField
from discussions.models import BODY_LENGTH, TITLE_LENGTH, Post, Thread
from moderation.author_notice import ModerationSerializer

EMOJI_COUNTS = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}}
SPOILER_HELP = _(
    "Progress required to read the post; null for the author's own progress, or 100 if that is unknown or hidden. At "
    "least that of the post it replies to."
)
SECTION_HELP = _("The number of the section that readers must have finished, in place of `spoiler_percent`.")


class SpoilerSerializer(serializers.Serializer[Any]):
    """The progress that a post requires, as a percentage or as a section of the book."""

    spoiler_percent = PercentField(required=False, allow_null=True, help_text=SPOILER_HELP)
    section = IntegerField(min_value=1, max_value=MAX_SECTIONS, required=False, allow_null=True, help_text=SECTION_HELP)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Replace `section` with its percentage; `context` has the `entry_id` unless `entry` is sent."""
        section = attrs.pop("section", None)
        if section is None:
            return attrs
        if attrs.get("spoiler_percent") is not None:
            raise InvalidFieldError("section", "one_way", _("Send spoiler_percent or section, not both."))
        entry = attrs["entry"].pk if attrs.get("entry") else self.context.get("entry_id")
        if entry is None:
            raise InvalidFieldError("section", "no_entry", _("This thread is not about a book."))
        return attrs | {"spoiler_percent": Section.objects.percent_of(entry, section)}


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


class ThreadCreateSerializer(SpoilerSerializer):
    """A thread with its first post."""

    title = SingleLineField(max_length=TITLE_LENGTH, help_text=_("Visible to all members."))
    body = VisibleTextField(max_length=BODY_LENGTH)
    entry = EntryIdField(
        required=False, allow_null=True, help_text=_("The reading list entry that the thread is about.")
    )
    announce = serializers.BooleanField(
        default=False, help_text=_("Pin the thread and notify all members. Moderators only.")
    )


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
    unlocks_at_section = serializers.SerializerMethodField(
        help_text=_("The number of the section to finish, if the post is locked and the book has sections.")
    )
    deleted = serializers.BooleanField(source="is_deleted", read_only=True)
    reactions = serializers.SerializerMethodField()
    my_reactions = serializers.SerializerMethodField()
    moderation = ModerationSerializer(help_text=_("Shown to the author while the post is hidden."))

    class Meta:
        model = Post
        fields = [
            *("id", "thread", "author", "body", "reply_to", "spoiler_percent", "locked", "unlocks_at_percent"),
            *("unlocks_at_section", "deleted", "reactions", "my_reactions", "moderation", "created_at", "edited_at"),
        ]
        read_only_fields = fields

    def get_body(self, post: Post) -> str | None:
        return None if post.is_deleted else post.text  # type: ignore[attr-defined]  # `with_details_for` adds it

    @extend_schema_field({"type": ["number", "null"], "minimum": 0, "maximum": 100})
    def get_unlocks_at_percent(self, post: Post) -> float | None:
        return float(post.spoiler_percent) if post.is_locked and post.spoiler_percent is not None else None

    @extend_schema_field({"type": ["integer", "null"], "format": "int32", "minimum": 1})
    def get_unlocks_at_section(self, post: Post) -> int | None:
        return post.section if post.is_locked else None  # type: ignore[attr-defined]  # `with_details_for` adds it

    @extend_schema_field(EMOJI_COUNTS)
    def get_reactions(self, post: Post) -> dict[str, int]:
        return {row.emoji: row.count for row in post.reaction_counts}  # type: ignore[attr-defined]

    def get_my_reactions(self, post: Post) -> list[str]:
        return [row.emoji for row in post.reaction_counts if row.is_own]  # type: ignore[attr-defined]


class PostCreateSerializer(SpoilerSerializer):
    """A new post, optionally in reply to another post of the thread."""

    body = VisibleTextField(max_length=BODY_LENGTH)
    reply_to = PostIdField(required=False, allow_null=True)


class PostUpdateSerializer(SpoilerSerializer):
    """Changes to a post. Moderators who are not its author may only raise `spoiler_percent`."""

    body = VisibleTextField(max_length=BODY_LENGTH, required=False)
