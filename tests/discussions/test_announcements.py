"""Announcements: threads that are pinned and notified."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from activity.models import Notification
from clubs.models import Club, Entry
from core.tasks.worker import run_pending
from discussions.models import Thread
from tests.clubs.helpers import problem
from tests.discussions.helpers import threads

pytestmark = pytest.mark.django_db
BODY = {"title": "The room has changed", "body": "We meet upstairs.", "announce": True}


def test_announcement_is_pinned_and_notified(
    as_moe: APIClient, bob: User, club: Club, mailoutbox: list[Any], settings: Any
) -> None:
    thread = as_moe.post(threads(club), BODY)
    assert thread.status_code == 201, thread.content
    assert thread.json()["pinned"]
    run_pending()
    told = Notification.objects.filter(kind="announcement").values_list("user__username", "object_id")
    assert sorted(told) == [("alice", thread.json()["id"]), ("bob", thread.json()["id"])]
    [mail] = mailoutbox
    link = f"{settings.APP_URL}/clubs/{club.pk}/threads/{thread.json()['id']}"
    assert f"We meet upstairs.\n\n{link}\n" in mail.body
    [(html, kind)] = mail.alternatives
    assert kind == "text/html"
    assert f'<a href="{link}">' in html


def test_guarded_body_is_in_no_email(as_moe: APIClient, club: Club, entry: Entry, mailoutbox: list[Any]) -> None:
    as_moe.post(threads(club), BODY | {"entry": entry.pk, "spoiler_percent": 10})
    run_pending()
    [mail] = mailoutbox
    assert "upstairs" not in str(mail.message())
    assert BODY["title"] in mail.body


def test_members_cannot_announce(as_bob: APIClient, club: Club) -> None:
    problem(as_bob.post(threads(club), BODY), 403, "moderators_only")
    assert not Thread.objects.filter(pinned=True).exists()


def test_sixth_announcement_of_a_day_conflicts(as_moe: APIClient, as_alice: APIClient, club: Club) -> None:
    for _n in range(5):
        made = as_moe.post(threads(club), BODY)
        assert made.status_code == 201
    # A deleted one still counts.
    assert as_moe.delete(threads(club, made.json()["id"])).status_code == 204
    problem(as_alice.post(threads(club), BODY), 409, "too_many_announcements")
    assert as_alice.post(threads(club), BODY | {"announce": False}).status_code == 201
