"""Forms of the case page."""

import datetime
from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from moderation.choices import (
    COMMENT_LENGTH,
    NO_VIOLATION_REASONS,
    REASONS_BY_ACTION,
    VIOLATION_REASONS,
    Action,
    DecisionReason,
)
from moderation.decisions import MAX_SUSPENSION, DecisionRequest

# Labels of the choices in the decision form.
ACTIONS = {
    Action.HIDE: _("Hide it"),
    Action.RESTORE: _("Restore it"),
    Action.DISMISS: _("Dismiss the pending reports and appeals"),
    Action.WARN: _("Warn the author"),
    Action.SUSPEND: _("Suspend the author"),
}
DECISION_HELP = _(
    "Every decision closes all pending reports and appeals. Content hidden by reports becomes visible again if they "
    "are dismissed, and stays hidden after a warning or a suspension. A suspension ends all sessions immediately."
)
CUSTOM = "custom"
DURATIONS = [
    ("", "—"),
    ("1", _("1 day")),
    ("7", _("7 days")),
    ("30", _("30 days")),
    (CUSTOM, pgettext_lazy("duration", "other")),
]


def _reason_choices(*groups: tuple[Any, Iterable[DecisionReason]]) -> list[Any]:
    return [("", "—"), *((name, [(reason.value, reason.label) for reason in reasons]) for name, reasons in groups)]


class ReasonForm(forms.Form):
    """The reason of a decision, shown to the author in their own language, and an optional comment."""

    reason = forms.ChoiceField(
        choices=_reason_choices((_("violation"), VIOLATION_REASONS), (_("no violation"), NO_VIOLATION_REASONS)),
        label=_("Reason"),
        help_text=_("Shown to the author in their own language."),
        widget=UnfoldAdminSelectWidget,
    )
    comment = forms.CharField(
        required=False,
        max_length=COMMENT_LENGTH,
        label=_("Comment"),
        help_text=_("Shown to the author as written. Do not name anyone who reported it."),
        widget=UnfoldAdminTextareaWidget({"rows": 3}),
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def clean(self) -> dict[str, Any]:
        """Require a comment for the reason `other`."""
        cleaned_data = super().clean() or self.cleaned_data
        if cleaned_data.get("reason") == DecisionReason.OTHER and not cleaned_data.get("comment"):
            self.add_error("comment", _("Please explain the decision."))
        return cleaned_data


class DecisionForm(ReasonForm):
    """The decision of a moderator."""

    field_order = ("decision", "duration", "days", "reason", "comment", "version", "digest")

    decision = forms.ChoiceField(label=_("Decision"), help_text=DECISION_HELP, widget=UnfoldAdminRadioSelectWidget)
    duration = forms.ChoiceField(
        choices=DURATIONS, required=False, label=_("Suspended for"), widget=UnfoldAdminSelectWidget
    )
    days = forms.IntegerField(
        min_value=1,
        max_value=MAX_SUSPENSION.days,
        required=False,
        label=_("Number of days, if other"),
        widget=UnfoldAdminIntegerFieldWidget,
    )
    digest = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, actions: Iterable[Action], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["decision"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [(action.value, ACTIONS[action]) for action in actions]

    def clean(self) -> dict[str, Any]:
        """Check that the reason fits the decision, and that a suspension has a duration."""
        cleaned_data = super().clean()
        action, reason = cleaned_data.get("decision"), cleaned_data.get("reason")
        if action and reason and reason not in REASONS_BY_ACTION[action]:
            self.add_error("reason", _("This reason does not fit the decision."))
        if action == Action.SUSPEND and not self._days(cleaned_data):
            self.add_error("duration", _("Please enter a duration."))
        return cleaned_data

    def to_request(self, *, version: int | None = None) -> DecisionRequest:
        """Return the decision request. `version` overrides the field if a page decides several cases."""
        cleaned_data = self.cleaned_data
        until = None
        if cleaned_data["decision"] == Action.SUSPEND:
            until = timezone.now() + datetime.timedelta(days=self._days(cleaned_data))
        requested_version = (cleaned_data["version"] or 0) if version is None else version
        return DecisionRequest(
            action=Action(cleaned_data["decision"]),
            reason=DecisionReason(cleaned_data["reason"]),
            comment=cleaned_data["comment"],
            version=requested_version,
            digest=cleaned_data["digest"] or None,
            until=until,
        )

    @staticmethod
    def _days(cleaned_data: dict[str, Any]) -> int:
        duration = cleaned_data.get("duration")
        return int((cleaned_data.get("days") if duration == CUSTOM else duration) or 0)
