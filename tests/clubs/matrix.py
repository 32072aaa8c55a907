"""The table of who may do what (api.md, the matrix): one row for each action of each route below `clubs/`.

A subject adds its rows to ROWS and what its paths and bodies name to BUILDERS (see `tests/clubs/reading/matrix.py`).
The words of `level`:

- `anybody`: about no club in particular, no sign-in;
- `signed in`: about no club in particular;
- `card`: whoever may know of the club, without a sign-in;
- `inside`: anyone in a public club; members of a private one, without a sign-in for the question whether it is there;
- `knows`: whoever may know of the club and has signed in;
- `applicant`: members, and those who ask to be one;
- `member`, `moderator`, `owner`: that rank and those above.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from accounts.models import User
from clubs.models import Club, Invitation
from tests.clubs.helpers import bring_in

ROLES = ("anonymous", "outsider", "pending", "member", "moderator", "owner", "banned")
RANKS = ("applicant", "member", "moderator", "owner")
RANK_OF_ROLE = {"pending": 0, "member": 1, "moderator": 2, "owner": 3}


@dataclass(frozen=True)
class Row:
    """An action: the name of its route, its method, what it needs, and what it answers to those who may.

    `ok` is a status, or one for each role where they differ. `path` and `body` hold values as they are, or the name
    of something in the world behind an `@`: `path={"user_id": "@target"}` is the target's id. `upload` is for a body
    with a picture as its `file`.
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
        """What it answers to a role that may do it."""
        return self.ok if isinstance(self.ok, int) else self.ok[role]

    def expected(self, role: str, *, private: bool) -> int:
        """What it answers to a role, as the matrix has it."""
        if self.level == "anybody":
            return self.allowed(role)
        if role == "anonymous":
            if self.level not in ("card", "inside"):
                return 401
            return 404 if private else self.allowed(role)
        if self.level == "signed in":
            return self.allowed(role)
        if private and role in ("outsider", "banned"):
            return 404
        if self.level in ("card", "knows") or (self.level == "inside" and not private):
            return self.allowed(role)
        least = "member" if self.level == "inside" else self.level
        return self.allowed(role) if RANK_OF_ROLE.get(role, -1) >= RANKS.index(least) else 403


@dataclass
class World:
    """A club with somebody in each role, and what the rows' paths and bodies name."""

    club: Club
    cast: dict[str, User | None]
    things: dict[str, Any] = field(default_factory=dict)

    def resolve(self, value: Any) -> Any:
        """`value` with the ids of the things it names."""
        if isinstance(value, Mapping):
            return {name: self.resolve(part) for name, part in value.items()}
        if isinstance(value, str) and value.startswith("@"):
            thing = self.things[value[1:]]
            return getattr(thing, "pk", thing)
        return value


def people(world: World, make_user: Callable[..., User]) -> None:
    """Those who are acted on, and an invitation."""
    world.things["target"] = bring_in(world.club, make_user("target")).user
    world.things["asking"] = bring_in(world.club, make_user("asking"), status="pending").user
    invitation, code = Invitation.issue(world.club, by=world.cast["owner"], expires_in_hours=1, max_uses=9)
    world.things |= {"invitation": invitation, "code": code}


BUILDERS: list[Callable[[World, Callable[..., User]], None]] = [people]

BOB = {"user_id": "@target"}
INVITATION = {"invitation_id": "@invitation"}

ROWS: list[Row] = [
    Row("club-list", "get", "anybody", club_in=None),
    Row("club-list", "post", "signed in", 201, body={"name": "Another"}, club_in=None),
    Row("club-detail", "get", "card", club_in="club_id"),
    Row("club-detail", "put", "owner", body={"name": "Renamed"}, club_in="club_id"),
    Row("club-detail", "patch", "owner", body={"name": "Renamed"}, club_in="club_id"),
    Row("club-detail", "delete", "owner", 204, club_in="club_id"),
    Row(
        *("club-join", "post", "knows"),
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
    Row("club-stats", "get", "inside"),
    Row("club-activity", "get", "member"),
    Row("club-member-list", "get", "member"),
    Row("club-member-detail", "get", "member", path=BOB),
    Row("club-member-detail", "patch", "moderator", path={"user_id": "@asking"}, body={"status": "active"}),
    Row("club-member-detail", "patch", "moderator", path=BOB, body={"status": "banned"}, note="ban"),
    Row("club-member-detail", "patch", "owner", path=BOB, body={"role": "moderator"}, note="promote"),
    Row("club-member-detail", "delete", "moderator", 204, path=BOB),
    Row("club-invite-list", "get", "moderator"),
    Row("club-invite-list", "post", "moderator", 201),
    Row("club-invite-detail", "delete", "moderator", 204, path=INVITATION),
    Row(
        *("invite-accept", "post", "signed in"),
        {"outsider": 201, "pending": 201, "member": 409, "moderator": 409, "owner": 409, "banned": 404},
        body={"code": "@code"},
        club_in=None,
    ),
]
