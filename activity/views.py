"""Views of the user's own activity log, notifications and notification settings."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import current_user
from accounts.models import User
from activity.filters import NotificationFilter
from activity.models import Event, EventQuerySet, Notification, NotificationPreference, NotificationQuerySet
from activity.pagination import UserActivityPagination
from activity.serializers import (
    EventSerializer,
    MarkReadSerializer,
    NotificationSerializer,
    NotificationSettingsSerializer,
    UnsubscribeSerializer,
)
from activity.services import mark_read
from activity.unsubscribe import unsubscribe
from core.api.parsers import JSONParser
from core.api.responses import NO_CONTENT
from core.api.views import ActionView, GenericAPIView, validate
from core.db.locking import lock_rows


class UserActivityView(generics.ListAPIView, GenericAPIView):  # type: ignore[type-arg]
    """List the caller's own actions and the changes to their account and memberships."""

    is_list = True
    serializer_class = EventSerializer
    pagination_class = UserActivityPagination
    queryset = Event.objects.none()

    def get_queryset(self) -> EventQuerySet:
        user = current_user(self.request)
        events: EventQuerySet = Event.objects.for_user(user).for_serializer(user)
        return events


class NotificationListView(generics.ListAPIView, GenericAPIView):  # type: ignore[type-arg]
    """List the notifications of the current account."""

    is_list = True
    serializer_class = NotificationSerializer
    filterset_class = NotificationFilter
    queryset = Notification.objects.none()

    def get_queryset(self) -> NotificationQuerySet:
        user = current_user(self.request)
        notifications: NotificationQuerySet = Notification.objects.for_user(user).for_serializer(user)
        return notifications


class NotificationView(generics.RetrieveAPIView, GenericAPIView):  # type: ignore[type-arg]
    """Get one notification of the current account."""

    serializer_class = NotificationSerializer
    lookup_url_kwarg = "notification_id"
    queryset = Notification.objects.none()

    get_queryset = NotificationListView.get_queryset


@extend_schema(responses={204: NO_CONTENT})
class MarkReadView(ActionView):
    """Mark some (`ids`) or all (`all`) notifications as read."""

    serializer_class = MarkReadSerializer

    def perform(self, request: Request, **data: Any) -> Response:
        rows = Notification.objects.for_user(current_user(request))
        if not data.get("all"):
            rows = self._filter_ids(rows, data["ids"])
        mark_read(rows)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _filter_ids(self, rows: NotificationQuerySet, ids: list[int]) -> NotificationQuerySet:
        """Return the notifications with these ids. Raises ValidationError for unknown ids and those of other users."""
        known = set(rows.filter(pk__in=ids).values_list("pk", flat=True))
        errors = {f"ids.{n}": [_("Notification not found.")] for n, pk in enumerate(ids) if pk not in known}
        if errors:
            raise ValidationError(errors, "does_not_exist")
        return rows.filter(pk__in=known)


class NotificationSettingsView(generics.RetrieveUpdateAPIView, GenericAPIView):  # type: ignore[type-arg]
    """Get the notification settings: for each kind, whether to notify in the app, by e-mail and by push."""

    serializer_class = NotificationSettingsSerializer
    http_method_names = ["get", "head", "options", "patch"]

    def get_unlocked_object(self) -> dict[str, dict[str, bool]]:
        return NotificationPreference.objects.for_user(current_user(self.request).pk)

    def lock_object(self, obj: object) -> None:
        # The settings are several rows, so conditional writes lock the user, as every change of the settings does.
        lock_rows(User, [current_user(self.request).pk])

    @extend_schema(summary="Update the notification settings", responses=NotificationSettingsSerializer)
    def patch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Omitted kinds and channels are unchanged. `security` cannot be turned off."""
        self.get_object()
        NotificationPreference.objects.update_preferences(
            current_user(request), validate(self.get_serializer(data=request.data))
        )
        return Response(self.get_serializer(self.get_unlocked_object()).data)


@extend_schema(summary="Unsubscribe from e-mails", responses={204: NO_CONTENT})
class UnsubscribeView(ActionView):
    """Turn off the e-mails of the kinds of notifications that an e-mail contained, with its token (RFC 8058).

    Takes JSON and the form that mail programs send, with the token in the body or in the URL. GET changes nothing.
    """

    serializer_class = UnsubscribeSerializer
    permission_classes = [AllowAny]
    authentication_classes = []
    parser_classes = [JSONParser, FormParser, MultiPartParser]
    allowed_query_params = ("token",)

    def perform(self, request: Request, **data: Any) -> Response:
        unsubscribe(data.get("token") or request.query_params.get("token", ""))
        return Response(status=status.HTTP_204_NO_CONTENT)
