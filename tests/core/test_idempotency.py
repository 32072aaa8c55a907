"""Idempotency-Key: a retried POST gets the stored response, and its effect happens once."""

import datetime
import threading

import pytest
import time_machine
from django.db import OperationalError
from django.utils import timezone

from accounts.models import AuthSession, User
from core.api import idempotency
from core.models import IdempotencyRecord, IdempotencyRecordQuerySet
from reviews.models import ReviewImport
from tests.reviews.exports import GOODREADS, GOODREADS_ROW

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.views_for_tests")]

ONCE = "/api/v1/probe/once/"


@pytest.fixture
def me(client_of, alice):
    return client_of(alice)


def effects() -> int:
    return AuthSession.objects.filter(device="effect").count()


def post(client, key="k", path=ONCE, body=None):
    return client.post(path, {} if body is None else body, HTTP_IDEMPOTENCY_KEY=key)


def post_with(monkeypatch, client, name, function):
    """Return the response to a POST during which `function` replaces one of `core.api.idempotency`."""
    with monkeypatch.context() as patch:
        patch.setattr(idempotency, name, function)
        return post(client)


def test_retry_gets_the_stored_response(me):
    first, again = post(me), post(me)
    assert first.status_code == again.status_code == 201
    assert again.content == first.content
    assert again["Content-Type"] == first["Content-Type"]
    assert "Idempotency-Replayed" not in first
    assert again["Idempotency-Replayed"] == "true"
    assert effects() == 1


def test_key_applies_with_and_without_trailing_slash(me):
    assert post(me).status_code == 201
    assert post(me, path=ONCE[:-1])["Idempotency-Replayed"] == "true"
    assert effects() == 1


def test_calls_without_a_key_are_not_deduplicated(me):
    me.post(ONCE, {})
    me.post(ONCE, {})
    assert effects() == 2
    assert not IdempotencyRecord.objects.exists()


def test_other_body_with_the_key_is_422(me, problem):
    post(me)
    problem(post(me, body={"sleep": 0}), 422, "idempotency_key_reused")
    assert effects() == 1


def send_json(client, text, key="k"):
    return client.generic("POST", ONCE, text, content_type="application/json", HTTP_IDEMPOTENCY_KEY=key)


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ('{"a": 1, "sleep": 0}', '{"sleep": 0, "a": 1}'),
        ('{"a":{"c":1,"b":[{"y":2,"x":1}]}}', '{ "a" : {"b": [{"x": 1, "y": 2}],\n "c": 1} }\n'),
        ('{"rating": 4}', '{"rating": 4.0}'),
        ('{"rating": 4.50}', '{"rating": 45e-1}'),
        ('{"n": [100, 0]}', '{"n": [1e2, -0.0]}'),
        ('{"name": "é/"}', '{"name": "\\u00e9\\/"}'),
    ],
)
def test_same_json_value_in_another_form_is_a_retry(me, first, again):
    assert send_json(me, first).status_code == 201
    assert send_json(me, again)["Idempotency-Replayed"] == "true"
    assert effects() == 1


@pytest.mark.parametrize(
    ("first", "other"),
    [
        ('{"a": 1}', '{"a": "1"}'),
        ('{"a": 1}', '{"a": true}'),
        ('{"a": [1, 2]}', '{"a": [2, 1]}'),
        ('{"a": 4}', '{"a": 4.1}'),
        ('{"a": null}', "{}"),
        ('{"a": 12345678901234567890}', '{"a": 12345678901234567891}'),
        ('{"a": "é"}', '{"a": "e\u0301"}'),
    ],
)
def test_other_json_value_is_no_retry(me, problem, first, other):
    assert send_json(me, first).status_code == 201
    problem(send_json(me, other), 422, "idempotency_key_reused")


@pytest.mark.parametrize("body", ["{", "[" * 100_000, '{"n": ' + "9" * 5000 + "}", b'{"a": "\xff"}'], ids=len)
def test_body_that_is_not_json_is_400_with_a_key(me, problem, body):
    problem(send_json(me, body), 400)
    assert send_json(me, "{}").status_code == 201


