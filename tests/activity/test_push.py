"""Pushes are sent to the devices of users, as the contract says, by each kind of push service."""

import datetime
import time

import pytest
from django.utils import timezone

from accounts import tokens
from accounts.models import AuthSession
from activity.choices import NotificationKind
from activity.models import Notification, NotificationPreference, ObjectRef
from activity.push import delivery, fcm
from activity.push.models import Device
from activity.services import notify
from core.tasks.models import QueuedTask
from core.tasks.worker import run_pending
from tests.activity.push_services import Answer
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
DEVICES = "/api/v1/users/me/devices/"
RETRY_TASK = "activity.push.tasks.retry_pushes"


@pytest.fixture(autouse=True)
def empty_queue(push_settings, as_alice, as_bob, club):
    QueuedTask.objects.all().delete()
    Notification.objects.all().delete()


@pytest.fixture
def phone(as_bob, service):
    """Register a device of Bob's that answers like this, and return the name by which the service knows it."""

    def register(*answers, name="phone", client=as_bob):
        response = client.post(DEVICES, service.subscribe(name, *answers).body)
        assert response.status_code == 201, response.content
        return name

    return register


def remind(*users, **kwargs):
    notify(NotificationKind.SECURITY, [user.pk for user in users], detail="Look here", **kwargs)


def run_retries():
    delivery.pauses.clear()
    QueuedTask.objects.filter(task_path=RETRY_TASK, status="READY").update(run_after=timezone.now())
    run_pending()


def retries():
    return QueuedTask.objects.filter(task_path=RETRY_TASK, status="READY")


def seconds_until_retry():
    return (retries().get().run_after - timezone.now()).total_seconds()


# --- Payload ---------------------------------------------------------------------------------------------------------


def test_push_has_the_notification_in_the_users_language(as_bob, alice, bob, club, phone, service):
    bob.update_profile(language="pt-BR")
    phone()
    notify(NotificationKind.REPLY, [bob.pk], actor=alice.pk, object_ref=ObjectRef("post", 7, "Dune"), club=club.pk)
    assert service.received == []
    run_pending()
    shown = as_bob.get("/api/v1/users/me/notifications/", HTTP_ACCEPT_LANGUAGE="pt-BR").json()["results"][0]
    assert service.payloads("phone") == [
        {
            "id": shown["id"],
            "kind": "reply",
            "text": shown["text"],
            "object": {"type": "post", "id": 7, "title": "Dune"},
            "club": {"id": club.pk, "name": "Night readers"},
            "unread": 1,
        }
    ]
    assert "respondeu" in shown["text"]
    run_pending()
    assert len(service.received) == 1


def test_push_has_no_trace_of_the_request(as_alice, bob, club, phone, service):
    phone()
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    member = f"/api/v1/clubs/{club.pk}/members/{bob.pk}/"
    assert as_alice.patch(member, {"role": "moderator"}, HTTP_TRACEPARENT=trace).status_code == 200
    run_pending()
    [headers] = service.headers
    assert "traceparent" not in {name.lower() for name in headers}


def test_unread_counts_only_what_the_app_shows(as_bob, bob, phone, service):
    phone()
    remind(bob)
    NotificationPreference.objects.update_preferences(bob, {"review_liked": {"app": False}})
    notify(NotificationKind.REVIEW_LIKED, [bob.pk], object_ref=ObjectRef("review", 1, "Emma"))
    run_pending()
    assert [payload["unread"] for payload in service.payloads("phone")] == [1, 1]


