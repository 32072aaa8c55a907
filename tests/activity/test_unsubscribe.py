"""Unsubscribing from e-mails, and the notification settings of single clubs."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from activity.choices import NotificationKind
from activity.messages import time_message
from activity.models import ClubNotificationPreference, Notification
from activity.services import notify
from clubs.models import Club
from core.tasks.worker import run_pending
from tests.clubs.helpers import bad_fields, problem

pytestmark = pytest.mark.django_db
URL = "/api/v1/notifications/unsubscribe/"
SETTINGS = "/api/v1/users/me/notification-settings/"


def mail_to(user: User, kind: NotificationKind, club: Club, mailoutbox: list[Any], key: str = "k") -> Any:
    """Notify the user, and return the e-mail, if any."""
    mailoutbox.clear()
    notify(kind, [user.pk], club=club.pk, detail="x", key=key)
    run_pending()
    return mailoutbox[0] if mailoutbox else None


def link_of(mail: Any, app: str) -> str:
    found = re.fullmatch(
        rf"<{re.escape(app)}(/api/v1/notifications/unsubscribe/\?token=\S+)>", mail.extra_headers["List-Unsubscribe"]
    )
    assert found
    assert mail.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    return found[1]


@pytest.mark.parametrize("way", ["form", "json"])
def test_unsubscribing_turns_off_that_kind(
    anonymous: APIClient, as_alice: APIClient, alice: User, club: Club, mailoutbox: list[Any], settings: Any, way: str
) -> None:
    url = link_of(mail_to(alice, NotificationKind.MENTION, club, mailoutbox), settings.APP_URL)
    before = as_alice.get(SETTINGS).json()
    assert anonymous.get(url).status_code == 405
    assert as_alice.get(SETTINGS).json() == before
    if way == "form":
        form = "application/x-www-form-urlencoded"
        response = anonymous.post(url, "List-Unsubscribe=One-Click", content_type=form)
    else:
        response = anonymous.post(URL, {"token": url.partition("=")[2]})
    assert response.status_code == 204, response.content
    assert as_alice.get(SETTINGS).json() == before | {"mention": {"app": True, "email": False, "push": True}}
    assert mail_to(alice, NotificationKind.MENTION, club, mailoutbox, key="2") is None
    assert mail_to(alice, NotificationKind.ROLE_CHANGED, club, mailoutbox, key="3")


def test_unsubscribing_holds_for_clubs_with_own_settings(
    anonymous: APIClient, alice: User, club: Club, mailoutbox: list[Any], settings: Any
) -> None:
    ClubNotificationPreference.objects.update_preferences(alice, club.pk, {"mention": {"email": True}})
    url = link_of(mail_to(alice, NotificationKind.MENTION, club, mailoutbox), settings.APP_URL)
    assert anonymous.post(url).status_code == 204
    assert mail_to(alice, NotificationKind.MENTION, club, mailoutbox, key="2") is None


@pytest.mark.parametrize("token", ["", "x", "a:b:c", "W10:1vabcd:xyz"])
def test_invalid_token_is_not_found(anonymous: APIClient, token: str) -> None:
    problem(anonymous.post(f"{URL}?token={token}x"), 404, "not_found")
    problem(anonymous.post(URL, {"token": f"{token}x"}), 404, "not_found")
    problem(anonymous.post(URL, {}), 404, "not_found")


def test_security_mail_has_no_link(alice: User, mailoutbox: list[Any]) -> None:
    notify(NotificationKind.SECURITY, [alice.pk], detail="x")
    run_pending()
    [mail] = mailoutbox
    assert "List-Unsubscribe" not in mail.extra_headers
    assert mail.extra_headers["Auto-Submitted"] == "auto-generated"


def test_settings_of_a_club_are_null_by_kind(
    as_alice: APIClient, alice: User, club: Club, private_club: Club, mailoutbox: list[Any]
) -> None:
    url = f"/api/v1/clubs/{club.pk}/notification-settings/"
    nulls = dict.fromkeys(NotificationKind.values)
    assert as_alice.get(url).json() == nulls
    wanted = nulls | {"mention": {"app": True, "email": False, "push": True}}
    response = as_alice.patch(url, {"mention": {"email": False}})
    assert (response.status_code, response.json()) == (200, wanted)
    assert response["ETag"] == as_alice.get(url)["ETag"]
    assert mail_to(alice, NotificationKind.MENTION, club, mailoutbox) is None
    assert mail_to(alice, NotificationKind.MENTION, private_club, mailoutbox, key="2")
    assert as_alice.get(SETTINGS).json()["mention"]["email"]
    assert as_alice.patch(url, {"mention": None}).json() == nulls
    assert mail_to(alice, NotificationKind.MENTION, club, mailoutbox, key="3")
    assert bad_fields(as_alice.patch(url, {"security": {"app": False}})) == {"security.app": "always_on"}


def test_leaving_deletes_the_settings_of_the_club(as_bob: APIClient, bob: User, club: Club) -> None:
    as_bob.patch(f"/api/v1/clubs/{club.pk}/notification-settings/", {"mention": {"app": False}})
    assert ClubNotificationPreference.objects.filter(user=bob).exists()
    as_bob.post(f"/api/v1/clubs/{club.pk}/leave/")
    assert not ClubNotificationPreference.objects.exists()


def test_texts_name_day_and_time_in_the_language(as_bob: APIClient, bob: User, club: Club) -> None:
    at = time_message(datetime(2026, 1, 8, 23, 0, tzinfo=UTC), "America/Sao_Paulo")
    notify(NotificationKind.MEETING_NEW, [bob.pk], club=club.pk, detail=at)
    assert Notification.objects.count()
    text = as_bob.get("/api/v1/users/me/notifications/", HTTP_ACCEPT_LANGUAGE="pt-BR").json()["results"][0]["text"]
    assert "quinta-feira, 8 de janeiro de 2026, às 20h (horário de Brasília)" in text
