"""Views of threads and posts."""

from typing import Any, ClassVar

from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import current_user
from clubs.access import AccessLevel, ClubChildViewSetMixin, require_level
from clubs.roles import Rank
from core.api.exceptions import InvalidFieldError, PermissionDeniedProblem
from core.api.pagination import KeysetPagination, SearchPagination
from core.api.responses import NO_CONTENT, problem_schema
from core.api.views import GenericViewSet, validate
from discussions.filters import PostFilter, ThreadFilter
from discussions.models import Post, Thread, ThreadQuerySet, qualify_emoji
from discussions.querysets import PostQuerySet
from discussions.serializers import (
    PostCreateSerializer,
    PostSerializer,
    PostUpdateSerializer,
    ThreadCreateSerializer,
    ThreadSerializer,
    ThreadUpdateSerializer,
)

CONFLICT_RESPONSES = problem_schema(409, "`thread_closed`, `post_deleted`.")
REACTION_RESPONSES: dict[Any, Any] = {
    204: NO_CONTENT,
    **problem_schema(403, "`post_locked`: reveal the post first."),
    **problem_schema(409, "`thread_closed`, `post_deleted`, `too_many_reactions`: more than 50 different emoji."),
}
EMOJI = OpenApiParameter("emoji", OpenApiTypes.STR, OpenApiParameter.PATH, description="One emoji, URL-encoded.")


