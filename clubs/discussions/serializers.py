"""The shapes of threads and posts in the API."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import User
from accounts.serializers import PersonOrDeletedSerializer
from bookbridge.api.serializers import LineField, ModelSerializer, TextField
from clubs.discussions.models import TITLE_LENGTH, Thread
from clubs.discussions.posts import BODY_LENGTH, Post
from clubs.reading.models import Entry
from clubs.reading.serializers import PercentField
from moderation.shown import ModerationSerializer

EMOJI_COUNTS = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}}
GUARD = _("How far one must have read to read it; null: the writer's own progress. Never less than what it answers.")


class ThreadSerializer(ModelSerializer):
    """A subject of a club's talk."""

    entry = serializers.IntegerField(source="entry_id", read_only=True, allow_null=True)
    author = PersonOrDeletedSerializer(read_only=True)

    class Meta:
        model = Thread
        fields = ["id", "title", "entry", "author", "pinned", "closed", "posts_count", "last_post_at", "created_at"]
        read_only_fields = fields


class EntryIdField(serializers.PrimaryKeyRelatedField):  # type: ignore[type-arg]
    """An entry of the club's list by its id."""

    default_error_messages = {"does_not_exist": _("The list has no such entry.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(queryset=Entry.objects.all(), pk_field=serializers.IntegerField(), **kwargs)

    def get_queryset(self) -> Any:
        """Those of the club."""
        return Entry.objects.filter(club=self.context["club"]).only("pk")


class PostIdField(serializers.PrimaryKeyRelatedField):  # type: ignore[type-arg]
    """A post of the thread by its id."""

    default_error_messages = {"does_not_exist": _("There is no such post in this thread.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(queryset=Post.objects.all(), pk_field=serializers.IntegerField(), **kwargs)

    def get_queryset(self) -> Any:
        """Those the caller sees."""
        posts = Post.objects.filter(thread=self.context["thread"]).visible_to(self.context["request"].user)
        return posts.defer("body", "search_text")


class NewThreadSerializer(serializers.Serializer[Any]):
    """A thread with its first post."""

    title = LineField(max_length=TITLE_LENGTH, help_text=_("All members read it."))
    body = TextField(max_length=BODY_LENGTH)
    entry = EntryIdField(required=False, allow_null=True, help_text=_("The entry of the list it is about."))
    spoiler_percent = PercentField(required=False, allow_null=True, help_text=GUARD)


class ThreadChangeSerializer(serializers.Serializer[Any]):
    """What of a thread may be changed: the title by its author and moderators, the rest by moderators."""

    title = LineField(max_length=TITLE_LENGTH, required=False)
    pinned = serializers.BooleanField(required=False)
    closed = serializers.BooleanField(required=False)


class AuthorField(PersonOrDeletedSerializer):
    """Who wrote a post; nobody where it is deleted."""

    def get_attribute(self, instance: Post) -> User | None:  # type: ignore[override]  # None is null in the answer
        """The person, or somebody nameless, or none."""
        return None if instance.is_deleted else super().get_attribute(instance)


class PostSerializer(ModelSerializer):
    """A post as the caller may see it."""

    thread = serializers.IntegerField(source="thread_id", read_only=True)
    author = AuthorField(read_only=True, allow_null=True, help_text=_("Null where the post is deleted."))
    body = serializers.SerializerMethodField()
    reply_to = serializers.IntegerField(source="reply_to_id", read_only=True, allow_null=True)
    spoiler_percent = PercentField(read_only=True, allow_null=True, help_text=_("Null: the thread is about no book."))
    locked = serializers.BooleanField(source="is_locked", read_only=True)
    unlocks_at_percent = serializers.SerializerMethodField()
    deleted = serializers.BooleanField(source="is_deleted", read_only=True)
    reactions = serializers.SerializerMethodField()
    my_reactions = serializers.SerializerMethodField()
    moderation = ModerationSerializer(help_text=_("For its author, while the post is hidden."))

    class Meta:
        model = Post
        fields = [
            *("id", "thread", "author", "body", "reply_to", "spoiler_percent", "locked", "unlocks_at_percent"),
            *("deleted", "reactions", "my_reactions", "moderation", "created_at", "edited_at"),
        ]
        read_only_fields = fields

    def get_body(self, post: Post) -> str | None:
        """The text; null where the post is locked or deleted."""
        return None if post.is_deleted else post.text  # type: ignore[attr-defined]  # `shown_to` adds it

    @extend_schema_field({"type": ["number", "null"], "minimum": 0, "maximum": 100})
    def get_unlocks_at_percent(self, post: Post) -> float | None:
        """How far one must have read, where the post is locked."""
        return float(post.spoiler_percent) if post.is_locked and post.spoiler_percent is not None else None

    @extend_schema_field(EMOJI_COUNTS)
    def get_reactions(self, post: Post) -> dict[str, int]:
        """How many have answered with each emoji."""
        return {row.shown: row.n for row in post.tally}  # type: ignore[attr-defined]

    def get_my_reactions(self, post: Post) -> list[str]:
        """The emoji the caller has answered with."""
        return [row.shown for row in post.tally if row.mine]  # type: ignore[attr-defined]


class NewPostSerializer(serializers.Serializer[Any]):
    """A post, in answer to another of the thread or to nobody."""

    body = TextField(max_length=BODY_LENGTH)
    reply_to = PostIdField(required=False, allow_null=True)
    spoiler_percent = PercentField(required=False, allow_null=True, help_text=GUARD)


class PostChangeSerializer(serializers.Serializer[Any]):
    """What of a post may be changed; anybody but the author may only raise the guard, who moderates."""

    body = TextField(max_length=BODY_LENGTH, required=False)
    spoiler_percent = PercentField(required=False, allow_null=True, help_text=GUARD)
