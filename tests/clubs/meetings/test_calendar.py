"""Calendars: what is in them, whom they open to, and that programs can read them (RFC 5545)."""

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
from clubs.meetings.calendar import _zone
from clubs.models import CalendarToken, Club, Entry, Meeting
from tests.clubs.helpers import CLUBS, bring_in
from tests.clubs.meetings.helpers import ok, say, url

pytestmark = pytest.mark.django_db

TOKEN = "/api/v1/users/me/calendar-token/"
DAY = datetime.timedelta(days=1)


def check_lines(content):
    """Lines end in CRLF, have 75 bytes at most and are whole UTF-8; nothing but text is in them."""
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


def read(answer):
    """The calendar of an answer, which keeps the rules."""
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer["Cache-Control"] == "private, no-cache"
    check_lines(answer.content)
    calendar = icalendar.Calendar.from_ical(answer.content)
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


def events(answer):
    return {str(event["SUMMARY"]): event for event in read(answer).walk("VEVENT")}


@pytest.fixture
def of_club(club, as_bob):
    return lambda: as_bob.get(f"{CLUBS}{club.pk}/calendar.ics")


@pytest.fixture
def address(as_bob):
    """Bob's own secret address."""
    return ok(as_bob.post(TOKEN), 201)["url"]


def test_a_meeting_in_a_calendar(club, plan, alice, of_club):
    book = Book.add(by=None, title="Emma", authors=["Jane Austen"])
    entry = Entry.add(club=club, book=book, by=alice)
    starts_at = datetime.datetime(2027, 6, 1, 18, tzinfo=datetime.UTC)
    fields = {"place": "Library, room 2; left", "agenda": "One\nTwo", "url": "https://meet.example.org/tea?x=1,2;3"}
    meeting = plan(starts_at=starts_at, duration_minutes=90, entry_id=entry.pk, **fields)
    event = events(of_club())["Tea"]
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


def test_without_a_link_it_leads_to_the_meeting(club, plan, of_club):
    meeting = plan()
    expected = f"{settings.APP_URL}/clubs/{club.pk}/meetings/{meeting.pk}"
    assert str(events(of_club())["Tea"]["URL"]) == expected


def test_the_uid_stays_and_the_sequence_grows(plan, of_club, as_moe):
    meeting = plan()
    first = events(of_club())["Tea"]
    bodies = [{"place": "Café"}, {"status": "cancelled"}, {"status": "scheduled"}, {"place": "Café"}]
    seen = []
    for body in bodies:
        ok(as_moe.patch(url(meeting), body))
        event = events(of_club())["Tea"]
        assert event["UID"] == first["UID"]
        seen.append((event["SEQUENCE"], str(event["STATUS"])))
    assert seen == [(1, "CONFIRMED"), (2, "CANCELLED"), (3, "CONFIRMED"), (3, "CONFIRMED")]
    as_moe.delete(url(meeting))
    event = events(of_club())["Tea"]
    assert (event["UID"], event["SEQUENCE"], str(event["STATUS"])) == (first["UID"], 4, "CANCELLED")


def test_what_is_off_stays_for_thirty_days(plan, address, anonymous, as_moe):
    cancelled, removed = plan(title="Off", days=60), plan(title="Gone", days=60)
    plan(title="On", days=60)
    ok(as_moe.patch(url(cancelled), {"status": "cancelled"}))
    as_moe.delete(url(removed))
    changed = timezone.now()
    with time_machine.travel(changed + 29 * DAY):
        assert {name: str(event["STATUS"]) for name, event in events(anonymous.get(address)).items()} == {
            "Off": "CANCELLED",
            "Gone": "CANCELLED",
            "On": "CONFIRMED",
        }
    with time_machine.travel(changed + 31 * DAY):
        assert set(events(anonymous.get(address))) == {"On"}


def test_a_calendar_goes_a_year_back(plan, of_club):
    for title, days in {"old": -370, "last year": -360, "soon": 3, "far": 3000}.items():
        plan(title=title, days=days)
    assert set(events(of_club())) == {"last year", "soon", "far"}


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
def test_zones_are_described_so_that_others_read_the_same_moment(plan, of_club, zone, at, local, offset):
    """By the file's own VTIMEZONE, as a program reads it that has never heard of the zone."""
    plan(timezone=zone, starts_at=datetime.datetime.fromisoformat(at))
    calendar = read(of_club())
    event = calendar.walk("VEVENT")[0]
    assert event["DTSTART"].to_ical().decode() == local
    described = calendar.walk("VTIMEZONE")[0]
    naive = datetime.datetime.strptime(local, "%Y%m%dT%H%M%S")
    assert offset_by(described, naive) == datetime.timedelta(hours=offset)


