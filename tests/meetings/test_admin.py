"""Admin of meetings."""

import pytest
from django.urls import reverse

from meetings.models import Meeting
from tests.meetings.helpers import rsvp

pytestmark = pytest.mark.django_db


def admin_url(page, *args):
    return reverse(f"admin:meetings_meeting_{page}", args=args)


def list_titles(client, **query):
    page = client.get(admin_url("changelist"), query)
    assert page.status_code == 200
    return [meeting.title for meeting in page.context["cl"].result_list]


def test_admin_lists_searches_and_filters_meetings(as_staff, make_meeting, club, as_bob):
    meeting = make_meeting(title="Tea")
    make_meeting(title="Gone").delete_meeting(by=None)
    rsvp(as_bob, meeting, "yes")
    assert list_titles(as_staff) == list_titles(as_staff, q=str(club.pk)) == list_titles(as_staff, q="night") == ["Tea"]
    assert list_titles(as_staff, removed="yes") == ["Gone"]
    assert list_titles(as_staff, removed="all") == ["Gone", "Tea"]
    assert list_titles(as_staff, status="cancelled") == []
    assert as_staff.get(admin_url("change", meeting.pk)).status_code == 200
    assert as_staff.get(admin_url("add")).status_code == 403
    assert as_staff.post(admin_url("delete", meeting.pk), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("action", ["cancel", "remove"])
def test_admin_actions_cancel_and_delete_meetings(as_staff, make_meeting, as_bob, action):
    meetings = [make_meeting(), make_meeting()]
    rsvp(as_bob, meetings[0], "yes")
    form = {"action": action, "_selected_action": [meeting.pk for meeting in meetings]}
    as_staff.post(admin_url("changelist"), form)
    rows = Meeting.objects.order_by("id")
    assert [row.sequence for row in rows] == [1, 1]
    if action == "cancel":
        assert [(row.status, row.yes) for row in rows] == [("cancelled", 1), ("cancelled", 0)]
    else:
        assert [(row.deleted_at is None, row.yes) for row in rows] == [(False, 0)] * 2


def test_admin_list_query_count_is_constant(as_staff, make_meeting, django_assert_max_num_queries):
    make_meeting(repeats={"every": "weekly", "count": 50})
    with django_assert_max_num_queries(9):
        assert len(list_titles(as_staff)) == 50
