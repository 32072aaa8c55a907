"""Threads and posts over HTTP (api.md, section 7)."""

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

from accounts.authentication import caller
from bookbridge.api.errors import Forbidden, InvalidField
from bookbridge.api.pagination import KeysetPagination, SearchPagination
from bookbridge.api.responses import NOTHING, problem
from bookbridge.api.views import GenericViewSet, checked
from clubs.access import ClubRows, Level, require
from clubs.discussions.emoji import is_emoji
from clubs.discussions.filters import PostFilter, ThreadFilter
from clubs.discussions.models import Thread, ThreadQuerySet
from clubs.discussions.posts import Post, PostQuerySet
from clubs.discussions.serializers import (
    NewPostSerializer,
    NewThreadSerializer,
    PostChangeSerializer,
    PostSerializer,
    ThreadChangeSerializer,
    ThreadSerializer,
)
from clubs.roles import Standing

CLOSED = problem(409, "`thread_closed`, `post_deleted`.")
REACTED: dict[Any, Any] = {
    204: NOTHING,
    **problem(403, "`post_locked`: open it first."),
    **problem(409, "`thread_closed`, `post_deleted`, `too_many_reactions`: 50 different ones."),
}
EMOJI = OpenApiParameter("emoji", OpenApiTypes.STR, OpenApiParameter.PATH, description="One emoji, URL-encoded.")


