"""Views for the user's devices and for the Web Push key."""

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import current_user
from accounts.models import AuthSession
from activity.push import webpush
from activity.push.models import Device, DeviceQuerySet
from activity.push.serializers import DeviceSerializer, PushUnavailableError, VapidKeySerializer
from core.api.responses import problem_schema
from core.api.views import APIView, GenericViewSet, validate

UNAVAILABLE = problem_schema(400, "`push_unavailable`: the server does not send pushes of this kind.")


@extend_schema_view(
    list=extend_schema(summary="List the devices that get push notifications"),
    destroy=extend_schema(summary="Stop push notifications to a device"),
)
class DeviceViewSet(mixins.ListModelMixin, mixins.DestroyModelMixin, GenericViewSet):
    """The caller's devices. Each gets pushes until the session in which it was registered ends."""

    lookup_url_kwarg = "device_id"
    serializer_class = DeviceSerializer
    queryset = Device.objects.none()

    def get_queryset(self) -> DeviceQuerySet:
        return Device.objects.visible_to(current_user(self.request))

    @extend_schema(
        summary="Register this device for push notifications",
        responses={
            201: DeviceSerializer,
            200: DeviceSerializer,
            **UNAVAILABLE,
            **problem_schema(409, "`too_many_devices`: the account has 20 devices."),
        },
    )
    def create(self, request: Request) -> Response:
        """The device gets the notifications of this account until the session ends.

        A token that is already registered is updated (200), or moves to this account (201).
        """
        session = request.auth
        if not isinstance(session, AuthSession):  # the browsable API's session, which gets no notifications
            raise NotAuthenticated
        device, is_new = Device.register(session, **validate(self.get_serializer(data=request.data)))
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(self.get_serializer(device).data, status=code)


class VapidKeyView(APIView):
    """Get the server's public key for Web Push (VAPID)."""

    permission_classes = [AllowAny]

    @extend_schema(summary="Get the key for Web Push", responses={200: VapidKeySerializer, **UNAVAILABLE})
    def get(self, request: Request) -> Response:
        """Pass the key as `applicationServerKey` to a browser's `pushManager.subscribe()`, or to UnifiedPush."""
        if not webpush.is_enabled():
            raise PushUnavailableError
        return Response({"public_key": webpush.vapid_public_key()})
