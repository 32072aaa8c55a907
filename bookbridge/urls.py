"""URL configuration of the project."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.utils.translation import gettext_lazy as _
from django.views.generic import RedirectView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from accounts.views.auth import jwks
from clubs.members.links import InvitationLinkView
from core.api.openapi import SchemaView, SwaggerUIView
from core.api.routers import by_first_segment, optional_slash
from core.api.views import APIView
from core.images.views import serve_image
from core.links import LinkView, apple_app_site_association, asset_links
from core.observability.health import healthz, readyz
from core.observability.metrics import metrics


class APIRootView(APIView):
    """List the endpoints whose URLs contain no ids."""

    permission_classes = [AllowAny]
    schema = None

    def get(self, request: Request) -> Response:
        names = {
            "books": "book-list",
            "clubs": "club-list",
            "reviews": "review-list",
            "stats": "stats",
            "users": "user-list",
            "me": "me",
            "my_home": "home-screen",
            "my_stats": "my-stats",
            "my_imports": "import-list",
            "my_activity": "own-activity",
            "notifications": "notifications",
            "notification_settings": "notification-settings",
            "devices": "device-list",
            "blocks": "block-list",
            "sessions": "session-list",
            "schema": "schema",
            "docs": "docs",
        }
        return Response({key: reverse(name, request=request) for key, name in names.items()})


api_v1: list[Any] = [
    path("", APIRootView.as_view(), name="root"),
    path("schema/", SchemaView.as_view(), name="schema"),
    path("", include("accounts.urls")),
    path("", include("activity.urls")),
    path("", include("moderation.urls")),
    path("", include("catalog.urls")),
    path("", include("clubs.urls")),
    path("", include("availability.urls")),
    path("", include("meetings.urls")),
    path("", include("meetings.date_polls.urls")),
    path("", include("ballots.urls")),
    path("", include("discussions.urls")),
    path("", include("readings.urls")),
    path("", include("opinions.urls")),
    path("", include("reviews.urls")),
    path("", include("stats.urls")),
]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="docs"), name="home"),
    optional_slash(
        "api/", [path("v1/", include(by_first_segment(api_v1))), path("docs/", SwaggerUIView.as_view(), name="docs")]
    ),
    path(".well-known/jwks.json", jwks, name="jwks"),
    path(".well-known/apple-app-site-association", apple_app_site_association, name="apple-app-site-association"),
    path(".well-known/assetlinks.json", asset_links, name="asset-links"),
    path("invite", InvitationLinkView.as_view(), name="invite-link"),
    path("email/confirm", LinkView.as_view(title=_("Confirm your e-mail address")), name="email-link"),
    path("password/reset", LinkView.as_view(title=_("Set a new password")), name="password-link"),
    path("clubs/<path:path>", LinkView.as_view(), name="club-link"),
    path("reviews/<int:review_id>", LinkView.as_view(), name="review-link"),
    path("media/<path:name>", serve_image, name="image"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("admin/", admin.site.urls),
]
if settings.DEBUG:  # sign-in to the browsable API
    urlpatterns.append(path("api-auth/", include("rest_framework.urls")))

handler400 = "core.api.exceptions.bad_request"
handler403 = "core.api.exceptions.permission_denied"
handler404 = "core.api.exceptions.page_not_found"
handler500 = "core.api.exceptions.server_error"
