"""Account deletion: reports become anonymous, the case about the user is closed, their appeals are deleted."""

from accounts.models import User
from moderation.choices import CaseStatus
from moderation.models import Appeal, Case, close_cases_for_deleted


def anonymize_cases(user: User) -> None:
    """Close the case about the user and delete their appeals.

    Other references are nulled when the user row is deleted. The user must be locked: every write to a case locks its
    author first.
    """
    close_cases_for_deleted("user", [user.pk])
    appealed = set(Appeal.objects.pending().filter(author=user).values_list("case", flat=True))
    Appeal.objects.filter(author=user).delete()
    # Cases of deleted objects stay closed, even with unanswered appeals.
    cases = Case.objects.filter(pk__in=appealed).exclude(status=CaseStatus.DELETED)
    for case in cases.order_by("pk").select_for_update():
        case.refresh_queue_fields()
