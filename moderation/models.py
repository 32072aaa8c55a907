"""Moderation cases with their reports, decisions and appeals.

Lock order: users, clubs, books, reviews, memberships, entries, posts, cases, counters. The reported object is always
locked before its case.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Count, Min
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from activity.models import TITLE_LENGTH, ObjectRef
from core.db.fields import BinaryCollationCharField
from core.registry import report_targets
from moderation.choices import (
    ADVERSE_ACTIONS,
    APPEAL_SEVERITY,
    COMMENT_LENGTH,
    SEVERITY,
    Action,
    CaseStatus,
    DecisionReason,
    HiddenState,
    Reason,
)
from moderation.querysets import AppealQuerySet, CaseQuerySet, CaseViewQuerySet, DecisionQuerySet, ReportQuerySet

NOTE_LENGTH = 1000
APPEAL_LENGTH = 2000
LANGUAGE_LENGTH = 8
MAX_REPORTS_IN_SCORE = 9


class Case(models.Model):
    """Everything reported and decided about one object; there is one case per object.

    `version` is incremented by every decision (including automatic hiding) and every appeal, for optimistic locking.
    """

    target_type = BinaryCollationCharField(max_length=20, verbose_name=_("target type"))
    target_id = models.BigIntegerField(verbose_name=_("target id"))
    title = models.CharField(max_length=TITLE_LENGTH, blank=True, verbose_name=_("title"))
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("author")
    )
    # Not a foreign key, because the case outlives the club.
    club_id = models.BigIntegerField(null=True, db_index=True, verbose_name=_("club id"))
    language = BinaryCollationCharField(
        max_length=LANGUAGE_LENGTH,
        blank=True,
        default="",
        db_default="",
        help_text=_("The primary language of the content or, where that is unknown, of its author."),
        verbose_name=_("language"),
    )
    status = BinaryCollationCharField(
        max_length=10, choices=CaseStatus.choices, default=CaseStatus.CLOSED, verbose_name=_("status")
    )
    hidden_state = BinaryCollationCharField(
        max_length=10,
        choices=HiddenState.choices,
        default=HiddenState.VISIBLE,
        blank=True,
        db_index=True,
        verbose_name=_("hidden state"),
    )
    reason = BinaryCollationCharField(
        max_length=20,
        choices=DecisionReason.choices,
        blank=True,
        help_text=_("Why the content is hidden."),
        verbose_name=_("reason"),
    )
    comment = models.CharField(max_length=COMMENT_LENGTH, blank=True, verbose_name=_("comment"))
    severity = models.PositiveSmallIntegerField(default=0, verbose_name=_("severity"))
    reports_count = models.PositiveIntegerField(
        default=0, help_text=_("Number of pending reports."), verbose_name=_("number of reports")
    )
    is_appealed = models.BooleanField(default=False, verbose_name=_("is appealed"))
    opened_at = models.DateTimeField(default=timezone.now, verbose_name=_("opened at"))
    decided_at = models.DateTimeField(null=True, verbose_name=_("decided at"))
    version = models.PositiveIntegerField(default=0, verbose_name=_("version"))

    objects = CaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        default_permissions = ("view",)
        permissions = [("decide", _("Can decide cases"))]
        constraints = [models.UniqueConstraint(fields=["target_type", "target_id"], name="moderation_case_once")]
        indexes = [
            models.Index(fields=["status", "-severity", "opened_at", "id"], name="moderation_case_queue"),
            models.Index(fields=["status", "opened_at"], name="moderation_case_age"),
            models.Index(fields=["status", "is_appealed"], name="moderation_case_appeals"),
        ]

    def __str__(self) -> str:
        # Without the title: the admin shows this, and the title may come from a private club.
        target = report_targets.get(self.target_type)
        return f"{capfirst(str(target.label if target else self.target_type))} {self.target_id}"

    @property
    def object_ref(self) -> ObjectRef:
        """The reference to the reported object, for events and notifications."""
        author = report_targets[self.target_type].title_author_id(self.target_id)
        return ObjectRef(self.target_type, self.target_id, self.title, author)

    @property
    def last_decision(self) -> Decision | None:
        """The latest staff decision that was not undone."""
        return self.decisions.not_undone().exclude(action=Action.AUTO_HIDE).first()

    def appealable_by(self, user: User) -> Decision | None:
        """Return the latest decision that `user` may appeal.

        Only decisions about this user count: a club may have had another owner when its owner was warned.
        """
        actions = ADVERSE_ACTIONS if self.hidden_state else (Action.WARN, Action.SUSPEND)
        return self.decisions.not_undone().filter(action__in=actions, subject=user).first()

    def refresh_queue_fields(self) -> None:
        """Refresh the queue columns from pending reports and appeals. The case must be locked.

        A case is open while it has a pending report or appeal. The severity is that of the worst reason, plus one for
        each pending report up to `MAX_REPORTS_IN_SCORE`.
        """
        pending = (
            self.reports.pending().order_by().values_list("reason").annotate(n=Count("pk"), since=Min("created_at"))
        )
        by_reason = {reason: (n, since) for reason, n, since in pending}
        appeal = self.appeals.pending().order_by("created_at").first()
        dates = [since for _n, since in by_reason.values()] + ([appeal.created_at] if appeal else [])
        self.reports_count, self.is_appealed = sum(n for n, _since in by_reason.values()), appeal is not None
        severities = [SEVERITY[Reason(reason)] for reason in by_reason] + ([APPEAL_SEVERITY] if appeal else [])
        self.severity = max(severities, default=0) + min(self.reports_count, MAX_REPORTS_IN_SCORE)
        self.status = CaseStatus.OPEN if dates else CaseStatus.CLOSED
        self.opened_at = min(dates, default=self.opened_at)
        self.save()

    def close_deleted_target(self) -> None:
        """Close the case because its object is deleted. The case must be locked."""
        self.status, self.hidden_state = CaseStatus.DELETED, HiddenState.VISIBLE
        self.is_appealed, self.reports_count = False, 0
        self.version += 1
        self.save(update_fields=["status", "hidden_state", "is_appealed", "reports_count", "version"])


class Report(models.Model):
    """A report of an object by a user; pending until a decision closes it.

    `reporter` is null after the account was deleted.
    """

    case = models.ForeignKey(Case, models.PROTECT, related_name="reports", verbose_name=_("case"))
    reporter = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    reason = BinaryCollationCharField(max_length=20, choices=Reason.choices, verbose_name=_("reason"))
    note = models.TextField(max_length=NOTE_LENGTH, blank=True, verbose_name=_("note"))
    created_at = models.DateTimeField(default=timezone.now, verbose_name=_("created at"))
    decision = models.ForeignKey("Decision", models.PROTECT, null=True, related_name="reports")

    objects = ReportQuerySet.as_manager()

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        default_permissions = ()
        # NULLs are distinct in a unique index, so the reports of several deleted accounts do not collide.
        constraints = [models.UniqueConstraint(fields=["case", "reporter"], name="moderation_report_once")]

    def __str__(self) -> str:
        return f"{self.reason} ({self.case_id})"


class Decision(models.Model):
    """A decision about a case, with its reason and the state before it. Rows are never changed.

    Undoing a decision adds another row. Automatic hiding after enough reports has no `by`.
    """

    case = models.ForeignKey(Case, models.PROTECT, related_name="decisions", verbose_name=_("case"))
    action = BinaryCollationCharField(max_length=20, choices=Action.choices, verbose_name=_("action"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by"))
    # Preserved when the account is deleted.
    by_name = models.CharField(max_length=30, blank=True, verbose_name=_("by name"))
    subject = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        help_text=_("The user affected by the decision."),
        verbose_name=_("subject"),
    )
    reason = BinaryCollationCharField(max_length=20, choices=DecisionReason.choices, verbose_name=_("reason"))
    comment = models.CharField(max_length=COMMENT_LENGTH, blank=True, verbose_name=_("comment"))
    until = models.DateTimeField(null=True, verbose_name=_("until"))
    previous_state = models.JSONField(default=dict, verbose_name=_("previous state"))
    undoes = models.ForeignKey("self", models.PROTECT, null=True, related_name="undone_by", verbose_name=_("undoes"))
    created_at = models.DateTimeField(default=timezone.now, verbose_name=_("created at"))

    # Set while a decision is made, for its notification and log.
    hides_content = False
    notified = False

    objects = DecisionQuerySet.as_manager()

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        default_permissions = ()

    def __str__(self) -> str:
        return f"#{self.pk}: {self.get_action_display()}"


class Appeal(models.Model):
    """An appeal of an author against a decision; at most one per decision.

    Another moderator answers it with a new decision.
    """

    case = models.ForeignKey(Case, models.PROTECT, related_name="appeals", verbose_name=_("case"))
    decision = models.OneToOneField(Decision, models.PROTECT, related_name="appeal")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("author"))
    text = models.TextField(max_length=APPEAL_LENGTH)
    created_at = models.DateTimeField(default=timezone.now, verbose_name=_("created at"))
    answer = models.ForeignKey(Decision, models.PROTECT, null=True, related_name="answered_appeals")

    objects = AppealQuerySet.as_manager()

    class Meta:
        verbose_name = _("appeal")
        verbose_name_plural = _("appeals")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.author_id} ({self.case_id})"


class CaseView(models.Model):
    """A view of a case by a moderator, logged because the page may show content of a private club.

    Rows are retained as long as the audit log.
    """

    case = models.ForeignKey(Case, models.PROTECT, related_name="views", verbose_name=_("case"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by"))
    by_name = models.CharField(max_length=30, verbose_name=_("by name"))
    created_at = models.DateTimeField(default=timezone.now, db_index=True, verbose_name=_("created at"))

    objects = CaseViewQuerySet.as_manager()

    class Meta:
        verbose_name = _("case view")
        verbose_name_plural = _("case views")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.by_name}, {self.created_at:%Y-%m-%d %H:%M}"


def close_cases_for_deleted(target_type: str, ids: Iterable[int] | models.QuerySet[Any]) -> None:
    """Close the cases of objects that are being deleted, in the same transaction. `ids` may be a subquery."""
    Case.objects.for_targets(target_type, ids).close_deleted_target()


def close_cases_of_club(club_id: int) -> None:
    """Close the cases of a club that is being deleted, and of everything in it."""
    close_cases_for_deleted("club", [club_id])
    Case.objects.filter(club_id=club_id).close_deleted_target()
