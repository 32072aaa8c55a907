"""Looking at an invitation, and registering with it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from activity.models import Event
from clubs.models import Club, Invitation, Membership
from tests.clubs.helpers import ACCEPT, CLUBS, bring_in, check_invariants, problem

pytestmark = pytest.mark.django_db

PREVIEW = "/api/v1/invites/preview/"
REGISTER = "/api/v1/auth/register/"
ACCOUNT = {"username": "ana", "password": "um-bom-segredo-7"}


@pytest.fixture(autouse=True)
def invariants(db: None) -> Iterator[None]:
    yield
    check_invariants()


@pytest.fixture
def code(private_club: Club, moe: User) -> str:
    return new_code(private_club, moe)


def new_code(club: Club, by: User, **fields: Any) -> str:
    return Invitation.create_with_code(club, by=by, expires_in_hours=1, **fields)[1]


def preview(client: APIClient, code: str) -> Any:
    return client.post(PREVIEW, {"code": code})


def test_preview_shows_the_club_and_who_invites(
    anonymous: APIClient, as_charlie: APIClient, as_bob: APIClient, private_club: Club, moe: User, code: str
) -> None:
    private_club.update_club(by=private_club.owner, description="We read at night.", language="pt-br")
    invitation = Invitation.objects.get()
    responses = [preview(client, code) for client in (anonymous, as_charlie, as_bob)]
    for response in responses:
        assert response.status_code == 200, response.content
        assert response.json() == {
            "club": {
                "id": private_club.pk,
                "name": private_club.name,
                "description": "We read at night.",
                "cover_url": None,
                "language": "pt-BR",
                "members_count": 3,
            },
            "invited_by": {"id": moe.pk, "username": "moe", "display_name": "Moe", "avatar_url": None},
            "expires_at": f"{invitation.expires_at:%Y-%m-%dT%H:%M:%SZ}",
            "full": False,
        }
        assert response["Cache-Control"] == "private, no-cache"
    assert Invitation.objects.get().uses == 0


def test_preview_of_an_invalid_code_is_not_found(
    anonymous: APIClient, as_charlie: APIClient, charlie: User, private_club: Club, moe: User, client_of: Any, bob: User
) -> None:
    spent, expired, revoked, good = (new_code(private_club, moe, max_uses=1) for _ in range(4))
    rows = list(Invitation.objects.order_by("pk"))
    Invitation.objects.filter(pk=rows[0].pk).update(uses=1)
    Invitation.objects.filter(pk=rows[1].pk).update(expires_at=timezone.now())
    rows[2].revoke(by=moe)
    for wrong in ("nonsense", spent, expired, revoked):
        problem(preview(anonymous, wrong), 404, "not_found")
        problem(preview(as_charlie, wrong), 404, "not_found")
    bring_in(private_club, charlie, status="banned")
    problem(preview(as_charlie, good), 404, "not_found")


def test_preview_across_a_block_is_not_found(as_charlie: APIClient, moe: User, code: str) -> None:
    assert as_charlie.put("/api/v1/users/moe/block/").status_code == 204
    problem(preview(as_charlie, code), 404, "not_found")


def test_preview_says_when_the_club_is_full(anonymous: APIClient, make_club: Callable[..., Club], alice: User) -> None:
    club = make_club(member_limit=3)
    assert preview(anonymous, new_code(club, alice)).json()["full"] is True


def test_preview_is_limited_by_user_and_address(
    anonymous: APIClient, as_charlie: APIClient, code: str, rate: Callable[..., None]
) -> None:
    rate("invite", 2)
    assert [preview(as_charlie, "wrong").status_code for _ in range(3)] == [404, 404, 429]
    # The address has ten times the rate, of which three are used.
    assert [preview(anonymous, code).status_code for _ in range(18)] == [200] * 17 + [429]


def test_register_with_an_invitation_joins_the_club(
    anonymous: APIClient, client_of: Any, private_club: Club, code: str
) -> None:
    response = anonymous.post(REGISTER, ACCOUNT | {"invite": code})
    assert response.status_code == 201, response.content
    assert response.json()["club"] == {"id": private_club.pk, "name": private_club.name}
    ana = User.objects.get(username="ana")
    assert Membership.objects.active().filter(club=private_club, user=ana).exists()
    anonymous.credentials(HTTP_AUTHORIZATION=f"Bearer {response.json()['access']}")
    assert anonymous.get(f"{CLUBS}{private_club.pk}/").json()["my_role"] == "member"
    assert Invitation.objects.get().uses == 1
    assert Event.objects.filter(verb="member.joined", actor=ana).count() == 1
    assert anonymous.post(ACCEPT, {"code": code}).json()["code"] == "already_member"


@pytest.mark.parametrize("wrong", ["nonsense", "x" * 200, "spent", "expired", "revoked"])
def test_register_with_an_invalid_invitation_creates_no_account(
    anonymous: APIClient, private_club: Club, moe: User, code: str, wrong: str
) -> None:
    rows = Invitation.objects.all()
    if wrong == "spent":
        rows.update(max_uses=1, uses=1)
    elif wrong == "expired":
        rows.update(expires_at=timezone.now())
    elif wrong == "revoked":
        rows.get().revoke(by=moe)
    sent = code if wrong in ("spent", "expired", "revoked") else wrong
    body = problem(
        anonymous.post(REGISTER, ACCOUNT | {"invite": sent, "email": "ana@example.org"}), 400, "invalid_invite"
    )
    assert [(error["field"], error["code"]) for error in body["errors"]] == [("invite", "invalid_invite")]
    assert not User.objects.filter(username="ana").exists()
    assert anonymous.post(REGISTER, ACCOUNT | {"invite": ""}).status_code == 201


def test_register_for_a_full_club_creates_no_account(
    anonymous: APIClient, make_club: Callable[..., Club], alice: User
) -> None:
    club = make_club(member_limit=3)
    code = new_code(club, alice)
    body = problem(anonymous.post(REGISTER, ACCOUNT | {"invite": code}), 409, "club_full")
    assert body["club"] == {"id": club.pk, "name": club.name}
    assert not User.objects.filter(username="ana").exists()
    assert Invitation.objects.get().uses == 0


def test_register_with_a_taken_username_uses_no_invitation(anonymous: APIClient, code: str) -> None:
    problem(anonymous.post(REGISTER, ACCOUNT | {"username": "bob", "invite": code}), 409, "username_taken")
    assert Invitation.objects.get().uses == 0


def test_sixty_invited_users_register_from_one_address(
    anonymous: APIClient, code: str, private_club: Club, rate: Callable[..., None]
) -> None:
    rate("register", 20)
    found = [
        anonymous.post(REGISTER, ACCOUNT | {"username": f"colleague{n}", "invite": code}).status_code for n in range(60)
    ]
    assert found == [201] * 60
    assert Club.objects.get(pk=private_club.pk).members_count == 63
    # Without an invitation the rate is that of an address, and wrong codes end too.
    assert [anonymous.post(REGISTER, ACCOUNT | {"username": f"u{n:03}"}).status_code for n in range(21)][-1] == 429
    assert anonymous.post(REGISTER, ACCOUNT | {"username": "last", "invite": code}).status_code == 201


def test_registrations_with_wrong_codes_are_limited(anonymous: APIClient, rate: Callable[..., None]) -> None:
    rate("register", 1)
    found = [anonymous.post(REGISTER, ACCOUNT | {"invite": "nonsense"}).status_code for _ in range(11)]
    assert found == [400] * 10 + [429]
