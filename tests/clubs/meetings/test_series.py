"""Series of meetings: their days and hours, and changing one or all that follow."""

import datetime
from zoneinfo import ZoneInfo

import pytest

from activity.models import Event
from clubs.models import Meeting, Series
from tests.clubs.helpers import bad_fields, bad_parameters
from tests.clubs.meetings.helpers import ok, say, told, url

pytestmark = pytest.mark.django_db

LONDON = ZoneInfo("Europe/London")


def body(every="weekly", count=4, starts_at="2027-03-14T19:00:00Z", **more):
    return {"title": "Tea", "starts_at": starts_at, "repeats": {"every": every, "count": count}, **more}


@pytest.fixture
def series(club, as_moe):
    """Four Sundays at seven in London; the clocks go forward on the third."""
    ok(as_moe.post(url(club), body()), 201)
    return list(Meeting.objects.order_by("starts_at"))


def starts(client, club, zone="Europe/London"):
    rows = ok(client.get(url(club)))["results"]
    return [datetime.datetime.fromisoformat(row["starts_at"]).astimezone(ZoneInfo(zone)) for row in rows]


def hours(client, club):
    return [f"{at:%d.%m. %H:%M}" for at in starts(client, club)]


def test_a_series_is_meetings_that_share_an_id(club, as_moe, as_bob, anonymous):
    first = ok(as_moe.post(url(club), body(count=3, place="Library", capacity=2)), 201)
    rows = ok(as_bob.get(url(club)))["results"]
    assert rows[0] == first
    assert [row["repeats"] for row in rows] == [{"every": "weekly", "count": 3}] * 3
    assert {row["series"] for row in rows} == {Series.objects.get().pk}
    assert {(row["place"], row["capacity"]) for row in rows} == {("Library", 2)}
    assert len({row["id"] for row in rows}) == 3
    assert [(row["series"], row["repeats"]) for row in ok(anonymous.get(url(club)))["results"]] == [(None, None)] * 3


def test_the_hour_stays_when_the_clocks_are_changed(club, as_moe, as_bob, series):
    assert hours(as_bob, club) == ["14.03. 19:00", "21.03. 19:00", "28.03. 19:00", "04.04. 19:00"]
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
def test_how_often(club, as_moe, as_bob, every, days):
    ok(as_moe.post(url(club), body(every, starts_at="2027-01-31T20:00:00Z")), 201)
    assert [f"{at:%d.%m.}" for at in starts(as_bob, club)] == days


def test_a_year_of_months_keeps_the_day_and_knows_leap_years(club, as_moe, as_bob):
    ok(as_moe.post(url(club), body("monthly", 14, "2027-12-31T20:00:00Z")), 201)
    days = [at.day for at in starts(as_bob, club)]
    assert days == [31, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31]


def test_hours_that_are_left_out_or_come_twice(club, as_moe, as_bob):
    """02:30 is 03:30 on the day without it (New York, 14 March 2027); of two the first one (7 November) is meant."""
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


def test_the_second_of_two_equal_hours_can_be_said(club, as_moe, as_bob):
    ok(as_moe.post(url(club), body(count=1, starts_at="2027-10-31T01:30:00+00:00")), 201)
    assert Meeting.objects.get().wall == datetime.datetime(2027, 10, 31, 1, 30, fold=1)
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
def test_bad_repeats(club, as_moe, repeats, bad):
    assert bad_fields(as_moe.post(url(club), body() | {"repeats": repeats})) == bad
    assert not Meeting.objects.exists()


def test_null_repeats_nothing_and_fifty_two_is_the_most(club, as_moe):
    assert ok(as_moe.post(url(club), body() | {"repeats": None}), 201)["series"] is None
    ok(as_moe.post(url(club), body(count=52)), 201)
    assert Meeting.objects.count() == 53


def test_a_series_ends_within_the_calendar(club, as_moe):
    late = body("monthly", 52, "2099-06-01T10:00:00Z")
    assert bad_fields(as_moe.post(url(club), late)) == {"repeats.count": "out_of_range"}
    assert not Series.objects.exists()


