"""Serializers of ballots."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.serializers import NullableUserSummarySerializer
from ballots.choices import BallotStatus, Outcome, VotingMethod
from ballots.models import MAX_CANDIDATES, MIN_CANDIDATES, TITLE_LENGTH, Ballot
from core.api.serializers import FutureDateTimeField, IdField, IntegerField, ModelSerializer, SingleLineField

REASON_LENGTH = 500
ID_LIST_SCHEMA = {"type": "array", "items": {"type": "integer"}}


class EntryIdListField(serializers.ListField):
    """A list of entry ids without duplicates."""

    default_error_messages = {"duplicate": _("Each entry may appear only once.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=IntegerField(), max_length=MAX_CANDIDATES, **kwargs)

    def to_internal_value(self, data: Any) -> list[Any]:
        ids: list[Any] = super().to_internal_value(data)
        for index, pk in enumerate(ids):
            if pk in ids[:index]:
                raise serializers.ValidationError({str(index): [self.error_messages["duplicate"]]}, "duplicate")
        return ids


class BallotCreateSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A new ballot."""

    title = SingleLineField(max_length=TITLE_LENGTH)
    method = serializers.ChoiceField(VotingMethod.choices)
    candidates = EntryIdListField(
        min_length=MIN_CANDIDATES, help_text=_("Ids of proposed entries of the club's reading list.")
    )
    closes_at = FutureDateTimeField()
    quorum_percent = IntegerField(
        min_value=0,
        max_value=100,
        default=0,
        help_text=_("Percentage of the active members at closing time who must vote."),
    )
    max_cannot_percent = IntegerField(
        min_value=0,
        max_value=100,
        required=False,
        allow_null=True,
        help_text=_("Exclude books that a greater percentage of the active members cannot get at closing time."),
    )


class VoteSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A vote: `approved` in an approval ballot; `ranking`, in order of preference, in a ranked one."""

    # For the OpenAPI document: a response has one of them.
    optional_in_responses = ("approved", "ranking")

    approved = EntryIdListField(required=False, allow_empty=False)
    ranking = EntryIdListField(required=False, allow_empty=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        # The field of the other method is ignored, as unknown fields are.
        field = VotingMethod(self.context["method"]).field
        if field not in attrs:
            raise serializers.ValidationError({field: [self.error_messages["required"]]}, "required")
        return {"choices": attrs[field]}


class BallotRoundSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """One round of a count."""

    counts = serializers.DictField(child=serializers.IntegerField(), help_text=_("Votes per candidate, by entry id."))
    eliminated = serializers.IntegerField(allow_null=True, help_text=_("The entry eliminated after this round."))
    exhausted = serializers.IntegerField(help_text=_("How many votes name no remaining candidate."))


class RecountCreateSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """The winning entry to leave out, and the reason."""

    without = IdField(help_text=_("The winning entry."))
    reason = SingleLineField(max_length=REASON_LENGTH)


class RecountSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A recount of the same votes without an earlier winner."""

    without = serializers.IntegerField(allow_null=True, help_text=_("The entry that had won."))
    reason = serializers.CharField()
    at = serializers.DateTimeField(read_only=True)
    outcome = serializers.ChoiceField(Outcome.choices)
    winner = serializers.IntegerField(allow_null=True, help_text=_("The winning entry."))
    rounds = BallotRoundSerializer(many=True)


class BallotResultSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """The result of a ballot, with everything needed to verify the count."""

    outcome = serializers.ChoiceField(Outcome.choices)
    winner = serializers.IntegerField(allow_null=True, help_text=_("The winning entry, also after a recount."))
    members_count = serializers.IntegerField(help_text=_("Active members at closing time."))
    paused_count = serializers.IntegerField(
        help_text=_("How many of them were paused and did not vote. The quorum leaves them out.")
    )
    unreachable = serializers.ListField(
        child=serializers.IntegerField(),
        help_text=_("Entries that were excluded because too many members cannot get the book."),
    )
    rounds = BallotRoundSerializer(many=True)
    ballots = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField()),
        help_text=_("Anonymous votes in random order, with the entries still proposed at closing time."),
    )
    recounts = RecountSerializer(
        many=True, help_text=_("Recounts, oldest first; `winner` above is that of the last one.")
    )


class BallotSerializer(ModelSerializer):
    """A ballot with the caller's own vote."""

    candidates = serializers.SerializerMethodField()
    voters_count = serializers.IntegerField(
        read_only=True, help_text=_("How many current members have voted; of a closed ballot, members at closing time.")
    )
    my_vote = serializers.SerializerMethodField()
    result = serializers.SerializerMethodField()
    created_by = NullableUserSummarySerializer(read_only=True)

    class Meta:
        model = Ballot
        fields = [
            *("id", "title", "method", "candidates", "closes_at", "quorum_percent", "max_cannot_percent", "status"),
            *("voters_count", "my_vote", "result", "created_by", "created_at", "closed_at"),
        ]
        read_only_fields = fields

    @extend_schema_field(ID_LIST_SCHEMA)
    def get_candidates(self, ballot: Any) -> list[int]:
        return [candidate.entry_id for candidate in ballot.ordered_candidates]

    @extend_schema_field(VoteSerializer(allow_null=True))
    def get_my_vote(self, ballot: Any) -> dict[str, list[int]] | None:
        entries = self.get_candidates(ballot)
        for vote in ballot.own_votes:
            return {VotingMethod(ballot.method).field: [entries[position] for position in vote.positions]}
        return None

    @extend_schema_field(BallotResultSerializer(allow_null=True))
    def get_result(self, ballot: Any) -> dict[str, Any] | None:
        if ballot.status == BallotStatus.OPEN:
            return None
        entries: dict[int | None, int | None] = {None: None}
        entries |= {candidate.position: candidate.entry_id for candidate in ballot.ordered_candidates}
        winner = next((candidate.entry_id for candidate in ballot.ordered_candidates if candidate.won), None)
        return {
            "outcome": ballot.outcome,
            "winner": winner,
            "members_count": ballot.members,
            "paused_count": ballot.paused,
            "unreachable": [candidate.entry_id for candidate in ballot.ordered_candidates if candidate.unreachable],
            "rounds": _show_rounds(ballot.rounds, entries),
            "ballots": [[entries[position] for position in vote] for vote in ballot.anonymous_votes],
            "recounts": [
                {
                    "without": entries[recount["without"]],
                    "reason": recount["reason"],
                    "at": recount["at"],
                    "outcome": recount["outcome"],
                    "winner": entries[recount["winner"]],
                    "rounds": _show_rounds(recount["rounds"], entries),
                }
                for recount in ballot.recounts or ()
            ],
        }


def _show_rounds(rounds: Iterable[Mapping[str, Any]], entries: Mapping[int | None, int | None]) -> list[dict[str, Any]]:
    """Return rounds with the ids of entries in place of positions."""
    return [
        {
            "counts": {str(entries[position]): n for position, n in round_["counts"]},
            "eliminated": entries[round_["eliminated"]],
            "exhausted": round_["exhausted"],
        }
        for round_ in rounds
    ]
