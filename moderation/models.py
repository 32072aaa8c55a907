"""Cases: what is reported, by whom, what was decided about it, and who disagrees.

Whoever writes locks the case after what it is about: users, clubs, books, reviews, memberships, entries, posts, cases,
totals.
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
    """Where a case stands."""

    OPEN = "open", pgettext_lazy("case", "open")
    CLOSED = "closed", pgettext_lazy("case", "closed")
    GONE = "gone", _("deleted meanwhile")


class Concealed(models.TextChoices):
    """Whether its content is kept from the others, and who says so."""

    NO = "", _("in sight")
    PENDING = "pending", _("hidden until staff look")
    HIDDEN = "hidden", _("hidden by staff")


class CaseQuerySet(models.QuerySet["Case"]):
    """Rules about many cases."""

    def of(self, word: str, ids: Iterable[int] | models.QuerySet[Any]) -> CaseQuerySet:
        """The cases about these things of one kind."""
        return self.filter(target_type=word, target_id__in=ids)

    def open(self) -> CaseQuerySet:
        """Those that wait for staff."""
        return self.filter(state=State.OPEN)

    def hold(self, word: str, pk: int, about: About) -> Case:
        """The case about a thing, made where there is none; for whoever holds the thing's own row.

        What it keeps of the thing is brought up to date.
        """
        kept = {"author_id": about.author, "title": about.title[:TITLE_LENGTH], "club_id": about.club}
        case = self.select_for_update().filter(target_type=word, target_id=pk).first()
        if case is None:
            case = self.create(target_type=word, target_id=pk)
        for name, value in kept.items():
            setattr(case, name, value)
        if about.is_hidden and not case.concealed:
            # Since before there were cases.
            case.concealed = Concealed.HIDDEN
        return case

    def close_for_good(self) -> None:
        """Close the cases of things that are no more."""
        for case in self.exclude(state=State.GONE).order_by("pk").select_for_update():
            case.close_for_good()


class Case(models.Model):
    """All that was ever reported and decided about one thing. There is one for each thing that was reported.

    `version` grows with each decision, also where reports hide it, and with each appeal: who decides says which one
    they have seen.
    """

    target_type = KeyField(max_length=20)
    target_id = models.BigIntegerField()
    title = models.CharField(max_length=TITLE_LENGTH, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    # An id and no reference: the case outlives the club.
    club_id = models.BigIntegerField(null=True, db_index=True)
    state = KeyField(max_length=10, choices=State.choices, default=State.CLOSED)
    concealed = KeyField(max_length=10, choices=Concealed.choices, default=Concealed.NO, blank=True, db_index=True)
    ground = KeyField(max_length=20, choices=Ground.choices, blank=True, help_text=_("Why it is concealed."))
    words = models.CharField(max_length=WORDS_LENGTH, blank=True)
    harm = models.PositiveSmallIntegerField(default=0)
    reports_count = models.PositiveIntegerField(default=0, help_text=_("Those that wait for a decision."))
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
        # Not the title: the admin shows this, and it may be that of a private club's talk.
        target = report_targets.get(self.target_type)
        return f"{capfirst(str(target.label if target else self.target_type))} {self.target_id}"

    @property
    def thing(self) -> Thing:
        """What it is about, for the log and for notifications."""
        author = report_targets[self.target_type].title_by(self.target_id)
        return Thing(self.target_type, self.target_id, self.title, author)

    @property
    def last_decision(self) -> Decision | None:
        """The newest decision of staff that stands."""
        return self.decisions.standing().exclude(action=Action.CONCEAL).first()

    def appealable_by(self, user: User) -> Decision | None:
        """The newest decision that bears on `user` now; a club may have been another's when its owner was warned."""
        bearing = ADVERSE if self.concealed else (Action.WARN, Action.SUSPEND)
        return self.decisions.standing().filter(action__in=bearing, subject=user).first()

    def settle(self) -> None:
        """Bring the columns up to what waits, and write them; for whoever has written that and holds the row.

        A case is open while a report or an appeal waits.
        """
        waiting = self.reports.waiting().order_by().values_list("reason").annotate(n=Count("pk"), since=Min("at"))
        by_reason = {reason: (n, since) for reason, n, since in waiting}
        appeal = self.appeals.waiting().order_by("at").first()
        since = [since for _n, since in by_reason.values()] + ([appeal.at] if appeal else [])
        self.reports_count, self.is_appealed = sum(n for n, _since in by_reason.values()), appeal is not None
        harms = [HARM[Reason(reason)] for reason in by_reason] + ([HARM_OF_APPEAL] if appeal else [])
        self.harm = max(harms, default=0) + min(self.reports_count, MOST_COUNTED)
        self.state = State.OPEN if since else State.CLOSED
        self.opened_at = min(since, default=self.opened_at)
        self.save()

    def close_for_good(self) -> None:
        """What it was about is no more. The caller holds the row."""
        self.state, self.concealed, self.is_appealed, self.reports_count = State.GONE, Concealed.NO, False, 0
        self.version += 1
        self.save(update_fields=["state", "concealed", "is_appealed", "reports_count", "version"])


