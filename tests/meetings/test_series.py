"""Series of meetings: dates and times, and changes with a scope."""

import datetime
from zoneinfo import ZoneInfo

import pytest

from activity.models import Event
from core.tasks.worker import run_pending
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
    assert [row["repeats"] for row in rows] == [{"every": "weekly", "count": 3, "on": None, "except": []}] * 3
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
    assert (changed["title"], changed["repeats"]) == ("Late", {"every": "weekly", "count": 4, "on": None, "except": []})
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


def test_series_notifications_say_how_many_meetings(club, as_moe, as_bob):
    ok(as_moe.post(url(club), body()), 201)
    first, second, *_others = Meeting.objects.order_by("starts_at")
    ok(as_moe.patch(url(first) + "?scope=following", {"starts_at": "2027-03-15T19:00:00Z"}))
    ok(as_moe.patch(url(first), {"place": "Café"}))
    ok(as_moe.patch(url(second) + "?scope=following", {"status": "cancelled"}))
    as_moe.delete(url(first) + "?scope=following")
    run_pending()

    def texts(language):
        rows = as_bob.get("/api/v1/users/me/notifications/", HTTP_ACCEPT_LANGUAGE=language).json()["results"]
        return [row["text"] for row in rows if row["kind"].startswith("meeting_")][::-1]

    sunday, monday = "Sunday, March 14, 2027 at 7 p.m. (London time)", "Monday, March 15, 2027 at 7 p.m. (London time)"
    assert texts("en") == [
        f"New meeting of Night readers: “Tea”, {sunday}; then every week, 3 more times.",
        f"The meeting “Tea” of Night readers has changed: moved from {sunday} to {monday}; the same applies to 3 later "
        "meetings of the series.",
        f"The meeting “Tea” of Night readers has changed: the place is now Café, on {monday}.",
        "The meeting “Tea” of Night readers has changed: it is cancelled; it was planned for Monday, March 22, 2027 at "
        "7 p.m. (London time); the same applies to 2 later meetings of the series.",
        # The others are cancelled already.
        f"The meeting “Tea” of Night readers has changed: it is cancelled; it was planned for {monday}.",
    ]
    assert ", mais 3 vezes." in texts("pt-BR")[0]
    assert "; o mesmo vale para mais 3 encontros da série." in texts("pt-BR")[1]


THURSDAYS = {"starts_at": "2027-01-07T19:00:00Z"}


def on(week, weekday="thursday"):
    return {"every": "monthly", "count": 5, "on": {"week": week, "weekday": weekday}}


@pytest.mark.parametrize(
    ("repeats", "starts_at", "days"),
    [
        (on(1), "2027-01-07T19:00:00Z", ["07.01.", "04.02.", "04.03.", "01.04.", "06.05."]),
        (on(4), "2027-01-28T19:00:00Z", ["28.01.", "25.02.", "25.03.", "22.04.", "27.05."]),
        (on(-1), "2027-01-28T19:00:00Z", ["28.01.", "25.02.", "25.03.", "29.04.", "27.05."]),
        (on(-1, "sunday"), "2027-01-31T19:00:00Z", ["31.01.", "28.02.", "28.03.", "25.04.", "30.05."]),
        (on(1, "monday"), "2027-02-01T19:00:00Z", ["01.02.", "01.03.", "05.04.", "03.05.", "07.06."]),
    ],
)
def test_monthly_series_on_a_weekday(club, as_moe, as_bob, repeats, starts_at, days):
    made = ok(as_moe.post(url(club), body(starts_at=starts_at) | {"repeats": repeats}), 201)
    assert made["repeats"] == repeats | {"except": []}
    assert [f"{at:%d.%m.}" for at in starts(as_bob, club)] == days
    # The same time in London, in winter and in summer.
    assert {f"{at:%H:%M}" for at in starts(as_bob, club)} == {"19:00"}


def test_weekday_is_that_of_the_zone_of_the_series(club, as_moe, as_bob):
    """Friday 00:30 UTC is Thursday evening in São Paulo."""
    sent = body(starts_at="2027-01-08T00:30:00Z", timezone="America/Sao_Paulo") | {"repeats": on(1)}
    ok(as_moe.post(url(club), sent), 201)
    local = [f"{at:%d.%m. %H:%M}" for at in starts(as_bob, club, "America/Sao_Paulo")]
    assert local == ["07.01. 21:30", "04.02. 21:30", "04.03. 21:30", "01.04. 21:30", "06.05. 21:30"]