def test_guarded_post_is_in_no_payload(as_alice, as_bob, alice, bob, club, phone, service):
    phone()
    book = as_alice.post("/api/v1/books/", {"title": "Emma", "author": "Jane Austen"}).json()["id"]
    entry = as_alice.post(f"/api/v1/clubs/{club.pk}/books/", {"book": book, "status": "reading"}).json()["id"]
    threads = f"/api/v1/clubs/{club.pk}/threads/"
    thread = as_bob.post(threads, {"title": "Who?", "body": "Tell me", "entry": entry, "spoiler_percent": 0}).json()[
        "id"
    ]
    first = as_bob.get(f"{threads}{thread}/posts/").json()["results"][0]["id"]
    body = {"body": "@bob the MURDERER did it", "reply_to": first, "spoiler_percent": 90}
    assert as_alice.post(f"{threads}{thread}/posts/", body).status_code == 201
    run_pending()
    assert service.payloads("phone")
    assert "MURDERER" not in str(service.received)


def test_long_texts_fit_into_a_message(bob, make_club, phone, service):
    club = make_club("\U0001f4d6" * 60)
    phone()
    titles = ("\U0001f4da" * 300, '"' * 300, "\\" * 300)
    for n, title in enumerate(titles):
        notify(NotificationKind.MEETING_CHANGED, [bob.pk], object_ref=ObjectRef("meeting", n, title), club=club.pk,
               detail="\U0001f4c6" * 500)  # fmt: skip
    run_pending()
    assert len(service.payloads("phone")) == 3
    assert all(payload["text"].endswith("…") for payload in service.payloads("phone"))


# --- Who gets a push -------------------------------------------------------------------------------------------------


def test_preference_turns_a_kind_off(as_bob, bob, phone, service):
    phone()
    settings_url = "/api/v1/users/me/notification-settings/"
    assert as_bob.patch(settings_url, {"review_liked": {"push": False}}).status_code == 200
    notify(NotificationKind.REVIEW_LIKED, [bob.pk], object_ref=ObjectRef("review", 1, "Emma"))
    run_pending()
    assert service.received == []
    assert as_bob.patch(settings_url, {"review_liked": {"push": True, "app": False}}).status_code == 200
    notify(NotificationKind.REVIEW_LIKED, [bob.pk], object_ref=ObjectRef("review", 2, "Emma"))
    run_pending()
    assert [payload["object"]["id"] for payload in service.payloads("phone")] == [2]


def test_security_push_cannot_be_turned_off(as_bob):
    response = as_bob.patch("/api/v1/users/me/notification-settings/", {"security": {"push": False}})
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "security.push"


def test_every_device_of_a_user_gets_it(as_bob, bob, as_alice, phone, service):
    for name in ("phone", "tablet"):
        phone(name=name)
    phone(name="other", client=as_alice)
    remind(bob)
    run_pending()
    assert sorted(name for name, _payload in service.received) == ["phone", "tablet"]


def test_user_without_devices_costs_no_task(alice, bob, phone):
    remind(bob)
    assert not QueuedTask.objects.filter(task_path__startswith="activity.push").exists()
    assert Notification.objects.get(user=bob).push_batch is None


def test_batch_is_one_task(as_bob, as_alice, alice, bob, phone, service):
    phone(), phone(name="tablet"), phone(name="alice", client=as_alice)
    remind(alice, bob)
    assert QueuedTask.objects.filter(task_path="activity.push.tasks.send_push_notifications").count() == 1
    run_pending()
    assert len(service.received) == 3


def test_devices_add_no_statement_for_each(as_bob, bob, phone, django_assert_num_queries):
    phone()
    with django_assert_num_queries(4):  # recipients, notifications, changes, task; no verified e-mail address
        remind(bob)
    for n in range(5):
        phone(name=f"p{n}")
    with django_assert_num_queries(4):
        remind(bob)


def test_large_batch_is_sent_completely(make_user, client_of, phone, service, monkeypatch):
    monkeypatch.setattr("activity.push.tasks.BATCH_SIZE", 4)
    users = [make_user(f"r{n}") for n in range(9)]
    for user in users:
        phone(name=user.username, client=client_of(user))
    remind(*users)
    run_pending()
    assert sorted(name for name, _payload in service.received) == [user.username for user in users]
    assert not Notification.objects.exclude(push_batch=None).exists()


