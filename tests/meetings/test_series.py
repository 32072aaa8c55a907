"""Series of meetings: dates and times, and changes with a scope."""

import datetime
from zoneinfo import ZoneInfo

import pytest

from activity.models import Event
from meetings.models import Meeting, MeetingSeries
from tests.clubs.helpers import bad_fields, bad_parameters
from tests.meetings.helpers import notified, ok, rsvp, url

pytestmark = pytest.mark.django_db

LONDON = ZoneInfo("Europe/London")


def body(every="weekly", count=4, starts_at="2027-03-14T19:00:00Z", **more):
    return {"title": "Tea", "starts_at": starts_at, "repeats": {"every": every, "count": count}, **more}


@pytest.fixture
def series(club, as_moe):
    """Four Sundays at 19:00 in London; clocks go forward on the third."""
    ok(as_moe.post(url(club), body()), 201)
    return list(Meeting.objects.order_by("starts_at"))


def starts(client, club, zone="Europe/London"):
    rows = ok(client.get(url(club)))["results"]
    return [datetime.datetime.fromisoformat(row["starts_at"]).astimezone(ZoneInfo(zone)) for row in rows]


def formatted_starts(client, club):
    return [f"{at:%d.%m. %H:%M}" for at in starts(client, club)]


def test_series_creates_meetings_with_a_shared_id(club, as_moe, as_bob, anonymous):
    first = ok(as_moe.post(url(club), body(count=3, place="Library", capacity=2)), 201)
    rows = ok(as_bob.get(url(club)))["results"]
    assert rows[0] == first
    assert [row["repeats"] for row in rows] == [{"every": "weekly", "count": 3}] * 3
    assert {row["series"] for row in rows} == {MeetingSeries.objects.get().pk}
    assert {(row["place"], row["capacity"]) for row in rows} == {("Library", 2)}
    assert len({row["id"] for row in rows}) == 3
    assert [(row["series"], row["repeats"]) for row in ok(anonymous.get(url(club)))["results"]] == [(None, None)] * 3


def test_local_time_is_kept_across_clock_changes(club, as_moe, as_bob, series):
    assert formatted_starts(as_bob, club) == ["14.03. 19:00", "21.03. 19:00", "28.03. 19:00", "04.04. 19:00"]
    utc = [f"{meeting.starts_at:%H:%M}" for meeting in series]
    assert utc == ["19:00", "19:00", "18:00", "18:00"]


@pytest.mark.parametrize(
    ("every", "days"),
    [
        ("weekly", ["31.01.", "07.02.", "14.02.", "21.02."]),
        ("biweekly", ["31.01.", "14.02.", "28.02.", "14.03."]),
        ("monthly", ["31.01.", "28.02.", "31.03.", "30.04."]),
    ],
)
def test_frequency_gives_the_right_dates(club, as_moe, as_bob, every, days):
    ok(as_moe.post(url(club), body(every, starts_at="2027-01-31T20:00:00Z")), 201)
    assert [f"{at:%d.%m.}" for at in starts(as_bob, club)] == days


def test_monthly_series_uses_last_day_of_short_months(club, as_moe, as_bob):
    ok(as_moe.post(url(club), body("monthly", 14, "2027-12-31T20:00:00Z")), 201)
    days = [at.day for at in starts(as_bob, club)]
    assert days == [31, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31]


def test_skipped_and_repeated_local_times(club, as_moe, as_bob):
    """02:30 means 03:30 on 14 March 2027 in New York; of two equal times (7 November) the first is used."""
    new_york = {"timezone": "America/New_York"}
    ok(as_moe.post(url(club), body(count=3, starts_at="2027-03-07T02:30:00-05:00", **new_york)), 201)
    assert [f"{at:%H:%M %z}" for at in starts(as_bob, club, "America/New_York")] == [
        "02:30 -0500",
        "03:30 -0400",
        "02:30 -0400",
    ]
    Meeting.objects.all().delete()
    ok(as_moe.post(url(club), body(count=2, starts_at="2027-10-31T01:30:00-04:00", **new_york)), 201)
    assert [f"{at:%H:%M %z}" for at in starts(as_bob, club, "America/New_York")] == ["01:30 -0400", "01:30 -0400"]


def test_second_of_two_equal_times_can_be_given(club, as_moe, as_bob):
    ok(as_moe.post(url(club), body(count=1, starts_at="2027-10-31T01:30:00+00:00")), 201)
    assert Meeting.objects.get().local_starts_at == datetime.datetime(2027, 10, 31, 1, 30, fold=1)
    assert ok(as_bob.get(url(club)))["results"][0]["starts_at"] == "2027-10-31T01:30:00Z"
    ok(as_moe.patch(url(Meeting.objects.get()), {"place": "Library"}))
    assert ok(as_bob.get(url(club)))["results"][0]["starts_at"] == "2027-10-31T01:30:00Z"


@pytest.mark.parametrize(
    ("repeats", "bad"),
    [
        ({"every": "weekly", "count": 0}, {"repeats.count": "min_value"}),
        ({"every": "weekly", "count": 53}, {"repeats.count": "max_value"}),
        ({"every": "weekly"}, {"repeats.count": "required"}),
        ({"every": "daily", "count": 2}, {"repeats.every": "invalid_choice"}),
        ({"count": 2}, {"repeats.every": "required"}),
        ("weekly", {"repeats.non_field_errors": "invalid"}),
    ],
)
def test_invalid_recurrence_is_rejected(club, as_moe, repeats, bad):
    assert bad_fields(as_moe.post(url(club), body() | {"repeats": repeats})) == bad
    assert not Meeting.objects.exists()


