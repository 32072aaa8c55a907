"""Date polls, in which members say when they can meet. The close creates the meeting, with RSVPs for those who can.

Lock order: users, club, poll. An answer locks its user and the poll without the club.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Case, Count, Exists, F, OuterRef, Prefetch, Q, Subquery, When
from django.db.models.functions import Coalesce
from django.http import Http404
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from accounts.blocks import not_blocked
from accounts.models import User
from accounts.validators import validate_timezone
from activity.changes.models import ChangeType
from activity.changes.services import record_change
from activity.choices import NotificationKind
from activity.models import ObjectRef
from activity.services import record_event
from clubs.members.activity import end_pause_by_moderator, recompute_activity, record_activity
from clubs.members.models import Membership
from clubs.notifications import notify_members
from clubs.reading.models import Entry
from core.api.exceptions import Conflict, InvalidFieldError
from core.db.locking import lock_rows
from core.db.transactions import atomic_with_retry
from meetings.date_polls.choices import DatePollOutcome, DatePollStatus
from meetings.date_polls.tasks import close_date_poll
from meetings.models.meetings import (
    MAX_CAPACITY,
    PLACE_LENGTH,
    TITLE_LENGTH,
    URL_LENGTH,
    Meeting,
    check_entry,
)
from meetings.models.rsvps import Rsvp
from meetings.models.times import MAX_DURATION_MINUTES

if TYPE_CHECKING:
    from clubs.club.models import Club

MIN_OPTIONS, MAX_OPTIONS = 2, 20
# Open date polls of one club.
MAX_OPEN_POLLS = 10
# The columns of a date poll that its meeting gets.
MEETING_FIELDS = ("title", "timezone", "duration_minutes", "place", "url", "entry_id", "capacity")


class DatePollQuerySet(models.QuerySet["DatePoll"]):
    """Queries for date polls."""

    def due(self) -> DatePollQuerySet:
        """Return open polls after their closing time."""
        return self.filter(status=DatePollStatus.OPEN, closes_at__lte=now())

    def close_due(self) -> None:
        """Close due polls, for requests that arrive before the task has run."""
        for poll in self.due().select_related("club").order_by("closes_at", "id"):
            poll.close_if_due()

    def with_details_for(self, user: User) -> DatePollQuerySet:
        """Load what a response to `user` contains, in four queries."""
        answers = DateAnswer.objects.filter(poll=OuterRef("pk")).order_by().values("poll")
        count = Coalesce(Subquery(answers.annotate(n=Count("pk")).values("n")), 0)
        meeting = Case(When(meeting__deleted_at=None, then=F("meeting")))
        own = DateAnswer.objects.filter(user=user.pk).prefetch_related("choices")
        return (
            self.select_related("created_by")
            .annotate(answered_count=count, existing_meeting=meeting)
            .prefetch_related(
                Prefetch("options", DateOption.objects.with_counts(), to_attr="counted_options"),
                Prefetch("answers", own, to_attr="own_answers"),
            )
        )


class DatePoll(models.Model):
    """A poll on when a club meets. It has the columns of the meeting that its close creates."""

    club = models.ForeignKey("clubs.Club", models.CASCADE, related_name="date_polls", verbose_name=_("club"))
    title = models.CharField(max_length=TITLE_LENGTH, verbose_name=_("title"))
    timezone = models.CharField(max_length=64, validators=[validate_timezone], verbose_name=_("timezone"))
    duration_minutes = models.PositiveIntegerField(
        default=60,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_DURATION_MINUTES)],
        verbose_name=_("duration minutes"),
    )
    place = models.CharField(max_length=PLACE_LENGTH, blank=True, verbose_name=_("place"))
    url = models.CharField(max_length=URL_LENGTH, blank=True, verbose_name=_("url"))
    entry = models.ForeignKey(
        Entry, models.SET_NULL, null=True, blank=True, related_name="date_polls", verbose_name=_("entry")
    )
    capacity = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_CAPACITY)],
        verbose_name=_("capacity"),
    )
    closes_at = models.DateTimeField(verbose_name=_("closes at"))
    status = models.CharField(
        max_length=10, choices=DatePollStatus.choices, default=DatePollStatus.OPEN, verbose_name=_("status")
    )
    outcome = models.CharField(
        max_length=10, choices=DatePollOutcome.choices, blank=True, editable=False, verbose_name=_("outcome")
    )
    meeting = models.ForeignKey(
        Meeting, models.SET_NULL, null=True, blank=True, related_name="date_polls", verbose_name=_("meeting")
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("created by")
    )
    created_at = models.DateTimeField(default=now, editable=False, verbose_name=_("created at"))
    closed_at = models.DateTimeField(null=True, blank=True, editable=False, verbose_name=_("closed at"))

    objects = DatePollQuerySet.as_manager()

    class Meta:
        verbose_name = _("date poll")
        verbose_name_plural = _("date polls")
        indexes = [
            models.Index(fields=["club", "created_at", "id"], name="meetings_datepoll_by_age"),
            models.Index(fields=["club", "status", "created_at", "id"], name="meetings_datepoll_by_status"),
            models.Index(fields=["club", "status", "closes_at"], name="meetings_datepoll_due"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(capacity__isnull=True) | Q(capacity__range=(1, MAX_CAPACITY)),
                name="meetings_datepoll_capacity",
            ),
            models.CheckConstraint(
                condition=Q(duration_minutes__range=(1, MAX_DURATION_MINUTES)), name="meetings_datepoll_duration"
            ),
        ]

    def __str__(self) -> str:
        # The title is left out because staff may not read the texts of private clubs.
        return f"#{self.pk}"

    @classmethod
    @atomic_with_retry
    def create_poll(cls, *, club: Club, by: User, options: Sequence[datetime.datetime], **fields: Any) -> DatePoll:
        """Create a poll on these times. `fields` are columns of the poll; `timezone` defaults to the club's.

        Raises InvalidFieldError for an entry of another club's reading list, and Conflict `too_many_polls` if the club
        has MAX_OPEN_POLLS open polls.
        """
        club.lock(with_user=by)
        check_entry(club, fields)
        if cls.objects.filter(club=club, status=DatePollStatus.OPEN, closes_at__gt=now()).count() >= MAX_OPEN_POLLS:
            raise Conflict("too_many_polls", _("Too many open date polls; close one first."), club=club.summary)
        poll = cls.objects.create(club=club, created_by=by, **{"timezone": club.timezone, **fields})
        DateOption.objects.bulk_create(DateOption(poll=poll, starts_at=starts_at) for starts_at in options)
        record_change(ChangeType.DATE_POLL, poll.pk, club=club.pk)
        close_date_poll.using(run_after=poll.closes_at).enqueue(poll_id=poll.pk)
        record_event("date_poll.opened", actor=by.pk, object_ref=poll.object_ref, club=club.pk)
        notify_members(club.pk, NotificationKind.DATE_POLL_OPENED, type="date_poll", id=poll.pk, actor=by.pk)
        return poll

    @atomic_with_retry
    def answer(self, *, by: User, yes: Collection[int], maybe: Collection[int]) -> None:
        """Set the answer of `by`: the ids of the options that suit them, or perhaps do.

        A changed answer moves to the end of the order. Raises InvalidFieldError `does_not_exist`, Conflict
        `poll_closed`, and Http404 if the poll was deleted or the user has left the club.
        """
        self._lock_for_answer(by)
        options = set(self.options.values_list("pk", flat=True))
        for field, ids in (("yes", yes), ("maybe", maybe)):
            for index, pk in enumerate(ids):
                if pk not in options:
                    raise InvalidFieldError(f"{field}.{index}", "does_not_exist", _("This date is not in the poll."))
        end_pause_by_moderator(by.pk, club_id=self.club_id)
        answer = self.answers.filter(user=by).prefetch_related("choices").first()
        if answer is not None and (answer.yes, answer.maybe) == (sorted(yes), sorted(maybe)):
            return
        answer = answer or DateAnswer(poll=self, user=by)
        answer.set_choices(yes, maybe)
        record_change(ChangeType.DATE_POLL, self.pk, club=self.club_id, user=by.pk)
        record_event("date_poll.answered", actor=by.pk, object_ref=self.object_ref)
        record_activity(by.pk, club_id=self.club_id, at=answer.answered_at)

    @atomic_with_retry
    def withdraw_answer(self, *, by: User) -> None:
        """Delete the answer of `by`, if any. Raise the same errors as `answer`."""
        self._lock_for_answer(by)
        if self.answers.filter(user=by).delete()[0]:
            record_change(ChangeType.DATE_POLL, self.pk, club=self.club_id, user=by.pk)
            recompute_activity([by.pk], club_id=self.club_id)

    @atomic_with_retry
    def close(self, *, by: User, option: int | None = None) -> None:
        """Close the poll early, with `option` (the id of one) for the date if given.

        Raises InvalidFieldError `does_not_exist`, Conflict `poll_closed`, or Http404 if the poll was deleted.
        """
        self.lock(by=by)
        self.require_open()
        chosen = self.options.filter(pk=option).first() if option is not None else self.options.best()
        if option is not None and chosen is None:
            raise InvalidFieldError("option", "does_not_exist", _("This date is not in the poll."))
        self._finish(chosen, by=by)

    @atomic_with_retry
    def close_if_due(self) -> None:
        """Close the poll if it is due and still open. No user is recorded as the actor."""
        try:
            self.lock()
        except Http404:
            return
        if self.status == DatePollStatus.OPEN and self.closes_at <= now():
            self._finish(self.options.best(), by=None)

    @atomic_with_retry
    def delete_poll(self, *, by: User) -> None:
        """Delete the poll with its answers. Its meeting stays."""
        self.club.lock(with_user=by)
        self._refresh_locked()
        users = list(self.answers.values_list("user", flat=True))
        record_event("date_poll.deleted", actor=by.pk, object_ref=self.object_ref, club=self.club_id)
        record_change(ChangeType.DATE_POLL, self.pk, club=self.club_id, deleted=True)
        self.delete()
        recompute_activity(users, club_id=self.club_id)

    @property
    def object_ref(self) -> ObjectRef:
        """Reference to the poll for events and notifications."""
        return ObjectRef("date_poll", self.pk, self.title)

    def require_open(self) -> None:
        """Raise Conflict `poll_closed` if the poll does not accept answers."""
        if self.status == DatePollStatus.CLOSED or self.closes_at <= now():
            raise Conflict("poll_closed", _("This date poll is closed."), date_poll=self.pk)

    def _lock_for_answer(self, user: User) -> None:
        """Lock the user and the poll, so that no answer is saved during or after the close."""
        lock_rows(User, [user.pk])
        # Removing a member locks the user too, so the membership cannot change any more.
        self._refresh_locked(Exists(Membership.objects.active().filter(club=OuterRef("club"), user=user)))
        self.require_open()

    def lock(self, *, by: User | None = None) -> None:
        """Lock the users who have answered, who get RSVPs, and `by`; the club; and the poll."""
        users = self.answers.values_list("user", flat=True)
        lock_rows(User, [*users, by.pk if by else None])
        self.club.lock()
        self._refresh_locked()

    def _refresh_locked(self, *conditions: Exists) -> None:
        rows = DatePoll.objects.select_for_update().filter(*conditions)
        try:
            self.refresh_from_db(fields=["status", "closes_at", "entry"], from_queryset=rows)
        except DatePoll.DoesNotExist:
            raise Http404 from None

    def _finish(self, chosen: DateOption | None, *, by: User | None) -> None:
        """Save the outcome, and create the meeting if a date was chosen. The rows must be locked (`lock`)."""
        self.status, self.closed_at = DatePollStatus.CLOSED, now()
        self.outcome = DatePollOutcome.NO_ANSWERS if chosen is None else DatePollOutcome.CHOSEN
        record_event("date_poll.closed", actor=by.pk if by else None, object_ref=self.object_ref, club=self.club_id)
        if chosen is not None:
            fields = {name: getattr(self, name) for name in MEETING_FIELDS}
            self.meeting = Meeting.create_meeting(club=self.club, by=by, starts_at=chosen.starts_at, **fields)
            Rsvp.objects.create_rsvps(self.meeting, yes=chosen.answers(is_yes=True), maybe=chosen.answers(is_yes=False))
        self.save(update_fields=["status", "closed_at", "outcome", "meeting"])
        record_change(ChangeType.DATE_POLL, self.pk, club=self.club_id)


class DateOptionQuerySet(models.QuerySet["DateOption"]):
    """Queries for the dates of polls."""

    def with_counts(self) -> DateOptionQuerySet:
        """Annotate `yes` and `maybe`, and order as the dates were given."""
        counts = {
            name: Count("choices", filter=Q(choices__is_yes=is_yes))
            for name, is_yes in (("yes", True), ("maybe", False))
        }
        return self.annotate(**counts).order_by("pk")

    def best(self) -> DateOption | None:
        """Return the date with most yes, then most yes and maybe, then the earliest; None if nobody can at any."""
        counted: Any = self.with_counts()
        suitable = counted.filter(Q(yes__gt=0) | Q(maybe__gt=0))
        best: DateOption | None = suitable.order_by("-yes", "-maybe", "starts_at").first()
        return best


class DateOption(models.Model):
    """One of the times that a date poll is about."""

    poll = models.ForeignKey(DatePoll, models.CASCADE, related_name="options")
    starts_at = models.DateTimeField(verbose_name=_("starts at"))

    objects = DateOptionQuerySet.as_manager()

    class Meta:
        verbose_name = _("date of a poll")
        verbose_name_plural = _("dates of polls")
        constraints = [models.UniqueConstraint(fields=["poll", "starts_at"], name="meetings_dateoption_once")]

    def __str__(self) -> str:
        return f"{self.poll_id}: {self.starts_at}"

    def answers(self, *, is_yes: bool) -> list[tuple[int, datetime.datetime]]:
        """Return the users (ids) with this answer and when they answered, in the order of their answers."""
        answers = DateAnswer.objects.filter(choices__option=self, choices__is_yes=is_yes)
        return list(answers.order_by("answered_at", "pk").values_list("user", "answered_at"))


class DateAnswerQuerySet(models.QuerySet["DateAnswer"]):
    """Queries for answers to date polls."""

    def visible_to(self, user: User) -> DateAnswerQuerySet:
        """Exclude the answers of users whom a block hides from `user`."""
        return self.filter(not_blocked(user, "user"))

    def last_answered_at(self) -> Subquery:
        """Return a subquery for memberships: when the user last answered a date poll."""
        answers = self.filter(poll__club=OuterRef("club"), user=OuterRef("user"))
        return Subquery(answers.order_by("-answered_at").values("answered_at")[:1])

    def withdraw(self, *, user_id: int, club_id: int) -> None:
        """Delete a former member's answers to open polls. The user and the club must be locked."""
        self.filter(user=user_id, poll__club=club_id, poll__status=DatePollStatus.OPEN).delete()


