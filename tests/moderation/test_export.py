"""What moderation tells a reader who asks for everything that is held about them."""

import json

import pytest

from tests.moderation.helpers import appeal, case_of, decide, report

pytestmark = pytest.mark.django_db


def test_reports_decisions_and_appeals_without_anybody_elses_name(desk, clients, as_alice, club, review, bob):
    report(as_alice, bob, reason="abuse", note="He shouts.")
    report(clients[0], review, note="Look at this.")
    decide(desk, case_of(review), "hide", "spam", words="Three links.")
    appeal(as_alice, review, "They are mine.")
    answer = as_alice.get("/api/v1/users/me/export/")
    text = b"".join(answer).decode()
    body = json.loads(text)
    (own,) = body["reports"]
    assert (own["target_type"], own["target_id"], own["reason"], own["note"]) == ("user", bob.pk, "abuse", "He shouts.")
    (decided,) = body["decisions"]
    assert (decided["target_type"], decided["action"], decided["ground"], decided["words"]) == (
        *("review", "hide", "spam"),
        "Three links.",
    )
    assert body["appeals"][0]["text"] == "They are mine."
    for secret in ("Look at this.", "moira", "reader0"):
        assert secret not in text
