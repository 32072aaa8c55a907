import smtplib

import pytest
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from activity.kinds import Kind
from activity.models import Notification, Preference, Thing
from activity.services import notify
from bookbridge.api import jobs, mail
from bookbridge.api.jobs import Job
from clubs.models import Club

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def empty_queue(alice, bob, club):
    Job.objects.all().delete()
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
    alice.change_profile(language="pt-BR")
    notify(Kind.REPLY, [alice.pk], actor=bob.pk, thing=Thing("post", 7, "Chapter 3"), club=club.pk)
    assert not mailoutbox
    jobs.run_due()
    [message] = mailoutbox
    assert message.to == ["alice@example.org"]
    assert "Chapter 3" in message.body
    assert settings.APP_URL in message.body
    assert "\n" not in message.subject
    jobs.run_due()
    assert len(mailoutbox) == 1


def test_names_cannot_add_lines(alice, bob, club, mailoutbox):
    bob.change_profile(display_name="Bob\r\n\nBookBridge")
    notify(Kind.MENTION, [alice.pk], actor=bob.pk, thing=Thing("post", 7, "Tea\n\nYour password\u2028is 50%"))
    jobs.run_due()
    [message] = mailoutbox
    assert "\nBob BookBridge mentioned you in “Tea Your password is 50%”.\n" in message.body


def test_email_requires_verified_address(make_user, mailoutbox):
    unverified = make_user("u", email="u@example.org")
    without = make_user("w")
    deactivated = make_user("g", email="g@example.org", email_verified=True, is_active=False)
    notify(Kind.SECURITY, [unverified.pk, without.pk, deactivated.pk], detail="x")
    jobs.run_due()
    assert not mailoutbox
    assert Notification.objects.filter(in_app=True).count() == 3


def test_channels_follow_preferences(users, mailoutbox):
    both, app, by_mail, neither, default = users
    choices = {both: (True, True), app: (True, False), by_mail: (False, True), neither: (False, False)}
    for user, (in_app, email) in choices.items():
        Preference.objects.change(user, {"review_liked": {"app": in_app, "email": email}})
    notify(Kind.REVIEW_LIKED, [user.pk for user in users], thing=Thing("review", 1, "Emma"))
    jobs.run_due()
    assert recipients(mailoutbox) == ["r0@example.org", "r2@example.org"]
    shown = set(Notification.objects.filter(in_app=True).values_list("user", flat=True))
    assert shown == {both.pk, app.pk, default.pk}


def test_no_email_about_a_club_no_longer_visible(alice, bob, make_user, private_club: Club, mailoutbox):
    bob.email, bob.email_verified = "bob@example.org", True
    bob.derive_columns()
    bob.save()
    notify(Kind.MEETING_NEW, [bob.pk], thing=Thing("meeting", 1, "Dune"), club=private_club.pk, key="before")
    private_club.membership_of(bob).remove(by=alice)
    # Also if a concurrent transaction adds the notification later.
    notify(Kind.MEETING_NEW, [bob.pk], thing=Thing("meeting", 1, "Dune"), club=private_club.pk, key="late")
    jobs.run_due()
    assert "bob@example.org" not in recipients(mailoutbox)


def test_batch_is_one_task(users, mailoutbox):
    notify(Kind.SECURITY, [user.pk for user in users], detail="x")
    assert Job.objects.filter(name="activity.mail").count() == 1
    jobs.run_due()
    assert recipients(mailoutbox) == [f"r{n}@example.org" for n in range(5)]


def test_rejected_address_does_not_delay_others(users, mailoutbox, settings, monkeypatch):
    settings.EMAIL_BACKEND = f"{__name__}.RejectingBackend"
    refused = smtplib.SMTPRecipientsRefused({"r1@example.org": (550, b"no such user")})
    later = smtplib.SMTPRecipientsRefused({"r3@example.org": (450, b"greylisted")})
    monkeypatch.setattr(RejectingBackend, "refusals", {"r1@example.org": refused, "r3@example.org": later})
    notify(Kind.SECURITY, [user.pk for user in users], detail="x")
    jobs.run_due()
    assert recipients(mailoutbox) == ["r0@example.org", "r2@example.org", "r4@example.org"]
    monkeypatch.setattr(RejectingBackend, "refusals", {})
    Job.objects.filter(state="open").update(due_at=timezone.now())
    jobs.run_due()
    assert recipients(mailoutbox) == [f"r{n}@example.org" for n in (0, 2, 3, 4)]
    assert not Notification.objects.exclude(mail_batch=None).exists()


def test_disconnect_during_batch_retries_the_rest(users, mailoutbox, settings, monkeypatch):
    settings.EMAIL_BACKEND = f"{__name__}.RejectingBackend"
    monkeypatch.setattr(
        RejectingBackend, "refusals", {"r2@example.org": smtplib.SMTPServerDisconnected("r2@example.org")}
    )
    notify(Kind.SECURITY, [user.pk for user in users], detail="x")
    jobs.run_due()
    assert recipients(mailoutbox) == ["r0@example.org", "r1@example.org"]
    assert Job.objects.get(name="activity.mail").error == "MailServerAwayError"
    monkeypatch.setattr(RejectingBackend, "refusals", {})
    mail.breaker.reset()
    Job.objects.filter(state="open").update(due_at=timezone.now())
    jobs.run_due()
    assert recipients(mailoutbox) == [f"r{n}@example.org" for n in range(5)]


def test_long_batch_yields_to_other_tasks(users, mailoutbox, monkeypatch):
    monkeypatch.setattr("activity.mail.SECONDS", 0)
    notify(Kind.SECURITY, [user.pk for user in users], detail="x")
    assert jobs.run_due() == 6
    assert recipients(mailoutbox) == [f"r{n}@example.org" for n in range(5)]