class DiscussionViewSet(ClubChildViewSetMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Base viewset of threads and posts."""

    @property
    def is_moderator(self) -> bool:
        """Whether the caller is a moderator. False for lists, where blocks apply to moderators too."""
        return self.action != "list" and bool(self.club.my_rank >= Rank.MODERATOR)


@extend_schema_view(
    list=extend_schema(summary="List a club's threads"),
    retrieve=extend_schema(summary="Get a thread"),
)
class ThreadViewSet(DiscussionViewSet):
    """Discussion threads of a club. Pinned threads come first, then those with the latest posts."""

    access_levels = dict.fromkeys(("list", "retrieve", "create", "partial_update", "destroy"), AccessLevel.MEMBER)
    queryset = Thread.objects.none()
    lookup_url_kwarg = "thread_id"
    serializer_class = ThreadSerializer
    filterset_class = ThreadFilter
    ordering_fields: ClassVar = {"-last_post_at": ("-pinned", "-last_post_at", "-id")}

    def get_queryset(self) -> ThreadQuerySet:
        threads = Thread.objects.filter(club=self.club).visible_to(
            current_user(self.request), as_moderator=self.is_moderator
        )
        return threads.select_related("author").defer("author__bio", "author__search_text")

    @extend_schema(
        summary="Create a thread",
        request=ThreadCreateSerializer,
        responses={
            201: ThreadSerializer,
            **problem_schema(409, "`too_many_announcements`: the club has published 5 on this day."),
        },
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Create a thread with its first post. `spoiler_percent` protects the post, not the title.

        With `announce` the thread is pinned and all members are notified; for moderators, five a day and club.
        """
        values = validate(ThreadCreateSerializer(data=request.data, context={"club": self.club}))
        if values["announce"]:
            require_level(self.club, AccessLevel.MODERATOR)
        thread = Thread.create_thread(club=self.club, by=current_user(request), **values)
        return self.serialize(thread, status.HTTP_201_CREATED)

    @extend_schema(
        summary="Update a thread",
        request=ThreadUpdateSerializer,
        responses={200: ThreadSerializer, **CONFLICT_RESPONSES},
    )
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The author may change the title. Moderators may also pin, close and reopen the thread."""
        thread = self.get_object()
        values = validate(ThreadUpdateSerializer(data=request.data))
        if thread.author_id != current_user(request).pk or values.keys() - {"title"}:
            require_level(self.club, AccessLevel.MODERATOR)
        thread.update_thread(by=current_user(request), **values)
        return self.serialize(thread)

    @extend_schema(summary="Delete a thread")
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Deletes the thread with its posts. Its author may do so while it has no posts by others."""
        thread = self.get_object()
        if self.is_moderator:
            thread.delete_thread(by=current_user(request))
        else:
            thread.delete_own(by=current_user(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(
    list=extend_schema(summary="Search a club's posts"),
    retrieve=extend_schema(summary="Get a post"),
)
class PostViewSet(DiscussionViewSet):
    """Posts of a club, newest first. The text of posts beyond the caller's progress is never included."""

    access_levels = dict.fromkeys(
        ("list", "retrieve", "partial_update", "destroy", "reveal", "react", "unreact"), AccessLevel.MEMBER
    )
    queryset = Post.objects.none()
    lookup_url_kwarg = "post_id"
    serializer_class = PostSerializer
    filterset_class: Any = PostFilter
    ordering_fields: ClassVar = {"-created_at": ("-id",)}
    pagination_class: Any = SearchPagination

    def get_unsearched_queryset(self) -> PostQuerySet:
        return Post.objects.filter(club=self.club)

    def get_queryset(self) -> PostQuerySet:
        posts = Post.objects.filter(club=self.club).with_details_for(
            current_user(self.request), as_moderator=self.is_moderator
        )
        return posts.readable_by(current_user(self.request)) if self.action == "list" else posts

    @extend_schema(
        summary="Update a post",
        request=PostUpdateSerializer,
        responses={
            200: PostSerializer,
            **CONFLICT_RESPONSES,
            **problem_schema(403, "`author_only`: others may only raise `spoiler_percent`."),
        },
    )
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The author may change all fields, moderators may raise `spoiler_percent`. That also raises it for replies."""
        post = self.get_object()
        if post.author_id != current_user(request).pk:
            require_level(self.club, AccessLevel.MODERATOR)
        context = {"entry_id": post.thread.entry_id}
        post.update_post(by=current_user(request), **validate(PostUpdateSerializer(data=request.data, context=context)))
        return self.serialize(post)

    @extend_schema(summary="Delete a post", responses={204: NO_CONTENT, **CONFLICT_RESPONSES})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """For the author and moderators. The post stays in the thread without text and author."""
        post = self.get_object()
        if post.author_id != current_user(request).pk:
            require_level(self.club, AccessLevel.MODERATOR)
        post.soft_delete(by=current_user(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Reveal a locked post", request=None, responses={200: PostSerializer, **CONFLICT_RESPONSES})
    @action(detail=True, methods=["put"])
    def reveal(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Reveals the post permanently for the caller, regardless of their progress."""
        post = self.get_object()
        post.reveal(by=current_user(request))
        return self.serialize(post)

    @extend_schema(summary="React to a post", request=None, parameters=[EMOJI], responses=REACTION_RESPONSES)
    @action(detail=True, methods=["put"], url_path="reactions/<str:emoji>", url_name="reaction")
    def react(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Add one emoji to the post. Idempotent."""
        post = self.get_object()
        emoji = self.emoji
        if post.is_locked:
            raise PermissionDeniedProblem("post_locked", _("Reveal this post before you react to it."))
        post.react(emoji, by=current_user(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Remove a reaction", request=None, parameters=[EMOJI], responses={204: NO_CONTENT, **CONFLICT_RESPONSES}
    )
    @react.mapping.delete
    def unreact(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Idempotent: also succeeds without a reaction."""
        post = self.get_object()
        post.unreact(self.emoji, by=current_user(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @property
    def emoji(self) -> str:
        """The emoji in the URL, fully qualified. Raises InvalidFieldError if it is not a single emoji."""
        emoji = qualify_emoji(self.kwargs["emoji"])
        if emoji is None:
            raise InvalidFieldError("emoji", "invalid", _("Send exactly one emoji."))
        return emoji

    def get_unlocked_object(self) -> Post:
        post: Post = super().get_unlocked_object()
        if self.request.method not in ("GET", "HEAD"):
            # Before the author check, which would return 403 when an author deletes a post twice.
            post.require_not_deleted()
            post.thread = get_object_or_404(Thread, pk=post.thread_id)
            post.thread.club = self.club
        return post


@extend_schema_view(
    list=extend_schema(summary="List the posts of a thread"),
    retrieve=extend_schema(summary="Get a post of a thread"),
)
class ThreadPostViewSet(PostViewSet):
    """Posts of a thread, oldest first."""

    access_levels = PostViewSet.access_levels | {"create": AccessLevel.MEMBER}
    filterset_class = None
    pagination_class = KeysetPagination
    ordering_fields: ClassVar = {"created_at": ("id",), "-created_at": ("-id",)}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.level is not None:
            # Raises Http404 before the body is validated.
            self.thread  # noqa: B018

    @cached_property
    def thread(self) -> Thread:
        """The thread in the URL, with `club` set to `self.club`."""
        user, as_moderator = current_user(self.request), bool(self.club.my_rank >= Rank.MODERATOR)
        threads = Thread.objects.filter(club=self.club).visible_to(user, as_moderator=as_moderator)
        thread = get_object_or_404(threads, pk=self.kwargs["thread_id"])
        thread.club = self.club
        return thread

    def get_queryset(self) -> PostQuerySet:
        return Post.objects.filter(thread=self.thread).with_details_for(
            current_user(self.request), as_moderator=self.is_moderator
        )

    @extend_schema(
        summary="Create a post", request=PostCreateSerializer, responses={201: PostSerializer, **CONFLICT_RESPONSES}
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Create a post, optionally in reply to another post of the thread."""
        context = {"thread": self.thread, "entry_id": self.thread.entry_id, "request": request}
        values = validate(PostCreateSerializer(data=request.data, context=context))
        post = Post.create_post(thread=self.thread, by=current_user(request), **values)
        # What `with_details_for` adds: authors may read their posts, and nobody has reacted to a new one.
        post.text, post.reaction_counts = post.body, []  # type: ignore[attr-defined]
        return Response(self.get_serializer(post).data, status=status.HTTP_201_CREATED)
