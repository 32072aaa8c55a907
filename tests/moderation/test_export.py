"""Moderation data in the account export."""

import json

import pytest

from tests.moderation.helpers import appeal, case_of, decide, report

pytestmark = pytest.mark.django_db


def test_export_has_own_data_without_other_names(as_moira, clients, as_alice, club, review, bob):
    report(as_alice, bob, reason="abuse", note="He shouts.")
    report(clients[0], review, note="Look at this.")
    decide(as_moira, case_of(review), "hide", "spam", comment="Three links.")
    appeal(as_alice, review, "They are mine.")
    response = as_alice.get("/api/v1/users/me/export/")
    text = b"".join(response).decode()
    body = json.loads(text)
    (own,) = body["reports"]
    assert (own["target_type"], own["target_id"], own["reason"], own["note"]) == ("user", bob.pk, "abuse", "He shouts.")
    (decision,) = body["decisions"]
    assert (decision["target_type"], decision["action"], decision["reason"], decision["comment"]) == (
        *("review", "hide", "spam"),
        "Three links.",
    )
    assert body["appeals"][0]["text"] == "They are mine."
    for secret in ("Look at this.", "moira", "reader0"):
        assert secret not in text