@pytest.mark.parametrize(
    ("repeats", "bad"),
    [
        (on(2), {"repeats.on": "not_in_series"}),
        (on(1, "friday"), {"repeats.on": "not_in_series"}),
        (on(-1), {"repeats.on": "not_in_series"}),
        (on(5), {"repeats.on.week": "invalid_choice"}),
        (on(0), {"repeats.on.week": "invalid_choice"}),
        (on(1, "Thursday"), {"repeats.on.weekday": "invalid_choice"}),
        ({"every": "monthly", "count": 2, "on": {"week": 1}}, {"repeats.on.weekday": "required"}),
        (on(1) | {"every": "weekly"}, {"repeats.on": "not_monthly"}),
        ({"every": "weekly", "count": 2, "except": ["2027-01-15"]}, {"repeats.except.0": "not_in_series"}),
        (
            {"every": "weekly", "count": 2, "except": ["2027-01-14", "2027-01-21"]},
            {"repeats.except.1": "not_in_series"},
        ),
        ({"every": "weekly", "count": 2, "except": ["2027-01-07", "2027-01-14"]}, {"repeats.except": "empty"}),
        ({"every": "weekly", "count": 2, "except": ["tomorrow"]}, {"repeats.except.0": "invalid"}),
        ({"every": "weekly", "count": 2, "except": "2027-01-07"}, {"repeats.except": "not_a_list"}),
        ({"every": "weekly", "count": 2, "except": ["2027-01-14"] * 53}, {"repeats.except": "max_length"}),
    ],
)
def test_invalid_exceptions_and_weekdays_are_rejected(club, as_moe, repeats, bad):
    assert bad_fields(as_moe.post(url(club), body(**THURSDAYS) | {"repeats": repeats})) == bad
    assert not Meeting.objects.exists()


def test_excluded_days_have_no_meeting(club, as_moe, as_bob):
    repeats = {"every": "weekly", "count": 4, "except": ["2027-01-21", "2027-01-07"]}
    first = ok(as_moe.post(url(club), body(**THURSDAYS) | {"repeats": repeats}), 201)
    assert first["starts_at"] == "2027-01-14T19:00:00Z"
    assert first["repeats"] == repeats | {"on": None}
    assert [f"{at:%d.%m.}" for at in starts(as_bob, club)] == ["14.01.", "28.01."]


def test_excluded_days_are_those_of_the_zone_of_the_series(club, as_moe, as_bob):
    tokyo = body(starts_at="2027-01-07T20:00:00Z", timezone="Asia/Tokyo")  # 8 January, 05:00
    repeats = {"every": "weekly", "count": 3, "except": ["2027-01-14"]}
    assert bad_fields(as_moe.post(url(club), tokyo | {"repeats": repeats})) == {"repeats.except.0": "not_in_series"}
    ok(as_moe.post(url(club), tokyo | {"repeats": repeats | {"except": ["2027-01-15"]}}), 201)
    assert [f"{at:%d.%m.}" for at in starts(as_bob, club, "Asia/Tokyo")] == ["08.01.", "22.01."]


def test_meetings_are_filtered_by_series(club, as_moe, as_bob, anonymous, series):
    other = ok(as_moe.post(url(club), body(count=2)), 201)

    def found(client, pk):
        return [row["id"] for row in ok(client.get(url(club), {"series": pk}))["results"]]

    assert found(as_bob, series[0].series_id) == [meeting.pk for meeting in series]
    assert len(found(as_bob, other["series"])) == 2
    assert found(as_bob, 10**9) == []
    # Others may not see which meetings belong together.
    assert found(anonymous, series[0].series_id) == []
    assert bad_parameters(as_bob.get(url(club), {"series": "x"})) == {"series"}
    assert bad_parameters(as_bob.get(url(club), {"series": 10**30})) == {"series"}


def test_meetings_are_filtered_by_days_of_the_club(club, make_meeting, as_bob, anonymous):
    """The club is in London: in June the day begins at 23:00 UTC."""
    moments = ["2027-06-09T22:59:59", "2027-06-09T23:00:00", "2027-06-10T22:59:59", "2027-06-10T23:00:00"]
    made = [make_meeting(starts_at=datetime.datetime.fromisoformat(at + "+00:00")).pk for at in moments]

    def found(client, **query):
        return [made.index(row["id"]) for row in ok(client.get(url(club), query))["results"]]

    assert found(as_bob, **{"from": "2027-06-10", "to": "2027-06-10"}) == [1, 2]
    assert found(anonymous, **{"from": "2027-06-11"}) == [3]
    assert found(as_bob, to="2027-06-09") == [0]
    assert found(as_bob, **{"from": "2027-06-11", "to": "2027-06-10"}) == []
    assert found(as_bob, **{"from": "1900-01-01", "to": "2100-12-31"}) == [0, 1, 2, 3]
    for value in ("tomorrow", "2027-06-31", "1899-12-31", "0001-01-01", "2101-01-01", "9999-12-31", "20270610"):
        assert bad_parameters(as_bob.get(url(club), {"from": value, "to": value})) == {"from", "to"}