class DateAnswer(models.Model):
    """A member's answer to a date poll, which all members see."""

    poll = models.ForeignKey(DatePoll, models.CASCADE, related_name="answers")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="date_answers", verbose_name=_("user")
    )
    answered_at = models.DateTimeField(default=now, editable=False)

    objects = DateAnswerQuerySet.as_manager()

    class Meta:
        verbose_name = _("answer to a date poll")
        verbose_name_plural = _("answers to date polls")
        indexes = [models.Index(fields=["poll", "answered_at", "id"], name="meetings_dateanswer_by_time")]
        constraints = [models.UniqueConstraint(fields=["poll", "user"], name="meetings_dateanswer_once")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.poll_id}"

    @property
    def yes(self) -> list[int]:
        """The ids of the options that suit the user."""
        return sorted(choice.option_id for choice in self.choices.all() if choice.is_yes)

    @property
    def maybe(self) -> list[int]:
        """The ids of the options that perhaps suit the user."""
        return sorted(choice.option_id for choice in self.choices.all() if not choice.is_yes)

    def set_choices(self, yes: Collection[int], maybe: Collection[int]) -> None:
        """Save the answer, now. The poll must be locked."""
        self.answered_at = now()
        self.save()
        DateChoice.objects.filter(answer=self).delete()
        DateChoice.objects.bulk_create(
            DateChoice(answer=self, option_id=pk, is_yes=is_yes)
            for ids, is_yes in ((yes, True), (maybe, False))
            for pk in ids
        )


class DateChoice(models.Model):
    """An option that suits a user, or perhaps does."""

    answer = models.ForeignKey(DateAnswer, models.CASCADE, related_name="choices")
    option = models.ForeignKey(DateOption, models.CASCADE, related_name="choices")
    is_yes = models.BooleanField()

    class Meta:
        verbose_name = _("choice in a date poll")
        verbose_name_plural = _("choices in date polls")
        constraints = [models.UniqueConstraint(fields=["answer", "option"], name="meetings_datechoice_once")]

    def __str__(self) -> str:
        return f"{self.answer_id}: {self.option_id}"
