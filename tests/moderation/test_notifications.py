"""Notifications about decisions, in the app and by e-mail."""

import pytest

from core.tasks.worker import run_pending
from tests.moderation.helpers import case_of, decide, report, texts

pytestmark = pytest.mark.django_db


def test_decision_email_has_the_reason_but_no_names(as_moira, clients, review, as_alice, mailoutbox):
    report(clients[0], review, note="Look at this.")
    decide(as_moira, case_of(review), "hide", "spam", comment="Three links\nare too many.")
    run_pending()
    (mail,) = mailoutbox
    assert mail.to == ["alice@example.org"]
    assert "Hidden by a moderator: review “Emma”. It is spam. You can appeal in the app. Three links" in " ".join(
        mail.body.split()
    )
    for secret in ("moira", "reader0", "Look at this."):
        assert secret not in mail.subject + mail.body
        assert secret not in texts(as_alice)[0]
    assert as_alice.get("/api/v1/users/me/notifications/").json()["results"][0]["actor"] is None


def test_suspension_email_has_the_end_time(as_moira, clients, review, alice, mailoutbox):
    alice.update_profile(timezone="America/Sao_Paulo")
    report(clients[0], review)
    decide(as_moira, case_of(review), "suspend", "abuse", duration="7")
    run_pending()
    (mail,) = mailoutbox
    assert "Your account is suspended until" in mail.body
    assert "(Brasília time)" in mail.body


def test_feeds_do_not_reveal_moderator_or_reporter(as_moira, clients, review, as_alice, as_bob, moira):
    report(clients[0], review)
    decide(as_moira, case_of(review), "hide", "spam")
    for path in ("users/me/activity/", "users/me/notifications/", "users/me/home/"):
        response = as_alice.get(f"/api/v1/{path}")
        assert response.status_code == 200
        assert b"moira" not in response.content, path
        assert b"reader0" not in response.content, path
