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
    PENALTIES,
    REASONS_BY_ACTION,
    VIOLATION_REASONS,
    Action,
    DecisionReason,
)
from moderation.decisions import MAX_SUSPENSION, DecisionRequest

# Labels of the choices in the decision form, and of those that answer an appeal.
ACTIONS = {
    Action.HIDE: _("Hide"),
    Action.RESTORE: _("Restore"),
    Action.DISMISS: _("Dismiss"),
    Action.WARN: _("Warn"),
    Action.SUSPEND: _("Suspend"),
}
ANSWERS = {Action.RESTORE: _("Grant the appeal"), Action.DISMISS: _("Uphold the decision")}
# The key that chooses each decision.
KEYS = {Action.HIDE: "h", Action.RESTORE: "r", Action.DISMISS: "d", Action.WARN: "w", Action.SUSPEND: "s"}
ANSWER_KEYS = {Action.RESTORE: "g", Action.DISMISS: "u"}
CUSTOM, KEEP = "custom", "keep"
DURATIONS = [
    ("1", _("1 day")),
    ("7", _("7 days")),
    ("30", _("30 days")),
    (CUSTOM, pgettext_lazy("duration", "other")),
]
CONTENT_CHOICES = [("hide", _("hide it")), (KEEP, _("keep it visible"))]


def _reason_choices(*groups: tuple[Any, Iterable[DecisionReason]]) -> list[Any]:
    return [("", "—"), *((name, [(reason.value, reason.label) for reason in reasons]) for name, reasons in groups)]


class ReasonForm(forms.Form):
    """The reason of a decision, shown to the author in their own language, and an optional comment."""

    reason = forms.ChoiceField(
        choices=_reason_choices((_("violation"), VIOLATION_REASONS), (_("no violation"), NO_VIOLATION_REASONS)),
        label=_("Reason"),
        widget=UnfoldAdminSelectWidget,
    )
    comment = forms.CharField(
        required=False,
        max_length=COMMENT_LENGTH,
        label=_("Comment"),
        help_text=_("Shown to the author as written. Do not name anyone who reported it."),
        widget=UnfoldAdminTextareaWidget({"rows": 2}),
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def clean(self) -> dict[str, Any]:
        """Require a comment for the reason `other`."""
        cleaned_data = super().clean() or self.cleaned_data
        if cleaned_data.get("reason") == DecisionReason.OTHER and not cleaned_data.get("comment"):
            self.add_error("comment", _("Please explain the decision."))
        return cleaned_data


class DecisionForm(ReasonForm):
    """The decision of a moderator. `suggested` has the reason that each decision gets if none is chosen.

    If `is_bulk`, it decides several cases, and each gets the reason of its own reports if none is chosen.
    """

    field_order = ("decision", "content", "duration", "days", "reason", "comment", "version", "digest")

    decision = forms.ChoiceField(label=_("Decision"), widget=UnfoldAdminRadioSelectWidget)
    content = forms.ChoiceField(
        choices=CONTENT_CHOICES,
        required=False,
        initial="hide",
        label=_("And the text"),
        widget=UnfoldAdminRadioSelectWidget,
    )
    duration = forms.ChoiceField(
        choices=DURATIONS, required=False, initial="7", label=_("Suspended for"), widget=UnfoldAdminSelectWidget
    )
    days = forms.IntegerField(
        min_value=1,
        max_value=MAX_SUSPENSION.days,
        required=False,
        label=_("Number of days"),
        widget=UnfoldAdminIntegerFieldWidget,
    )
    digest = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(
        self,
        *args: Any,
        actions: Iterable[Action],
        suggested: dict[Action, DecisionReason] | None = None,
        is_appealed: bool = False,
        can_be_hidden: bool = True,
        is_bulk: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.actions, self.suggested, self.is_bulk = list(actions), suggested or {}, is_bulk
        self.labels = ACTIONS | (ANSWERS if is_appealed else {})
        self.keys = KEYS | (ANSWER_KEYS if is_appealed else {})
        # `clean` fills it in.
        self.fields["reason"].required = False
        field = self.fields["decision"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [(action.value, self.labels[action]) for action in self.actions]
        if not can_be_hidden:
            del self.fields["content"]

    @property
    def tiles(self) -> list[dict[str, Any]]:
        """What the page shows for each decision: its label, its key, and the reasons that fit it."""
        return [
            {
                "value": action.value,
                "label": self.labels[action],
                "key": self.keys[action],
                "reasons": " ".join(REASONS_BY_ACTION[action]),
                "suggested": self.suggested.get(action, ""),
                "is_penalty": action in PENALTIES,
                "is_selected": self["decision"].value() == action.value,
            }
            for action in self.actions
        ]

    def clean(self) -> dict[str, Any]:
        """Fill in the reason; check that it fits the decision, and that a suspension has a duration."""
        action = self.cleaned_data.get("decision")
        if action and "reason" in self.cleaned_data and not self.cleaned_data["reason"]:
            self.cleaned_data["reason"] = self.suggested.get(Action(action), "")
        cleaned_data = super().clean()
        reason = cleaned_data.get("reason")
        if action and reason and reason not in REASONS_BY_ACTION[action]:
            self.add_error("reason", _("This reason does not fit the decision."))
        if action and not reason and "reason" not in self.errors and not self.is_bulk:
            self.add_error("reason", _("Please choose a reason."))
        if action == Action.SUSPEND and not self._days(cleaned_data):
            self.add_error("duration", _("Please enter a duration."))
        return cleaned_data

    def to_request(self, *, version: int | None = None, reason: DecisionReason | None = None) -> DecisionRequest:
        """Return the decision request. `version` and `reason` override the fields if a page decides several cases."""
        cleaned_data = self.cleaned_data
        until = None
        if cleaned_data["decision"] == Action.SUSPEND:
            until = timezone.now() + datetime.timedelta(days=self._days(cleaned_data))
        requested_version = (cleaned_data["version"] or 0) if version is None else version
        return DecisionRequest(
            action=Action(cleaned_data["decision"]),
            reason=reason or DecisionReason(cleaned_data["reason"] or DecisionReason.OTHER),
            comment=cleaned_data["comment"],
            version=requested_version,
            digest=cleaned_data["digest"] or None,
            until=until,
            keep_visible=cleaned_data.get("content") == KEEP,
        )

    @staticmethod
    def _days(cleaned_data: dict[str, Any]) -> int:
        duration = cleaned_data.get("duration")
        return int((cleaned_data.get("days") if duration == CUSTOM else duration) or 0)