class TalkViewSet(ClubRows, mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """The base of threads and posts: for members."""

    @property
    def moderates(self) -> bool:
        """Whether the caller acts on single threads and posts as one of the club's moderators."""
        return self.action != "list" and bool(self.club.my_standing >= Standing.MODERATOR)


@extend_schema_view(
    list=extend_schema(summary="A club's threads: pinned ones first, then the latest talk"),
    retrieve=extend_schema(summary="One thread"),
)
class ThreadViewSet(TalkViewSet):
    """What a club talks about."""

    levels = dict.fromkeys(("list", "retrieve", "create", "partial_update", "destroy"), Level.MEMBER)
    queryset = Thread.objects.none()
    lookup_url_kwarg = "thread_id"
    serializer_class = ThreadSerializer
    filterset_class = ThreadFilter
    orderings: ClassVar = {"-last_post_at": ("-pinned", "-last_post_at", "-id")}

    def get_queryset(self) -> ThreadQuerySet:
        """The club's threads that the caller sees."""
        threads = Thread.objects.filter(club=self.club).visible_to(caller(self.request), moderating=self.moderates)
        return threads.select_related("author").defer("author__bio", "author__search_text")

    @extend_schema(summary="Open a thread", request=NewThreadSerializer, responses={201: ThreadSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """With its first post, which is guarded as every post is; the title is not."""
        values = checked(NewThreadSerializer(data=request.data, context={"club": self.club}))
        thread = Thread.open(club=self.club, by=caller(request), **values)
        return self.shown(thread, status.HTTP_201_CREATED)

    @extend_schema(
        summary="Change a thread", request=ThreadChangeSerializer, responses={200: ThreadSerializer, **CLOSED}
    )
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Its author changes the title; moderators that too, and they pin, close and open it."""
        thread = self.get_object()
        values = checked(ThreadChangeSerializer(data=request.data))
        if thread.author_id != caller(request).pk or values.keys() - {"title"}:
            require(self.club, Level.MODERATOR)
        thread.change(by=caller(request), **values)
        return self.shown(thread)

    @extend_schema(summary="Delete a thread with its posts")
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """For moderators; and for its author while nobody else has said anything in it."""
        thread = self.get_object()
        if self.moderates:
            thread.remove(by=caller(request))
        else:
            thread.withdraw(by=caller(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(
    list=extend_schema(summary="Search a club's posts; newest first"),
    retrieve=extend_schema(summary="One post"),
)
class PostViewSet(TalkViewSet):
    """What is said in a club. Text that would spoil the caller's book is not in any answer."""

    levels = dict.fromkeys(
        ("list", "retrieve", "partial_update", "destroy", "reveal", "react", "take_back"), Level.MEMBER
    )
    queryset = Post.objects.none()
    lookup_url_kwarg = "post_id"
    serializer_class = PostSerializer
    filterset_class: Any = PostFilter
    orderings: ClassVar = {"-created_at": ("-id",)}
    pagination_class: Any = SearchPagination

    def unsearched(self) -> PostQuerySet:
        """The club's posts."""
        return Post.objects.filter(club=self.club)

    def get_queryset(self) -> PostQuerySet:
        """The club's posts that the caller sees; in a search those alone that they may read."""
        posts = Post.objects.filter(club=self.club).shown_to(caller(self.request), moderating=self.moderates)
        return posts.unlocked_for(caller(self.request)) if self.action == "list" else posts

    @extend_schema(
        summary="Change a post",
        request=PostChangeSerializer,
        responses={200: PostSerializer, **CLOSED, **problem(403, "`author_only` for the text.")},
    )
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Its author changes text and guard; moderators may raise the guard. Replies are raised along."""
        post = self.get_object()
        if post.author_id != caller(request).pk:
            require(self.club, Level.MODERATOR)
        post.change(by=caller(request), **checked(PostChangeSerializer(data=request.data)))
        return self.shown(post)

    @extend_schema(summary="Delete a post", responses={204: NOTHING, **CLOSED})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """For its author and moderators. Its place in the thread stays."""
        post = self.get_object()
        if post.author_id != caller(request).pk:
            require(self.club, Level.MODERATOR)
        post.remove(by=caller(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Open a locked post", request=None, responses={200: PostSerializer, **CLOSED})
    @action(detail=True, methods=["put"])
    def reveal(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """For the caller alone, and for good, however far they have read."""
        post = self.get_object()
        post.reveal(by=caller(request))
        return self.shown(post)

    @extend_schema(summary="React to a post", request=None, parameters=[EMOJI], responses=REACTED)
    @action(detail=True, methods=["put"], url_path="reactions/<str:emoji>", url_name="reaction")
    def react(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """With one emoji, once, however often it is sent."""
        post = self.get_object()
        emoji = self.emoji
        if post.is_locked:
            raise Forbidden("post_locked", _("Open this post before you react to it."))
        post.react(emoji, by=caller(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Take a reaction back", request=None, parameters=[EMOJI], responses={204: NOTHING, **CLOSED})
    @react.mapping.delete
    def take_back(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Nothing happens where the caller has not reacted so."""
        post = self.get_object()
        post.take_back(self.emoji, by=caller(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @property
    def emoji(self) -> str:
        """The emoji of the path."""
        emoji = str(self.kwargs["emoji"])
        if not is_emoji(emoji):
            raise InvalidField("emoji", "invalid", _("This is not one emoji."))
        return emoji

    def find_object(self) -> Post:
        """The post, whose club is the one that is at hand; to be changed, it must not be deleted."""
        post: Post = super().find_object()
        if self.request.method not in ("GET", "HEAD"):
            # Before who may change it: a deleted post has no author, and its author's second tap is no trespass.
            post.require_words()
            post.thread = get_object_or_404(Thread, pk=post.thread_id)
            post.thread.club = self.club
        return post


@extend_schema_view(
    list=extend_schema(summary="The posts of a thread, the first one first"),
    retrieve=extend_schema(summary="One post of a thread"),
)
class ThreadPostViewSet(PostViewSet):
    """What is said in a thread."""

    levels = PostViewSet.levels | {"create": Level.MEMBER}
    filterset_class = None
    pagination_class = KeysetPagination
    orderings: ClassVar = {"created_at": ("id",), "-created_at": ("-id",)}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After the permissions: 404 where the club has no such thread, whatever the body says."""
        super().initial(request, *args, **kwargs)
        if self.level is not None:
            self.thread  # noqa: B018  looked up for its 404

    @cached_property
    def thread(self) -> Thread:
        """The thread of the path, whose club is the one that is at hand."""
        moderating = bool(self.club.my_standing >= Standing.MODERATOR)
        threads = Thread.objects.filter(club=self.club).visible_to(caller(self.request), moderating=moderating)
        thread = get_object_or_404(threads, pk=self.kwargs["thread_id"])
        thread.club = self.club
        return thread

    def get_queryset(self) -> PostQuerySet:
        """Those of the thread, locked ones too."""
        return Post.objects.filter(thread=self.thread).shown_to(caller(self.request), moderating=self.moderates)

    @extend_schema(
        summary="Say something in a thread", request=NewPostSerializer, responses={201: PostSerializer, **CLOSED}
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """In answer to another post of the thread, or to nobody."""
        context = {"thread": self.thread, "request": request}
        values = checked(NewPostSerializer(data=request.data, context=context))
        post = Post.write(thread=self.thread, by=caller(request), **values)
        return self.shown(post, status.HTTP_201_CREATED)
