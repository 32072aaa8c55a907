"""Views of date polls."""

from typing import Any, ClassVar, cast

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import current_user
from clubs.access import AccessLevel, ClubAccessMixin, ClubChildViewSetMixin
from core.api.responses import NO_CONTENT, problem_schema
from core.api.views import GenericViewSet, validate
from meetings.date_polls.filters import DatePollFilter
from meetings.date_polls.models import DateAnswer, DateAnswerQuerySet, DatePoll, DatePollQuerySet
from meetings.date_polls.serializers import (
    DateAnswerSerializer,
    DatePollCloseSerializer,
    DatePollCreateSerializer,
    DatePollSerializer,
    MemberDateAnswerSerializer,
)

CONFLICT_RESPONSES = problem_schema(409, "`poll_closed`.")


@extend_schema_view(
    list=extend_schema(summary="List a club's date polls"),
    retrieve=extend_schema(summary="Get a date poll"),
    destroy=extend_schema(
        summary="Delete a date poll", description="Deletes the poll with its answers. Its meeting stays."
    ),
)
class DatePollViewSet(
    ClubChildViewSetMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, GenericViewSet
):
    """Polls on when the club meets. The close creates the meeting."""

    access_levels = {
        "list": AccessLevel.MEMBER,
        "retrieve": AccessLevel.MEMBER,
        "create": AccessLevel.MODERATOR,
        "destroy": AccessLevel.MODERATOR,
        "answer": AccessLevel.MEMBER,
        "withdraw_answer": AccessLevel.MEMBER,
        "close": AccessLevel.MODERATOR,
    }
    queryset = DatePoll.objects.none()
    lookup_url_kwarg = "poll_id"
    serializer_class = DatePollSerializer
    filterset_class = DatePollFilter
    ordering_fields: ClassVar = {"-created_at": ("-created_at", "-id")}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.level is not None and not self._is_unconditional_answer:
            # Close due polls first, in case the task is late.
            DatePoll.objects.filter(club=self.club).close_due()

    def get_queryset(self) -> DatePollQuerySet:
        polls = DatePoll.objects.filter(club=self.club)
        return polls if self._is_unconditional_answer else polls.with_details_for(current_user(self.request))

    @property
    def _is_unconditional_answer(self) -> bool:
        """Whether the poll's `ETag` is not needed. A due poll rejects answers even if it is not closed yet."""
        return self.action in ("answer", "withdraw_answer") and not self.is_conditional

    @extend_schema(
        summary="Create a date poll",
        request=DatePollCreateSerializer,
        responses={201: DatePollSerializer, **problem_schema(409, "`too_many_polls`: the club has 10 open polls.")},
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Let the members say until `closes_at` when they can meet."""
        values = validate(DatePollCreateSerializer(data=request.data))
        poll = DatePoll.create_poll(club=self.club, by=current_user(request), **values)
        return self.serialize(poll, status.HTTP_201_CREATED)

    def perform_destroy(self, instance: DatePoll) -> None:
        instance.delete_poll(by=current_user(self.request))

    @extend_schema(
        summary="Answer a date poll, or change your answer",
        request=DateAnswerSerializer,
        responses={200: DateAnswerSerializer, **CONFLICT_RESPONSES},
    )
    @action(detail=True, methods=["put"], responds_with_object=False)
    def answer(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Replaces an earlier answer; a changed one moves to the end of the order. The response is `my_answer`."""
        poll = self.get_object()
        poll.require_open()
        values = validate(DateAnswerSerializer(data=request.data))
        poll.answer(by=current_user(request), **values)
        return Response({name: sorted(ids) for name, ids in values.items()})

    @extend_schema(summary="Withdraw your answer", request=None, responses={204: NO_CONTENT, **CONFLICT_RESPONSES})
    @answer.mapping.delete
    def withdraw_answer(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Idempotent: also succeeds without an answer."""
        self.get_object().withdraw_answer(by=current_user(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Close a date poll early",
        request=DatePollCloseSerializer,
        responses={200: DatePollSerializer, **CONFLICT_RESPONSES},
    )
    @action(detail=True, methods=["post"])
    def close(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Creates the meeting on the date `option`, or on the one that suits most members; without answers, none."""
        poll = self.get_object()
        poll.require_open()
        poll.close(by=current_user(request), **validate(DatePollCloseSerializer(data=request.data)))
        return self.serialize(poll)

    def lock_object(self, obj: object) -> None:
        # The same locks in the same order as the write itself.
        cast(DatePoll, obj).lock(by=current_user(self.request))
        del self.club


@extend_schema_view(
    list=extend_schema(summary="List the answers to a date poll", description="In the order of answering."),
)
class DateAnswerViewSet(ClubAccessMixin, mixins.ListModelMixin, GenericViewSet):
    """The members' answers to a date poll."""

    access_levels = {"list": AccessLevel.MEMBER}
    queryset = DateAnswer.objects.none()
    serializer_class = MemberDateAnswerSerializer
    ordering_fields: ClassVar = {"answered_at": ("answered_at", "id")}

    def get_queryset(self) -> DateAnswerQuerySet:
        poll = get_object_or_404(DatePoll.objects.filter(club=self.club), pk=self.kwargs["poll_id"])
        rows = DateAnswer.objects.filter(poll=poll).visible_to(current_user(self.request))
        rows = rows.select_related("user").prefetch_related("choices")
        return rows.defer("user__bio", "user__search_text")
