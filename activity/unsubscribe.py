"""Links to unsubscribe from the e-mails of the kinds of notifications that an e-mail contains (RFC 8058)."""

from __future__ import annotations

from collections.abc import Collection

from django.conf import settings
from django.core import signing
from django.http import Http404

from accounts.models import User
from activity.choices import MANDATORY, NotificationKind
from activity.models import ClubNotificationPreference, NotificationPreference
from core.db.transactions import atomic_with_retry

SALT = "activity.unsubscribe"
PATH = "/api/v1/notifications/unsubscribe/"


def unsubscribe_headers(user: User, kinds: Collection[str]) -> dict[str, str]:
    """Return the headers of an e-mail with which mail programs offer to unsubscribe; none if that is not possible."""
    if MANDATORY.intersection(kinds):
        return {}
    token = signing.dumps([user.pk, *map(str, kinds)], salt=SALT)
    return {
        "List-Unsubscribe": f"<{settings.APP_URL}{PATH}?token={token}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


@atomic_with_retry
def unsubscribe(token: str) -> None:
    """Turn off the e-mails that the token is about, also where a club has settings of its own. Raises Http404."""
    try:
        user_id, *kinds = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError):
        raise Http404 from None
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None or not kinds or not set(kinds) <= set(NotificationKind.values) - MANDATORY:
        raise Http404
    NotificationPreference.objects.update_preferences(user, {kind: {"email": False} for kind in kinds})
    ClubNotificationPreference.objects.filter(user=user, kind__in=kinds).update(email=False)