def test_notification_that_a_block_hides_is_not_pushed(as_bob, alice, bob, phone, service):
    phone()
    notify(NotificationKind.REVIEW_LIKED, [bob.pk], actor=alice.pk, object_ref=ObjectRef("review", 1, "Emma"))
    assert as_bob.put("/api/v1/users/alice/block/").status_code == 204
    run_pending()
    notify(NotificationKind.REVIEW_LIKED, [bob.pk], actor=alice.pk, object_ref=ObjectRef("review", 2, "Emma"))
    run_pending()
    assert service.received == []


def test_club_that_the_user_left_is_not_pushed(alice, bob, private_club, phone, service):
    phone()
    notify(NotificationKind.BOOK_PLANNED, [bob.pk], object_ref=ObjectRef("entry", 1, "Dune"), club=private_club.pk)
    private_club.get_membership(bob).remove(by=alice)
    notify(NotificationKind.BOOK_PLANNED, [bob.pk], object_ref=ObjectRef("entry", 1, "Dune"), club=private_club.pk)
    run_pending()
    assert service.received == []


def test_notification_read_meanwhile_is_not_pushed(as_bob, bob, phone, service):
    phone()
    remind(bob)
    as_bob.post("/api/v1/users/me/notifications/read/", {"all": True})
    run_pending()
    assert service.received == []


# --- The end of a session ends its devices ---------------------------------------------------------------------------


@pytest.fixture
def second_sign_in(bob, phone, anonymous):
    """Bob's phone, signed in by itself: its token pair."""
    pair = tokens.sign_in(bob, device="phone")
    anonymous.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.access}")
    phone(client=anonymous)
    QueuedTask.objects.all().delete()
    return pair


def sign_out(as_bob, pair, bob):
    return as_bob.post("/api/v1/auth/logout/", {"refresh": pair.refresh})


def end_session(as_bob, pair, bob):
    session = AuthSession.objects.get(device="phone")
    return as_bob.delete(f"/api/v1/auth/sessions/{session.pk}/")


def end_other_sessions(as_bob, pair, bob):
    return as_bob.delete("/api/v1/auth/sessions/")


def change_password(as_bob, pair, bob):
    body = {"current_password": PASSWORD, "new_password": "quite another one"}
    return as_bob.post("/api/v1/auth/password/change/", body)


def suspend(as_bob, pair, bob):
    bob.suspend(timezone.now() + datetime.timedelta(days=1), by=None)


@pytest.mark.parametrize("end", [sign_out, end_session, end_other_sessions, change_password, suspend])
def test_no_push_after_the_end_of_the_session(as_bob, bob, second_sign_in, service, end):
    remind(bob)  # queued before
    response = end(as_bob, second_sign_in, bob)
    assert response is None or response.status_code == 204
    run_pending()
    remind(bob)
    run_pending()
    assert service.received == []
    assert not Device.objects.active().exists()


def test_no_retry_after_the_end_of_the_session(as_bob, bob, second_sign_in, service):
    service.answers["phone"] = [Answer(500)]
    remind(bob)
    run_pending()
    assert len(service.received) == 1
    sign_out(as_bob, second_sign_in, bob)
    run_retries()
    assert len(service.received) == 1
    assert not retries().exists()


def test_other_devices_stay_after_a_sign_out(as_bob, bob, phone, second_sign_in, service):
    phone(name="tablet")
    sign_out(as_bob, second_sign_in, bob)
    remind(bob)
    run_pending()
    assert [name for name, _payload in service.received] == ["tablet"]


def test_refreshed_session_keeps_its_device(anonymous, bob, second_sign_in, service):
    assert anonymous.post("/api/v1/auth/refresh/", {"refresh": second_sign_in.refresh}).status_code == 200
    remind(bob)
    run_pending()
    assert len(service.received) == 1


# --- What a push service answers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [404, 410])
def test_gone_subscription_is_deleted(as_bob, bob, phone, service, status):
    phone(Answer(status)), phone(name="tablet")
    remind(bob)
    run_pending()
    assert [row["token"].rpartition("/")[2] for row in as_bob.get(DEVICES).json()["results"]] == ["tablet"]
    assert not retries().exists()


