"""Ballots in the admin: looked at by staff once they are closed and before. Votes are not in it, nor who has voted."""

from typing import Any

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clubs.ballots.models import Ballot
from clubs.reading.admin import OfClubAdmin
from clubs.reading.models import Entry
from clubs.shown import said

title = said(Ballot, "title")


@admin.register(Ballot)
class BallotAdmin(OfClubAdmin):
    """What clubs vote on, and what came of it."""

    list_display = ("id", "club", title, "method", "status", "closes_at", "outcome", "created_by", "created_at")
    list_filter = ("status", "method")
    beside = ("club", "created_by")
    fields = (
        *("club", title, "method", "status", "closes_at", "quorum_percent", "created_by", "created_at"),
        *("closed_at", "outcome", "voters", "members", "count"),
    )
    readonly_fields = ("count",)

    @admin.display(description=_("count"))
    def count(self, ballot: Ballot) -> Any:
        """Each round in a line: what the candidates had, and who went."""
        entries = dict(ballot.candidates.values_list("place", "entry"))
        titles = dict(Entry.objects.filter(pk__in=entries.values()).values_list("pk", "book__title"))
        names = {place: titles.get(entry, f"#{entry}") for place, entry in entries.items()}
        lines = []
        for round_ in ballot.rounds:
            had = ", ".join(f"{names[place]}: {n}" for place, n in round_["counts"])
            gone = round_["eliminated"]
            lines.append([had if gone is None else f"{had} ({gettext('out')}: {names[gone]})"])
        return format_html_join("", "<p>{}</p>", lines)
