"""How a reader wants to be told of each kind."""

import pytest

from activity.kinds import MAILED, Kind

pytestmark = pytest.mark.django_db
SETTINGS = "/api/v1/users/me/notification-settings/"


def test_each_kind_is_in_the_app_and_what_concerns_one_by_mail(as_bob):
    assert as_bob.get(SETTINGS).json() == {kind: {"app": True, "email": kind in MAILED} for kind in Kind}


def test_what_is_not_sent_stays(as_alice, as_bob):
    before = as_bob.get(SETTINGS).json()
    answer = as_bob.patch(SETTINGS, {"reply": {"email": False}, "book_planned": {"app": False, "email": True}})
    wanted = before | {"reply": {"app": True, "email": False}, "book_planned": {"app": False, "email": True}}
    assert (answer.status_code, answer.json()) == (200, wanted)
    as_bob.patch(SETTINGS, {"reply": {"app": False}})
    assert as_bob.get(SETTINGS).json() == wanted | {"reply": {"app": False, "email": False}}
    assert as_alice.get(SETTINGS).json() == before


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"security": {"email": False}}, "security.email", "always_on"),
        ({"security": {"app": False}, "reply": {"app": False}}, "security.app", "always_on"),
        ({"reply": {"app": "maybe"}}, "reply.app", "invalid"),
        ({"reply": False}, "reply.non_field_errors", "invalid"),
        ({"reply": None}, "reply", "null"),
        ({"reply": {"app": None}}, "reply.app", "null"),
        ([], "non_field_errors", "invalid"),
    ],
)
def test_what_makes_no_sense_changes_nothing(as_bob, body, field, code):
    before = as_bob.get(SETTINGS).json()
    answer = as_bob.patch(SETTINGS, body)
    assert answer.status_code == 400
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [(field, code)]
    assert as_bob.get(SETTINGS).json() == before


def test_a_kind_that_a_newer_client_knows_is_ignored(as_bob):
    before = as_bob.get(SETTINGS).json()
    answer = as_bob.patch(SETTINGS, {"newer": {"app": False}, "reply": {"app": False, "watch": True}})
    assert (answer.status_code, answer.json()) == (200, before | {"reply": {**before["reply"], "app": False}})


def test_security_may_be_said_to_be_on(as_bob):
    assert as_bob.patch(SETTINGS, {"security": {"app": True, "email": True}}).status_code == 200


def test_a_change_may_be_conditional(as_bob):
    tag = as_bob.get(SETTINGS)["ETag"]
    assert as_bob.patch(SETTINGS, {"reply": {"app": False}}, HTTP_IF_MATCH=tag).status_code == 200
    assert as_bob.patch(SETTINGS, {"reply": {"app": True}}, HTTP_IF_MATCH=tag).status_code == 412