def offset_by(zone, wall):
    """The offset that holds at a wall clock: of the observance that began last by then (RFC 5545, 3.6.5)."""
    begun = [part for part in zone.subcomponents if part["DTSTART"].dt <= wall]
    return max(begun, key=lambda part: part["DTSTART"].dt)["TZOFFSETTO"].td


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Africa/Casablanca", "Australia/Lord_Howe"])
def test_each_change_of_the_clocks_is_told_to_the_second(zone):
    first, last = (datetime.datetime(year, 1, 1, tzinfo=datetime.UTC) for year in (2026, 2029))
    described = _zone(ZoneInfo(zone), first, last)
    assert len(described.subcomponents) == 7
    for part in described.subcomponents[1:]:
        at = (part["DTSTART"].dt - part["TZOFFSETFROM"].td).replace(tzinfo=datetime.UTC)
        before, after = at - datetime.timedelta(seconds=1), at
        assert before.astimezone(ZoneInfo(zone)).utcoffset() == part["TZOFFSETFROM"].td
        assert after.astimezone(ZoneInfo(zone)).utcoffset() == part["TZOFFSETTO"].td


def test_of_two_equal_hours_the_second_is_told_in_utc(plan, of_club):
    plan(title="first", starts_at=datetime.datetime(2027, 10, 31, 0, 30, tzinfo=datetime.UTC), duration_minutes=20)
    plan(title="second", starts_at=datetime.datetime(2027, 10, 31, 1, 30, tzinfo=datetime.UTC))
    found = events(of_club())
    assert found["first"]["DTSTART"].to_ical() == b"20271031T013000"
    assert found["second"]["DTSTART"].to_ical() == b"20271031T013000Z"
    assert found["second"]["DTEND"].to_ical() == b"20271031T023000Z"


def test_utc_needs_no_rules(plan, of_club):
    plan(timezone="UTC")
    calendar = read(of_club())
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
def test_hostile_text_stays_text(plan, of_club, club, text, alice):
    club.change(by=alice, name=text[:100])
    plan(title=text, place=text, agenda=text)
    calendar = read(of_club())
    assert len(calendar.walk("VEVENT")) == 1
    event = calendar.walk("VEVENT")[0]
    assert "ATTENDEE" not in event
    assert str(event["STATUS"]) == "CONFIRMED"
    expected = "\n".join(text.splitlines())
    assert (str(event["SUMMARY"]), str(event["LOCATION"])) == (expected, expected)


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=120))
def test_any_text_makes_a_sound_file(meeting, of_club, text):
    Meeting.objects.filter(pk=meeting.pk).update(title=text, agenda=text, place=text)
    assert len(read(of_club()).walk("VEVENT")) == 1


