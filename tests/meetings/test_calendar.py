"""iCalendar files: contents, access, and conformance to RFC 5545."""

import datetime
import json
import re
from zoneinfo import ZoneInfo

import icalendar
import pytest
import time_machine
from django.conf import settings
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from catalog.models import Book
from clubs.models import Club, Entry
from meetings.ical import _zone
from meetings.models import CalendarToken, Meeting
from tests.clubs.helpers import CLUBS, bring_in
from tests.meetings.helpers import ok, rsvp, url

pytestmark = pytest.mark.django_db

TOKEN = "/api/v1/users/me/calendar-token/"
DAY = datetime.timedelta(days=1)


def check_lines(content):
    """Check that lines end in CRLF, have at most 75 bytes of valid UTF-8, and no control characters."""
    assert content.endswith(b"\r\n")
    lines = content.split(b"\r\n")
    assert b"\n" not in b"".join(lines)
    assert b"\r" not in b"".join(lines)
    for line in lines:
        assert len(line) <= 75, line
        line.decode()
    for line in re.sub(rb"\r\n[ \t]", b"", content).decode().split("\r\n")[:-1]:
        assert re.match(r"[A-Z-]+[:;]", line), line
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", line), line


def read_calendar(response):
    """Check the calendar of a response and return it."""
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert response["Cache-Control"] == "private, no-cache"
    check_lines(response.content)
    calendar = icalendar.Calendar.from_ical(response.content)
    assert not calendar.errors
    assert (str(calendar["VERSION"]), bool(calendar["PRODID"])) == ("2.0", True)
    zones = {str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")}
    for event in calendar.walk("VEVENT"):
        assert not event.errors
        for name in ("UID", "DTSTAMP", "DTSTART", "DTEND", "SEQUENCE", "SUMMARY", "STATUS", "LAST-MODIFIED"):
            assert name in event, name
        for name in ("DTSTART", "DTEND"):
            zone = event[name].params.get("TZID")
            assert zone is None or zone in zones
        assert event["DTSTART"].params.get("TZID") == event["DTEND"].params.get("TZID")
        assert event["DTEND"].dt > event["DTSTART"].dt
    uids = [str(event["UID"]) for event in calendar.walk("VEVENT")]
    assert len(uids) == len(set(uids))
    return calendar


def events(response):
    return {str(event["SUMMARY"]): event for event in read_calendar(response).walk("VEVENT")}


@pytest.fixture
def club_calendar(club, as_bob):
    return lambda: as_bob.get(f"{CLUBS}{club.pk}/calendar.ics")


@pytest.fixture
def secret_url(as_bob):
    """Bob's secret calendar URL."""
    return ok(as_bob.post(TOKEN), 201)["url"]


def test_calendar_event_has_all_fields(club, make_meeting, alice, club_calendar):
    book = Book.create_book(by=None, title="Emma", authors=["Jane Austen"])
    entry = Entry.add_entry(club=club, book=book, by=alice)
    starts_at = datetime.datetime(2027, 6, 1, 18, tzinfo=datetime.UTC)
    fields = {"place": "Library, room 2; left", "agenda": "One\nTwo", "url": "https://meet.example.org/tea?x=1,2;3"}
    meeting = make_meeting(starts_at=starts_at, duration_minutes=90, entry_id=entry.pk, **fields)
    event = events(club_calendar())["Tea"]
    assert str(event["UID"]) == str(meeting.uid)
    assert event["SEQUENCE"] == 0
    assert event["DTSTART"].dt == starts_at
    assert event["DTSTART"].to_ical() == b"20270601T190000"
    assert event["DTSTART"].params["TZID"] == "Europe/London"
    assert event["DTEND"].dt - event["DTSTART"].dt == datetime.timedelta(minutes=90)
    assert str(event["LOCATION"]) == "Library, room 2; left"
    assert str(event["URL"]) == "https://meet.example.org/tea?x=1,2;3"
    lines = ["Night readers", "Emma (Jane Austen)", "https://meet.example.org/tea?x=1,2;3", "One", "Two"]
    assert str(event["DESCRIPTION"]).split("\n") == lines
    assert str(event["STATUS"]) == "CONFIRMED"


def test_event_url_defaults_to_the_meeting_page(club, make_meeting, club_calendar):
    meeting = make_meeting()
    expected = f"{settings.APP_URL}/clubs/{club.pk}/meetings/{meeting.pk}"
    assert str(events(club_calendar())["Tea"]["URL"]) == expected


@pytest.mark.parametrize("path", ["club", "user"])
def test_calendar_asks_apps_to_refresh_hourly(make_meeting, club_calendar, secret_url, anonymous, path):
    for _meetings in range(2):  # without and with a meeting
        calendar = read_calendar(club_calendar() if path == "club" else anonymous.get(secret_url))
        assert calendar["REFRESH-INTERVAL"].dt == datetime.timedelta(hours=1)
        assert calendar["REFRESH-INTERVAL"].params == {"VALUE": "DURATION"}
        lines = calendar.to_ical().split(b"\r\n")
        assert {b"REFRESH-INTERVAL;VALUE=DURATION:PT1H", b"X-PUBLISHED-TTL:PT1H"} <= {*lines}
        make_meeting()


def test_uid_is_stable_and_sequence_increases(make_meeting, club_calendar, as_moe):
    meeting = make_meeting()
    first = events(club_calendar())["Tea"]
    bodies = [{"place": "Café"}, {"status": "cancelled"}, {"status": "scheduled"}, {"place": "Café"}]
    seen = []
    for body in bodies:
        ok(as_moe.patch(url(meeting), body))
        event = events(club_calendar())["Tea"]
        assert event["UID"] == first["UID"]
        seen.append((event["SEQUENCE"], str(event["STATUS"])))
    assert seen == [(1, "CONFIRMED"), (2, "CANCELLED"), (3, "CONFIRMED"), (3, "CONFIRMED")]
    as_moe.delete(url(meeting))
    event = events(club_calendar())["Tea"]
    assert (event["UID"], event["SEQUENCE"], str(event["STATUS"])) == (first["UID"], 4, "CANCELLED")


def test_cancelled_and_deleted_meetings_are_listed_for_30_days(make_meeting, secret_url, anonymous, as_moe):
    cancelled, removed = make_meeting(title="Off", days=60), make_meeting(title="Gone", days=60)
    make_meeting(title="On", days=60)
    ok(as_moe.patch(url(cancelled), {"status": "cancelled"}))
    as_moe.delete(url(removed))
    changed = timezone.now()
    with time_machine.travel(changed + 29 * DAY):
        assert {name: str(event["STATUS"]) for name, event in events(anonymous.get(secret_url)).items()} == {
            "Off": "CANCELLED",
            "Gone": "CANCELLED",
            "On": "CONFIRMED",
        }
    with time_machine.travel(changed + 31 * DAY):
        assert set(events(anonymous.get(secret_url))) == {"On"}


def test_calendar_contains_one_year_of_history(make_meeting, club_calendar):
    for title, days in {"old": -370, "last year": -360, "soon": 3, "far": 3000}.items():
        make_meeting(title=title, days=days)
    assert set(events(club_calendar())) == {"last year", "soon", "far"}


@pytest.mark.parametrize(
    ("zone", "at", "local", "offset"),
    [
        ("Europe/London", "2027-03-28T00:30:00Z", "20270328T003000", 0),
        ("Europe/London", "2027-03-28T01:30:00Z", "20270328T023000", 1),
        ("America/New_York", "2027-07-01T23:00:00Z", "20270701T190000", -4),
        ("America/Sao_Paulo", "2027-07-01T23:00:00Z", "20270701T200000", -3),
        ("Asia/Kathmandu", "2027-07-01T23:00:00Z", "20270702T044500", 5.75),
        ("Australia/Lord_Howe", "2027-01-01T12:00:00Z", "20270101T230000", 11),
        ("Africa/Casablanca", "2027-07-01T12:00:00Z", "20270701T130000", 1),
        ("Pacific/Chatham", "2027-01-01T12:00:00Z", "20270102T014500", 13.75),
        ("Etc/GMT+3", "2027-07-01T12:00:00Z", "20270701T090000", -3),
    ],
)
def test_vtimezone_gives_the_right_offset(make_meeting, club_calendar, zone, at, local, offset):
    """Read the VTIMEZONE as a calendar app does that does not know the zone."""
    make_meeting(timezone=zone, starts_at=datetime.datetime.fromisoformat(at))
    calendar = read_calendar(club_calendar())
    event = calendar.walk("VEVENT")[0]
    assert event["DTSTART"].to_ical().decode() == local
    described = calendar.walk("VTIMEZONE")[0]
    naive = datetime.datetime.strptime(local, "%Y%m%dT%H%M%S")
    assert offset_at(described, naive) == datetime.timedelta(hours=offset)


def offset_at(zone, wall):
    """Return the offset at a local time: that of the latest observance (RFC 5545, 3.6.5)."""
    started = [part for part in zone.subcomponents if part["DTSTART"].dt <= wall]
    return max(started, key=lambda part: part["DTSTART"].dt)["TZOFFSETTO"].td


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Africa/Casablanca", "Australia/Lord_Howe"])
def test_vtimezone_transitions_are_exact(zone):
    first, last = (datetime.datetime(year, 1, 1, tzinfo=datetime.UTC) for year in (2026, 2029))
    described = _zone(ZoneInfo(zone), first, last)
    assert len(described.subcomponents) == 7
    for part in described.subcomponents[1:]:
        at = (part["DTSTART"].dt - part["TZOFFSETFROM"].td).replace(tzinfo=datetime.UTC)
        before, after = at - datetime.timedelta(seconds=1), at
        assert before.astimezone(ZoneInfo(zone)).utcoffset() == part["TZOFFSETFROM"].td
        assert after.astimezone(ZoneInfo(zone)).utcoffset() == part["TZOFFSETTO"].td


def test_ambiguous_local_time_is_written_in_utc(make_meeting, club_calendar):
    make_meeting(
        title="first", starts_at=datetime.datetime(2027, 10, 31, 0, 30, tzinfo=datetime.UTC), duration_minutes=20
    )
    make_meeting(title="second", starts_at=datetime.datetime(2027, 10, 31, 1, 30, tzinfo=datetime.UTC))
    found = events(club_calendar())
    assert found["first"]["DTSTART"].to_ical() == b"20271031T013000"
    assert found["second"]["DTSTART"].to_ical() == b"20271031T013000Z"
    assert found["second"]["DTEND"].to_ical() == b"20271031T023000Z"


def test_utc_has_no_vtimezone(make_meeting, club_calendar):
    make_meeting(timezone="UTC")
    calendar = read_calendar(club_calendar())
    assert calendar.walk("VTIMEZONE") == []
    assert calendar.walk("VEVENT")[0]["DTSTART"].to_ical().endswith(b"Z")


HOSTILE = [
    "Tea\r\nBEGIN:VEVENT\r\nUID:x\r\nEND:VEVENT",
    "Tea\nATTENDEE:mailto:mallory@example.org",
    "Tea\rSTATUS:CANCELLED",
    "Tea\u2028URL:https://evil.example\u2029\x85\x0b\x0cX:1",
    "\\n\\;\\,;,:\"^'",
    "END:VCALENDAR",
    "é" * 150,
    "🎉" * 60 + "ﷺ" * 40,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_cannot_inject_properties(make_meeting, club_calendar, club, text, alice):
    club.update_club(by=alice, name=text[:100])
    make_meeting(title=text, place=text, agenda=text)
    calendar = read_calendar(club_calendar())
    assert len(calendar.walk("VEVENT")) == 1
    event = calendar.walk("VEVENT")[0]
    assert "ATTENDEE" not in event
    assert str(event["STATUS"]) == "CONFIRMED"
    expected = "\n".join(text.splitlines())
    assert (str(event["SUMMARY"]), str(event["LOCATION"])) == (expected, expected)


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=120))
def test_any_text_gives_a_valid_file(meeting, club_calendar, text):
    Meeting.objects.filter(pk=meeting.pk).update(title=text, agenda=text, place=text)
    assert len(read_calendar(club_calendar()).walk("VEVENT")) == 1


