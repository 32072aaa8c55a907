"""Views of reading lists, milestones and progress."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from accounts.authentication import current_user
from catalog.models import BOOK_SUMMARY, Book
from clubs.access import AccessLevel, ClubAccessMixin, ClubChildViewSetMixin, require_level
from clubs.club.services import reading_list
from clubs.reading import progress_services
from clubs.reading.choices import EntryStatus
from clubs.reading.filters import EntryFilter
from clubs.reading.models import Entry, Milestone, Progress, ProgressQuerySet, SpoilerConsent
from clubs.reading.pagination import ProgressPagination
from clubs.reading.querysets import EntryQuerySet
from clubs.reading.serializers import (
    EntryCreateSerializer,
    EntrySerializer,
    EntryUpdateSerializer,
    MemberProgressSerializer,
    MilestoneSerializer,
    NullableMyProgressSerializer,
    ProgressSerializer,
    ShiftResultSerializer,
    ShiftSerializer,
)
from clubs.reading.shifts import shift_entry
from clubs.roles import Rank
from core.api.responses import NO_CONTENT, problem_schema
from core.api.views import GenericViewSet, validate
from core.db.joins import other_columns


@extend_schema_view(
    list=extend_schema(summary="List the books of a club"),
    retrieve=extend_schema(
        summary="Get a reading list entry", description="A book on the list with the caller's own progress."
    ),
)
class EntryViewSet(ClubChildViewSetMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Reading list of a club. Members propose books; moderators order the list and set the status of books."""

    access_levels = {
        "list": AccessLevel.ANYONE,
        "retrieve": AccessLevel.ANYONE,
        "create": AccessLevel.MEMBER,
        "partial_update": AccessLevel.MODERATOR,
        # Members may delete their own proposals; the model checks that.
        "destroy": AccessLevel.MEMBER,
        "shift": AccessLevel.MODERATOR,
    }
    queryset = Entry.objects.all()
    lookup_url_kwarg = "entry_id"
    serializer_class = EntrySerializer
    filterset_class = EntryFilter
    ordering_fields: ClassVar = {"position": ("position",)}

    def get_queryset(self) -> EntryQuerySet:
        return reading_list(self.request.user, self.club.pk)

    @extend_schema(
        summary="Add a book to the list",
        request=EntryCreateSerializer,
        responses={201: EntrySerializer, **problem_schema(409, "`already_listed`.")},
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Add a book at the end of the list. Only moderators may set dates or a status other than `proposed`."""
        values = validate(EntryCreateSerializer(data=request.data))
        if values["status"] != EntryStatus.PROPOSED or values.keys() & {"starts_on", "ends_on", "finished_on"}:
            require_level(self.club, AccessLevel.MODERATOR)
        entry = Entry.add_entry(club=self.club, by=current_user(request), **values)
        return self.serialize(entry, status.HTTP_201_CREATED)

    @extend_schema(
        summary="Update a reading list entry",
        request=EntryUpdateSerializer,
        responses={
            200: EntrySerializer,
            **problem_schema(409, "`illegal_transition`, `already_listed`, `already_open`."),
        },
    )
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Update status, position, dates and note of an entry. Either all sent fields are saved or none."""
        entry = self.get_object()
        entry.update_entry(by=current_user(request), **validate(EntryUpdateSerializer(data=request.data)))
        return self.serialize(entry)

    @extend_schema(summary="Remove a book from the list")
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Remove a book from the list. Members may remove their own proposals, moderators any entry."""
        entry: Entry = self.get_object()
        if self.club.my_rank >= Rank.MODERATOR:
            entry.delete_entry(by=current_user(request))
        else:
            entry.delete_own_proposal(by=current_user(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Move the dates of a book", request=ShiftSerializer, responses={200: ShiftResultSerializer})
    @action(detail=True, methods=["post"], responds_with_object=False)
    def shift(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Move `ends_on`, the milestones from a day on and, if asked, the coming meetings about the book: all or none.

        Meetings keep their local time. The members get one notification. Moderators only.
        """
        entry = self.get_object()
        moved = shift_entry(entry, by=current_user(request), **validate(ShiftSerializer(data=request.data)))
        return Response(ShiftResultSerializer(moved).data)


class EntryAccessMixin(ClubAccessMixin):
    """Load the reading list entry named in the URL as `self.entry`."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raise Http404 for a missing entry before the body is validated."""
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        if self.level is not None:
            self.entry  # noqa: B018  looked up for its 404

    @cached_property
    def entry(self) -> Entry:
        """The entry named in the URL with its book, reusing the loaded club."""
        entries = Entry.objects.select_related("book").defer(*other_columns("book", Book, *BOOK_SUMMARY))
        entry = get_object_or_404(entries, club=self.club, pk=self.kwargs["entry_id"])
        entry.club = self.club
        return entry


@extend_schema_view(
    list=extend_schema(summary="List milestones", description="Milestones of the book by due date."),
    create=extend_schema(
        summary="Create a milestone",
        description="Send either `up_to_percent` or `up_to_chapter`. Moderators only.",
    ),
    retrieve=extend_schema(summary="Get a milestone"),
    partial_update=extend_schema(
        summary="Update a milestone", description="A new goal replaces the other one. Moderators only."
    ),
    destroy=extend_schema(summary="Delete a milestone", description="Moderators only."),
)
class MilestoneViewSet(
    EntryAccessMixin,
    mixins.ListModelMixin,
    mixins.CreateModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    GenericViewSet,
):
    """Milestones of a book: how far to read by which date."""

    http_method_names = ["get", "head", "options", "post", "patch", "delete"]
    access_levels = {
        "list": AccessLevel.ANYONE,
        "retrieve": AccessLevel.ANYONE,
        "create": AccessLevel.MODERATOR,
        "partial_update": AccessLevel.MODERATOR,
        "destroy": AccessLevel.MODERATOR,
    }
    queryset = Milestone.objects.all()
    lookup_url_kwarg = "milestone_id"
    serializer_class = MilestoneSerializer
    ordering_fields: ClassVar = {"due_on": ("due_on", "id")}

    def get_queryset(self) -> Any:
        return Milestone.objects.filter(entry=self.entry)

    def perform_create(self, serializer: BaseSerializer[Milestone]) -> None:
        serializer.instance = Milestone.create_milestone(
            entry=self.entry, by=current_user(self.request), **serializer.validated_data
        )

    def perform_update(self, serializer: BaseSerializer[Milestone]) -> None:
        cast(Milestone, serializer.instance).update_milestone(
            by=current_user(self.request), **serializer.validated_data
        )

    def perform_destroy(self, instance: Milestone) -> None:
        instance.delete_milestone(by=current_user(self.request))


class ProgressViewSet(EntryAccessMixin, mixins.ListModelMixin, GenericViewSet):
    """Reading progress of the members in a book."""

    access_levels = dict.fromkeys(("list", "mine", "update", "destroy"), AccessLevel.MEMBER)
    queryset = Progress.objects.all()
    serializer_class = MemberProgressSerializer
    pagination_class = ProgressPagination
    ordering_fields: ClassVar = {"-percent": ("-percent", "-id")}

    def get_queryset(self) -> ProgressQuerySet:
        rows = Progress.objects.filter(entry=self.entry).visible_to(self.request.user)
        return rows.select_related("user")

    def get_serializer_context(self) -> dict[str, Any]:
        """Add the percentage due today, in the club's time zone."""
        context = dict(super().get_serializer_context())
        if not getattr(self, "swagger_fake_view", False):
            context["percent_due"] = Milestone.objects.filter(entry=self.entry).percent_due(self.club.today)
        return context

    @extend_schema(summary="List the members' progress")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List visible progress and the caller's own, highest first."""
        response = super().list(request, *args, **kwargs)
        mean = Progress.objects.filter(entry=self.entry).mean_percent(self.club)
        response.data["mean_percent"] = None if mean is None else float(mean)
        return response

    @extend_schema(summary="Get your progress", responses=NullableMyProgressSerializer)
    def mine(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Get the caller's own progress, with the `ETag` for `If-Match`; with nulls before it is set."""
        return Response(NullableMyProgressSerializer(self.get_object()).data)

    @extend_schema(summary="Set your progress", request=ProgressSerializer, responses=NullableMyProgressSerializer)
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Set the caller's progress in percent, sections, pages of their own edition, or minutes of an audiobook.

        Without a position, only `stopped` and `spoilers_ok` are saved. `If-Match` takes the `ETag` of the caller's own
        progress.
        """
        if self.is_conditional:
            self.get_object()
        values = validate(ProgressSerializer(data=request.data))
        progress = progress_services.update_progress(entry=self.entry, by=current_user(request), **values)
        return Response(NullableMyProgressSerializer(progress or self.get_unlocked_object()).data)

    @extend_schema(summary="Delete your progress", responses={204: NO_CONTENT})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete the caller's progress, as if it had never been set. Idempotent."""
        if self.is_conditional:
            self.get_object()
        progress_services.delete_progress(entry=self.entry, by=current_user(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def get_unlocked_object(self) -> Progress:
        """Return the caller's own progress, so that changes by other members do not upset `If-Match`."""
        user = current_user(self.request)
        own = Progress.objects.filter(entry=self.entry, user=user).with_spoilers_ok().first()
        if own is None:
            own = Progress(entry=self.entry, percent=cast(Any, None), updated_at=cast(Any, None))
            consents = SpoilerConsent.objects.filter(entry=self.entry, user=user)
            own.spoilers_ok = consents.exists()  # type: ignore[attr-defined]
        return own

    def get_data(self, obj: Progress) -> Mapping[str, Any]:
        return NullableMyProgressSerializer(obj).data