def test_one_meeting_is_an_exception(club, as_moe, as_bob, series):
    ok(as_moe.patch(url(series[1]), {"starts_at": "2027-03-22T20:00:00Z", "title": "Monday"}))
    ok(as_moe.patch(url(series[2]), {"status": "cancelled"}))
    assert as_moe.delete(url(series[3])).status_code == 204
    rows = ok(as_bob.get(url(club)))["results"]
    assert [(row["title"], row["status"]) for row in rows] == [
        ("Tea", "scheduled"),
        ("Monday", "scheduled"),
        ("Tea", "cancelled"),
    ]
    assert hours(as_bob, club) == ["14.03. 19:00", "22.03. 20:00", "28.03. 19:00"]


def test_all_that_follow_are_moved_by_the_clock(club, as_moe, as_bob, series):
    ok(as_moe.patch(url(series[1]) + "?scope=following", {"starts_at": "2027-03-22T20:30:00Z", "place": "Café"}))
    assert hours(as_bob, club) == ["14.03. 19:00", "22.03. 20:30", "29.03. 20:30", "05.04. 20:30"]
    assert [row["place"] for row in ok(as_bob.get(url(club)))["results"]] == ["", "Café", "Café", "Café"]


def test_all_that_follow_move_to_another_zone(club, as_moe, as_bob, series):
    """The moment of the meeting that is changed stays; the later ones keep its hour there."""
    ok(as_moe.patch(url(series[0]) + "?scope=following", {"timezone": "America/Sao_Paulo"}))
    assert [f"{at:%H:%M %z}" for at in starts(as_bob, club, "America/Sao_Paulo")] == ["16:00 -0300"] * 4
    assert hours(as_bob, club)[0] == "14.03. 19:00"
    assert {row["timezone"] for row in ok(as_bob.get(url(club)))["results"]} == {"America/Sao_Paulo"}


def test_all_that_follow_are_cancelled_or_removed(club, as_moe, as_bob, series):
    ok(as_moe.patch(url(series[2]) + "?scope=following", {"status": "cancelled"}))
    assert [row["status"] for row in ok(as_bob.get(url(club)))["results"]] == ["scheduled"] * 2 + ["cancelled"] * 2
    assert as_moe.delete(url(series[1]) + "?scope=following").status_code == 204
    assert [row["id"] for row in ok(as_bob.get(url(club)))["results"]] == [series[0].pk]
    assert as_bob.get(url(series[3])).status_code == 404


def test_a_move_out_of_the_calendar_moves_none(club, as_moe, as_bob, series):
    before = hours(as_bob, club)
    answer = as_moe.patch(url(series[0]) + "?scope=following", {"starts_at": "2100-12-31T10:00:00Z"})
    assert bad_fields(answer) == {"starts_at": "out_of_range"}
    assert hours(as_bob, club) == before


def test_a_scope_is_one_of_two_words(club, series, as_moe, as_bob):
    for scope in ("all", "", "THIS"):
        assert bad_parameters(as_moe.patch(f"{url(series[0])}?scope={scope}", {"title": "x"})) == {"scope"}
        assert bad_parameters(as_moe.delete(f"{url(series[0])}?scope={scope}")) == {"scope"}
    assert bad_parameters(as_bob.get(f"{url(series[0])}?scope=this")) == {"scope"}
    ok(as_moe.patch(f"{url(series[0])}?scope=this", {"title": "x"}))


def test_how_it_repeats_is_not_changed(series, as_moe):
    changed = ok(as_moe.put(url(series[0]), body(every="monthly", count=9, title="Late")))
    assert (changed["title"], changed["repeats"]) == ("Late", {"every": "weekly", "count": 4})
    assert Meeting.objects.count() == 4


def test_each_meeting_has_answers_of_its_own(series, as_bob):
    say(as_bob, series[1], "yes")
    assert [ok(as_bob.get(url(one)))["my_rsvp"] is None for one in series] == [True, False, True, True]


def test_one_event_and_one_message_for_a_series(club, as_moe, as_bob):
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
    assert told("meeting_new") == [("alice", "Tea"), ("bob", "Tea")]
    assert told("meeting_changed") == [("alice", "Tea"), ("bob", "Tea")] * 2
