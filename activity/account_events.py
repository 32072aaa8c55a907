"""Records account events in the activity log and notifies users of security events."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.events import AccountEvent
from accounts.models import AuthSession, User
from activity.changes.models import Change, user_stream
from activity.changes.services import record_notification_changes
from activity.choices import NotificationKind
from activity.messages import DeferredMessage
from activity.models import Event, Notification, ObjectRef
from activity.services import notify, record_event
from activity.verbs import VERBS

# Sent even if the user caused the event, because it may have been someone else with access to the account.
SECURITY_NOTICES = {
    "session.reused": _(
        "An old sign-in token of your account was used again. That session has been signed out; please sign in again."
    ),
    "sessions.ended": _("Your account was signed out on all other devices."),
    "password.changed": _("The password of your account was changed."),
    "password.reset": _("The password of your account was reset with a link sent to you by e-mail."),
    "email.changed": _("The e-mail address of your account was changed."),
}


def handle_account_event(event: AccountEvent) -> None:
    """Record the event and notify the user if it concerns the security of their account."""
    if event.user is None or event.verb not in VERBS:
        return
    # Staff stay anonymous in the user's activity log; the audit log contains their names.
    actor = event.user if event.actor in (None, event.user) else None
    record_event(event.verb, actor=actor, subject=event.user, object_ref=_object_ref(event))
    if event.verb in SECURITY_NOTICES:
        notify(NotificationKind.SECURITY, [event.user], detail=DeferredMessage(event.verb))
    elif event.verb == "session.created" and _is_new_device(event):
        notify(NotificationKind.SECURITY, [event.user], detail=DeferredMessage("session.created", event.detail))


def _object_ref(event: AccountEvent) -> ObjectRef | None:
    if event.object_id is None:
        return None
    kind = event.verb.partition(".")[0]
    title = event.detail
    if kind == "user":
        title = User.objects.filter(pk=event.object_id).values_list("username", flat=True).first() or ""
    return ObjectRef(kind, event.object_id, title)


def _is_new_device(event: AccountEvent) -> bool:
    """Return whether the account has been used before, but never from a device of that name."""
    others = AuthSession.objects.filter(user=event.user).exclude(pk=event.object_id or 0)
    return others.exists() and not others.filter(device=event.detail).exists()


def _new_sign_in(device: str) -> str:
    return gettext("New sign-in to your account on “%(device)s”.") % {"device": device or gettext("an unknown device")}


def anonymize(user: User) -> None:
    """Anonymize the events of a deleted account in clubs; delete its other events and its notifications."""
    own_events = Event.objects.filter(actor=user, club=None)
    own_events.exclude(verb="account.closed").delete()
    concerned = Q(actor=user) | Q(object_author=user) | Q(object_type="user", object_id=user.pk)
    record_notification_changes(Notification.objects.filter(concerned).exclude(user=user))
    for rows in (Event.objects, Notification.objects):
        rows.filter(actor=user).update(actor=None, actor_deleted=True)
        rows.filter(object_type="user", object_id=user.pk).update(object_type="", object_id=None, object_title="")
        rows.filter(object_author=user).update(object_author=None)
    Event.objects.filter(subject=user, club=None).delete()
    Event.objects.filter(subject=user).update(subject=None)
    Notification.objects.filter(user=user).delete()
    Change.objects.filter(stream=user_stream(user.pk)).delete()


def _constant(text: Any, argument: str) -> Any:
    return text


# Renderers of `core.registry.message_renderers`. The code of the message is the verb.
RENDERERS: dict[str, Callable[[str], Any]] = {
    **{verb: partial(_constant, text) for verb, text in SECURITY_NOTICES.items()},
    "session.created": _new_sign_in,
}
