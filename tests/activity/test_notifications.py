"""What a reader is told, in their language, and how they mark it as read."""

import datetime

import pytest
from django.utils import timezone

from accounts.blocks import Block
from activity.details import Said, said_time
from activity.kinds import Kind
from activity.models import Notification, Thing
from activity.services import notify
from bookbridge.api.registry import message_renderers

pytestmark = pytest.mark.django_db
NOTIFICATIONS = "/api/v1/users/me/notifications/"
READ = f"{NOTIFICATIONS}read/"


@pytest.fixture(autouse=True)
def none_yet(as_alice, as_bob, club):
    Notification.objects.all().delete()


def told(client, **query):
    return client.get(NOTIFICATIONS, query).json()["results"]


def texts(client, **headers):
    return [row["text"] for row in client.get(NOTIFICATIONS, **headers).json()["results"]]


def test_a_notification_has_the_shape_of_the_contract(as_bob, alice, bob, club):
    notify(Kind.REPLY, [bob.pk], actor=alice.pk, thing=Thing("post", 7, "Chapter 3"), club=club.pk)
    row = Notification.objects.get()
    assert told(as_bob) == [
        {
            "id": row.pk,
            "at": row.at.isoformat().replace("+00:00", "Z"),
            "kind": "reply",
            "actor": {"id": alice.pk, "username": "alice", "display_name": "Alice", "avatar_url": None},
            "object": {"type": "post", "id": 7, "title": "Chapter 3"},
            "club": {"id": club.pk, "name": "Night readers"},
            "text": "Alice answers you in “Chapter 3”.",
            "read": False,
        }
    ]


def test_each_is_told_once_and_nobody_of_what_they_did(as_alice, as_bob, alice, bob):
    for _time in range(2):
        notify(Kind.REPLY, [bob.pk, bob.pk, alice.pk], actor=alice.pk, key="once")
    assert (len(told(as_bob)), len(told(as_alice))) == (1, 0)


def test_words_of_people_stay_as_they_are(as_bob, alice, bob):
    alice.change_profile(display_name="100 %s <b>")
    notify(Kind.REPLY, [bob.pk], actor=alice.pk, thing=Thing("post", 7, "%(club)s {0} 50 %"))
    assert texts(as_bob) == ["100 %s <b> answers you in “%(club)s {0} 50 %”."]


def test_a_detail_is_words_or_what_is_put_into_words_when_it_is_read(as_bob, bob, club, monkeypatch):
    monkeypatch.setitem(message_renderers, "mood", lambda about: f"a {about} mood")
    starts_at = datetime.datetime(2026, 12, 1, 19, 30, tzinfo=datetime.UTC)
    for detail in ("as it is", Said("mood", "good"), said_time(starts_at, "America/Sao_Paulo"), Said("forgotten", "x")):
        notify(Kind.MEETING_NEW, [bob.pk], thing=Thing("meeting", 7, "Dune"), club=club.pk, detail=detail)
    assert texts(as_bob) == [
        "Night readers meets: “Dune”, .",
        "Night readers meets: “Dune”, Dec. 1, 2026, 4:30 p.m. (America/Sao_Paulo).",
        "Night readers meets: “Dune”, a good mood.",
        "Night readers meets: “Dune”, as it is.",
    ]
    assert "1 de Dezembro de 2026 às 16:30" in texts(as_bob, HTTP_ACCEPT_LANGUAGE="pt-BR")[1]


def test_who_and_where_may_be_missing(as_bob, bob):
    notify(Kind.JOIN_REQUEST, [bob.pk])
    assert texts(as_bob) == ["Somebody asks to join a club."]


def test_unread_ones_can_be_asked_for(as_bob, bob):
    for _time in range(3):
        notify(Kind.SECURITY, [bob.pk], detail="x")
    last, middle, first = told(as_bob)
    assert as_bob.post(READ, {"ids": [middle["id"]]}).status_code == 204
    assert [row["id"] for row in told(as_bob, unread="true")] == [last["id"], first["id"]]
    assert [row["id"] for row in told(as_bob, unread="false")] == [middle["id"]]
    assert [row["read"] for row in told(as_bob)] == [False, True, False]
    assert as_bob.get(NOTIFICATIONS, {"unread": "yes"}).json()["code"] == "invalid_parameter"


def test_all_are_marked_at_once_and_only_one_s_own(as_alice, as_bob, alice, bob):
    notify(Kind.SECURITY, [alice.pk, bob.pk], detail="x")
    long_ago = timezone.now() - datetime.timedelta(days=9)
    notify(Kind.SECURITY, [bob.pk], detail="x", key="old")
    Notification.objects.filter(key="old").update(read_at=long_ago)
    assert as_bob.post(READ, {"all": True}).status_code == 204
    assert told(as_bob, unread="true") == []
    assert len(told(as_alice, unread="true")) == 1
    assert Notification.objects.get(key="old").read_at == long_ago


def test_others_and_absent_ones_are_the_same_400(as_alice, as_bob, alice, bob):
    notify(Kind.SECURITY, [alice.pk, bob.pk], detail="x")
    own, hers = told(as_bob)[0]["id"], told(as_alice)[0]["id"]
    answers = [as_bob.post(READ, {"ids": [own, pk]}).json()["errors"] for pk in (hers, 10**12)]
    assert answers[0] == answers[1]
    assert {(e["field"], e["code"]) for e in answers[0]} == {("ids.1", "does_not_exist")}
    assert told(as_alice, unread="true")
    assert told(as_bob, unread="true")


@pytest.mark.parametrize(
    "body",
    [{}, {"all": False}, {"ids": 7}, {"ids": [0]}, {"ids": ["x"]}, {"ids": [10**30]}, {"ids": list(range(1, 1002))}],
)
def test_a_body_that_says_nothing_sensible_is_refused(as_bob, body):
    assert as_bob.post(READ, body).json()["code"] == "invalid"


def test_what_is_for_mail_alone_is_not_in_the_app(as_bob, bob):
    notify(Kind.SECURITY, [bob.pk], detail="x")
    Notification.objects.update(in_app=False)
    assert told(as_bob) == []


@pytest.mark.parametrize("rows", [3, 300])
def test_queries_are_as_many_however_many_there_are(as_bob, alice, bob, moe, club, rows, django_assert_num_queries):
    for n in range(rows):
        notify(Kind.REPLY, [bob.pk], actor=(alice, moe)[n % 2].pk, club=club.pk)
    with django_assert_num_queries(4):
        # the sign-in with its reader; the notifications; their actors; their clubs, as far as he may know of them
        assert len(as_bob.get(NOTIFICATIONS, {"page_size": 100}).json()["results"]) == min(rows, 100)
    with django_assert_num_queries(4):
        # the sign-in with its reader; a savepoint around the UPDATE
        as_bob.post(READ, {"all": True})


def test_what_was_told_before_a_block_goes_with_it_or_loses_its_name(as_bob, alice, bob, club):
    notify(Kind.REPLY, [bob.pk], actor=alice.pk)
    notify(Kind.BOOK_PLANNED, [bob.pk], actor=alice.pk, thing=Thing("entry", 1, "Dune"), club=club.pk)
    Block.objects.place(on=alice, by=bob)
    (row,) = told(as_bob)
    assert (row["kind"], row["actor"]) == ("book_planned", None)
