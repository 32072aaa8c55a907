"""Notice shown to the author of hidden content."""

from typing import Any

from django.db.models import Case as If
from django.db.models import OuterRef, Q, Subquery, Value, When
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from moderation.choices import DecisionReason, HiddenState
from moderation.models import Case
from moderation.notifications import join_sentences


def annotate_moderation(target_type: str, *, when: Q) -> dict[str, Any]:
    """Return the annotations that `ModerationSerializer` reads, for rows that match `when` (hidden and the user's own).

    The case is only queried for these rows.
    """
    case = Case.objects.filter(target_type=target_type, target_id=OuterRef("pk"))
    values = {
        name: If(When(when, then=Subquery(case.values(name)[:1]))) for name in ("hidden_state", "reason", "comment")
    }
    return {f"moderation_{name}": value for name, value in values.items()} | {
        "moderation_is_shown": If(When(when, then=Value(True)), default=Value(False))
    }


class ModerationSerializer(serializers.Serializer[Any]):
    """Notice for the author of hidden content; null for everyone else."""

    status = serializers.ChoiceField(choices=[c for c in HiddenState.choices if c[0]], read_only=True)
    reason = serializers.ChoiceField(choices=DecisionReason.choices, read_only=True)
    text = serializers.CharField(read_only=True, help_text=_("The reason and the moderator's comment as text."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, source="*", read_only=True, allow_null=True, **kwargs)

    def to_representation(self, instance: Any) -> dict[str, str] | None:  # type: ignore[override]
        """Return the notice, or None. Without a case the reason is `other`."""
        if not getattr(instance, "moderation_is_shown", False):
            return None
        reason, comment = instance.moderation_reason or DecisionReason.OTHER, instance.moderation_comment
        status = instance.moderation_hidden_state or HiddenState.HIDDEN
        return {"status": status, "reason": reason, "text": join_sentences("", reason, comment or "")}