def test_calendar_etag_changes_with_content(make_meeting, club_calendar, as_bob, as_moe, club):
    meeting = make_meeting()
    response = club_calendar()
    path = f"{CLUBS}{club.pk}/calendar.ics"
    again = as_bob.get(path, headers={"If-None-Match": response["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    ok(as_moe.patch(url(meeting), {"agenda": "More"}))
    assert as_bob.get(path, headers={"If-None-Match": response["ETag"]}).status_code == 200


@pytest.mark.parametrize("accept", ["text/calendar", "*/*", "text/html,application/xhtml+xml", "application/json"])
def test_accept_header_is_ignored(make_meeting, club, as_bob, as_charlie, anonymous, accept):
    make_meeting()
    path = f"{CLUBS}{club.pk}/calendar.ics"
    assert len(events(as_bob.get(path, headers={"Accept": accept}))) == 1
    for client, status in ((as_charlie, 403), (anonymous, 401)):
        response = client.get(path, headers={"Accept": accept})
        assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")


def test_user_calendar_contains_current_clubs_only(
    club, make_meeting, make_club, as_bob, bob, secret_url, anonymous, alice
):
    other, left, asked, never = (make_club(name) for name in ("Other", "Left", "Asked", "Never"))
    for each in (club, other, left, asked, never):
        make_meeting(club=each, title=each.name)
    for each, status in ((left, None), (asked, "pending"), (never, "banned")):
        each.get_membership(bob).remove(by=None)
        if status:
            bring_in(each, bob, status=status)
    assert set(events(anonymous.get(secret_url))) == {"Night readers", "Other"}
    other.get_membership(bob).remove(by=alice)
    assert set(events(anonymous.get(secret_url))) == {"Night readers"}


def test_token_is_shown_once_replaced_and_revoked(as_bob, anonymous, make_meeting):
    make_meeting()
    first, second = (ok(as_bob.post(TOKEN), 201) for _n in range(2))
    assert set(second) == {"token", "url"}
    assert second["url"] == f"http://testserver/api/v1/users/me/calendar.ics?token={second['token']}"
    assert CalendarToken.objects.count() == 1
    assert second["token"] not in json.dumps(list(CalendarToken.objects.values()), default=str)
    assert anonymous.get(first["url"]).status_code == 404
    assert len(events(anonymous.get(second["url"]))) == 1
    for _n in range(2):
        assert as_bob.delete(TOKEN).status_code == 204
    assert anonymous.get(second["url"]).status_code == 404
    assert anonymous.delete(TOKEN).status_code == anonymous.post(TOKEN).status_code == 401


@pytest.mark.parametrize(
    "query", ["", "?token=", "?token=wrong", "?token=%00", "?token=%ED%A0%80", "?token=" + "a" * 5000]
)
def test_invalid_token_is_not_found(anonymous, secret_url, as_bob, query):
    for client in (anonymous, as_bob):
        response = client.get("/api/v1/users/me/calendar.ics" + query)
        assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_token_grants_no_other_access(secret_url, anonymous, club):
    token = secret_url.split("=")[1]
    for path in ("/api/v1/users/me/", f"{CLUBS}{club.pk}/meetings/", f"{CLUBS}{club.pk}/calendar.ics", TOKEN):
        anonymous.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        assert anonymous.get(path).status_code == 401
        anonymous.credentials()
        assert anonymous.get(path, {"token": token}).status_code in (400, 401)
    assert anonymous.get(f"{secret_url}&page=2").status_code == 400


@pytest.mark.parametrize("fields", [{"is_active": False}, {"suspended_until": "2100-01-01T00:00:00Z"}])
def test_inactive_account_has_no_calendar(secret_url, anonymous, bob, fields, make_meeting):
    make_meeting()
    type(bob).objects.filter(pk=bob.pk).update(**fields)
    assert anonymous.get(secret_url).status_code == 404


def test_token_is_not_logged(secret_url, anonymous, caplog, make_meeting):
    make_meeting()
    with caplog.at_level("DEBUG"):
        assert anonymous.get(secret_url).status_code == 200
        assert anonymous.get(secret_url + "x").status_code == 404
    token = secret_url.split("=")[1]
    records = [json.dumps(vars(record), default=str) for record in caplog.records]
    assert records
    assert not [record for record in records if token in record and '"request"' not in record]
    assert not [record.getMessage() for record in caplog.records if token in record.getMessage()]


def test_attending_user_is_busy(make_meeting, club_calendar, as_bob):
    meeting = make_meeting()
    assert str(events(club_calendar())["Tea"]["TRANSP"]) == "TRANSPARENT"
    rsvp(as_bob, meeting, "yes")
    assert str(events(club_calendar())["Tea"]["TRANSP"]) == "OPAQUE"


# The token with its user, the user's clubs, the meetings with clubs and books, the user's RSVPs, the series.
FEED_QUERIES = 5


@pytest.mark.parametrize("many", [3, 300])
def test_calendar_query_count_is_constant(many, alice, as_alice, anonymous, django_assert_num_queries):
    secret_url = ok(as_alice.post(TOKEN), 201)["url"]
    for number in range(3):
        club = Club.create_club(by=alice, name=f"Club {number}")
        for _series in range(max(1, many // 150)):
            repeats = {"every": "weekly", "count": max(1, min(50, many // 3))}
            Meeting.create_meeting(club=club, by=alice, title="Tea", starts_at=timezone.now(), repeats=repeats)
    with django_assert_num_queries(FEED_QUERIES):
        response = anonymous.get(secret_url)
    assert len(read_calendar(response).walk("VEVENT")) == many


@pytest.mark.parametrize(
    ("first", "shown"), [(-29, [-8, -1, 6, 13, 20]), (-60, [-39, -32, -25, -18, -11]), (1, [1, 8, 15, 22, 29])]
)
def test_calendar_is_limited_to_nearest_meetings(alice, as_alice, club, monkeypatch, first, shown):
    monkeypatch.setattr("meetings.ical.MAX_EVENTS", 5)
    repeats, at = {"every": "weekly", "count": 8}, timezone.now().replace(microsecond=0)
    Meeting.create_meeting(
        club=club, by=alice, title="Tea", starts_at=at + first * DAY, timezone="UTC", repeats=repeats
    )
    found = read_calendar(as_alice.get(f"{CLUBS}{club.pk}/calendar.ics")).walk("VEVENT")
    assert [event["DTSTART"].dt - at for event in found] == [days * DAY for days in shown]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "trace"])
def test_calendar_refuses_other_methods_whatever_the_token(anonymous, method):
    assert getattr(anonymous, method)("/api/v1/users/me/calendar.ics?token=x").status_code == 405
