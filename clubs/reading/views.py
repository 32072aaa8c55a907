"""Reading lists, milestones and progress over HTTP (api.md, section 4)."""

from typing import Any, ClassVar, cast
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.cache import set_response_etag
from django.utils.functional import cached_property
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from accounts.authentication import caller
from bookbridge.api.renderers import JSONRenderer
from bookbridge.api.responses import problem
from bookbridge.api.views import GenericViewSet, checked
from clubs.access import ClubRows, ClubScoped, Level, require
from clubs.reading.filters import EntryFilter
from clubs.reading.marks import ProgressQuerySet
from clubs.reading.models import Entry, EntryQuerySet, Milestone, Progress
from clubs.reading.pagination import ProgressPagination
from clubs.reading.rules import Status
from clubs.reading.serializers import (
    EntryChangeSerializer,
    EntrySerializer,
    MemberProgressSerializer,
    MilestoneSerializer,
    MyProgressSerializer,
    NewEntrySerializer,
    ProgressSerializer,
)
from clubs.roles import Standing


@extend_schema_view(
    list=extend_schema(summary="A club's reading list"),
    retrieve=extend_schema(summary="One book of the list"),
)
class EntryViewSet(ClubRows, mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """A club's list: members propose, moderators order it and lead each book through it."""

    levels = {
        "list": Level.ANYONE,
        "retrieve": Level.ANYONE,
        "create": Level.MEMBER,
        "partial_update": Level.MODERATOR,
        # A proposal may be taken back by who made it; the model knows.
        "destroy": Level.MEMBER,
    }
    queryset = Entry.objects.all()
    lookup_url_kwarg = "entry_id"
    serializer_class = EntrySerializer
    filterset_class = EntryFilter
    orderings: ClassVar = {"position": ("position",)}

    def get_queryset(self) -> EntryQuerySet:
        """The club's entries with what the answer shows."""
        return Entry.objects.filter(club=self.club).with_figures(self.request.user)

    @extend_schema(
        summary="Put a book on the list",
        request=NewEntrySerializer,
        responses={201: EntrySerializer, **problem(409, "`already_listed`.")},
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """As `proposed`, at the end; moderators may say another status."""
        values = checked(NewEntrySerializer(data=request.data))
        if values["status"] != Status.PROPOSED:
            require(self.club, Level.MODERATOR)
        entry = Entry.add(club=self.club, by=caller(request), **values)
        return self.shown(entry, status.HTTP_201_CREATED)

    @extend_schema(
        summary="Change an entry",
        request=EntryChangeSerializer,
        responses={200: EntrySerializer, **problem(409, "`illegal_transition`.")},
    )
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Status, place, dates and note, all that were sent or none."""
        entry = self.get_object()
        entry.change(by=caller(request), **checked(EntryChangeSerializer(data=request.data)))
        return self.shown(entry)

    @extend_schema(summary="Take a book off the list")
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """For moderators; and for who proposed it, while it is proposed."""
        entry: Entry = self.get_object()
        if self.club.my_standing >= Standing.MODERATOR:
            entry.remove(by=caller(request))
        else:
            entry.withdraw(by=caller(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class EntryScoped(ClubScoped):
    """View mixin: `self.entry` is the list entry of the path."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After the permissions: 404 where the club's list has no such entry, whatever the body says."""
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        if self.level is not None:
            self.entry  # noqa: B018  looked up for its 404

    @cached_property
    def entry(self) -> Entry:
        """The entry, whose club is the one that is at hand."""
        entry = get_object_or_404(Entry.objects.filter(club=self.club), pk=self.kwargs["entry_id"])
        entry.club = self.club
        return entry


@extend_schema_view(
    list=extend_schema(summary="The schedule of a book"),
    create=extend_schema(summary="Add a milestone"),
    retrieve=extend_schema(summary="One milestone"),
    partial_update=extend_schema(summary="Change a milestone"),
    destroy=extend_schema(summary="Take a milestone out"),
)
class MilestoneViewSet(
    EntryScoped,
    mixins.ListModelMixin,
    mixins.CreateModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    GenericViewSet,
):
    """By when to have read how far."""

    http_method_names = ["get", "head", "options", "post", "patch", "delete"]
    levels = {
        "list": Level.ANYONE,
        "retrieve": Level.ANYONE,
        "create": Level.MODERATOR,
        "partial_update": Level.MODERATOR,
        "destroy": Level.MODERATOR,
    }
    queryset = Milestone.objects.all()
    lookup_url_kwarg = "milestone_id"
    serializer_class = MilestoneSerializer
    orderings: ClassVar = {"due_on": ("due_on", "id")}

    def get_queryset(self) -> Any:
        """The entry's milestones."""
        return Milestone.objects.filter(entry=self.entry)

    def perform_create(self, serializer: BaseSerializer[Milestone]) -> None:
        """As the model says."""
        serializer.instance = Milestone.add(entry=self.entry, by=caller(self.request), **serializer.validated_data)

    def perform_update(self, serializer: BaseSerializer[Milestone]) -> None:
        """As the model says; what was not sent stays as it is."""
        cast(Milestone, serializer.instance).change(by=caller(self.request), **serializer.validated_data)

    def perform_destroy(self, instance: Milestone) -> None:
        """As the model says."""
        instance.remove(by=caller(self.request))


class ProgressViewSet(EntryScoped, mixins.ListModelMixin, GenericViewSet):
    """How far the members are in a book."""

    levels = {"list": Level.MEMBER, "update": Level.MEMBER}
    queryset = Progress.objects.all()
    serializer_class = MemberProgressSerializer
    pagination_class = ProgressPagination
    orderings: ClassVar = {"-percent": ("-percent", "-id")}

    def get_queryset(self) -> ProgressQuerySet:
        """The marks the caller may see."""
        marks = Progress.objects.filter(entry=self.entry).visible_to(self.request.user)
        return marks.select_related("user")

    def get_serializer_context(self) -> dict[str, Any]:
        """With how far the schedule wants the readers to be today, where the club is."""
        context = dict(super().get_serializer_context())
        if not getattr(self, "swagger_fake_view", False):
            today = timezone.localdate(timezone=ZoneInfo(self.club.timezone))
            context["percent_due"] = Milestone.objects.filter(entry=self.entry).percent_due(today)
        return context

    @extend_schema(summary="How far the members are")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Marks that are not hidden, one's own in any case, the farthest first."""
        response = super().list(request, *args, **kwargs)
        mean = Progress.objects.filter(entry=self.entry).mean_percent(of=self.club.members_count)
        response.data["mean_percent"] = None if mean is None else float(mean)
        return response

    @extend_schema(summary="Say how far one is", request=ProgressSerializer, responses=MyProgressSerializer)
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """In percent, in pages of one's own edition, or in minutes of an audiobook; the last one stands."""
        entry = self.get_object()
        mark = Progress.set(entry=entry, by=caller(request), **checked(ProgressSerializer(data=request.data)))
        return Response(MyProgressSerializer(mark).data)

    def find_object(self) -> Entry:
        """What a PUT writes below."""
        return self.entry

    def etag_of(self, obj: Any) -> str:
        """That of the list, which is what GET answers here."""
        response = HttpResponse(JSONRenderer().render(self.list(self.request).data))
        set_response_etag(response)
        return response["ETag"]
