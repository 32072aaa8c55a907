"""Links to unsubscribe from the e-mails of one kind of notification (RFC 8058)."""

from __future__ import annotations

from django.conf import settings
from django.core import signing
from django.http import Http404

from accounts.models import User
from activity.choices import MANDATORY, NotificationKind
from activity.models import ClubNotificationPreference, NotificationPreference
from core.db.transactions import atomic_with_retry

SALT = "activity.unsubscribe"
PATH = "/api/v1/notifications/unsubscribe/"


def unsubscribe_headers(user: User, kind: str) -> dict[str, str]:
    """Return the headers of an e-mail with which mail programs offer to unsubscribe; none if that is not possible."""
    if kind in MANDATORY:
        return {}
    token = signing.dumps([user.pk, str(kind)], salt=SALT)
    return {
        "List-Unsubscribe": f"<{settings.APP_URL}{PATH}?token={token}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


@atomic_with_retry
def unsubscribe(token: str) -> None:
    """Turn off the e-mails that the token is about, also where a club has settings of its own. Raises Http404."""
    try:
        user_id, kind = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError):
        raise Http404 from None
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None or kind not in NotificationKind.values or kind in MANDATORY:
        raise Http404
    NotificationPreference.objects.update_preferences(user, {kind: {"email": False}})
    ClubNotificationPreference.objects.filter(user=user, kind=kind).update(email=False)
