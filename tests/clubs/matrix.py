"""Permission matrix: one row for each action of each route below `clubs/`.

Each area adds its rows to ROWS and the objects they refer to with BUILDERS (see `tests/clubs/reading/matrix.py`).
Values of `level`:

- `public`: not about one club, no authentication;
- `authenticated`: not about one club, authentication required;
- `public summary`: users who may see the club, anonymous ones included;
- `anyone`: the same for a public club, members for a private one;
- `signed in`: authenticated users who may see the club;
- `applicant`: members and users who have asked to join;
- `member`, `moderator`, `owner`: at least that rank.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rest_framework.test import APIClient

from accounts.models import User
from clubs.models import Club, Invitation
from tests.clubs.helpers import bring_in

ROLES = ("anonymous", "outsider", "pending", "member", "moderator", "owner", "banned")
RANKS = ("applicant", "member", "moderator", "owner")
RANK_OF_ROLE = {"pending": 0, "member": 1, "moderator": 2, "owner": 3}


@dataclass(frozen=True)
class Row:
    """An action: route name, method, required level, and the status for those who may use it.

    `ok` is a status, or one per role. Values of `path` and `body` that start with `@` refer to an object of the world:
    `path={"user_id": "@target"}` is the target's id. `upload` sends an image as `file`.
    """

    route: str
    method: str
    level: str
    ok: int | Mapping[str, int] = 200
    path: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    upload: bool = False
    club_in: str | None = "club_id"
    note: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.method, self.route, self.note)))

    def allowed(self, role: str) -> int:
        """Return the status for a role that has access."""
        return self.ok if isinstance(self.ok, int) else self.ok[role]

    def expected(self, role: str, *, private: bool) -> int:
        """Return the status that the matrix specifies for a role."""
        if self.level == "public":
            return self.allowed(role)
        if role == "anonymous":
            if self.level not in ("public summary", "anyone"):
                return 401
            return 404 if private else self.allowed(role)
        if self.level == "authenticated":
            return self.allowed(role)
        if private and role in ("outsider", "banned"):
            return 404
        if self.level in ("public summary", "signed in") or (self.level == "anyone" and not private):
            return self.allowed(role)
        required = "member" if self.level == "anyone" else self.level
        return self.allowed(role) if RANK_OF_ROLE.get(role, -1) >= RANKS.index(required) else 403


@dataclass
class World:
    """A club with a user and a client in each role, and the objects that rows refer to."""

    club: Club
    users: dict[str, User | None]
    clients: dict[str, APIClient]
    objects: dict[str, Any] = field(default_factory=dict)

    def resolve(self, value: Any) -> Any:
        """Replace references by ids."""
        if isinstance(value, Mapping):
            return {name: self.resolve(part) for name, part in value.items()}
        if isinstance(value, list):
            return [self.resolve(part) for part in value]
        if isinstance(value, str) and value.startswith("@"):
            obj = self.objects[value[1:]]
            return getattr(obj, "pk", obj)
        return value


def add_users(world: World, make_user: Callable[..., User]) -> None:
    """Add a member, an applicant and an invitation."""
    world.objects["target"] = bring_in(world.club, make_user("target")).user
    world.objects["applicant"] = bring_in(world.club, make_user("applicant"), status="pending").user
    invitation, code = Invitation.create_with_code(world.club, by=world.users["owner"], expires_in_hours=1, max_uses=9)
    world.objects |= {"invitation": invitation, "code": code}


BUILDERS: list[Callable[[World, Callable[..., User]], None]] = [add_users]

BOB = {"user_id": "@target"}
INVITATION = {"invitation_id": "@invitation"}

ROWS: list[Row] = [
    Row("club-list", "get", "public", club_in=None),
    Row("club-list", "post", "authenticated", 201, body={"name": "Another"}, club_in=None),
    Row("club-detail", "get", "public summary", club_in="club_id"),
    Row("club-detail", "put", "owner", body={"name": "Renamed"}, club_in="club_id"),
    Row("club-detail", "patch", "owner", body={"name": "Renamed"}, club_in="club_id"),
    Row("club-detail", "delete", "owner", 204, club_in="club_id"),
    Row(
        *("club-join", "post", "signed in"),
        {"outsider": 201, "pending": 409, "member": 409, "moderator": 409, "owner": 409, "banned": 403},
        club_in="club_id",
    ),
    Row(
        *("club-leave", "post", "applicant"),
        {"pending": 204, "member": 204, "moderator": 204, "owner": 409},
        club_in="club_id",
    ),
    Row("club-transfer", "post", "owner", body={"user": "@target"}, club_in="club_id"),
    Row("club-cover", "put", "owner", upload=True),
    Row("club-cover", "delete", "owner", 204),
    Row("club-stats", "get", "anyone"),
    Row("club-year", "get", "member", path={"year": 2026}),
    Row("club-year-card", "get", "member", path={"year": 2026}),
    Row("club-activity", "get", "member"),
    Row("club-notification-settings", "get", "member"),
    Row("club-notification-settings", "patch", "member", body={"reply": None}),
    Row("club-member-list", "get", "member"),
    Row("club-member-detail", "get", "member", path=BOB),
    Row("club-member-detail", "patch", "moderator", path={"user_id": "@applicant"}, body={"status": "active"}),
    Row("club-member-detail", "patch", "moderator", path=BOB, body={"status": "banned"}, note="ban"),
    Row("club-member-detail", "patch", "owner", path=BOB, body={"role": "moderator"}, note="promote"),
    Row("club-member-detail", "delete", "moderator", 204, path=BOB),
    Row("club-member-bulk", "post", "moderator", body={"action": "approve", "users": ["@applicant"]}),
    Row("club-member-pause", "put", "moderator", path=BOB, body={"until": None}),
    Row("club-member-pause", "delete", "moderator", 204, path=BOB),
    Row("club-pause", "get", "member"),
    Row("club-pause", "put", "member", body={"until": None}),
    Row("club-pause", "delete", "member", 204),
    Row("club-invite-list", "get", "moderator"),
    Row("club-invite-list", "post", "moderator", 201),
    Row("club-invite-detail", "delete", "moderator", 204, path=INVITATION),
    Row(
        *("invite-preview", "post", "public"),
        dict.fromkeys(ROLES, 200) | {"banned": 404},
        body={"code": "@code"},
        club_in=None,
    ),
    Row(
        *("invite-accept", "post", "authenticated"),
        {"outsider": 201, "pending": 201, "member": 409, "moderator": 409, "owner": 409, "banned": 404},
        body={"code": "@code"},
        club_in=None,
    ),
]
