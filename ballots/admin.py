"""Admin of ballots, read-only. Votes and voters are not shown."""

from typing import Any

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ballots.models import Ballot
from clubs.admin_redaction import redacted_column
from clubs.reading.admin import ClubChildAdmin
from clubs.reading.models import Entry

title = redacted_column(Ballot, "title")


@admin.register(Ballot)
class BallotAdmin(ClubChildAdmin):
    """Admin of ballots and their results."""

    list_display = ("id", "club", title, "method", "status", "closes_at", "outcome", "created_by", "created_at")
    list_filter = ("status", "method")
    list_prefetch_related = ("club", "created_by")
    fields = (
        *("club", title, "method", "status", "closes_at", "quorum_percent", "created_by", "created_at"),
        *("closed_at", "outcome", "voters", "members", "count"),
    )
    readonly_fields = ("count",)

    @admin.display(description=_("count"))
    def count(self, ballot: Ballot) -> Any:
        """Return one line per round: the votes per candidate, and the eliminated candidate."""
        entries = dict(ballot.candidates.values_list("position", "entry"))
        titles = dict(Entry.objects.filter(pk__in=entries.values()).values_list("pk", "book__title"))
        names = {position: titles.get(entry, f"#{entry}") for position, entry in entries.items()}
        label = gettext("eliminated")
        lines = []
        for round_ in ballot.rounds:
            votes = ", ".join(f"{names[position]}: {n}" for position, n in round_["counts"])
            eliminated = round_["eliminated"]
            lines.append([votes if eliminated is None else f"{votes} ({label}: {names[eliminated]})"])
        return format_html_join("", "<p>{}</p>", lines)