def test_failed_push_is_tried_five_times_within_an_hour(bob, phone, service):
    phone(Answer(500)), phone(name="tablet")
    remind(bob)
    run_pending()
    started, waited = time.time(), 0.0
    for attempt in (1, 2, 3, 4):
        assert len(service.payloads("phone")) == attempt
        pause = seconds_until_retry()
        assert attempt > 1 or pause < 60
        waited += pause
        run_retries()
    assert waited < 3600
    assert len(service.payloads("phone")) == 5
    assert not retries().exists()
    assert len(service.payloads("tablet")) == 1
    # The device may work again tomorrow.
    assert Device.objects.count() == 2
    assert time.time() - started < 30


def test_retry_repeats_the_same_push(bob, phone, service):
    phone(Answer(503), Answer(201))
    remind(bob)
    run_pending()
    run_retries()
    first, second = service.payloads("phone")
    assert first == second
    assert service.headers[0]["topic"] == service.headers[1]["topic"]
    assert not retries().exists()


@pytest.mark.parametrize("value", ["300", "date"])
def test_retry_after_of_429_is_respected(bob, phone, service, value):
    later = timezone.now() + datetime.timedelta(seconds=301)
    header = later.strftime("%a, %d %b %Y %H:%M:%S GMT") if value == "date" else value
    phone(Answer(429, {"Retry-After": header}))
    remind(bob)
    run_pending()
    assert 290 < seconds_until_retry() < 340


def test_retry_after_beyond_an_hour_ends_the_push(bob, phone, service):
    phone(Answer(429, {"Retry-After": "7200"}), Answer(201))
    remind(bob)
    run_pending()
    assert not retries().exists()


@pytest.mark.parametrize("answer", [Answer(hang=True), Answer(drip=True)], ids=["silent", "slow"])
def test_silent_service_delays_no_others(bob, phone, service, answer, monkeypatch):
    monkeypatch.setattr("core.http_client.TOTAL_SECONDS", 1.0)
    for n in range(5):
        phone(answer, name=f"silent{n}")
    phone(name="tablet")
    remind(bob)
    started = time.monotonic()
    run_pending()
    assert time.monotonic() - started < 4
    assert len(service.payloads("tablet")) == 1
    [retry] = retries()
    assert len(retry.kwargs["pushes"]) == 5


def test_device_that_did_not_respond_is_paused(alice, bob, as_alice, phone, service, monkeypatch):
    monkeypatch.setattr("core.http_client.TOTAL_SECONDS", 1.0)
    phone(Answer(hang=True), Answer()), phone(name="tablet", client=as_alice)
    remind(alice, bob)
    run_pending()
    remind(alice, bob)  # meanwhile
    started = time.monotonic()
    run_pending()
    assert time.monotonic() - started < 1
    assert (len(service.payloads("phone")), len(service.payloads("tablet"))) == (1, 2)
    assert sorted(retry.kwargs["attempt"] for retry in retries()) == [1, 2]
    assert all(retry.run_after < timezone.now() + datetime.timedelta(seconds=25) for retry in retries())
    delivery.pauses.clear()  # which is over
    run_retries()
    assert len({payload["id"] for payload in service.payloads("phone")}) == 2
    assert not retries().exists()


def test_new_device_at_a_host_that_does_not_respond_is_paused(bob, as_bob, phone, service, monkeypatch):
    """Registering again and again must not hold up the tasks of others."""
    monkeypatch.setattr("core.http_client.TOTAL_SECONDS", 1.0)
    phone(Answer(hang=True))
    remind(bob)
    run_pending()
    phone(Answer(hang=True), name="another")
    remind(bob)
    started = time.monotonic()
    run_pending()
    assert time.monotonic() - started < 1
    assert service.payloads("another") == []


def test_pause_is_shorter_than_the_next_attempt_of_a_push():
    pairs = zip(delivery.PAUSE_SECONDS, delivery.RETRY_SECONDS, strict=True)
    assert all(pause + 5 <= retry for pause, retry in pairs)


