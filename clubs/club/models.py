"""Clubs: visibility, and their life cycle from creation to deletion."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.http import Http404
from django.utils.timezone import localdate, now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.validators import validate_timezone
from activity.changes.models import Change, ChangeType
from activity.changes.services import record_change, record_club_deletion, record_notification_changes
from activity.choices import NotificationKind
from activity.messages import DeferredMessage
from activity.models import Notification, ObjectRef
from activity.services import build_event, notify, record_event, record_events
from clubs.club.choices import JoinPolicy, Visibility
from clubs.club.querysets import ClubQuerySet
from clubs.roles import OWNER, STATUSES_WITH_ACCESS, MembershipStatus, Rank, Role, permission_denied
from clubs.signals import club_deleted, club_visibility_changed
from core.api.exceptions import Conflict, InvalidFieldError, PermissionDeniedProblem
from core.counters import counters
from core.db.fields import BinaryCollationCharField
from core.db.locking import lock_rows
from core.db.transactions import atomic_with_retry
from core.images import storage
from core.search.fields import SearchField, build_search_text
from core.search.normalize import fold_case_and_accents
from moderation.models import close_cases_of_club

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clubs.members.models import Membership

KEY_LENGTH = 100
COVER_FOLDER = "club-covers"
MIN_MEMBERS, MAX_MEMBERS = 2, 10_000


class Club(models.Model):
    """A book club.

    `owner` is not nullable, so a club always has exactly one owner, who also has an active membership. Every change of
    a membership locks the club first (`lock`).
    """

    name = models.CharField(max_length=100, verbose_name=_("name"))
    name_key = BinaryCollationCharField(
        max_length=KEY_LENGTH, editable=False, help_text=_("Normalized name, used for sorting.")
    )
    description = models.TextField(max_length=2000, blank=True, verbose_name=_("description"))
    visibility = models.CharField(
        max_length=10, choices=Visibility.choices, default=Visibility.PUBLIC, verbose_name=_("visibility")
    )
    join_policy = models.CharField(
        max_length=10, choices=JoinPolicy.choices, default=JoinPolicy.OPEN, verbose_name=_("join policy")
    )
    member_limit = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(MIN_MEMBERS), MaxValueValidator(MAX_MEMBERS)],
        help_text=_("Maximum number of members, including the owner."),
        verbose_name=_("member limit"),
    )
    language = BinaryCollationCharField(
        max_length=12,
        blank=True,
        help_text=_("A BCP 47 tag in lower case, such as en or pt-br."),
        verbose_name=_("language"),
    )
    cover = BinaryCollationCharField(max_length=storage.NAME_LENGTH, blank=True, default="", editable=False)
    timezone = models.CharField(
        max_length=64, default="UTC", validators=[validate_timezone], verbose_name=_("timezone")
    )
    # PROTECT: account deletion first transfers or deletes the user's clubs (`remove_user_everywhere`).
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="owned_clubs", verbose_name=_("owner")
    )
    members_count = models.PositiveIntegerField(
        default=0, editable=False, help_text=_("Including the owner."), verbose_name=_("number of members")
    )
    created_at = models.DateTimeField(default=now, editable=False, verbose_name=_("created at"))
    updated_at = models.DateTimeField(default=now, editable=False, verbose_name=_("updated at"))
    search_text = SearchField(editable=False)

    objects = ClubQuerySet.as_manager()

    class Meta:
        verbose_name = _("club")
        verbose_name_plural = _("clubs")
        # One index per ordering of the list; the last one is for the language filter.
        indexes = [
            models.Index(fields=["members_count", "id"], name="clubs_club_by_members"),
            models.Index(fields=["name_key", "id"], name="clubs_club_by_name"),
            models.Index(fields=["created_at", "id"], name="clubs_club_by_age"),
            models.Index(fields=["language", "members_count", "id"], name="clubs_club_by_language"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(visibility=Visibility.PRIVATE) | Q(join_policy=JoinPolicy.INVITE),
                name="clubs_club_private_by_invite",
            ),
            models.CheckConstraint(
                condition=Q(member_limit__isnull=True) | Q(member_limit__range=(MIN_MEMBERS, MAX_MEMBERS)),
                name="clubs_club_limit",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    @atomic_with_retry
    def create_club(cls, *, by: User, **fields: Any) -> Club:
        """Create a club owned by `by`. Raises InvalidFieldError if visibility and join policy do not fit."""
        club = cls(owner=by, **normalize_join_policy({"visibility": Visibility.PUBLIC, **fields}, cls()))
        club.update_derived_fields()
        lock_rows(User, [by.pk])
        club.save(force_insert=True)
        club.get_membership(by).activate(joined_change=club._record_change().pk)
        if not club.is_private:
            club._change_clubs_total(+1)
        club.record_event("club.created", by=by)
        return club

    @atomic_with_retry
    def update_club(self, *, by: User | None, **fields: Any) -> None:
        """Update fields; `by` is None for staff.

        Raises PermissionDeniedProblem, InvalidFieldError, or Conflict `limit_below_members`.
        """
        self.lock()
        self.require_owner(by)
        fields = normalize_join_policy(fields, self)
        limit = fields.get("member_limit")
        if limit is not None and limit < self.members_count:
            raise Conflict("limit_below_members", _("The club already has more members."), club=self.summary)
        changed = any(getattr(self, name) != value for name, value in fields.items())
        old_name, old_visibility, old_cover = self.name, self.visibility, self.cover
        for name, value in fields.items():
            setattr(self, name, value)
        self.update_derived_fields()
        self.updated_at = now()
        self.save(update_fields=[*fields, "name_key", "search_text", "updated_at"])
        if self.cover != old_cover:
            storage.delete_on_commit(old_cover)
        if self.visibility != old_visibility:
            club_visibility_changed.send(Club, club=self)
            self._change_clubs_total(-1 if self.is_private else +1)
        if self.name != old_name:
            record_notification_changes(Notification.objects.filter(club=self))
        if changed:
            self._record_change()
            self.record_event("club.changed", by=by)

    @atomic_with_retry
    def delete_club(self, *, by: User | None) -> None:
        """Delete the club and its content; `by` is None for staff. Raises PermissionDeniedProblem."""
        self.lock()
        self.require_owner(by)
        self.delete_locked(by=by)

    @atomic_with_retry
    def join(self, user: User, *, message: str = "") -> Membership:
        """Add `user` as a member, or create a join request, depending on the join policy.

        Raises PermissionDeniedProblem `banned`, `invite_only`; Conflict `already_member`, `club_full`.
        """
        self.lock(with_user=user)
        membership = self.get_membership(user)
        if membership.status == MembershipStatus.BANNED:
            raise PermissionDeniedProblem("banned", _("You cannot join this club."))
        if membership.status in STATUSES_WITH_ACCESS:
            text = _("You are already in this club or have asked to join it.")
            raise Conflict("already_member", text, club=self.summary)
        if self.join_policy == JoinPolicy.INVITE:
            raise PermissionDeniedProblem("invite_only", _("This club is by invitation only."))
        self.check_not_full()
        if self.join_policy == JoinPolicy.REQUEST:
            membership.request_to_join(message)
        else:
            membership.activate()
            self.record_event("member.joined", by=user, subject=user)
        return membership

    @atomic_with_retry
    def leave(self, user: User) -> None:
        """Remove `user` or withdraw their join request. When the last member leaves, the club is deleted.

        Raises PermissionDeniedProblem `members_only`, Conflict `owner_must_transfer`.
        """
        self.lock(with_user=user)
        membership = self.get_membership(user)
        if membership.status not in STATUSES_WITH_ACCESS:
            raise PermissionDeniedProblem("members_only", _("You are not in this club."))
        if self.owner_id != user.pk:
            self.record_event(
                "member.left" if membership.status == MembershipStatus.ACTIVE else "member.withdrew",
                by=user,
                subject=user,
            )
            membership.deactivate()
        elif self.members_count > 1:
            text = _("Transfer ownership before you leave the club.")
            raise Conflict("owner_must_transfer", text, club=self.summary)
        else:
            self.delete_locked(by=user)

    @atomic_with_retry
    def transfer(self, *, user_id: int, by: User) -> None:
        """Make the active member with this user id the owner; the former owner becomes a moderator.

        Raises PermissionDeniedProblem, InvalidFieldError `not_a_member`.
        """
        self.lock()
        self.require_owner(by)
        new_owner = self.memberships.filter(user=user_id, status=MembershipStatus.ACTIVE).select_related("user").first()
        if user_id == by.pk or new_owner is None:
            raise InvalidFieldError(
                "user", "not_a_member", _("The new owner must be another active member of the club.")
            )
        self.set_owner(new_owner.user, by=by)

    def set_owner(self, user: User, *, by: User) -> None:
        """Make an active member the owner. The club must be locked."""
        self.memberships.filter(user=self.owner_id).update(role=Role.MODERATOR)
        self.memberships.filter(user=user).update(role=Role.MEMBER)
        self.owner, self.updated_at = user, now()
        self.save(update_fields=["owner", "updated_at"])
        self._record_change()
        self.record_event("club.transferred", by=by, subject=user)
        notify(
            NotificationKind.ROLE_CHANGED,
            [user.pk],
            actor=by.pk,
            object_ref=self.object_ref,
            club=self.pk,
            detail=DeferredMessage("role", OWNER),
        )

    def delete_locked(self, *, by: User | None) -> None:
        """Delete the club, its content and its activity log. The club must be locked."""
        record_event("club.deleted", actor=by.pk if by else None, object_ref=self.object_ref)
        close_cases_of_club(self.pk)
        record_club_deletion(self.pk, self.memberships.filter(status=MembershipStatus.ACTIVE))
        club_deleted.send(Club, club=self)
        storage.delete_on_commit(self.cover)
        if not self.is_private:
            self._change_clubs_total(-1)
        self.delete()

    def lock(self, *, with_user: User | None = None) -> None:
        """Lock and reload the club. Raises Http404 if it was deleted.

        Pass `with_user` when a row that refers to the user will be added: users are locked before clubs.
        """
        if with_user is not None:
            lock_rows(User, [with_user.pk])
        try:
            self.refresh_from_db(from_queryset=Club.objects.select_for_update())
        except Club.DoesNotExist:
            raise Http404 from None

    def get_membership(self, user: User) -> Membership:
        """Return the membership of `user` in any status, or an unsaved one with status `left`."""
        membership = self.memberships.filter(user=user).first()
        return membership or self.memberships.model(club=self, user=user, status=MembershipStatus.LEFT)

    def rank_of(self, user: User) -> Rank:
        """Return the current rank of `user`, read from the database."""
        return self.get_membership(user).rank

    @property
    def my_rank(self) -> Rank:
        """Rank of the user passed to `ClubQuerySet.with_membership_of`."""
        return Rank.for_membership(self.my_status, self.my_role)  # type: ignore[attr-defined]  # annotations

    @property
    def cover_url(self) -> str | None:
        """URL of the cover image, or None."""
        return storage.image_url(self.cover)

    @property
    def is_private(self) -> bool:
        """Whether only members can see the club."""
        return self.visibility == Visibility.PRIVATE

    @property
    def today(self) -> datetime.date:
        """The current day in the club's time zone."""
        return localdate(timezone=ZoneInfo(self.timezone))

    @property
    def summary(self) -> dict[str, Any]:
        """The club as error responses refer to it, in the shape of `ClubSummarySerializer`."""
        return {"id": self.pk, "name": self.name}

    def require_owner(self, user: User | None) -> None:
        """Raise PermissionDeniedProblem unless `user` owns the club or is None (staff)."""
        if user is not None and self.owner_id != user.pk:
            raise permission_denied(Rank.OWNER)

    @property
    def is_full(self) -> bool:
        """Whether the member limit is reached."""
        return self.member_limit is not None and self.members_count >= self.member_limit

    def check_not_full(self) -> None:
        """Raise Conflict `club_full` if the member limit is reached. The club must be locked."""
        if self.is_full:
            raise Conflict("club_full", _("This club is full."), club=self.summary)

    def _change_members_count(self, change: int) -> None:
        """Add `change` to the member counter. The club must be locked."""
        Club.objects.filter(pk=self.pk).update(members_count=F("members_count") + change)
        self.members_count += change

    def _change_clubs_total(self, change: int) -> None:
        """Add `change` to the total of public clubs."""
        counters.increment({"clubs": change, counters.monthly_key("clubs", self.created_at): change})

    @property
    def object_ref(self) -> ObjectRef:
        """Reference to the club for logs and notifications."""
        return ObjectRef("club", self.pk, self.name)

    def record_event(self, verb: str, *, by: User | None, subject: User | None = None) -> None:
        """Record what `by` (None for staff) did to the club or to the membership of `subject`."""
        record_event(verb, **self._event_columns(by, subject))

    def record_member_events(self, verb: str, *, by: User | None, subjects: Iterable[User]) -> None:
        """Record what `by` (None for staff) did to the memberships of these users, with one statement."""
        record_events(*(build_event(verb, **self._event_columns(by, subject)) for subject in subjects))

    def _event_columns(self, by: User | None, subject: User | None) -> dict[str, Any]:
        return {
            "actor": by.pk if by else None,
            "object_ref": ObjectRef("user", subject.pk, subject.username) if subject else self.object_ref,
            "club": self.pk,
            "subject": subject.pk if subject else None,
        }

    def _record_change(self) -> Change:
        return record_change(ChangeType.CLUB, self.pk, club=self.pk)

    def update_derived_fields(self) -> None:
        """Recompute the columns derived from name and description."""
        self.name_key = fold_case_and_accents(self.name)[:KEY_LENGTH].rstrip()
        self.search_text = build_search_text([self.name, self.description])


def normalize_join_policy(fields: dict[str, Any], club: Club) -> dict[str, Any]:
    """Set the join policy of a private club. Raises InvalidFieldError if `fields` contain another policy."""
    private = fields.get("visibility", club.visibility) == Visibility.PRIVATE
    if not private:
        return fields
    if fields.get("join_policy", JoinPolicy.INVITE) != JoinPolicy.INVITE:
        raise InvalidFieldError("join_policy", "private_needs_invite", _("A private club is by invitation only."))
    return {**fields, "join_policy": JoinPolicy.INVITE}
