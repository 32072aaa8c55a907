"""Landing pages of the links in e-mails, invitations and calendars, for devices without the app.

The links begin with `APP_URL`. Phones with the app open them in the app, as the files below `.well-known/` declare.
"""

import re
from collections import defaultdict
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from django.views.generic import TemplateView

# The paths of links that the app opens.
LINK_PATHS = ("/invite", "/email/confirm", "/password/reset", "/clubs/*", "/reviews/*")
WELL_KNOWN_SECONDS = 3600


class LinkView(TemplateView):
    """A landing page with links to the app. It shows nothing secret and changes nothing."""

    template_name = "core/link.html"
    http_method_names = ["get", "head"]
    title: Any = _("BookBridge")
    text: Any = _("This page is part of the BookBridge app.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the texts and the links to the app and the stores."""
        return super().get_context_data(
            title=self.title,
            text=self.text,
            intent_url=_intent_url(self.request),
            app_store_id=_app_store_id(),
            # Commas separate the fields of the tag that contains it.
            app_argument=(settings.APP_URL + self.request.get_full_path()).replace(",", "%2C"),
            ios_store_url=settings.IOS_STORE_URL,
            android_store_url=settings.ANDROID_STORE_URL,
            **kwargs,
        )

    def render_to_response(self, context: dict[str, Any], **response_kwargs: Any) -> HttpResponse:
        """Keep the page, whose URL contains a code or token, out of caches and search engines."""
        response = super().render_to_response(context, **response_kwargs)
        patch_cache_control(response, private=True, no_store=True)
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex"
        return response


def _intent_url(request: HttpRequest) -> str:
    """Return a URL that opens the link in the Android app, or an empty string if no app is configured."""
    if not settings.ANDROID_APP_IDS:
        return ""
    app = urlsplit(settings.APP_URL)
    package = settings.ANDROID_APP_IDS[0].partition("=")[0]
    return f"intent://{app.netloc}{app.path}{request.get_full_path()}#Intent;scheme={app.scheme};package={package};end"


def _app_store_id() -> str:
    """Return the App Store id, for Safari's banner that opens the app, or an empty string if none is configured."""
    found = re.search(r"/id(\d+)", settings.IOS_STORE_URL)
    return found[1] if found else ""


@require_safe
@cache_control(public=True, max_age=WELL_KNOWN_SECONDS)
def apple_app_site_association(request: HttpRequest) -> HttpResponse:
    """Declare which links the iOS app opens. Raises Http404 without IOS_APP_IDS."""
    if not settings.IOS_APP_IDS:
        raise Http404
    components = [{"/": path} for path in LINK_PATHS]
    return JsonResponse({"applinks": {"details": [{"appIDs": settings.IOS_APP_IDS, "components": components}]}})


@require_safe
@cache_control(public=True, max_age=WELL_KNOWN_SECONDS)
def asset_links(request: HttpRequest) -> HttpResponse:
    """Declare the Android apps that open the links. Raises Http404 without ANDROID_APP_IDS."""
    if not settings.ANDROID_APP_IDS:
        raise Http404
    fingerprints = defaultdict(list)
    for app in settings.ANDROID_APP_IDS:
        package, _equals, fingerprint = app.partition("=")
        fingerprints[package].append(fingerprint)
    statements = [
        {
            "relation": ["delegate_permission/common.handle_all_urls"],
            "target": {"namespace": "android_app", "package_name": package, "sha256_cert_fingerprints": certificates},
        }
        for package, certificates in fingerprints.items()
    ]
    return JsonResponse(statements, safe=False)
