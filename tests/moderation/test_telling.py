"""What an author hears of a decision, in the app and by mail."""

import pytest

from bookbridge.api.tasks.worker import run_pending
from tests.moderation.helpers import case_of, decide, report, texts

pytestmark = pytest.mark.django_db


def test_a_decision_is_mailed_with_its_reason_and_nobody_named(desk, clients, review, as_alice, mailoutbox):
    report(clients[0], review, note="Look at this.")
    decide(desk, case_of(review), "hide", "spam", words="Three links\nare too many.")
    run_pending()
    (mail,) = mailoutbox
    assert mail.to == ["alice@example.org"]
    assert "Hidden by a moderator: review “Emma”. It is spam. Three links" in " ".join(mail.body.split())
    for secret in ("moira", "reader0", "Look at this."):
        assert secret not in mail.subject + mail.body
        assert secret not in texts(as_alice)[0]
    assert as_alice.get("/api/v1/users/me/notifications/").json()["results"][0]["actor"] is None


def test_who_is_suspended_is_told_by_mail_until_when(desk, clients, review, alice, mailoutbox):
    alice.change_profile(timezone="America/Sao_Paulo")
    report(clients[0], review)
    decide(desk, case_of(review), "suspend", "abuse", duration="7")
    run_pending()
    (mail,) = mailoutbox
    assert "Your account is suspended until" in mail.body
    assert "(America/Sao_Paulo)" in mail.body


def test_nobody_sees_in_a_log_who_decided_or_reported(desk, clients, review, as_alice, as_bob, moira):
    report(clients[0], review)
    decide(desk, case_of(review), "hide", "spam")
    for address in ("users/me/activity/", "users/me/notifications/", "users/me/home/"):
        answer = as_alice.get(f"/api/v1/{address}")
        assert answer.status_code == 200
        assert b"moira" not in answer.content, address
        assert b"reader0" not in answer.content, address
