"""The log and notifications over HTTP (api.md, section 10); a club's feed is in `clubs.feed`."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import caller
from accounts.models import User
from activity.filters import NotificationFilter
from activity.models import Event, EventQuerySet, Notification, NotificationQuerySet, Preference
from activity.pagination import OwnLogPagination
from activity.serializers import EventSerializer, NotificationSerializer, ReadSerializer, SettingsSerializer
from bookbridge.api.responses import NOTHING
from bookbridge.api.rows import hold
from bookbridge.api.views import FormView, GenericAPIView, checked


class OwnActivityView(generics.ListAPIView, GenericAPIView):  # type: ignore[type-arg]
    """What the caller did, and what was done to their account and memberships; sign-ins included."""

    is_list = True
    serializer_class = EventSerializer
    pagination_class = OwnLogPagination
    queryset = Event.objects.none()

    def get_queryset(self) -> EventQuerySet:
        """The caller's own log."""
        reader = caller(self.request)
        log: EventQuerySet = Event.objects.of_reader(reader).for_answer(reader)
        return log


class NotificationsView(generics.ListAPIView, GenericAPIView):  # type: ignore[type-arg]
    """What the caller is told."""

    is_list = True
    serializer_class = NotificationSerializer
    filterset_class = NotificationFilter
    queryset = Notification.objects.none()

    def get_queryset(self) -> NotificationQuerySet:
        """The caller's own."""
        reader = caller(self.request)
        rows: NotificationQuerySet = Notification.objects.of_reader(reader).for_answer(reader)
        return rows


@extend_schema(responses={204: NOTHING})
class ReadView(FormView):
    """Mark some (`ids`) or `all` of one's notifications as read."""

    serializer_class = ReadSerializer

    def perform(self, request: Request, **data: Any) -> Response:
        """Nothing happens to those that are read already."""
        rows = Notification.objects.of_reader(caller(request))
        if not data.get("all"):
            rows = self._named(rows, data["ids"])
        rows.mark_read()
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _named(self, rows: NotificationQuerySet, ids: list[int]) -> NotificationQuerySet:
        """Those with the ids; 400 for one that is not the caller's, as for one that is not there."""
        found = set(rows.filter(pk__in=ids).values_list("pk", flat=True))
        strange = ErrorDetail(str(_("There is no such notification.")), "does_not_exist")
        errors = {f"ids.{n}": [strange] for n, pk in enumerate(ids) if pk not in found}
        if errors:
            raise ValidationError(errors)
        return rows.filter(pk__in=found)


class SettingsView(generics.RetrieveUpdateAPIView, GenericAPIView):  # type: ignore[type-arg]
    """How the caller wants to be told of each kind: in the app, by mail, both or not at all."""

    serializer_class = SettingsSerializer
    http_method_names = ["get", "head", "options", "patch"]

    def find_object(self) -> dict[str, dict[str, bool]]:
        """The wishes, as they stand."""
        return Preference.objects.of(caller(self.request).pk)

    def lock(self, obj: object) -> None:
        """For a conditional write: hold the caller's row, which every change of wishes locks first."""
        hold(User, [caller(self.request).pk])

    @extend_schema(summary="Change how one is told", responses=SettingsSerializer)
    def patch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """What is not sent stays as it is; `security` cannot be turned off."""
        self.get_object()
        Preference.objects.change(caller(request), checked(self.get_serializer(data=request.data)))
        return Response(self.get_serializer(self.find_object()).data)
