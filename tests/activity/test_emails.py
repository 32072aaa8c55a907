import smtplib

import pytest
import time_machine
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from activity.choices import NotificationKind
from activity.messages import DeferredMessage
from activity.models import Notification, NotificationPreference, ObjectRef
from activity.services import notify
from clubs.models import Club
from core import mail
from core.tasks.models import QueuedTask
from core.tasks.worker import run_pending

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def empty_queue(alice, bob, club):
    QueuedTask.objects.all().delete()
    Notification.objects.all().delete()


@pytest.fixture
def users(make_user):
    return [make_user(f"r{n}", email=f"r{n}@example.org", email_verified=True) for n in range(5)]


class RejectingBackend(EmailBackend):
    """Raises an error for some recipients."""

    refusals: dict[str, Exception] = {}

    def send_messages(self, messages):
        for message in messages:
            if error := self.refusals.get(message.to[0]):
                raise error
        return super().send_messages(messages)


def recipients(mailoutbox):
    return sorted(message.to[0] for message in mailoutbox)


def test_email_contains_text_in_the_users_language(alice, bob, club, mailoutbox, settings):
    alice.update_profile(language="pt-BR")
    notify(NotificationKind.REPLY, [alice.pk], actor=bob.pk, object_ref=ObjectRef("post", 7, "Chapter 3"), club=club.pk)
    assert not mailoutbox
    run_pending()
    [message] = mailoutbox
    assert message.to == ["alice@example.org"]
    assert "Chapter 3" in message.body
    assert settings.APP_URL in message.body
    assert "\n" not in message.subject
    assert message.message().get_all("Auto-Submitted") == ["auto-generated"]
    run_pending()
    assert len(mailoutbox) == 1


def test_email_about_a_liked_review_links_to_it(alice, bob, mailoutbox, settings):
    NotificationPreference.objects.update_preferences(alice, {"review_liked": {"email": True}})
    notify(NotificationKind.REVIEW_LIKED, [alice.pk], actor=bob.pk, object_ref=ObjectRef("review", 7, "Emma"))
    run_pending()
    [message] = mailoutbox
    assert message.subject == "BookBridge: someone liked your review: Emma"
    assert f"\n{settings.APP_URL}/reviews/7\n" in message.body


def test_security_email_says_which_account_and_when(alice, mailoutbox):
    alice.update_profile(timezone="America/Sao_Paulo")
    with time_machine.travel("2026-03-02T12:30Z", tick=False):
        notify(NotificationKind.SECURITY, [alice.pk], detail=DeferredMessage("password.changed"))
        run_pending()
    [message] = mailoutbox
    assert message.subject == "BookBridge: account security: alice"
    assert "Account: alice. Time: Monday, March 2, 2026 at 9:30 a.m. (Brasília time)." in message.body
    assert "You can choose" not in message.body


def test_names_cannot_add_lines(alice, bob, club, mailoutbox):
    bob.update_profile(display_name="Bob\r\n\nBookBridge")
    notify(
        NotificationKind.MENTION,
        [alice.pk],
        actor=bob.pk,
        object_ref=ObjectRef("post", 7, "Tea\n\nYour password\u2028is 50%"),
    )
    run_pending()
    [message] = mailoutbox
    assert "\nBob BookBridge mentioned you in “Tea Your password is 50%”.\n" in message.body


def test_email_requires_verified_address(make_user, mailoutbox):
    unverified = make_user("u", email="u@example.org")
    without = make_user("w")
    deactivated = make_user("g", email="g@example.org", email_verified=True, is_active=False)
    notify(NotificationKind.SECURITY, [unverified.pk, without.pk, deactivated.pk], detail="x")
    run_pending()
    assert not mailoutbox
    assert Notification.objects.filter(in_app=True).count() == 3