class ReportQuerySet(models.QuerySet["Report"]):
    """Rules about many reports."""

    def waiting(self) -> ReportQuerySet:
        """Those that no decision has ended."""
        return self.filter(decision=None)

    def by_of(self, reporter: User, word: str, pk: int) -> ReportQuerySet:
        """The report of one reader on one thing; at most one."""
        return self.filter(reporter=reporter, case__target_type=word, case__target_id=pk)


class Report(models.Model):
    """That a reader finds something wrong. It ends with the decision that looks at it.

    One without a reporter is of a reader who has deleted their account.
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
        # NULLs do not clash, so that several deleted readers may have reported one thing.
        constraints = [models.UniqueConstraint(fields=["case", "reporter"], name="moderation_report_once")]

    def __str__(self) -> str:
        return f"{self.reason} ({self.case_id})"


class DecisionQuerySet(models.QuerySet["Decision"]):
    """Rules about many decisions."""

    def standing(self) -> DecisionQuerySet:
        """Those that were not undone, the newest first."""
        return self.exclude(action=Action.UNDO).filter(undone_by=None).order_by("-id")


class Decision(models.Model):
    """What was decided about a case: who, when, why, and how things were before. No row is ever changed.

    To undo one is a row too. One without a `by` was made by as many reports as it takes.
    """

    case = models.ForeignKey(Case, models.PROTECT, related_name="decisions")
    action = KeyField(max_length=20, choices=Action.choices)
    # The name stays when the account goes.
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    by_name = models.CharField(max_length=30, blank=True)
    subject = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", help_text=_("Whom it bears on.")
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
    """Rules about many appeals."""

    def waiting(self) -> AppealQuerySet:
        """Those without an answer."""
        return self.filter(answer=None)


class Appeal(models.Model):
    """That an author disagrees with a decision, once; somebody else than who made it answers by deciding again."""

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
    """Rules about many openings."""

    def older_than(self, age: datetime.timedelta) -> OpeningQuerySet:
        """Those that were written longer ago."""
        return self.filter(at__lt=timezone.now() - age)


class Opening(models.Model):
    """That somebody of the staff has opened a case, and so read what it is about: also a private club's talk.

    It is kept as long as the audit log.
    """

    case = models.ForeignKey(Case, models.PROTECT, related_name="openings")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    by_name = models.CharField(max_length=30)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = OpeningQuerySet.as_manager()

    class Meta:
        verbose_name = _("opening of a case")
        verbose_name_plural = _("openings of cases")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.by_name}, {self.at:%Y-%m-%d %H:%M}"


def target_gone(word: str, ids: Iterable[int] | models.QuerySet[Any]) -> None:
    """Close the cases about things that are being deleted (their ids, or what selects them), in that transaction."""
    Case.objects.of(word, ids).close_for_good()


def club_gone(club: int) -> None:
    """The same, for a club with all that is in it."""
    target_gone("club", [club])
    Case.objects.filter(club_id=club).close_for_good()
