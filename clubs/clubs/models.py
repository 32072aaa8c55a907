"""Clubs: visibility, and their life cycle from creation to deletion."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Case, CharField, F, FilteredRelation, Q, Value, When
from django.http import Http404
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from accounts.names import validate_timezone
from activity.details import Said
from activity.kinds import Kind
from activity.models import Thing
from activity.services import notify, record
from bookbridge.api import counters, pictures
from bookbridge.api.errors import Conflict, Forbidden, InvalidField
from bookbridge.api.fields import KeyField
from bookbridge.api.rows import hold
from bookbridge.api.search import SearchField, index_text, query_terms
from bookbridge.api.text import fold
from bookbridge.api.transactions import retrying_atomic
from clubs.roles import KNOWN_TO, OWNER, Role, Standing, Status
from clubs.signals import club_deleted, club_visibility_changed
from moderation.models import club_gone

if TYPE_CHECKING:
    from clubs.members.models import Membership

KEY_LENGTH = 100
COVERS = "club-covers"
FEWEST_MEMBERS, MOST_MEMBERS = 2, 10_000


class Visibility(models.TextChoices):
    """Who may see a club."""

    PUBLIC = "public", _("public")
    PRIVATE = "private", _("private")


class JoinPolicy(models.TextChoices):
    """How users join. Private clubs always use `invite`."""

    OPEN = "open", pgettext_lazy("join policy", "open")
    REQUEST = "request", pgettext_lazy("join policy", "request")
    INVITE = "invite", _("invite")


class ClubQuerySet(models.QuerySet["Club"]):
    """Queries for clubs."""

    def visible_to(self, user: User | AnonymousUser) -> ClubQuerySet:
        """Return public clubs, and private ones that `user` is in or has asked to join."""
        public = Q(visibility=Visibility.PUBLIC)
        if not user.is_authenticated:
            return self.filter(public)
        # A user has at most one membership per club, so the join does not multiply rows.
        joined = self.alias(visible_by=FilteredRelation("memberships", condition=Q(memberships__user=user.pk)))
        return joined.filter(public | Q(visible_by__status__in=KNOWN_TO))

    def with_standing_of(self, user: User | AnonymousUser) -> ClubQuerySet:
        """Annotate `my_role` and `my_status` of `user`, None without a membership."""
        if not user.is_authenticated:
            nothing = Value(None, output_field=CharField(null=True))
            return self.annotate(my_status=nothing, my_role=nothing)
        joined = self.alias(mine=FilteredRelation("memberships", condition=Q(memberships__user=user.pk)))
        return joined.annotate(
            my_status=Case(When(mine__status=Status.LEFT, then=None), default=F("mine__status")),
            my_role=Case(
                When(~Q(mine__status=Status.ACTIVE), then=None),
                When(owner=user.pk, then=Value(OWNER)),
                default=F("mine__role"),
            ),
        )

    def of_member(self, user: User | AnonymousUser) -> ClubQuerySet:
        """Return the clubs that `user` is in or has asked to join."""
        if not user.is_authenticated:
            return self.none()
        rows = user.memberships.filter(status__in=KNOWN_TO)
        return self.filter(pk__in=rows.values("club"))

    def public(self) -> ClubQuerySet:
        """Return the public clubs."""
        return self.filter(visibility=Visibility.PUBLIC)

    def covers(self, ids: Collection[int], names: Collection[str]) -> set[str]:
        """Return the file names of the covers of these clubs."""
        return set(self.filter(pk__in=ids).exclude(cover="").values_list("cover", flat=True))

    def search(self, text: str) -> ClubQuerySet:
        """Return clubs in whose name or description each word of `text` starts a word, ignoring case and accents.

        Only the first ten words count. A text without letters and digits matches nothing.
        """
        wanted = query_terms(text)
        return self.filter(search_text__words=wanted) if wanted else self.none()

    def in_language(self, tag: str) -> ClubQuerySet:
        """Filter by a lower-case language tag: `pt` also matches `pt-br`."""
        # "." is the character after "-", so this is one range of the index.
        return self.filter(Q(language=tag) | Q(language__gte=f"{tag}-", language__lt=f"{tag}."))


class Club(models.Model):
    """A book club.

    `owner` is not nullable, so a club always has exactly one owner, who also has an active membership. Every change of
    a membership locks the club first (`lock`).
    """

    name = models.CharField(max_length=100)
    name_key = KeyField(max_length=KEY_LENGTH, editable=False, help_text=_("Normalized name, used for sorting."))
    description = models.TextField(max_length=2000, blank=True)
    visibility = models.CharField(max_length=10, choices=Visibility.choices, default=Visibility.PUBLIC)
    join_policy = models.CharField(max_length=10, choices=JoinPolicy.choices, default=JoinPolicy.OPEN)
    member_limit = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(FEWEST_MEMBERS), MaxValueValidator(MOST_MEMBERS)],
        help_text=_("Maximum number of members, including the owner."),
    )
    language = KeyField(max_length=12, blank=True, help_text=_("A BCP 47 tag in lower case, such as en or pt-br."))
    cover = KeyField(max_length=pictures.NAME_LENGTH, blank=True, default="", editable=False)
    timezone = models.CharField(max_length=64, default="UTC", validators=[validate_timezone])
    # PROTECT: account deletion first transfers or deletes the user's clubs (`remove_user_everywhere`).
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="owned_clubs")
    members_count = models.PositiveIntegerField(default=0, editable=False, help_text=_("Including the owner."))
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, editable=False)
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
                condition=Q(member_limit__isnull=True) | Q(member_limit__range=(FEWEST_MEMBERS, MOST_MEMBERS)),
                name="clubs_club_limit",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    @retrying_atomic
    def found(cls, *, by: User, **fields: Any) -> Club:
        """Create a club owned by `by`. Raise InvalidField if visibility and join policy do not fit."""
        club = cls(owner=by, **settle_policy({"visibility": Visibility.PUBLIC, **fields}, cls()))
        club.derive_columns()
        hold(User, [by.pk])
        club.save(force_insert=True)
        club.membership_of(by).enter()
        if not club.is_private:
            club.count(+1)
        club.log("club.created", by=by)
        return club

    @retrying_atomic
    def change(self, *, by: User | None, **fields: Any) -> None:
        """Update plain columns; `by` is None for staff.

        Raises Forbidden, InvalidField, or Conflict `limit_below_members`.
        """
        self.lock()
        self.require_owner(by)
        fields = settle_policy(fields, self)
        limit = fields.get("member_limit")
        if limit is not None and limit < self.members_count:
            raise Conflict("limit_below_members", _("The club already has more members."))
        changed = any(getattr(self, name) != value for name, value in fields.items())
        was, cover = self.visibility, self.cover
        for name, value in fields.items():
            setattr(self, name, value)
        self.derive_columns()
        self.updated_at = now()
        self.save(update_fields=[*fields, "name_key", "search_text", "updated_at"])
        if self.cover != cover:
            pictures.discard(cover)
        if self.visibility != was:
            club_visibility_changed.send(Club, club=self)
            self.count(-1 if self.is_private else +1)
        if changed:
            self.log("club.changed", by=by)

    @retrying_atomic
    def dissolve(self, *, by: User | None) -> None:
        """Delete the club and its content; `by` is None for staff. Raises Forbidden."""
        self.lock()
        self.require_owner(by)
        self.delete_locked(by=by)

    @retrying_atomic
    def join(self, user: User, *, message: str = "") -> Membership:
        """Add `user` as a member, or create a join request, depending on the join policy.

        Raises Forbidden `banned`, `invite_only`; Conflict `already_member`, `club_full`.
        """
        self.lock(with_user=user)
        row = self.membership_of(user)
        if row.status == Status.BANNED:
            raise Forbidden("banned", _("You cannot join this club."))
        if row.status in KNOWN_TO:
            raise Conflict("already_member", _("You are already in this club or have asked to join it."))
        if self.join_policy == JoinPolicy.INVITE:
            raise Forbidden("invite_only", _("This club is by invitation only."))
        self.require_room()
        if self.join_policy == JoinPolicy.REQUEST:
            row.ask(message)
        else:
            row.enter()
            self.log("member.joined", by=user, about=user)
        return row

    @retrying_atomic
    def leave(self, user: User) -> None:
        """Remove `user` or withdraw their join request. When the last member leaves, the club is deleted.

        Raises Forbidden `members_only`, Conflict `owner_must_transfer`.
        """
        self.lock(with_user=user)
        row = self.membership_of(user)
        if row.status not in KNOWN_TO:
            raise Forbidden("members_only", _("You are not in this club."))
        if self.owner_id != user.pk:
            self.log("member.left" if row.status == Status.ACTIVE else "member.withdrew", by=user, about=user)
            row.go()
        elif self.members_count > 1:
            raise Conflict("owner_must_transfer", _("Transfer ownership before you leave the club."))
        else:
            self.delete_locked(by=user)

    @retrying_atomic
    def transfer(self, *, to: int, by: User) -> None:
        """Make the active member with user id `to` the owner; the former owner becomes a moderator.

        Raises Forbidden, InvalidField `not_a_member`.
        """
        self.lock()
        self.require_owner(by)
        heir = self.memberships.filter(user=to, status=Status.ACTIVE).select_related("user").first()
        if to == by.pk or heir is None:
            raise InvalidField("user", "not_a_member", _("The new owner must be another active member of the club."))
        self.hand_over(heir.user, by=by)

    def hand_over(self, to: User, *, by: User) -> None:
        """Make an active member the owner. The club must be locked."""
        self.memberships.filter(user=self.owner_id).update(role=Role.MODERATOR)
        self.memberships.filter(user=to).update(role=Role.MEMBER)
        self.owner, self.updated_at = to, now()
        self.save(update_fields=["owner", "updated_at"])
        self.log("club.transferred", by=by, about=to)
        notify(Kind.ROLE_CHANGED, [to.pk], actor=by.pk, thing=self.thing, club=self.pk, detail=Said("role", OWNER))

    def delete_locked(self, *, by: User | None) -> None:
        """Delete the club, its content and its activity log. The club must be locked."""
        record("club.deleted", actor=by.pk if by else None, thing=self.thing)
        club_gone(self.pk)
        club_deleted.send(Club, club=self)
        pictures.discard(self.cover)
        if not self.is_private:
            self.count(-1)
        self.delete()

    def lock(self, *, with_user: User | None = None) -> None:
        """Lock and reload the club; 404 if it was deleted.

        Pass `with_user` when a row that refers to the user will be added: users are locked before clubs.
        """
        if with_user is not None:
            hold(User, [with_user.pk])
        try:
            self.refresh_from_db(from_queryset=Club.objects.select_for_update())
        except Club.DoesNotExist:
            raise Http404 from None

    def membership_of(self, user: User) -> Membership:
        """Return the membership of `user` in any status, or an unsaved one with status `left`."""
        row = self.memberships.filter(user=user).first()
        return row or self.memberships.model(club=self, user=user, status=Status.LEFT)

    def standing_of(self, user: User) -> Standing:
        """Return the current rank of `user`, read from the database."""
        return self.membership_of(user).standing

    @property
    def my_standing(self) -> Standing:
        """Rank of the user passed to `ClubQuerySet.with_membership_of`."""
        return Standing.of(self.my_status, self.my_role)  # type: ignore[attr-defined]  # annotations

    @property
    def cover_url(self) -> str | None:
        """URL of the cover image, or None."""
        return pictures.url_of(self.cover)

    @property
    def is_private(self) -> bool:
        """Whether only members can see the club."""
        return self.visibility == Visibility.PRIVATE

    def require_owner(self, user: User | None) -> None:
        """Raise Forbidden unless `user` owns the club or is None (staff)."""
        if user is not None and self.owner_id != user.pk:
            raise Forbidden("owner_only", _("Only the club's owner may do this."))

    def require_room(self) -> None:
        """Raise Conflict `club_full` if the member limit is reached. The club must be locked."""
        if self.member_limit is not None and self.members_count >= self.member_limit:
            raise Conflict("club_full", _("This club is full."))

    def count_members(self, change: int) -> None:
        """Add `change` to the member counter. The club must be locked."""
        Club.objects.filter(pk=self.pk).update(members_count=F("members_count") + change)
        self.members_count += change

    def count(self, change: int) -> None:
        """Add `change` to the total of public clubs."""
        counters.add({"clubs": change, counters.month("clubs", self.created_at): change})

    @property
    def thing(self) -> Thing:
        """Reference to the club for logs and notifications."""
        return Thing("club", self.pk, self.name)

    def log(self, verb: str, *, by: User | None, about: User | None = None) -> None:
        """Record what `by` (None for staff) did to the club or to the membership of `about`."""
        thing = Thing("user", about.pk, about.username) if about else self.thing
        record(verb, actor=by.pk if by else None, thing=thing, club=self.pk, subject=about.pk if about else None)

    def derive_columns(self) -> None:
        """Recompute the columns derived from name and description."""
        self.name_key = fold(self.name)[:KEY_LENGTH].rstrip()
        self.search_text = index_text([self.name, self.description])


def settle_policy(fields: dict[str, Any], club: Club) -> dict[str, Any]:
    """Set the join policy of a private club. Raise InvalidField if `fields` contain another policy."""
    private = fields.get("visibility", club.visibility) == Visibility.PRIVATE
    if not private:
        return fields
    if fields.get("join_policy", JoinPolicy.INVITE) != JoinPolicy.INVITE:
        raise InvalidField("join_policy", "private_needs_invite", _("A private club is by invitation only."))
    return {**fields, "join_policy": JoinPolicy.INVITE}
