"""What happens to accounts, as the log and the notices of the reader's own account have it."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.happenings import Happening
from accounts.models import AuthSession, User
from activity.details import Said
from activity.kinds import Kind
from activity.models import Event, Notification, Thing
from activity.services import notify, record
from activity.verbs import VERBS

# What a reader is told of whoever did it: they would want to know if it was not them.
NOTICES = {
    "session.reused": _("An old sign-in of your account was used again. It has been ended; sign in anew."),
    "sessions.ended": _("All other sign-ins of your account were ended."),
    "password.changed": _("The password of your account was changed."),
    "password.reset": _("The password of your account was changed through a link that was mailed to you."),
    "email.changed": _("The e-mail address of your account was changed."),
}


def note(happening: Happening) -> None:
    """Write it into the log, and tell the reader where it touches the safety of their account."""
    if happening.user is None or happening.verb not in VERBS:
        return
    # What staff do is nobody's in a reader's log; the audit log has their names.
    actor = happening.user if happening.actor in (None, happening.user) else None
    record(happening.verb, actor=actor, subject=happening.user, thing=_thing(happening))
    if happening.verb in NOTICES:
        notify(Kind.SECURITY, [happening.user], detail=Said(happening.verb))
    elif happening.verb == "session.created" and _is_new_device(happening):
        notify(Kind.SECURITY, [happening.user], detail=Said("session.created", happening.detail))


def _thing(happening: Happening) -> Thing | None:
    if happening.object_id is None:
        return None
    kind = happening.verb.partition(".")[0]
    title = happening.detail
    if kind == "user":
        title = User.objects.filter(pk=happening.object_id).values_list("username", flat=True).first() or ""
    return Thing(kind, happening.object_id, title)


def _is_new_device(happening: Happening) -> bool:
    """Whether the account has been signed in to before, and never from a device of that name."""
    others = AuthSession.objects.filter(user=happening.user).exclude(pk=happening.object_id or 0)
    return others.exists() and not others.filter(device=happening.detail).exists()


def _new_sign_in(device: str) -> str:
    return gettext("Somebody has signed in to your account on “%(device)s”.") % {
        "device": device or gettext("an unknown device")
    }


def forget(user: User) -> None:
    """Part an account that goes from the log: what it did in clubs is nobody's from then on, its own entries go."""
    own = Event.objects.filter(actor=user, club=None)
    own.exclude(verb="account.closed").delete()
    for rows in (Event.objects, Notification.objects):
        rows.filter(actor=user).update(actor=None, actor_gone=True)
        rows.filter(object_type="user", object_id=user.pk).update(object_type="", object_id=None, object_title="")
        rows.filter(object_author=user).update(object_author=None)
    Event.objects.filter(subject=user, club=None).delete()
    Event.objects.filter(subject=user).update(subject=None)
    Notification.objects.filter(user=user).delete()


def _constant(text: Any, about: str) -> Any:
    return text


# By the verb, which is the code of the notification's text.
RENDERERS: dict[str, Callable[[str], Any]] = {
    **{verb: partial(_constant, text) for verb, text in NOTICES.items()},
    "session.created": _new_sign_in,
}