def upload(client, *parts, boundary="edge", quote=""):
    """Send parts `(name, filename or None, content)` to the imports."""
    body = b""
    for name, filename, content in parts:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'
        if filename:
            head += f'; filename="{filename}"\r\nContent-Type: text/csv'
        body += f"{head}\r\n\r\n".encode() + content + b"\r\n"
    content_type = f"multipart/form-data; boundary={quote}{boundary}{quote}"
    return client.generic(
        "POST",
        "/api/v1/users/me/imports/",
        body + f"--{boundary}--\r\n".encode(),
        content_type=content_type,
        HTTP_IDEMPOTENCY_KEY="k",
    )


SOURCE = ("source", None, b"goodreads")
HEADER = ",".join(GOODREADS)
FILE = ("file", "export.csv", f"{HEADER}\r\n".encode())


def test_same_parts_with_another_boundary_are_a_retry(me):
    assert upload(me, SOURCE, FILE).status_code == 202
    for response in (
        upload(me, SOURCE, FILE, boundary="x" * 70),
        upload(me, SOURCE, FILE, boundary="a b", quote='"'),
        upload(me, FILE, SOURCE, boundary="file"),
    ):
        assert response["Idempotency-Replayed"] == "true", response.content


@pytest.mark.parametrize(
    "parts",
    [
        (SOURCE, ("file", "export.csv", f"{HEADER}\r\n\r\n".encode())),
        (SOURCE, ("file", "other.csv", FILE[2])),
        (("source", None, b"storygraph"), FILE),
        (SOURCE, FILE, ("more", None, b"x")),
        # What was the first boundary, inside the content.
        (SOURCE, ("file", "export.csv", FILE[2] + b"--edge")),
    ],
)
def test_other_parts_are_no_retry(me, problem, parts):
    assert upload(me, SOURCE, FILE).status_code == 202
    problem(upload(me, *parts, boundary="another"), 422, "idempotency_key_reused")


def test_upload_is_read_again_after_its_digest(me):
    row = ",".join(f'"{GOODREADS_ROW.get(name, "")}"' for name in GOODREADS)
    started = upload(me, SOURCE, ("file", "export.csv", f"{HEADER}\r\n{row}\r\n".encode()))
    assert bytes(ReviewImport.objects.get(pk=started.json()["id"]).content)


def test_upload_that_cannot_be_parsed_is_400_with_a_key(me, problem):
    broken = me.generic(
        *("POST", "/api/v1/users/me/imports/", b"--x"),
        content_type="multipart/form-data",
        HTTP_IDEMPOTENCY_KEY="k",
    )
    problem(broken, 400)
    problem(me.post(ONCE, {}, format="multipart", HTTP_IDEMPOTENCY_KEY="k"), 415)
    assert not IdempotencyRecord.objects.exists()


def test_stored_digest_depends_on_the_secret_key(me, settings):
    """A body may contain a password, which could be guessed from a plain digest."""
    digests = []
    for number, secret in enumerate(("a" * 50, "b" * 50)):
        settings.SECRET_KEY = secret
        post(me, key=str(number))
        digests.append(IdempotencyRecord.objects.latest("pk").request_digest)
    assert len(set(digests)) == 2


def test_other_keys_users_and_routes_are_independent(me, client_of, bob):
    post(me)
    for other in (post(me, key="K"), post(client_of(bob)), post(me, path=f"{ONCE}other/")):
        assert other.status_code == 201
        assert "Idempotency-Replayed" not in other
    assert effects() == 4


@pytest.mark.parametrize("key", ["", "k" * 256, "k" * 5000], ids=len)
def test_key_of_invalid_length_is_400(me, problem, key):
    problem(post(me, key=key), 400, "invalid_idempotency_key")
    assert effects() == 0


@pytest.mark.parametrize("key", ["k", "k" * 255, " a b ", "é", "a/b?c", "\udcff"])
def test_every_other_key_is_accepted(me, key):
    assert post(me, key=key).status_code == 201
    assert post(me, key=key)["Idempotency-Replayed"] == "true"


def test_parallel_call_with_the_key_is_409(me, problem, monkeypatch):
    seen = []
    original = idempotency._run_and_store

    def meanwhile(claim, call, request, *args, **kwargs):
        if not seen:
            seen.append(post(me))
            seen.append(post(me, body={"sleep": 0}))
        return original(claim, call, request, *args, **kwargs)

    monkeypatch.setattr(idempotency, "_run_and_store", meanwhile)
    assert post(me).status_code == 201
    assert (
        problem(seen[0], 409, "idempotency_in_progress")["idempotency_key"]
        == seen[0].wsgi_request.headers["Idempotency-Key"]
    )
    problem(seen[1], 422, "idempotency_key_reused")
    assert effects() == 1