def test_recurrence_may_be_null_or_up_to_52(club, as_moe):
    assert ok(as_moe.post(url(club), body() | {"repeats": None}), 201)["series"] is None
    ok(as_moe.post(url(club), body(count=52)), 201)
    assert Meeting.objects.count() == 53


def test_series_beyond_2100_is_rejected(club, as_moe):
    late = body("monthly", 52, "2099-06-01T10:00:00Z")
    assert bad_fields(as_moe.post(url(club), late)) == {"repeats.count": "out_of_range"}
    assert not MeetingSeries.objects.exists()


def test_single_meeting_of_series_can_differ(club, as_moe, as_bob, series):
    ok(as_moe.patch(url(series[1]), {"starts_at": "2027-03-22T20:00:00Z", "title": "Monday"}))
    ok(as_moe.patch(url(series[2]), {"status": "cancelled"}))
    assert as_moe.delete(url(series[3])).status_code == 204
    rows = ok(as_bob.get(url(club)))["results"]
    assert [(row["title"], row["status"]) for row in rows] == [
        ("Tea", "scheduled"),
        ("Monday", "scheduled"),
        ("Tea", "cancelled"),
    ]
    assert formatted_starts(as_bob, club) == ["14.03. 19:00", "22.03. 20:00", "28.03. 19:00"]


def test_following_meetings_move_by_local_time(club, as_moe, as_bob, series):
    ok(as_moe.patch(url(series[1]) + "?scope=following", {"starts_at": "2027-03-22T20:30:00Z", "place": "Café"}))
    assert formatted_starts(as_bob, club) == ["14.03. 19:00", "22.03. 20:30", "29.03. 20:30", "05.04. 20:30"]
    assert [row["place"] for row in ok(as_bob.get(url(club)))["results"]] == ["", "Café", "Café", "Café"]


def test_following_meetings_move_to_another_timezone(club, as_moe, as_bob, series):
    """The changed meeting keeps its moment; later ones get the same local time in the new zone."""
    ok(as_moe.patch(url(series[0]) + "?scope=following", {"timezone": "America/Sao_Paulo"}))
    assert [f"{at:%H:%M %z}" for at in starts(as_bob, club, "America/Sao_Paulo")] == ["16:00 -0300"] * 4
    assert formatted_starts(as_bob, club)[0] == "14.03. 19:00"
    assert {row["timezone"] for row in ok(as_bob.get(url(club)))["results"]} == {"America/Sao_Paulo"}


def test_following_meetings_are_cancelled_or_deleted(club, as_moe, as_bob, series):
    ok(as_moe.patch(url(series[2]) + "?scope=following", {"status": "cancelled"}))
    assert [row["status"] for row in ok(as_bob.get(url(club)))["results"]] == ["scheduled"] * 2 + ["cancelled"] * 2
    assert as_moe.delete(url(series[1]) + "?scope=following").status_code == 204
    assert [row["id"] for row in ok(as_bob.get(url(club)))["results"]] == [series[0].pk]
    assert as_bob.get(url(series[3])).status_code == 404


def test_move_beyond_2100_changes_nothing(club, as_moe, as_bob, series):
    before = formatted_starts(as_bob, club)
    response = as_moe.patch(url(series[0]) + "?scope=following", {"starts_at": "2100-12-31T10:00:00Z"})
    assert bad_fields(response) == {"starts_at": "out_of_range"}
    assert formatted_starts(as_bob, club) == before


def test_invalid_scope_is_rejected(club, series, as_moe, as_bob):
    for scope in ("all", "", "THIS"):
        assert bad_parameters(as_moe.patch(f"{url(series[0])}?scope={scope}", {"title": "x"})) == {"scope"}
        assert bad_parameters(as_moe.delete(f"{url(series[0])}?scope={scope}")) == {"scope"}
    assert bad_parameters(as_bob.get(f"{url(series[0])}?scope=this")) == {"scope"}
    ok(as_moe.patch(f"{url(series[0])}?scope=this", {"title": "x"}))


def test_recurrence_cannot_be_changed(series, as_moe):
    changed = ok(as_moe.put(url(series[0]), body(every="monthly", count=9, title="Late")))
    assert (changed["title"], changed["repeats"]) == ("Late", {"every": "weekly", "count": 4})
    assert Meeting.objects.count() == 4


def test_each_meeting_of_series_has_its_own_rsvps(series, as_bob):
    rsvp(as_bob, series[1], "yes")
    assert [ok(as_bob.get(url(one)))["my_rsvp"] is None for one in series] == [True, False, True, True]


def test_series_records_one_event_and_notification(club, as_moe, as_bob):
    Event.objects.all().delete()
    ok(as_moe.post(url(club), body()), 201)
    first = Meeting.objects.earliest("starts_at")
    ok(as_moe.patch(url(first) + "?scope=following", {"place": "Café"}))
    as_moe.delete(url(first) + "?scope=following")
    assert list(Event.objects.order_by("id").values_list("verb", "object_id")) == [
        ("meeting.created", first.pk),
        ("meeting.changed", first.pk),
        ("meeting.deleted", first.pk),
    ]
    assert notified("meeting_new") == [("alice", "Tea"), ("bob", "Tea")]
    assert notified("meeting_changed") == [("alice", "Tea"), ("bob", "Tea")] * 2
