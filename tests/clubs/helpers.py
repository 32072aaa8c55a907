"""Helpers for tests of clubs."""

import json
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from accounts.models import User
from clubs.models import Club, Membership

CLUBS = "/api/v1/clubs/"
ACCEPT = "/api/v1/invites/accept/"


def bring_in(club: Club, user: User, *, status: str = "active", role: str = "member") -> Membership:
    """Add the user with this status and role, through the model methods."""
    with transaction.atomic():
        club.lock()
        row = club.get_membership(user)
        if status == "pending":
            row.request_to_join("Please")
        else:
            row.activate()
    if role != "member":
        row.update_membership(by=None, role=role)
    if status == "banned":
        row.update_membership(by=None, status="banned")
    elif status == "left":
        row.remove(by=None)
    return row


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """Return the response body after checking status and code."""
    assert (response.status_code, response.json().get("code")) == (status, code), response.content
    body: dict[str, Any] = response.json()
    return body


def export(client: Any) -> Any:
    """Return the data export of the client's user."""
    response = client.get("/api/v1/users/me/export/")
    assert response.status_code == 200
    return json.loads(response.getvalue())


def bad_fields(response: Any) -> dict[str, str]:
    """Return the invalid fields of a 400 response and their codes."""
    return {error["field"]: error["code"] for error in problem(response, 400, "invalid")["errors"]}


def bad_parameters(response: Any) -> set[str]:
    """Return the query parameters that a 400 response rejects."""
    return {error["field"] for error in problem(response, 400, "invalid_parameter")["errors"]}


def check_invariants() -> None:
    """Check that counters match, owners are active members and no limit is exceeded."""
    for club in Club.objects.all():
        active = club.memberships.filter(status="active")
        assert club.members_count == active.count(), club
        assert active.filter(user=club.owner_id).exists(), club
    assert not Club.objects.filter(Q(member_limit__lt=F("members_count"))).exists()
