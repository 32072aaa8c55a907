"""The shapes of ballots in the API."""

import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.serializers import PersonOrDeletedSerializer
from bookbridge.api.serializers import LineField, ModelSerializer, MomentField
from clubs.ballots.models import (
    FEWEST_CANDIDATES,
    MOST_CANDIDATES,
    TITLE_LENGTH,
    Ballot,
    Method,
    Outcome,
    State,
)

LATEST = datetime.datetime(2100, 12, 31, tzinfo=datetime.UTC)
IDS = {"type": "array", "items": {"type": "integer"}}
# A vote as an answer tells it: in the one field of the ballot's method.
VOTES = [
    {"type": "object", "required": [method.field], "properties": {method.field: IDS}}
    for method in (Method.APPROVAL, Method.RANKED)
]


class EntriesField(serializers.ListField):
    """A list of entries by their ids, without twins."""

    default_error_messages = {"duplicate": _("Name each entry once.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=serializers.IntegerField(), max_length=MOST_CANDIDATES, **kwargs)

    def to_internal_value(self, data: Any) -> list[Any]:
        """The ids; an error at the second of two that are the same."""
        ids: list[Any] = super().to_internal_value(data)
        for n, pk in enumerate(ids):
            if pk in ids[:n]:
                duplicate = serializers.ErrorDetail(str(self.error_messages["duplicate"]), "duplicate")
                raise serializers.ValidationError({str(n): [duplicate]})
        return ids


class ClosingField(MomentField):
    """A moment to come, before 2101."""

    default_error_messages = {"past": _("This must lie in the future."), "too_far": _("A ballot closes before 2101.")}

    def to_internal_value(self, value: Any) -> datetime.datetime:
        """The moment."""
        moment = super().to_internal_value(value)
        if moment <= timezone.now():
            self.fail("past")
        if moment > LATEST:
            self.fail("too_far")
        return moment


class NewBallotSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A ballot to be opened."""

    title = LineField(max_length=TITLE_LENGTH)
    method = serializers.ChoiceField(Method.choices)
    candidates = EntriesField(min_length=FEWEST_CANDIDATES, help_text=_("Ids of proposed entries of the club's list."))
    closes_at = ClosingField()
    quorum_percent = serializers.IntegerField(
        min_value=0,
        max_value=100,
        default=0,
        help_text=_("How many percent of the active members at the close must vote."),
    )


class VoteSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A vote: `approved` in an approval ballot, `ranking`, the best first, in a ranked one."""

    approved = EntriesField(required=False, allow_empty=False)
    ranking = EntriesField(required=False, allow_empty=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The entries as `choices`; a list of the other method is passed over as any unknown field is."""
        field = Method(self.context["method"]).field
        if field not in attrs:
            required = serializers.ErrorDetail(str(self.error_messages["required"]), "required")
            raise serializers.ValidationError({field: [required]})
        return {"choices": attrs[field]}


class BallotRoundSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A round of the count."""

    counts = serializers.DictField(child=serializers.IntegerField(), help_text=_("By the entries' ids."))
    eliminated = serializers.IntegerField(allow_null=True, help_text=_("The entry that was out before the next round."))
    exhausted = serializers.IntegerField(help_text=_("How many ballots named nobody any more by then."))


class BallotResultSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """What came of a ballot, with all that is needed to count it again."""

    outcome = serializers.ChoiceField(Outcome.choices)
    winner = serializers.IntegerField(allow_null=True, help_text=_("The entry."))
    members_count = serializers.IntegerField(help_text=_("The active members at the close."))
    rounds = BallotRoundSerializer(many=True)
    ballots = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField()),
        help_text=_("The votes without names, in no order; of each the entries that still stood at the close."),
    )


class BallotSerializer(ModelSerializer):
    """A ballot as one member sees it."""

    candidates = serializers.SerializerMethodField()
    voters_count = serializers.IntegerField(
        read_only=True, help_text=_("Of those who are in the club; once it is closed, who were then.")
    )
    my_vote = serializers.SerializerMethodField()
    result = serializers.SerializerMethodField()
    created_by = PersonOrDeletedSerializer(read_only=True)

    class Meta:
        model = Ballot
        fields = [
            *("id", "title", "method", "candidates", "closes_at", "quorum_percent", "status", "voters_count"),
            *("my_vote", "result", "created_by", "created_at", "closed_at"),
        ]
        read_only_fields = fields

    @extend_schema_field(IDS)
    def get_candidates(self, ballot: Any) -> list[int]:
        """The entries' ids, as they were put to the vote."""
        return [line.entry_id for line in ballot.lines]

    @extend_schema_field({"oneOf": [*VOTES, {"type": "null"}]})
    def get_my_vote(self, ballot: Any) -> dict[str, list[int]] | None:
        """The caller's own vote as they sent it, or null."""
        entries = self.get_candidates(ballot)
        for vote in ballot.own_votes:
            return {Method(ballot.method).field: [entries[place] for place in vote.places]}
        return None

    @extend_schema_field(BallotResultSerializer(allow_null=True))
    def get_result(self, ballot: Any) -> dict[str, Any] | None:
        """What came of it; null while it is open."""
        if ballot.status == State.OPEN:
            return None
        entries: dict[int | None, int | None] = {line.place: line.entry_id for line in ballot.lines} | {None: None}
        return {
            "outcome": ballot.outcome,
            "winner": next((line.entry_id for line in ballot.lines if line.won), None),
            "members_count": ballot.members,
            "rounds": [
                {
                    "counts": {str(entries[place]): n for place, n in round_["counts"]},
                    "eliminated": entries[round_["eliminated"]],
                    "exhausted": round_["exhausted"],
                }
                for round_ in ballot.rounds
            ],
            "ballots": [[entries[place] for place in paper] for paper in ballot.papers],
        }
