"""An account that goes: its reports stay without a name, its own case is closed, its appeals go."""

from accounts.models import User
from moderation.models import Appeal, Case, State, target_gone


def leave_cases(user: User) -> None:
    """Close the case about the reader, and let go of their appeals; what else names them is let go of with the row.

    Whoever writes to a case holds the row of its author first, as the caller does.
    """
    target_gone("user", [user.pk])
    appealed = set(Appeal.objects.waiting().filter(author=user).values_list("case", flat=True))
    Appeal.objects.filter(author=user).delete()
    # A case of what has gone before stays closed, though nobody has answered what was said in it.
    for case in Case.objects.filter(pk__in=appealed).exclude(state=State.GONE).order_by("pk").select_for_update():
        case.settle()
