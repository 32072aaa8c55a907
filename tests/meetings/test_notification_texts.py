"""Notifications and e-mails about meetings say which meeting, when and where."""

import datetime
from typing import Any

import pytest

from core.tasks.worker import run_pending
from tests.meetings.helpers import ok, rsvp, url

pytestmark = pytest.mark.django_db
AT = datetime.datetime(2027, 6, 10, 18, tzinfo=datetime.UTC)  # 19:00 in London, 15:00 in Brasília
OLD_EN, NEW_EN = "Thursday, June 10, 2027 at 7 p.m. (London time)", "Friday, June 11, 2027 at 8:30 p.m. (London time)"
OLD_PT = "quinta-feira, 10 de junho de 2027, às 19h (horário de Londres)"
NEW_PT = "sexta-feira, 11 de junho de 2027, às 20h30 (horário de Londres)"


@pytest.fixture
def meeting(make_meeting: Any, alice: Any, mailoutbox: list[Any]) -> Any:
    meeting = make_meeting(starts_at=AT, place="Library,\u2028 room 2", url="https://video.example/7")
    run_pending()
    mailoutbox.clear()
    return meeting


def text(client: Any, language: str) -> str:
    run_pending()
    rows = ok(client.get("/api/v1/users/me/notifications/", HTTP_ACCEPT_LANGUAGE=language))["results"]
    return str(rows[0]["text"])


def test_moved_meeting_has_old_and_new_time(meeting: Any, as_moe: Any, as_bob: Any, mailoutbox: list[Any]) -> None:
    ok(as_moe.patch(url(meeting), {"starts_at": "2027-06-11T19:30:00Z"}))
    assert f"“Tea” of Night readers has changed: moved from {OLD_EN} to {NEW_EN}." in text(as_bob, "en")
    assert f"passou de {OLD_PT} para {NEW_PT}." in text(as_bob, "pt-BR")
    [mail] = mailoutbox
    assert mail.subject == "Night readers: a meeting has changed: Tea"
    assert f"moved from {OLD_EN} to {NEW_EN}; for you: Friday, June 11, 2027 at 7:30 p.m. (UTC)." in mail.body
    assert "\nWhere: Library, room 2, https://video.example/7\n" in mail.body
    assert f"/clubs/{meeting.club_id}/meetings/{meeting.pk}\n" in mail.body
    [(html, _kind)] = mail.alternatives
    assert "video.example" in html
    assert 'href="https://video.example' not in html


def test_each_of_two_changes_keeps_its_text(meeting: Any, as_moe: Any, as_bob: Any) -> None:
    rsvp(as_bob, meeting, "yes")
    for hour in (19, 20):
        ok(as_moe.patch(url(meeting), {"starts_at": f"2027-06-11T{hour}:30:00Z"}))
    run_pending()
    rows = ok(as_bob.get("/api/v1/users/me/notifications/"))["results"]
    later, first = (row["text"] for row in rows[:2])
    assert f"moved from {OLD_EN} to {NEW_EN}; please say again whether you are coming." in first
    assert f"moved from {NEW_EN} to Friday, June 11, 2027 at 9:30 p.m." in later


@pytest.mark.parametrize("way", ["patch", "delete"])
def test_cancelled_meeting_has_its_day(meeting: Any, as_moe: Any, as_bob: Any, mailoutbox: list[Any], way: str) -> None:
    if way == "patch":
        ok(as_moe.patch(url(meeting), {"status": "cancelled", "starts_at": "2027-06-11T19:30:00Z"}))
    else:
        ok(as_moe.delete(url(meeting)), 204)
    assert text(as_bob, "en").endswith(f"it is cancelled; it was planned for {OLD_EN}.")
    assert text(as_bob, "pt-BR").endswith(f"foi cancelado; estava marcado para {OLD_PT}.")
    [mail] = mailoutbox
    assert "Where" not in mail.body


def test_another_place_is_named(meeting: Any, as_moe: Any, as_bob: Any) -> None:
    ok(as_moe.patch(url(meeting), {"place": "Café Tortoni"}))
    assert text(as_bob, "en").endswith(f"has changed: the place is now Café Tortoni, on {OLD_EN}.")
    assert text(as_bob, "pt-BR").endswith(f"mudou: o local agora é Café Tortoni; data: {OLD_PT}.")


def test_new_seat_has_the_time(meeting: Any, as_moe: Any, as_alice: Any, as_bob: Any) -> None:
    ok(as_moe.patch(url(meeting), {"capacity": 1}))
    rsvp(as_moe, meeting, "yes")
    assert rsvp(as_bob, meeting, "yes") == ("waitlisted", 1)
    rsvp(as_moe, meeting, "no")
    assert text(as_bob, "en") == f"A seat became available: you can now attend “Tea” of Night readers, {OLD_EN}."
