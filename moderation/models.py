"""Moderation cases with their reports, decisions and appeals.

Lock order: users, clubs, books, reviews, memberships, entries, posts, cases, counters. The reported object is always
locked before its case.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Count, Min
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from activity.models import TITLE_LENGTH, Thing
from bookbridge.api.fields import KeyField
from bookbridge.api.registry import report_targets
from moderation.reasons import ADVERSE, HARM, HARM_OF_APPEAL, WORDS_LENGTH, Action, Ground, Reason
from moderation.targets import About

NOTE_LENGTH = 1000
APPEAL_LENGTH = 2000
MOST_COUNTED = 9


class State(models.TextChoices):
    """Status of a case."""

    OPEN = "open", pgettext_lazy("case", "open")
    CLOSED = "closed", pgettext_lazy("case", "closed")
    GONE = "gone", _("deleted")


class Concealed(models.TextChoices):
    """Whether the content of a case is hidden, and who hid it."""

    NO = "", _("visible")
    PENDING = "pending", _("hidden pending review")
    HIDDEN = "hidden", _("hidden by staff")


class CaseQuerySet(models.QuerySet["Case"]):
    """Queries on cases."""

    def of(self, word: str, ids: Iterable[int] | models.QuerySet[Any]) -> CaseQuerySet:
        """Return the cases about objects of one type."""
        return self.filter(target_type=word, target_id__in=ids)

    def open(self) -> CaseQuerySet:
        """Return the cases that need a decision."""
        return self.filter(state=State.OPEN)

    def hold(self, word: str, pk: int, snapshot: About) -> Case:
        """Lock and return the case about an object; create it if there is none.

        The object must be locked by the caller. Its author, title and club are copied to the case; the caller saves.
        """
        stored = {"author_id": snapshot.author, "title": snapshot.title[:TITLE_LENGTH], "club_id": snapshot.club}
        case = self.select_for_update().filter(target_type=word, target_id=pk).first()
        if case is None:
            case = self.create(target_type=word, target_id=pk)
        for name, value in stored.items():
            setattr(case, name, value)
        if snapshot.is_hidden and not case.concealed:
            # Hidden before cases existed.
            case.concealed = Concealed.HIDDEN
        return case

    def close_for_good(self) -> None:
        """Close the cases whose object is deleted."""
        for case in self.exclude(state=State.GONE).order_by("pk").select_for_update():
            case.close_for_good()


class Case(models.Model):
    """Everything reported and decided about one object; there is one case per object.

    `version` is incremented by every decision (including automatic hiding) and every appeal, for optimistic locking.
    """

    target_type = KeyField(max_length=20)
    target_id = models.BigIntegerField()
    title = models.CharField(max_length=TITLE_LENGTH, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    # Not a foreign key, because the case outlives the club.
    club_id = models.BigIntegerField(null=True, db_index=True)
    state = KeyField(max_length=10, choices=State.choices, default=State.CLOSED)
    concealed = KeyField(max_length=10, choices=Concealed.choices, default=Concealed.NO, blank=True, db_index=True)
    ground = KeyField(max_length=20, choices=Ground.choices, blank=True, help_text=_("Why the content is hidden."))
    words = models.CharField(max_length=WORDS_LENGTH, blank=True)
    harm = models.PositiveSmallIntegerField(default=0)
    reports_count = models.PositiveIntegerField(default=0, help_text=_("Number of pending reports."))
    is_appealed = models.BooleanField(default=False)
    opened_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=0)

    objects = CaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        default_permissions = ("view",)
        permissions = [("decide", _("Can decide cases"))]
        constraints = [models.UniqueConstraint(fields=["target_type", "target_id"], name="moderation_case_once")]
        indexes = [
            models.Index(fields=["state", "-harm", "opened_at", "id"], name="moderation_case_queue"),
            models.Index(fields=["state", "opened_at"], name="moderation_case_age"),
            models.Index(fields=["state", "is_appealed"], name="moderation_case_appeals"),
        ]

    def __str__(self) -> str:
        # Without the title: the admin shows this, and the title may come from a private club.
        target = report_targets.get(self.target_type)
        return f"{capfirst(str(target.label if target else self.target_type))} {self.target_id}"

    @property
    def thing(self) -> Thing:
        """Return the reference to the reported object, for events and notifications."""
        author = report_targets[self.target_type].title_by(self.target_id)
        return Thing(self.target_type, self.target_id, self.title, author)

    @property
    def last_decision(self) -> Decision | None:
        """Return the latest staff decision that was not undone."""
        return self.decisions.standing().exclude(action=Action.CONCEAL).first()

    def appealable_by(self, user: User) -> Decision | None:
        """Return the latest decision that `user` may appeal.

        Only decisions about this user count: a club may have had another owner when its owner was warned.
        """
        bearing = ADVERSE if self.concealed else (Action.WARN, Action.SUSPEND)
        return self.decisions.standing().filter(action__in=bearing, subject=user).first()

    def settle(self) -> None:
        """Refresh the queue columns from pending reports and appeals. The case must be locked.

        A case is open while it has a pending report or appeal. The severity is that of the worst reason, plus one for
        each pending report up to `MAX_REPORTS_IN_SCORE`.
        """
        pending = self.reports.waiting().order_by().values_list("reason").annotate(n=Count("pk"), since=Min("at"))
        by_reason = {reason: (n, since) for reason, n, since in pending}
        appeal = self.appeals.waiting().order_by("at").first()
        since = [since for _n, since in by_reason.values()] + ([appeal.at] if appeal else [])
        self.reports_count, self.is_appealed = sum(n for n, _since in by_reason.values()), appeal is not None
        harms = [HARM[Reason(reason)] for reason in by_reason] + ([HARM_OF_APPEAL] if appeal else [])
        self.harm = max(harms, default=0) + min(self.reports_count, MOST_COUNTED)
        self.state = State.OPEN if since else State.CLOSED
        self.opened_at = min(since, default=self.opened_at)
        self.save()

    def close_for_good(self) -> None:
        """Close the case because its object is deleted. The case must be locked."""
        self.state, self.concealed, self.is_appealed, self.reports_count = State.GONE, Concealed.NO, False, 0
        self.version += 1
        self.save(update_fields=["state", "concealed", "is_appealed", "reports_count", "version"])


class ReportQuerySet(models.QuerySet["Report"]):
    """Queries on reports."""

    def waiting(self) -> ReportQuerySet:
        """Return the reports without a decision."""
        return self.filter(decision=None)

    def by_of(self, reporter: User, word: str, pk: int) -> ReportQuerySet:
        """Return the report of one user about one object; there is at most one."""
        return self.filter(reporter=reporter, case__target_type=word, case__target_id=pk)


class Report(models.Model):
    """A report of an object by a user; pending until a decision closes it.

    Reports of deleted accounts have no reporter.
    """

    case = models.ForeignKey(Case, models.PROTECT, related_name="reports")
    reporter = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    reason = KeyField(max_length=20, choices=Reason.choices)
    note = models.TextField(max_length=NOTE_LENGTH, blank=True)
    at = models.DateTimeField(default=timezone.now)
    decision = models.ForeignKey("Decision", models.PROTECT, null=True, related_name="reports")

    objects = ReportQuerySet.as_manager()

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        default_permissions = ()
        # NULLs never collide in a unique index, so reports of several deleted accounts can coexist.
        constraints = [models.UniqueConstraint(fields=["case", "reporter"], name="moderation_report_once")]

    def __str__(self) -> str:
        return f"{self.reason} ({self.case_id})"


class DecisionQuerySet(models.QuerySet["Decision"]):
    """Queries on decisions."""

    def standing(self) -> DecisionQuerySet:
        """Return the decisions that were not undone, newest first."""
        return self.exclude(action=Action.UNDO).filter(undone_by=None).order_by("-id")


class Decision(models.Model):
    """A decision about a case, with its reason and the state before it. Rows are never changed.

    Undoing a decision adds another row. Automatic hiding after enough reports has no `by`.
    """

    case = models.ForeignKey(Case, models.PROTECT, related_name="decisions")
    action = KeyField(max_length=20, choices=Action.choices)
    # The name is preserved when the account is deleted.
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    by_name = models.CharField(max_length=30, blank=True)
    subject = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        help_text=_("The user affected by the decision."),
    )
    ground = KeyField(max_length=20, choices=Ground.choices)
    words = models.CharField(max_length=WORDS_LENGTH, blank=True)
    until = models.DateTimeField(null=True)
    before = models.JSONField(default=dict)
    undoes = models.ForeignKey("self", models.PROTECT, null=True, related_name="undone_by")
    at = models.DateTimeField(default=timezone.now)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        default_permissions = ()

    def __str__(self) -> str:
        return f"#{self.pk}: {self.get_action_display()}"


class AppealQuerySet(models.QuerySet["Appeal"]):
    """Queries on appeals."""

    def waiting(self) -> AppealQuerySet:
        """Return the appeals without an answer."""
        return self.filter(answer=None)


class Appeal(models.Model):
    """An appeal of an author against a decision; at most one per decision.

    Another moderator answers it with a new decision.
    """

    case = models.ForeignKey(Case, models.PROTECT, related_name="appeals")
    decision = models.OneToOneField(Decision, models.PROTECT, related_name="appeal")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    text = models.TextField(max_length=APPEAL_LENGTH)
    at = models.DateTimeField(default=timezone.now)
    answer = models.ForeignKey(Decision, models.PROTECT, null=True, related_name="answered")

    objects = AppealQuerySet.as_manager()

    class Meta:
        verbose_name = _("appeal")
        verbose_name_plural = _("appeals")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.author_id} ({self.case_id})"


class OpeningQuerySet(models.QuerySet["Opening"]):
    """Queries on case views."""

    def older_than(self, age: datetime.timedelta) -> OpeningQuerySet:
        """Return the case views older than `age`."""
        return self.filter(at__lt=timezone.now() - age)


class Opening(models.Model):
    """A view of a case by a moderator, logged because the page may show content of a private club.

    Rows are retained as long as the audit log.
    """

    case = models.ForeignKey(Case, models.PROTECT, related_name="openings")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    by_name = models.CharField(max_length=30)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = OpeningQuerySet.as_manager()

    class Meta:
        verbose_name = _("case view")
        verbose_name_plural = _("case views")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.by_name}, {self.at:%Y-%m-%d %H:%M}"


def target_gone(word: str, ids: Iterable[int] | models.QuerySet[Any]) -> None:
    """Close the cases of objects that are being deleted, in the same transaction. `ids` may be a subquery."""
    Case.objects.of(word, ids).close_for_good()


def club_gone(club: int) -> None:
    """Close the cases of a club that is being deleted, and of everything in it."""
    target_gone("club", [club])
    Case.objects.filter(club_id=club).close_for_good()
