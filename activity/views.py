"""Views of the user's own activity log, notifications and notification settings."""

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
    """List the caller's own actions and the changes to their account and memberships."""

    is_list = True
    serializer_class = EventSerializer
    pagination_class = OwnLogPagination
    queryset = Event.objects.none()

    def get_queryset(self) -> EventQuerySet:
        user = caller(self.request)
        events: EventQuerySet = Event.objects.of_reader(user).for_answer(user)
        return events


class NotificationsView(generics.ListAPIView, GenericAPIView):  # type: ignore[type-arg]
    """List the notifications of the current account."""

    is_list = True
    serializer_class = NotificationSerializer
    filterset_class = NotificationFilter
    queryset = Notification.objects.none()

    def get_queryset(self) -> NotificationQuerySet:
        user = caller(self.request)
        notifications: NotificationQuerySet = Notification.objects.of_reader(user).for_answer(user)
        return notifications


@extend_schema(responses={204: NOTHING})
class ReadView(FormView):
    """Mark some (`ids`) or all (`all`) notifications as read."""

    serializer_class = ReadSerializer

    def perform(self, request: Request, **data: Any) -> Response:
        rows = Notification.objects.of_reader(caller(request))
        if not data.get("all"):
            rows = self._named(rows, data["ids"])
        rows.mark_read()
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _named(self, rows: NotificationQuerySet, ids: list[int]) -> NotificationQuerySet:
        """Return the notifications with these ids. Raises ValidationError for unknown ids and those of other users."""
        known = set(rows.filter(pk__in=ids).values_list("pk", flat=True))
        unknown = ErrorDetail(str(_("Notification not found.")), "does_not_exist")
        errors = {f"ids.{n}": [unknown] for n, pk in enumerate(ids) if pk not in known}
        if errors:
            raise ValidationError(errors)
        return rows.filter(pk__in=known)


class SettingsView(generics.RetrieveUpdateAPIView, GenericAPIView):  # type: ignore[type-arg]
    """Get the notification settings: for each kind, whether to notify in the app and by e-mail."""

    serializer_class = SettingsSerializer
    http_method_names = ["get", "head", "options", "patch"]

    def find_object(self) -> dict[str, dict[str, bool]]:
        return Preference.objects.of(caller(self.request).pk)

    def lock(self, obj: object) -> None:
        # The settings are several rows, so conditional writes lock the user, as every change of the settings does.
        hold(User, [caller(self.request).pk])

    @extend_schema(summary="Update the notification settings", responses=SettingsSerializer)
    def patch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Omitted kinds and channels are unchanged. `security` cannot be turned off."""
        self.get_object()
        Preference.objects.change(caller(request), checked(self.get_serializer(data=request.data)))
        return Response(self.get_serializer(self.find_object()).data)
