"""The forms of the desk."""

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

from moderation.deciding import LONGEST_SUSPENSION, Order
from moderation.reasons import AGAINST, GROUNDS, IN_FAVOUR, WORDS_LENGTH, Action, Ground

# What each button of the desk does, in the words of a moderator.
ACTIONS = {
    Action.HIDE: _("Hide it"),
    Action.RESTORE: _("Restore it"),
    Action.DISMISS: _("Dismiss what waits"),
    Action.WARN: _("Warn its author"),
    Action.SUSPEND: _("Suspend its author"),
}
MEANING = _(
    "Each ends all reports and appeals that wait. What reports have hidden is shown again when they are dismissed, and "
    "stays hidden with a warning or a suspension; a suspension ends all sign-ins at once."
)
OWN = "own"
DURATIONS = [
    ("", "—"),
    ("1", _("1 day")),
    ("7", _("7 days")),
    ("30", _("30 days")),
    (OWN, pgettext_lazy("duration", "other")),
]


def _grounds(*groups: tuple[Any, Iterable[Ground]]) -> list[Any]:
    return [("", "—"), *((name, [(ground.value, ground.label) for ground in grounds]) for name, grounds in groups)]


class WhyForm(forms.Form):
    """Why something is decided: a reason, which its author reads in their language, and own words."""

    ground = forms.ChoiceField(
        choices=_grounds((_("against it"), AGAINST), (_("in its favour"), IN_FAVOUR)),
        label=_("Reason"),
        help_text=_("Its author reads this in their own language."),
        widget=UnfoldAdminSelectWidget,
    )
    words = forms.CharField(
        required=False,
        max_length=WORDS_LENGTH,
        label=_("In your own words"),
        help_text=_("Its author reads this as it stands. Name nobody who reported."),
        widget=UnfoldAdminTextareaWidget({"rows": 3}),
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def clean(self) -> dict[str, Any]:
        """`other` says nothing by itself."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("ground") == Ground.OTHER and not cleaned.get("words"):
            self.add_error("words", _("Please say why."))
        return cleaned


class DecisionForm(WhyForm):
    """What a moderator decides."""

    field_order = ("decision", "duration", "days", "ground", "words", "version", "seen")

    decision = forms.ChoiceField(label=_("Decision"), help_text=MEANING, widget=UnfoldAdminRadioSelectWidget)
    duration = forms.ChoiceField(
        choices=DURATIONS, required=False, label=_("Suspended for"), widget=UnfoldAdminSelectWidget
    )
    days = forms.IntegerField(
        min_value=1,
        max_value=LONGEST_SUSPENSION.days,
        required=False,
        label=_("How many days, if other"),
        widget=UnfoldAdminIntegerFieldWidget,
    )
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, possible: Iterable[Action], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["decision"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [(action.value, ACTIONS[action]) for action in possible]

    def clean(self) -> dict[str, Any]:
        """A reason that fits, and a time for a suspension."""
        cleaned = super().clean()
        action, ground = cleaned.get("decision"), cleaned.get("ground")
        if action and ground and ground not in GROUNDS[action]:
            self.add_error("ground", _("This is no reason for that."))
        if action == Action.SUSPEND and not self._days(cleaned):
            self.add_error("duration", _("Please say for how long."))
        return cleaned

    def order(self, *, version: int | None = None) -> Order:
        """What is wanted; `version` where a page names one for each of several cases."""
        cleaned = self.cleaned_data
        until = None
        if cleaned["decision"] == Action.SUSPEND:
            until = timezone.now() + datetime.timedelta(days=self._days(cleaned))
        seen = (cleaned["version"] or 0) if version is None else version
        return Order(
            action=Action(cleaned["decision"]),
            ground=Ground(cleaned["ground"]),
            words=cleaned["words"],
            version=seen,
            seen=cleaned["seen"] or None,
            until=until,
        )

    @staticmethod
    def _days(cleaned: dict[str, Any]) -> int:
        duration = cleaned.get("duration")
        return int((cleaned.get("days") if duration == OWN else duration) or 0)
