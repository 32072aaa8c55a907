"""What the tests of clubs share."""

from typing import Any

from django.db import transaction
from django.db.models import F, Q

from accounts.models import User
from clubs.models import Club, Membership

CLUBS = "/api/v1/clubs/"
ACCEPT = "/api/v1/invites/accept/"


def bring_in(club: Club, user: User, *, status: str = "active", role: str = "member") -> Membership:
    """Give the reader this standing, with the club's counter right."""
    with transaction.atomic():
        club.lock()
        row = club.membership_of(user)
        if status == "pending":
            row.ask("Please")
        else:
            row.enter()
    if role != "member":
        row.change(by=None, role=role)
    if status == "banned":
        row.change(by=None, status="banned")
    elif status == "left":
        row.remove(by=None)
    return row


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The body of an answer that is this problem."""
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.content
    body: dict[str, Any] = answer.json()
    return body


def bad_fields(answer: Any) -> dict[str, str]:
    """The bad fields of a 400 with the code of each."""
    return {error["field"]: error["code"] for error in problem(answer, 400, "invalid")["errors"]}


def bad_parameters(answer: Any) -> set[str]:
    """The names of the query parameters that a 400 refuses."""
    return {error["field"] for error in problem(answer, 400, "invalid_parameter")["errors"]}


def check_invariants() -> None:
    """Of every club: the counter equals the rows, and the owner is an active member; nobody exceeds the limit."""
    for club in Club.objects.all():
        active = club.memberships.filter(status="active")
        assert club.members_count == active.count(), club
        assert active.filter(user=club.owner_id).exists(), club
    assert not Club.objects.filter(Q(member_limit__lt=F("members_count"))).exists()
