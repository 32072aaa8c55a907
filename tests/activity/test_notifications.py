import datetime

import pytest
from django.utils import timezone

from accounts.blocks import Block
from activity.choices import NotificationKind
from activity.messages import DeferredMessage, time_message
from activity.models import Notification, ObjectRef
from activity.services import notify
from core.registry import message_renderers

pytestmark = pytest.mark.django_db
NOTIFICATIONS = "/api/v1/users/me/notifications/"
READ = f"{NOTIFICATIONS}read/"


@pytest.fixture(autouse=True)
def no_notifications(as_alice, as_bob, club):
    Notification.objects.all().delete()


def notifications(client, **query):
    return client.get(NOTIFICATIONS, query).json()["results"]


def texts(client, **headers):
    return [row["text"] for row in client.get(NOTIFICATIONS, **headers).json()["results"]]


def test_notification_fields(as_bob, alice, bob, club):
    notify(NotificationKind.REPLY, [bob.pk], actor=alice.pk, object_ref=ObjectRef("post", 7, "Chapter 3"), club=club.pk)
    row = Notification.objects.get()
    assert notifications(as_bob) == [
        {
            "id": row.pk,
            "at": f"{row.created_at:%Y-%m-%dT%H:%M:%SZ}",
            "kind": "reply",
            "actor": {"id": alice.pk, "username": "alice", "display_name": "Alice", "avatar_url": None},
            "object": {"type": "post", "id": 7, "title": "Chapter 3"},
            "club": {"id": club.pk, "name": "Night readers"},
            "text": "Alice replied to you in “Chapter 3”.",
            "read": False,
        }
    ]


def test_each_user_once_and_not_the_actor(as_alice, as_bob, alice, bob):
    for _time in range(2):
        notify(NotificationKind.REPLY, [bob.pk, bob.pk, alice.pk], actor=alice.pk, key="once")
    assert (len(notifications(as_bob)), len(notifications(as_alice))) == (1, 0)


def test_user_input_is_not_interpreted(as_bob, alice, bob):
    alice.update_profile(display_name="100 %s <b>")
    notify(NotificationKind.REPLY, [bob.pk], actor=alice.pk, object_ref=ObjectRef("post", 7, "%(club)s {0} 50 %"))
    assert texts(as_bob) == ["100 %s <b> replied to you in “%(club)s {0} 50 %”."]


def test_detail_is_text_or_deferred_message(as_bob, bob, club, monkeypatch):
    monkeypatch.setitem(message_renderers, "mood", lambda argument: f"a {argument} mood")
    starts_at = datetime.datetime(2026, 12, 1, 19, 30, tzinfo=datetime.UTC)
    for detail in (
        "as it is",
        DeferredMessage("mood", "good"),
        time_message(starts_at, "America/Sao_Paulo"),
        DeferredMessage("forgotten", "x"),
    ):
        notify(
            NotificationKind.MEETING_NEW,
            [bob.pk],
            object_ref=ObjectRef("meeting", 7, "Dune"),
            club=club.pk,
            detail=detail,
        )
    assert texts(as_bob) == [
        "New meeting of Night readers: “Dune”, .",
        "New meeting of Night readers: “Dune”, Tuesday, December 1, 2026 at 4:30 p.m. (Brasília time).",
        "New meeting of Night readers: “Dune”, a good mood.",
        "New meeting of Night readers: “Dune”, as it is.",
    ]
    assert (
        "terça-feira, 1 de dezembro de 2026, às 16h30 (horário de Brasília)"
        in texts(as_bob, HTTP_ACCEPT_LANGUAGE="pt-BR")[1]
    )


def test_text_without_actor_and_club(as_bob, bob):
    notify(NotificationKind.JOIN_REQUEST, [bob.pk])
    assert texts(as_bob) == ["Someone asked to join a club."]


def test_filter_by_unread(as_bob, bob):
    for _time in range(3):
        notify(NotificationKind.SECURITY, [bob.pk], detail="x")
    last, middle, first = notifications(as_bob)
    assert as_bob.post(READ, {"ids": [middle["id"]]}).status_code == 204
    assert [row["id"] for row in notifications(as_bob, unread="true")] == [last["id"], first["id"]]
    assert [row["id"] for row in notifications(as_bob, unread="false")] == [middle["id"]]
    assert [row["read"] for row in notifications(as_bob)] == [False, True, False]
    assert as_bob.get(NOTIFICATIONS, {"unread": "yes"}).json()["code"] == "invalid_parameter"


def test_mark_all_as_read_changes_own_only(as_alice, as_bob, alice, bob):
    notify(NotificationKind.SECURITY, [alice.pk, bob.pk], detail="x")
    long_ago = timezone.now() - datetime.timedelta(days=9)
    notify(NotificationKind.SECURITY, [bob.pk], detail="x", key="old")
    Notification.objects.filter(key="old").update(read_at=long_ago)
    assert as_bob.post(READ, {"all": True}).status_code == 204
    assert notifications(as_bob, unread="true") == []
    assert len(notifications(as_alice, unread="true")) == 1
    assert Notification.objects.get(key="old").read_at == long_ago


def test_foreign_and_missing_ids_are_the_same_400(as_alice, as_bob, alice, bob):
    notify(NotificationKind.SECURITY, [alice.pk, bob.pk], detail="x")
    own, hers = notifications(as_bob)[0]["id"], notifications(as_alice)[0]["id"]
    responses = [as_bob.post(READ, {"ids": [own, pk]}).json()["errors"] for pk in (hers, 10**12)]
    assert responses[0] == responses[1]
    assert {(e["field"], e["code"]) for e in responses[0]} == {("ids.1", "does_not_exist")}
    assert notifications(as_alice, unread="true")
    assert notifications(as_bob, unread="true")


@pytest.mark.parametrize(
    "body",
    [{}, {"all": False}, {"ids": 7}, {"ids": [0]}, {"ids": ["x"]}, {"ids": [10**30]}, {"ids": list(range(1, 1002))}],
)
def test_mark_read_with_invalid_body_is_400(as_bob, body):
    assert as_bob.post(READ, body).json()["code"] == "invalid"


def test_email_only_notifications_are_not_listed(as_bob, bob):
    notify(NotificationKind.SECURITY, [bob.pk], detail="x")
    Notification.objects.update(in_app=False)
    assert notifications(as_bob) == []


@pytest.mark.parametrize("rows", [3, 300])
def test_query_counts_are_constant(as_bob, alice, bob, moe, club, rows, django_assert_num_queries):
    for n in range(rows):
        notify(NotificationKind.REPLY, [bob.pk], actor=(alice, moe)[n % 2].pk, club=club.pk)
    with django_assert_num_queries(4):
        # Session with user; notifications; actors; visible clubs.
        assert len(as_bob.get(NOTIFICATIONS, {"page_size": 100}).json()["results"]) == min(rows, 100)
    with django_assert_num_queries(5):
        # Session with user; the UPDATE and its changes in a savepoint.
        as_bob.post(READ, {"all": True})


def test_block_hides_older_notifications_or_their_actor(as_bob, alice, bob, club):
    notify(NotificationKind.REPLY, [bob.pk], actor=alice.pk)
    notify(
        NotificationKind.BOOK_PLANNED, [bob.pk], actor=alice.pk, object_ref=ObjectRef("entry", 1, "Dune"), club=club.pk
    )
    Block.objects.block(on=alice, by=bob)
    (row,) = notifications(as_bob)
    assert (row["kind"], row["actor"]) == ("book_planned", None)