def test_call_in_progress_says_when_to_retry(me, problem):
    post(me)
    IdempotencyRecord.objects.update(status=None, response_body="")
    response = post(me)
    problem(response, 409, "idempotency_in_progress")
    assert 1 <= int(response["Retry-After"]) <= 10


@pytest.mark.django_db(transaction=True)
def test_claim_is_released_after_the_connection_was_lost(me, problem, monkeypatch):
    def lose(claim, call, request, *args, **kwargs):
        monkeypatch.setattr(IdempotencyRecordQuerySet, "delete", fail_once)
        raise OperationalError(2013, "Lost connection")

    def fail_once(queryset):
        monkeypatch.setattr(IdempotencyRecordQuerySet, "delete", delete)
        raise OperationalError(2006, "Server has gone away")

    delete = IdempotencyRecordQuerySet.delete
    problem(post_with(monkeypatch, me, "_run_and_store", lose), 503, "unavailable")
    assert post(me).status_code == 201


@pytest.fixture
def database_down(monkeypatch):
    """An event during which no claim can be deleted."""
    down, delete = threading.Event(), IdempotencyRecordQuerySet.delete

    def delete_unless_down(queryset):
        if down.is_set():
            raise OperationalError(2002, "Can't connect to server")
        return delete(queryset)

    monkeypatch.setattr(IdempotencyRecordQuerySet, "delete", delete_unless_down)
    yield down
    idempotency._lost_claims.clear()


@pytest.mark.django_db(transaction=True)
def test_claim_is_released_when_the_database_is_back(me, problem, monkeypatch, database_down):
    def lose(claim, call, request, *args, **kwargs):
        database_down.set()
        raise OperationalError(2013, "Lost connection")

    problem(post_with(monkeypatch, me, "_run_and_store", lose), 503, "unavailable")
    problem(post(me), 409, "idempotency_in_progress")
    assert len(idempotency._lost_claims) == 1
    database_down.clear()
    assert post(me).status_code == 201
    assert effects() == 1


@pytest.mark.django_db(transaction=True)
def test_claim_whose_confirmation_was_lost_is_released(me, problem, monkeypatch, database_down):
    insert = idempotency._insert

    def lose(claim):
        insert(claim)
        claim.pk = None
        database_down.set()
        raise OperationalError(2013, "Lost connection")

    problem(post_with(monkeypatch, me, "_insert", lose), 503, "unavailable")
    problem(post(me), 409, "idempotency_in_progress")
    database_down.clear()
    assert post(me).status_code == 201
    assert effects() == 1


@pytest.mark.django_db(transaction=True)
def test_released_claim_keeps_a_committed_response(me, problem, monkeypatch, database_down):
    """The transaction was committed before the connection broke: the retry gets the stored response."""
    original = idempotency.atomic_with_retry

    def lose(function):
        def run(*args, **kwargs):
            original(function)(*args, **kwargs)
            database_down.set()
            raise OperationalError(2013, "Lost connection")

        return run

    problem(post_with(monkeypatch, me, "atomic_with_retry", lose), 503)
    database_down.clear()
    assert post(me)["Idempotency-Replayed"] == "true"
    assert effects() == 1


def test_refusal_is_not_stored(me, problem):
    problem(post(me, body={"refuse": True}), 409, "refused")
    problem(post(me, body={"refuse": True}), 409, "refused")
    assert post(me).status_code == 201
    assert effects() == 1


def test_validation_error_is_not_stored(me, problem):
    book = "/api/v1/books/"
    problem(post(me, path=book, body={}), 400, "invalid")
    assert post(me, path=book, body={"title": "T", "author": "A"}).status_code == 201
    assert post(me, path=book, body={"title": "T", "author": "A"})["Idempotency-Replayed"] == "true"


def test_parse_error_is_not_stored(me, problem):
    for _ in range(2):
        response = me.post(ONCE, "{", content_type="application/json", HTTP_IDEMPOTENCY_KEY="k")
        problem(response, 400, "parse_error")
    assert post(me).status_code == 201


def test_throttle_may_read_the_body_first(me, rate):
    rate("login", 100)
    assert post(me).status_code == 201
    assert post(me)["Idempotency-Replayed"] == "true"


