"""Ballots, in which members choose the next book. Votes are secret, and results are shown only after the close."""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from activity.changes.models import ChangeType
from activity.changes.services import record_change
from activity.choices import NotificationKind
from activity.messages import DeferredMessage
from activity.models import ObjectRef
from activity.services import record_event
from availability.models import Availability
from ballots import counting
from ballots.choices import BallotStatus, Outcome, VotingMethod
from ballots.models.votes import Candidate, Vote
from ballots.querysets import BallotQuerySet
from ballots.tasks import close_ballot, notify_closing
from catalog.models import Book
from clubs.members.activity import end_pause_by_moderator
from clubs.members.models import Membership
from clubs.notifications import notify_members
from clubs.reading.choices import EntryStatus
from clubs.reading.models import Entry
from core.api.exceptions import Conflict, InvalidFieldError
from core.db.locking import lock_rows
from core.db.transactions import atomic_with_retry

if TYPE_CHECKING:
    from clubs.club.models import Club

TITLE_LENGTH = 200
MIN_CANDIDATES, MAX_CANDIDATES = 2, 50
# Members who have not voted are reminded, unless the ballot is short.
REMINDER_LEAD_TIME, MIN_DURATION_FOR_REMINDER = datetime.timedelta(hours=24), datetime.timedelta(hours=48)
RESULT_FIELDS = ("status", "closed_at", "voters", "members", "paused", "outcome", "anonymous_votes", "rounds")
# How long after its close a ballot can be recounted.
RECOUNT_PERIOD = datetime.timedelta(days=30)
# Limit for each club, because the members' home screens show all open ballots.
MAX_OPEN_BALLOTS = 20


