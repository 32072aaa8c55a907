"""Views for tests, with errors and features that no view of the project has."""

import time
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, OperationalError, connection, models
from django.db.models.functions import Length
from django.http import HttpResponse
from django.urls import include, path
from rest_framework import mixins, parsers, serializers
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from accounts.models import AuthSession, User
from bookbridge.urls import *  # noqa: F403  (its handlers as well)
from bookbridge.urls import urlpatterns as real
from core.api import throttling
from core.api.exceptions import Conflict, InvalidFieldError
from core.api.routers import optional_slash
from core.api.views import APIView, GenericViewSet
from core.db.replicas import ReplicaRouter
from core.db.transactions import atomic_with_retry

SECRET = "SELECT password FROM accounts_user -- /srv/bookbridge"


class Public(APIView):
    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]


class Boom(Public):
    def get(self, request):
        raise RuntimeError(SECRET)


class DatabaseDown(Public):
    def get(self, request):
        raise OperationalError(2002, SECRET)


class LostRace(Public):
    def get(self, request):
        raise IntegrityError(1062, SECRET)


class Refused(Public):
    def get(self, request):
        raise PermissionDenied(SECRET)


def bare_boom(request):
    """A view without DRF: Django's handler responds."""
    raise RuntimeError(SECRET)


def bare_down(request):
    raise OperationalError(2002, SECRET)


def bare_refused(request):
    return HttpResponse("<h1>Gone</h1>", status=410, headers={"X-Kept": "yes"})


class Line(serializers.Serializer):
    isbn = serializers.CharField(max_length=13)


class Order(serializers.Serializer):
    lines = Line(many=True)
    kind = serializers.ChoiceField(choices=["a", "b"], required=False)
    note = serializers.CharField(required=False, allow_blank=True)


class Echo(Public):
    """A body with nested fields."""

    def post(self, request):
        serializer = Order(data=request.data)
        serializer.is_valid(raise_exception=True)
        return Response(serializer.validated_data, status=201)


class NestedRefusal(Public):
    def post(self, request):
        raise InvalidFieldError("a.b.0", "too_odd", "Odd.")


class Upload(Public):
    parser_classes = [parsers.MultiPartParser]

    def put(self, request):
        return Response({"bytes": request.data["file"].size})


class Once(APIView):
    """A POST with an effect that can be counted: a session with a given device."""

    throttle_classes = [throttling.LoginRateThrottle]  # it reads the body before the view does

    def post(self, request, name="x"):
        if request.data.get("refuse"):
            raise Conflict("refused", "No.")
        AuthSession.objects.create(user=request.user, device="effect", expires_at="2999-01-01T00:00Z", jti="x")
        if request.data.get("boom"):
            raise RuntimeError(SECRET)
        time.sleep(request.data.get("sleep", 0))
        return Response({"code": "a secret shown once", "n": 1.50, "list": [None, "é"]}, status=201)


class Limited(Public):
    throttle_classes = [throttling.RegisterRateThrottle]

    def get(self, request):
        return Response({})


class Cached(Public):
    """A view that uses the cache three times."""

    def get(self, request):
        seen = [cache.get("probe"), cache.get_many(["probe", "other"]), cache.get("another", "none")]
        cache.set("probe", {"n": 1}, 60)
        return Response({"seen": seen[0]})


class WhichDatabase(Public):
    def get(self, request):
        return Response({"read": ReplicaRouter().db_for_read(User), "write": ReplicaRouter().db_for_write(User)})

    post = get


class MaybeSignedIn(APIView):
    permission_classes = [AllowAny]

    def get(self, request):
        return Response({"anonymous": isinstance(request.user, AnonymousUser)})


attempts: list[int] = []


class Deadlocks(Public):
    """Fail with a deadlock `?times=` times."""

    allowed_query_params = ("times",)

    def get(self, request):
        attempts.clear()
        return Response({"attempts": self.work(int(request.query_params["times"]))})

    @staticmethod
    @atomic_with_retry
    def work(times: int) -> int:
        attempts.append(1)
        if len(attempts) <= times:
            raise OperationalError(1213, "Deadlock found when trying to get lock")
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return len(attempts)


class Row(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ["id", "username"]


class Rows(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Users with orderings that have ties, NULLs and annotations."""

    permission_classes = [AllowAny]
    serializer_class = Row
    ordering_fields = {
        "joined": ("joined_at",),
        "-joined": ("-joined_at",),
        "suspended": ("suspended_until",),
        "-suspended": ("-suspended_until", "-id"),
        "name": ("display_name", "id"),
        "-count": ("-reviews_count",),
        "mixed": ("-reviews_count", "username_key"),
        "-share": ("-share",),
        "share": ("share",),
        "length": ("length", "-id"),
        "nothing": ("nothing",),
    }

    def get_queryset(self):
        share = models.F("reviews_count") * models.Value(1.0) / 3
        return User.objects.filter(is_staff=False).annotate(
            share=models.ExpressionWrapper(share, models.FloatField()),
            length=Length("username"),
            nothing=models.Value(None, models.IntegerField()),
        )


router = SimpleRouter(use_regex_path=False)
router.register("rows", Rows, basename="probe-row")

views = [
    path("boom/", Boom.as_view()),
    path("down/", DatabaseDown.as_view()),
    path("race/", LostRace.as_view()),
    path("refused/", Refused.as_view()),
    path("bare/boom/", bare_boom),
    path("bare/down/", bare_down),
    path("bare/gone/", bare_refused),
    path("echo/", Echo.as_view()),
    path("nested/", NestedRefusal.as_view()),
    path("upload/", Upload.as_view()),
    path("once/", Once.as_view()),
    path("once/<str:name>/", Once.as_view()),
    path("limited/", Limited.as_view()),
    path("cached/", Cached.as_view()),
    path("database/", WhichDatabase.as_view()),
    path("maybe/", MaybeSignedIn.as_view()),
    path("deadlocks/", Deadlocks.as_view()),
    path("", include(router.urls)),
]

urlpatterns = [optional_slash("api/v1/probe/", views), *real]
