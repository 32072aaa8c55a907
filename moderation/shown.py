"""What the author of a hidden text is shown of that, beside the text."""

from typing import Any

from django.db.models import Case as If
from django.db.models import OuterRef, Q, Subquery, Value, When
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from moderation.models import Case, Concealed
from moderation.reasons import Ground
from moderation.telling import in_words


def moderation_of(word: str, *, when: Q) -> dict[str, Any]:
    """Annotations for `ModerationSerializer`: what their case says of rows that meet `when` (hidden, the reader's own).

    Of any other row nothing is looked up.
    """
    case = Case.objects.filter(target_type=word, target_id=OuterRef("pk"))
    said = {name: If(When(when, then=Subquery(case.values(name)[:1]))) for name in ("concealed", "ground", "words")}
    return {f"moderation_{name}": value for name, value in said.items()} | {
        "moderation_is_shown": If(When(when, then=Value(True)), default=Value(False))
    }


class ModerationSerializer(serializers.Serializer[Any]):
    """What the author of a hidden text is told of that; null for anybody else. Reads what `moderation_of` annotates."""

    status = serializers.ChoiceField(choices=[c for c in Concealed.choices if c[0]], read_only=True)
    reason = serializers.ChoiceField(choices=Ground.choices, read_only=True)
    text = serializers.CharField(read_only=True, help_text=_("The same in words."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, source="*", read_only=True, allow_null=True, **kwargs)

    def to_representation(self, instance: Any) -> dict[str, str] | None:  # type: ignore[override]
        """A text that was hidden before there were cases has no reason but `other`."""
        if not getattr(instance, "moderation_is_shown", False):
            return None
        ground, words = instance.moderation_ground or Ground.OTHER, instance.moderation_words
        status = instance.moderation_concealed or Concealed.HIDDEN
        return {"status": status, "reason": ground, "text": in_words("", ground, words or "")}
