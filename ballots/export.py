"""Sections of a user's data export that come from ballots."""

from collections.abc import Iterator

from rest_framework import serializers

from accounts.export import BATCH_SIZE, ExportRows, Row, iter_rows
from accounts.models import User
from ballots.models import Ballot, Vote
from core.api.serializers import IdField


def votes(user: User) -> ExportRows:
    """Return the user's votes as entry ids in order of preference."""
    ids = {name: serializers.IntegerField() for name in ("id", "ballot", "club")}
    return ExportRows(_votes(user), get_fields=lambda: {**ids, "entries": serializers.ListField(child=IdField())})


def _votes(user: User) -> Iterator[Row]:
    rows, last = Vote.objects.filter(user=user).select_related("ballot").order_by("pk"), 0
    while page := list(rows.filter(pk__gt=last).prefetch_related("ballot__candidates")[:BATCH_SIZE]):
        last = page[-1].pk
        for vote in page:
            entry_at = {candidate.position: candidate.entry_id for candidate in vote.ballot.candidates.all()}
            entries = [entry_at[position] for position in vote.positions if position in entry_at]
            yield {"id": vote.pk, "ballot": vote.ballot_id, "club": vote.ballot.club_id, "entries": entries}


EXPORT_SECTIONS = {
    "ballots_opened": lambda user: iter_rows(Ballot.objects.filter(created_by=user), "club", "created_at"),
    "votes": votes,
}
