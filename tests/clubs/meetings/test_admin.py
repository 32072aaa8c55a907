"""Meetings in the admin."""

import pytest
from django.test import Client
from django.urls import reverse

from clubs.models import Meeting
from tests.clubs.meetings.helpers import say

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_staff(staff):
    client = Client()
    client.force_login(staff, "accounts.authentication.AdminBackend")
    return client


def place(page, *args):
    return reverse(f"admin:clubs_meeting_{page}", args=args)


def shown(client, **query):
    page = client.get(place("changelist"), query)
    assert page.status_code == 200
    return [meeting.title for meeting in page.context["cl"].result_list]


def test_meetings_are_listed_found_and_read(as_staff, plan, club, as_bob):
    meeting = plan(title="Tea")
    plan(title="Gone").remove(by=None)
    say(as_bob, meeting, "yes")
    assert shown(as_staff) == shown(as_staff, q=str(club.pk)) == shown(as_staff, q="night") == ["Tea"]
    assert shown(as_staff, removed="yes") == ["Gone"]
    assert shown(as_staff, removed="all") == ["Gone", "Tea"]
    assert shown(as_staff, status="cancelled") == []
    assert as_staff.get(place("change", meeting.pk)).status_code == 200
    assert as_staff.get(place("add")).status_code == 403
    assert as_staff.post(place("delete", meeting.pk), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("action", ["cancel", "remove"])
def test_staff_cancel_and_remove_by_the_clubs_own_rules(as_staff, plan, as_bob, action):
    meetings = [plan(), plan()]
    say(as_bob, meetings[0], "yes")
    form = {"action": action, "_selected_action": [meeting.pk for meeting in meetings]}
    as_staff.post(place("changelist"), form)
    rows = Meeting.objects.order_by("id")
    assert [row.sequence for row in rows] == [1, 1]
    if action == "cancel":
        assert [(row.status, row.yes) for row in rows] == [("cancelled", 1), ("cancelled", 0)]
    else:
        assert [(row.deleted_at is None, row.yes) for row in rows] == [(False, 0)] * 2


def test_the_list_costs_the_same_at_any_length(as_staff, plan, django_assert_max_num_queries):
    plan(repeats={"every": "weekly", "count": 50})
    with django_assert_max_num_queries(9):
        assert len(shown(as_staff)) == 50