def test_run_ends_before_its_lease_whatever_a_service_does(bob, phone, service, monkeypatch):
    monkeypatch.setattr(delivery, "MAX_SECONDS", 0.5)
    monkeypatch.setattr("core.http_client.TOTAL_SECONDS", 3.0)
    phone(Answer(hang=True))
    remind(bob)
    started = time.monotonic()
    run_pending()
    assert time.monotonic() - started < 2
    assert retries().count() == 1


def test_redirect_is_not_followed(bob, phone, service):
    other = service.subscribe("secret")
    phone(Answer(307, {"Location": other.endpoint}))
    remind(bob)
    run_pending()
    assert [name for name, _payload in service.received] == ["phone"]
    assert retries().count() == 1


def test_stopped_service_is_tried_again(bob, as_bob, phone, service):
    subscription = service.subscribe("phone")
    body = {**subscription.body, "token": "http://127.0.0.1:1/push/phone"}
    assert as_bob.post(DEVICES, body).status_code == 201
    remind(bob)
    run_pending()
    assert retries().count() == 1


@pytest.mark.parametrize("answer", [Answer(500), Answer(410), Answer(400, body="x" * 100), Answer(hang=True)], ids=str)
def test_logs_have_neither_endpoint_nor_text(bob, phone, service, answer, caplog, monkeypatch):
    monkeypatch.setattr("core.http_client.TOTAL_SECONDS", 0.5)
    caplog.set_level("INFO")
    phone(answer, name="secret-endpoint")
    remind(bob)
    run_pending()
    for _attempt in range(5):
        run_retries()
    assert "secret-endpoint" not in caplog.text
    assert "Look here" not in caplog.text


def test_malformed_row_stops_no_others(as_bob, bob, phone, service):
    phone(), phone(name="tablet")
    Device.objects.filter(token__endswith="phone").update(p256dh="broken")
    remind(bob)
    run_pending()
    assert [name for name, _payload in service.received] == ["tablet"]


def test_device_that_moved_gets_no_retry(as_alice, bob, phone, service):
    phone(Answer(500), Answer(201))
    remind(bob)
    run_pending()
    assert as_alice.post(DEVICES, service.subscriptions["/push/phone"].body).status_code == 201
    run_retries()
    assert len(service.received) == 1


# --- FCM -------------------------------------------------------------------------------------------------------------


def test_fcm_gets_notification_and_data(as_bob, alice, bob, club, fcm_service):
    assert as_bob.post(DEVICES, {"kind": "fcm", "token": "abc:DEF_-1"}).status_code == 201
    for n in range(2):
        notify(NotificationKind.REPLY, [bob.pk], actor=alice.pk, object_ref=ObjectRef("post", n, "é"), club=club.pk)
        run_pending()
    first, second = fcm_service.payloads("abc:DEF_-1")
    assert first["notification"] == {"title": "Night readers", "body": "Alice replied to you in “é”."}
    assert first["data"]["kind"] == "reply"
    assert first["data"]["object"] == '{"type":"post","id":0,"title":"é"}'
    assert (first["data"]["unread"], second["data"]["unread"]) == ("1", "2")
    assert first["data"].keys() == {"id", "kind", "text", "object", "club", "unread"}
    assert fcm_service.tokens_issued == 1


def test_fcm_token_that_is_unregistered_is_deleted(as_bob, bob, fcm_service):
    unregistered = {"error": {"status": "NOT_FOUND", "details": [{"errorCode": "UNREGISTERED"}]}}
    fcm_service.answers["gone"] = [Answer(404, body=unregistered)]
    for token in ("gone", "stays"):
        as_bob.post(DEVICES, {"kind": "fcm", "token": token})
    fcm_service.answers["stays"] = [Answer(429, {"Retry-After": "90"}, {"error": {"status": "UNAVAILABLE"}})]
    remind(bob)
    run_pending()
    assert [row["token"] for row in as_bob.get(DEVICES).json()["results"]] == ["stays"]
    assert 85 < seconds_until_retry() < 110