def test_channels_follow_preferences(users, mailoutbox):
    both, app_only, email_only, neither, default = users
    choices = {both: (True, True), app_only: (True, False), email_only: (False, True), neither: (False, False)}
    for user, (in_app, email) in choices.items():
        NotificationPreference.objects.update_preferences(user, {"review_liked": {"app": in_app, "email": email}})
    notify(NotificationKind.REVIEW_LIKED, [user.pk for user in users], object_ref=ObjectRef("review", 1, "Emma"))
    run_pending()
    assert recipients(mailoutbox) == ["r0@example.org", "r2@example.org"]
    notified = set(Notification.objects.filter(in_app=True).values_list("user", flat=True))
    assert notified == {both.pk, app_only.pk, default.pk}


def test_no_email_about_a_club_no_longer_visible(alice, bob, make_user, private_club: Club, mailoutbox):
    bob.email, bob.email_verified = "bob@example.org", True
    bob.update_derived_fields()
    bob.save()
    notify(
        NotificationKind.MEETING_NEW,
        [bob.pk],
        object_ref=ObjectRef("meeting", 1, "Dune"),
        club=private_club.pk,
        key="before",
    )
    private_club.get_membership(bob).remove(by=alice)
    # Also if a concurrent transaction adds the notification later.
    notify(
        NotificationKind.MEETING_NEW,
        [bob.pk],
        object_ref=ObjectRef("meeting", 1, "Dune"),
        club=private_club.pk,
        key="late",
    )
    run_pending()
    assert "bob@example.org" not in recipients(mailoutbox)


def test_batch_is_one_task(users, mailoutbox):
    notify(NotificationKind.SECURITY, [user.pk for user in users], detail="x")
    assert QueuedTask.objects.filter(task_path="activity.tasks.send_notification_emails").count() == 1
    run_pending()
    assert recipients(mailoutbox) == [f"r{n}@example.org" for n in range(5)]


def test_rejected_address_does_not_delay_others(users, mailoutbox, settings, monkeypatch):
    settings.EMAIL_BACKEND = f"{__name__}.RejectingBackend"
    refused = smtplib.SMTPRecipientsRefused({"r1@example.org": (550, b"no such user")})
    later = smtplib.SMTPRecipientsRefused({"r3@example.org": (450, b"greylisted")})
    monkeypatch.setattr(RejectingBackend, "refusals", {"r1@example.org": refused, "r3@example.org": later})
    notify(NotificationKind.SECURITY, [user.pk for user in users], detail="x")
    run_pending()
    assert recipients(mailoutbox) == ["r0@example.org", "r2@example.org", "r4@example.org"]
    monkeypatch.setattr(RejectingBackend, "refusals", {})
    QueuedTask.objects.filter(status="READY").update(run_after=timezone.now())
    run_pending()
    assert recipients(mailoutbox) == [f"r{n}@example.org" for n in (0, 2, 3, 4)]
    assert not Notification.objects.exclude(email_batch=None).exists()


def test_disconnect_during_batch_retries_the_rest(users, mailoutbox, settings, monkeypatch):
    settings.EMAIL_BACKEND = f"{__name__}.RejectingBackend"
    monkeypatch.setattr(
        RejectingBackend, "refusals", {"r2@example.org": smtplib.SMTPServerDisconnected("r2@example.org")}
    )
    notify(NotificationKind.SECURITY, [user.pk for user in users], detail="x")
    run_pending()
    assert recipients(mailoutbox) == ["r0@example.org", "r1@example.org"]
    assert (
        QueuedTask.objects.get(task_path="activity.tasks.send_notification_emails").error
        == "MailServerUnavailableError"
    )
    monkeypatch.setattr(RejectingBackend, "refusals", {})
    mail.breaker.reset()
    QueuedTask.objects.filter(status="READY").update(run_after=timezone.now())
    run_pending()
    assert recipients(mailoutbox) == [f"r{n}@example.org" for n in range(5)]


def test_long_batch_yields_to_other_tasks(users, mailoutbox, monkeypatch):
    monkeypatch.setattr("activity.tasks.MAX_SECONDS_PER_RUN", 0)
    notify(NotificationKind.SECURITY, [user.pk for user in users], detail="x")
    assert run_pending() == 6
    assert recipients(mailoutbox) == [f"r{n}@example.org" for n in range(5)]