def test_a_calendar_has_an_etag_that_moves_with_it(plan, of_club, as_bob, as_moe, club):
    meeting = plan()
    answer = of_club()
    path = f"{CLUBS}{club.pk}/calendar.ics"
    again = as_bob.get(path, headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    ok(as_moe.patch(url(meeting), {"agenda": "More"}))
    assert as_bob.get(path, headers={"If-None-Match": answer["ETag"]}).status_code == 200


@pytest.mark.parametrize("accept", ["text/calendar", "*/*", "text/html,application/xhtml+xml", "application/json"])
def test_any_accept_gets_the_calendar_and_errors_their_shape(plan, club, as_bob, as_charlie, anonymous, accept):
    plan()
    path = f"{CLUBS}{club.pk}/calendar.ics"
    assert len(events(as_bob.get(path, headers={"Accept": accept}))) == 1
    for client, status in ((as_charlie, 403), (anonymous, 401)):
        answer = client.get(path, headers={"Accept": accept})
        assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")


def test_a_secret_address_shows_every_club_one_is_in_now(club, plan, make_club, as_bob, bob, address, anonymous, alice):
    other, left, asked, never = (make_club(name) for name in ("Other", "Left", "Asked", "Never"))
    for where in (club, other, left, asked, never):
        plan(club=where, title=where.name)
    for where, status in ((left, None), (asked, "pending"), (never, "banned")):
        where.membership_of(bob).remove(by=None)
        if status:
            bring_in(where, bob, status=status)
    assert set(events(anonymous.get(address))) == {"Night readers", "Other"}
    other.membership_of(bob).remove(by=alice)
    assert set(events(anonymous.get(address))) == {"Night readers"}


def test_a_token_is_told_once_ends_the_older_one_and_can_be_ended(as_bob, anonymous, plan):
    plan()
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
def test_a_bad_token_is_404(anonymous, address, as_bob, query):
    for client in (anonymous, as_bob):
        answer = client.get("/api/v1/users/me/calendar.ics" + query)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_token_opens_nothing_else(address, anonymous, club):
    token = address.split("=")[1]
    for path in ("/api/v1/users/me/", f"{CLUBS}{club.pk}/meetings/", f"{CLUBS}{club.pk}/calendar.ics", TOKEN):
        anonymous.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        assert anonymous.get(path).status_code == 401
        anonymous.credentials()
        assert anonymous.get(path, {"token": token}).status_code in (400, 401)
    assert anonymous.get(f"{address}&page=2").status_code == 400


@pytest.mark.parametrize("fields", [{"is_active": False}, {"suspended_until": "2100-01-01T00:00:00Z"}])
def test_an_account_that_is_shut_has_no_calendar(address, anonymous, bob, fields, plan):
    plan()
    type(bob).objects.filter(pk=bob.pk).update(**fields)
    assert anonymous.get(address).status_code == 404


def test_no_log_has_the_token(address, anonymous, caplog, plan):
    plan()
    with caplog.at_level("DEBUG"):
        assert anonymous.get(address).status_code == 200
        assert anonymous.get(address + "x").status_code == 404
    token = address.split("=")[1]
    records = [json.dumps(vars(record), default=str) for record in caplog.records]
    assert records
    assert not [record for record in records if token in record and '"request"' not in record]
    assert not [record.getMessage() for record in caplog.records if token in record.getMessage()]


def test_whoever_comes_is_busy(plan, of_club, as_bob):
    meeting = plan()
    assert str(events(of_club())["Tea"]["TRANSP"]) == "TRANSPARENT"
    say(as_bob, meeting, "yes")
    assert str(events(of_club())["Tea"]["TRANSP"]) == "OPAQUE"


# The token with its reader, the clubs they are in, the meetings with clubs and books, the reader's answers, series.
FEED_QUERIES = 5


@pytest.mark.parametrize("many", [3, 300])
def test_a_calendar_costs_the_same_at_any_length(many, alice, as_alice, anonymous, django_assert_num_queries):
    address = ok(as_alice.post(TOKEN), 201)["url"]
    for number in range(3):
        club = Club.found(by=alice, name=f"Club {number}")
        for _series in range(max(1, many // 150)):
            repeats = {"every": "weekly", "count": max(1, min(50, many // 3))}
            Meeting.plan(club=club, by=alice, title="Tea", starts_at=timezone.now(), repeats=repeats)
    with django_assert_num_queries(FEED_QUERIES):
        answer = anonymous.get(address)
    assert len(read(answer).walk("VEVENT")) == many


@pytest.mark.parametrize(
    ("first", "shown"), [(-29, [-8, -1, 6, 13, 20]), (-60, [-39, -32, -25, -18, -11]), (1, [1, 8, 15, 22, 29])]
)
def test_of_a_great_many_meetings_those_nearest_to_now_are_in_it(alice, as_alice, club, monkeypatch, first, shown):
    monkeypatch.setattr("clubs.meetings.calendar.MOST_MEETINGS", 5)
    repeats, at = {"every": "weekly", "count": 8}, timezone.now().replace(microsecond=0)
    Meeting.plan(club=club, by=alice, title="Tea", starts_at=at + first * DAY, timezone="UTC", repeats=repeats)
    found = read(as_alice.get(f"{CLUBS}{club.pk}/calendar.ics")).walk("VEVENT")
    assert [event["DTSTART"].dt - at for event in found] == [days * DAY for days in shown]
