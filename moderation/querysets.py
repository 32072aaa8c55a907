"""Queries of moderation."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils import timezone

from activity.models import TITLE_LENGTH
from moderation.choices import Action, CaseStatus, HiddenState
from moderation.targets.base import TargetSnapshot

if TYPE_CHECKING:
    from accounts.models import User
    from moderation.models import Appeal, Case, CaseView, Decision, Report  # noqa: F401  # used by the base classes


def primary_language(tag: str) -> str:
    """Return the first subtag of a language tag in lower case: "pt" of "pt-BR"."""
    return tag.partition("-")[0].lower()[:8]


class CaseQuerySet(models.QuerySet["Case"]):
    """Queries for cases."""

    def for_targets(self, target_type: str, ids: Iterable[int] | models.QuerySet[Any]) -> CaseQuerySet:
        """Return the cases about objects of one type."""
        return self.filter(target_type=target_type, target_id__in=ids)

    def open(self) -> CaseQuerySet:
        """Return the cases that need a decision."""
        return self.filter(status=CaseStatus.OPEN)

    def lock_or_create(self, target_type: str, pk: int, snapshot: TargetSnapshot) -> Case:
        """Lock and return the case about an object; create it if there is none.

        The object must be locked by the caller. Its author, title and club are copied to the case; the caller saves.
        """
        fields: dict[str, Any] = {
            "author_id": snapshot.author_id,
            "title": snapshot.title[:TITLE_LENGTH],
            "club_id": snapshot.club_id,
        }
        fields["language"] = primary_language(snapshot.language)
        case = self.select_for_update().filter(target_type=target_type, target_id=pk).first()
        if case is None:
            case = self.create(target_type=target_type, target_id=pk)
        for name, value in fields.items():
            setattr(case, name, value)
        if snapshot.is_hidden and not case.hidden_state:
            # The content was hidden without a case.
            case.hidden_state = HiddenState.HIDDEN
        return case

    def close_deleted_target(self) -> None:
        """Close the cases whose object is deleted."""
        for case in self.exclude(status=CaseStatus.DELETED).order_by("pk").select_for_update():
            case.close_deleted_target()


class ReportQuerySet(models.QuerySet["Report"]):
    """Queries for reports."""

    def pending(self) -> ReportQuerySet:
        """Return the reports without a decision."""
        return self.filter(decision=None)

    def by_reporter(self, reporter: User, target_type: str, pk: int) -> ReportQuerySet:
        """Return the report of one user about one object; there is at most one."""
        return self.filter(reporter=reporter, case__target_type=target_type, case__target_id=pk)


class DecisionQuerySet(models.QuerySet["Decision"]):
    """Queries for decisions."""

    def not_undone(self) -> DecisionQuerySet:
        """Return the decisions that were not undone, newest first."""
        return self.exclude(action=Action.UNDO).filter(undone_by=None).order_by("-id")


class AppealQuerySet(models.QuerySet["Appeal"]):
    """Queries for appeals."""

    def pending(self) -> AppealQuerySet:
        """Return the appeals without an answer."""
        return self.filter(answer=None)


class CaseViewQuerySet(models.QuerySet["CaseView"]):
    """Queries for case views."""

    def older_than(self, age: datetime.timedelta) -> CaseViewQuerySet:
        """Return the case views older than `age`."""
        return self.filter(created_at__lt=timezone.now() - age)