def test_truncated_request_does_not_claim_the_key(me, problem, monkeypatch):
    """Its retry may arrive while the server still handles it."""
    claimed, claim = [], idempotency._claim
    monkeypatch.setattr(idempotency, "_claim", lambda *args: claimed.append(args) or claim(*args))
    for body in (b'{"slee', b'{"sleep": 0', b"\xff"):
        sent = me.generic("POST", ONCE, body, content_type="application/json", HTTP_IDEMPOTENCY_KEY="k")
        problem(sent, 400, "parse_error")
    assert claimed == []
    assert post(me, body={"sleep": 0}).status_code == 201


def test_server_error_releases_the_key_and_rolls_back(client_of, alice, problem):
    me = client_of(alice)
    me.raise_request_exception = False
    problem(post(me, body={"boom": True}), 500)
    assert effects() == 0
    assert not IdempotencyRecord.objects.exists()
    assert post(me).status_code == 201


def test_response_is_stored_for_24_hours(me):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        post(me)
        clock.shift(datetime.timedelta(hours=23, minutes=59))
        IdempotencyRecord.objects.update(created_at=timezone.now() - datetime.timedelta(hours=23, minutes=59))
    assert "Idempotency-Replayed" in post(me)
    IdempotencyRecord.objects.update(created_at=timezone.now() - datetime.timedelta(hours=24, seconds=1))
    assert IdempotencyRecord.objects.expired().count() == 1
    assert "Idempotency-Replayed" not in post(me)
    assert effects() == 2


def test_claim_of_a_killed_worker_expires_after_90_seconds(me, problem):
    post(me)
    AuthSession.objects.filter(device="effect").delete()
    IdempotencyRecord.objects.update(
        status=None, response_body="", created_at=timezone.now() - datetime.timedelta(seconds=80)
    )
    problem(post(me), 409, "idempotency_in_progress")
    IdempotencyRecord.objects.update(created_at=timezone.now() - datetime.timedelta(seconds=91))
    assert post(me).status_code == 201
    assert effects() == 1


def test_slow_call_is_rolled_back_after_its_claim_is_taken_over(me, problem, monkeypatch):
    original = idempotency._run_and_store

    def overtaken(claim, call, request, *args, **kwargs):
        monkeypatch.setattr(idempotency, "_run_and_store", original)
        IdempotencyRecord.objects.filter(pk=claim.pk).delete()
        return original(claim, call, request, *args, **kwargs)

    monkeypatch.setattr(idempotency, "_run_and_store", overtaken)
    problem(post(me), 409, "idempotency_in_progress")
    assert effects() == 0
    assert post(me).status_code == 201


def test_committed_response_survives_a_lost_connection(client_of, alice, problem, monkeypatch):
    me = client_of(alice)
    original = idempotency.atomic_with_retry

    def lost(function):
        def run(*args, **kwargs):
            original(function)(*args, **kwargs)
            raise OperationalError(2013, "Lost connection to server during query")

        return run

    monkeypatch.setattr(idempotency, "atomic_with_retry", lost)
    problem(post(me), 503)
    monkeypatch.undo()
    assert post(me)["Idempotency-Replayed"] == "true"
    assert effects() == 1


def test_stored_response_is_encrypted(me, settings, problem):
    post(me)
    kept = IdempotencyRecord.objects.get()
    assert "secret" not in f"{kept.key} {kept.request_digest} {kept.response_body}"
    assert "code" not in kept.response_body
    # Nor decrypted with another SECRET_KEY.
    settings.SECRET_KEY = "another " * 8
    problem(post(me), 422, "idempotency_key_reused")


def test_anonymous_and_non_post_calls_ignore_the_key(anonymous, me, problem):
    problem(post(anonymous), 401)
    assert me.patch("/api/v1/users/me/", {"bio": "x"}, HTTP_IDEMPOTENCY_KEY="k" * 300).status_code == 200
    assert me.get("/api/v1/users/me/", HTTP_IDEMPOTENCY_KEY="").status_code == 200
    body = {"username": "someone", "password": "um-bom-segredo-7"}
    assert post(anonymous, path="/api/v1/auth/register/", body=body).status_code == 201


def test_stored_responses_are_deleted_with_the_user(me, alice):
    post(me)
    User.objects.filter(pk=alice.pk).delete()
    assert not IdempotencyRecord.objects.exists()