def test_fcm_requests_another_access_token_after_401(as_bob, bob, fcm_service):
    as_bob.post(DEVICES, {"kind": "fcm", "token": "phone"})
    fcm.access_token.get(lambda: ("stale", 3600))
    remind(bob)
    run_pending()
    assert fcm_service.received == []
    run_retries()
    assert len(fcm_service.received) == 1


def test_fcm_without_access_token_tries_again(as_bob, bob, fcm_service):
    fcm_service.token_answer = Answer(503)
    for n in range(5):
        as_bob.post(DEVICES, {"kind": "fcm", "token": f"phone{n}"})
    fcm_service.issue_token = lambda form: Answer(503)
    remind(bob)
    run_pending()
    assert len(retries().get().kwargs["pushes"]) == 5
    assert fcm_service.received == []


# --- APNs ------------------------------------------------------------------------------------------------------------

APPLE_TOKEN = "ab" * 32


def test_apns_gets_alert_and_payload_over_one_connection(as_bob, alice, bob, club, apns_service):
    names = [f"{APPLE_TOKEN}{n}" for n in range(5)]
    for name in names:
        assert as_bob.post(DEVICES, {"kind": "apns", "token": name}).status_code == 201
    notify(NotificationKind.REPLY, [bob.pk], actor=alice.pk, object_ref=ObjectRef("post", 7, "Dune"), club=club.pk)
    run_pending()
    assert sorted(name for name, _payload in apns_service.received) == names
    payload = apns_service.payloads(names[0])[0]
    assert payload["aps"] == {
        "alert": {"title": "Night readers", "body": "Alice replied to you in “Dune”."},
        "badge": 1,
        "sound": "default",
    }
    assert payload.keys() == {"aps", "id", "kind", "text", "object", "club", "unread"}
    assert apns_service.connections == 1
    assert len({headers["authorization"] for headers in apns_service.headers}) == 1


@pytest.mark.parametrize(
    "answer", [Answer(410, body={"reason": "Unregistered"}), Answer(400, body={"reason": "BadDeviceToken"})]
)
def test_apns_token_that_is_gone_is_deleted(as_bob, bob, apns_service, answer):
    apns_service.answers[APPLE_TOKEN] = [answer]
    as_bob.post(DEVICES, {"kind": "apns", "token": APPLE_TOKEN})
    remind(bob)
    run_pending()
    assert not Device.objects.exists()


@pytest.mark.parametrize(
    "answer",
    [
        Answer(429, body={"reason": "TooManyRequests"}),
        Answer(403, body={"reason": "ExpiredProviderToken"}),
        Answer(400, body={"reason": "BadTopic"}),
        Answer(hang=True),
    ],
    ids=["busy", "expired", "topic", "silent"],
)
def test_apns_push_that_failed_is_tried_again(as_bob, bob, apns_service, answer, monkeypatch):
    monkeypatch.setattr("core.http_client.TOTAL_SECONDS", 1.0)
    apns_service.answers[APPLE_TOKEN] = [answer, Answer()]
    as_bob.post(DEVICES, {"kind": "apns", "token": APPLE_TOKEN})
    remind(bob)
    run_pending()
    run_retries()
    assert len(apns_service.received) == 2
    assert not retries().exists()


def test_apns_push_without_answer_loses_no_others(as_bob, bob, apns_service, monkeypatch):
    monkeypatch.setattr("core.http_client.TOTAL_SECONDS", 1.0)
    apns_service.answers[f"{APPLE_TOKEN}0"] = [Answer(hang=True)]
    for n in range(4):
        as_bob.post(DEVICES, {"kind": "apns", "token": f"{APPLE_TOKEN}{n}"})
    remind(bob)
    run_pending()
    assert {name for name, _payload in apns_service.received} == {f"{APPLE_TOKEN}{n}" for n in range(4)}
    assert retries().exists()