class Ballot(models.Model):
    """A vote of a club on which of several proposed books to read next.

    Votes and rounds refer to candidates by `position`, their index on the ballot. Closing a ballot stores the whole
    count with the anonymous votes.
    """

    club = models.ForeignKey("clubs.Club", models.CASCADE, related_name="ballots", verbose_name=_("club"))
    title = models.CharField(max_length=TITLE_LENGTH, verbose_name=_("title"))
    method = models.CharField(max_length=10, choices=VotingMethod.choices, verbose_name=_("method"))
    closes_at = models.DateTimeField(verbose_name=_("closes at"))
    quorum_percent = models.PositiveSmallIntegerField(
        default=0, help_text=_("Percentage of the active members at closing time."), verbose_name=_("quorum percent")
    )
    max_cannot_percent = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text=_("Exclude books that a greater percentage of the active members cannot get at closing time."),
        verbose_name=_("maximum percentage who cannot get a book"),
    )
    status = models.CharField(
        max_length=10, choices=BallotStatus.choices, default=BallotStatus.OPEN, verbose_name=_("status")
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("created by")
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False, verbose_name=_("created at"))
    closed_at = models.DateTimeField(null=True, blank=True, editable=False, verbose_name=_("closed at"))
    outcome = models.CharField(
        max_length=10, choices=Outcome.choices, blank=True, editable=False, verbose_name=_("outcome")
    )
    voters = models.PositiveIntegerField(
        default=0, editable=False, help_text=_("How many votes were counted."), verbose_name=_("voters")
    )
    members = models.PositiveIntegerField(
        default=0,
        editable=False,
        help_text=_("How many members the club had at closing time."),
        verbose_name=_("members"),
    )
    paused = models.PositiveIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text=_("How many of them were paused and did not vote, which the quorum leaves out."),
        verbose_name=_("paused"),
    )
    rounds = models.JSONField(
        default=list, editable=False, help_text="[{counts: [[position, votes]], eliminated, exhausted}]"
    )
    anonymous_votes = models.JSONField(
        default=list, editable=False, help_text="[[position, ...], ...] in random order."
    )
    recounts = models.JSONField(
        null=True, editable=False, help_text="[{without, reason, at, outcome, winner, rounds}], positions for entries."
    )

    objects = BallotQuerySet.as_manager()

    class Meta:
        verbose_name = _("ballot")
        verbose_name_plural = _("ballots")
        indexes = [
            models.Index(fields=["club", "created_at", "id"], name="ballots_ballot_by_age"),
            models.Index(fields=["club", "status", "created_at", "id"], name="ballots_ballot_by_status"),
            models.Index(fields=["club", "status", "closes_at"], name="ballots_ballot_due"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(quorum_percent__range=(0, 100)), name="ballots_ballot_quorum"),
            models.CheckConstraint(
                condition=Q(max_cannot_percent__isnull=True) | Q(max_cannot_percent__range=(0, 100)),
                name="ballots_ballot_cannot",
            ),
        ]

    def __str__(self) -> str:
        # The title is left out because staff may not read the texts of private clubs.
        return f"#{self.pk}"

    @classmethod
    @atomic_with_retry
    def create_ballot(cls, *, club: Club, by: User, candidates: Sequence[int], **fields: Any) -> Ballot:
        """Create a ballot on proposed entries, given by their ids. `fields` are columns of the ballot.

        Raises InvalidFieldError `does_not_exist` or `not_proposed` for the first invalid candidate, and Conflict
        `too_many_ballots` if the club has MAX_OPEN_BALLOTS open ballots.
        """
        club.lock()
        storable = [pk for pk in candidates if 0 < pk <= models.BigIntegerField.MAX_BIGINT]
        status = dict(Entry.objects.filter(club=club, pk__in=storable).values_list("pk", "status"))
        for position, pk in enumerate(candidates):
            if pk not in status:
                raise InvalidFieldError(
                    f"candidates.{position}", "does_not_exist", _("This entry is not on the reading list.")
                )
            if status[pk] != EntryStatus.PROPOSED:
                raise InvalidFieldError(f"candidates.{position}", "not_proposed", _("This book is not proposed."))
        if cls.objects.open_in_clubs([club.pk]).count() >= MAX_OPEN_BALLOTS:
            raise Conflict("too_many_ballots", _("Too many open ballots; close one first."), club=club.summary)
        ballot = cls.objects.create(club=club, created_by=by, **fields)
        Candidate.objects.bulk_create(
            Candidate(ballot=ballot, position=position, entry_id=pk) for position, pk in enumerate(candidates)
        )
        record_change(ChangeType.BALLOT, ballot.pk, club=club.pk)
        close_ballot.using(run_after=ballot.closes_at).enqueue(ballot_id=ballot.pk)
        if ballot.closes_at - ballot.created_at >= MIN_DURATION_FOR_REMINDER:
            notify_closing.using(run_after=ballot.closes_at - REMINDER_LEAD_TIME).enqueue(ballot_id=ballot.pk)
        record_event("ballot.opened", actor=by.pk, object_ref=ballot.object_ref, club=club.pk)
        notify_members(club.pk, NotificationKind.BALLOT_OPENED, type="ballot", id=ballot.pk, actor=by.pk)
        return ballot

    @atomic_with_retry
    def vote(self, *, by: User, choices: Sequence[int]) -> None:
        """Set the vote of `by`: ids of entries, in order of preference.

        Raises InvalidFieldError `not_a_candidate`, Conflict `ballot_closed`, and Http404 if the ballot was deleted or
        the user has left the club.
        """
        self._lock_for_vote(by)
        positions = dict(self.candidates.values_list("entry", "position"))
        for index, pk in enumerate(choices):
            if pk not in positions:
                field = f"{VotingMethod(self.method).field}.{index}"
                raise InvalidFieldError(field, "not_a_candidate", _("This entry is not a candidate in this ballot."))
        chosen = [positions[pk] for pk in choices]
        # The lock on the user serializes their votes.
        if not self.votes.filter(user=by).update(positions=chosen):
            Vote.objects.create(ballot=self, user=by, positions=chosen)
        record_change(ChangeType.BALLOT, self.pk, club=self.club_id, user=by.pk)
        end_pause_by_moderator(by.pk, club_id=self.club_id)

    @atomic_with_retry
    def withdraw_vote(self, *, by: User) -> None:
        """Delete the vote of `by`, if any. Raise the same errors as `vote`."""
        self._lock_for_vote(by)
        if self.votes.filter(user=by).delete()[0]:
            record_change(ChangeType.BALLOT, self.pk, club=self.club_id, user=by.pk)

    @atomic_with_retry
    def close(self, *, by: User) -> None:
        """Close the ballot early and count it. Raises Conflict `ballot_closed`, or Http404 if it was deleted."""
        self._lock()
        self.require_open()
        self._finish(by=by)

    @atomic_with_retry
    def close_if_due(self) -> None:
        """Close the ballot if it is due and still open. No user is recorded as the actor."""
        try:
            self._lock()
        except Http404:
            return
        if self.status == BallotStatus.OPEN and self.closes_at <= timezone.now():
            self._finish(by=None)

    @atomic_with_retry
    def recount(self, *, by: User, without: int, reason: str) -> None:
        """Recount the same votes without the winning entry, whose book the club cannot get, and plan the new winner.

        The former winner becomes `proposed` again. Candidates that are no longer proposed cannot win. Raises
        InvalidFieldError `not_the_winner`, Conflict `ballot_open`, `too_late` or `under_way`, and Http404 if the ballot
        was deleted.
        """
        self._lock()
        self.refresh_from_db(fields=[field.name for field in self._meta.concrete_fields if not field.is_relation])
        winner = self._check_recount(without)
        winner.won = False
        winner.save(update_fields=["won"])
        self._unplan(winner, by=by)
        excluded = {recount["without"] for recount in self.recounts or ()} | {winner.position}
        candidates = self.candidates.still_proposed().exclude(position__in=excluded)
        positions = list(candidates.values_list("position", flat=True))
        count = counting.COUNTERS[self.method](positions, self.anonymous_votes)
        self.outcome = self._outcome(count)
        won = count.winner if self.outcome == Outcome.WINNER else None
        recount = {"without": winner.position, "reason": reason, "at": f"{timezone.now():%Y-%m-%dT%H:%M:%SZ}"}
        recount |= {"outcome": self.outcome, "winner": won, "rounds": [round_.to_json() for round_ in count.rounds]}
        self.recounts = [*(self.recounts or ()), recount]
        self.save(update_fields=["outcome", "recounts"])
        record_change(ChangeType.BALLOT, self.pk, club=self.club_id)
        record_event("ballot.recounted", actor=by.pk, object_ref=self.object_ref, club=self.club_id)
        if won is not None:
            self._plan_winner(self.candidates.get(position=won), by=by)

    @atomic_with_retry
    def delete_ballot(self, *, by: User) -> None:
        """Delete the ballot with its votes and its result. A winning book stays planned."""
        self._lock()
        record_event("ballot.deleted", actor=by.pk, object_ref=self.object_ref, club=self.club_id)
        record_change(ChangeType.BALLOT, self.pk, club=self.club_id, deleted=True)
        self.delete()

    @property
    def object_ref(self) -> ObjectRef:
        """Reference to the ballot for events and notifications."""
        return ObjectRef("ballot", self.pk, self.title)

    def require_open(self) -> None:
        """Raise Conflict `ballot_closed` if the ballot does not accept votes."""
        if self.status == BallotStatus.CLOSED or self.closes_at <= timezone.now():
            raise Conflict("ballot_closed", _("This ballot is closed."), ballot=self.pk)

    def _lock_for_vote(self, user: User) -> None:
        """Lock the voter and the ballot, so that no vote is saved during or after the count."""
        lock_rows(User, [user.pk])
        # Removing a member locks the user too, so the membership can no longer change.
        self._refresh_locked(Exists(Membership.objects.active().filter(club=OuterRef("club"), user=user)))
        self.require_open()

    def _lock(self) -> None:
        """Lock the club, the candidates' books, their entries and the ballot, in this order.

        The lock on the club prevents changes to memberships and reading statuses during the count. Books and entries
        are locked because the winning entry is updated afterwards.
        """
        self.club.lock()
        rows = Entry.objects.filter(candidacies__ballot=self.pk).values_list("pk", "book")
        entries, books = zip(*rows, strict=True) if rows else ((), ())
        lock_rows(Book, books)
        lock_rows(Entry, entries)
        self._refresh_locked()

    def _refresh_locked(self, *conditions: Exists) -> None:
        rows = Ballot.objects.select_for_update().filter(*conditions)
        try:
            self.refresh_from_db(fields=["status", "closes_at"], from_queryset=rows)
        except Ballot.DoesNotExist:
            raise Http404 from None

    def _finish(self, *, by: User | None) -> None:
        """Count the votes, save the result and plan the winner. The rows must be locked (`_lock`)."""
        self._mark_unreachable()
        proposed = list(self.candidates.still_proposed().values_list("position", flat=True))
        votes = self._collect_votes(proposed)
        count = counting.COUNTERS[self.method](proposed, votes)
        self.status, self.closed_at = BallotStatus.CLOSED, timezone.now()
        self.voters, self.members = len(votes), self.club.members_count
        self.paused = Membership.objects.paused(self.club).exclude(user__in=self.votes.values("user")).count()
        self.outcome, self.anonymous_votes = self._outcome(count), votes
        self.rounds = [round_.to_json() for round_ in count.rounds]
        self.save(update_fields=RESULT_FIELDS)
        record_change(ChangeType.BALLOT, self.pk, club=self.club_id)
        actor = None if by is None else by.pk
        record_event("ballot.closed", actor=actor, object_ref=self.object_ref, club=self.club_id)
        won = count.winner if self.outcome == Outcome.WINNER else None
        winner = None if won is None else self.candidates.get(position=won)
        title = winner.entry.book.title if winner else ""
        detail = DeferredMessage("ballot.result", f"{self.outcome} {title}"[:500])
        notify_members(
            self.club_id, NotificationKind.BALLOT_CLOSED, type="ballot", id=self.pk, actor=actor, detail=detail
        )
        if winner is not None:
            self._plan_winner(winner, by=by)

    def _mark_unreachable(self) -> None:
        """Mark the candidates whose books too many members cannot get, which excludes them."""
        if self.max_cannot_percent is None:
            return
        entries = list(self.candidates.still_proposed().values_list("entry", flat=True))
        unreachable = Availability.objects.unreachable(
            club=self.club, entries=entries, max_percent=self.max_cannot_percent
        )
        self.candidates.filter(entry__in=unreachable).update(unreachable=True)

    def _collect_votes(self, proposed: Sequence[int]) -> list[list[int]]:
        """Return the votes of current members for candidates that are still proposed, in random order.

        Approval votes are sorted, because the order in which a voter sent them could identify the voter.
        """
        rows = self.votes.of_active_members().values_list("positions", flat=True)
        votes = [[position for position in positions if position in proposed] for positions in rows]
        if self.method == VotingMethod.APPROVAL:
            votes = [sorted(vote) for vote in votes]
        secrets.SystemRandom().shuffle(votes)
        return votes

    def _check_recount(self, without: int) -> Candidate:
        """Return the winner `without` if the ballot may be counted again. The rows must be locked."""
        if self.status == BallotStatus.OPEN:
            raise Conflict("ballot_open", _("This ballot is still open."), ballot=self.pk)
        winner = self.candidates.filter(won=True).first()
        if winner is None or winner.entry_id != without:
            raise InvalidFieldError("without", "not_the_winner", _("This book has not won the ballot."))
        if self.closed_at is None or self.closed_at < timezone.now() - RECOUNT_PERIOD:
            raise Conflict("too_late", _("A ballot can be counted again for 30 days."), ballot=self.pk)
        started = Entry.objects.filter(pk=without, status__in=(EntryStatus.READING, EntryStatus.FINISHED))
        if started.exists():
            raise Conflict("under_way", _("The club has already begun to read this book."), entry=without)
        return winner

    def _unplan(self, winner: Candidate, *, by: User) -> None:
        """Make the former winner `proposed` again, unless it already is or its entry was deleted."""
        entry = Entry.objects.filter(pk=winner.entry_id).exclude(status=EntryStatus.PROPOSED).first()
        if entry is not None:
            entry.club = self.club
            entry.update_entry(by=by, status=EntryStatus.PROPOSED)

    def _outcome(self, count: counting.CountResult) -> Outcome:
        if count.winner is None:
            return Outcome.NO_VOTES
        needed = self.quorum_percent * (self.members - self.paused)
        return Outcome.WINNER if self.voters * 100 >= needed else Outcome.NO_QUORUM

    def _plan_winner(self, winner: Candidate, *, by: User | None) -> None:
        winner.won = True
        winner.save(update_fields=["won"])
        entry = Entry.objects.get(pk=winner.entry_id)
        entry.club = self.club
        entry.update_entry(by=by, status=EntryStatus.PLANNED)
