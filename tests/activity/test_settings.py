import pytest

from activity.choices import EMAILED_BY_DEFAULT, NotificationKind

pytestmark = pytest.mark.django_db
SETTINGS = "/api/v1/users/me/notification-settings/"


def test_default_settings(as_bob):
    assert as_bob.get(SETTINGS).json() == {
        kind: {"app": True, "email": kind in EMAILED_BY_DEFAULT, "push": True} for kind in NotificationKind
    }


def test_partial_update_keeps_other_settings(as_alice, as_bob):
    before = as_bob.get(SETTINGS).json()
    response = as_bob.patch(SETTINGS, {"reply": {"email": False}, "book_planned": {"app": False, "email": True}})
    wanted = before | {
        "reply": {"app": True, "email": False, "push": True},
        "book_planned": {"app": False, "email": True, "push": True},
    }
    assert (response.status_code, response.json()) == (200, wanted)
    as_bob.patch(SETTINGS, {"reply": {"app": False}})
    assert as_bob.get(SETTINGS).json() == wanted | {"reply": {"app": False, "email": False, "push": True}}
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
def test_invalid_settings_change_nothing(as_bob, body, field, code):
    before = as_bob.get(SETTINGS).json()
    response = as_bob.patch(SETTINGS, body)
    assert response.status_code == 400
    assert [(e["field"], e["code"]) for e in response.json()["errors"]] == [(field, code)]
    assert as_bob.get(SETTINGS).json() == before


def test_unknown_kinds_and_channels_are_ignored(as_bob):
    before = as_bob.get(SETTINGS).json()
    response = as_bob.patch(SETTINGS, {"newer": {"app": False}, "reply": {"app": False, "watch": True}})
    assert (response.status_code, response.json()) == (200, before | {"reply": {**before["reply"], "app": False}})


def test_security_may_be_sent_as_enabled(as_bob):
    assert as_bob.patch(SETTINGS, {"security": {"app": True, "email": True}}).status_code == 200


def test_conditional_update(as_bob):
    tag = as_bob.get(SETTINGS)["ETag"]
    assert as_bob.patch(SETTINGS, {"reply": {"app": False}}, HTTP_IF_MATCH=tag).status_code == 200
    assert as_bob.patch(SETTINGS, {"reply": {"app": True}}, HTTP_IF_MATCH=tag).status_code == 412
