"""Creating, accepting and revoking invitations."""

import datetime
import logging

import pytest
from django.utils import timezone

from clubs.models import Club, Invitation
from tests.clubs.helpers import ACCEPT, CLUBS, bad_fields, bring_in, check_invariants, problem

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def invariants(db):
    yield
    check_invariants()


@pytest.fixture
def invites(private_club):
    return f"{CLUBS}{private_club.pk}/invites/"


@pytest.fixture
def invite(as_moe, invites):
    """Create an invitation through the API and return the response body."""

    def make(**body):
        response = as_moe.post(invites, body)
        assert response.status_code == 201, response.content
        return response.json()

    return make


def accept(client, code):
    return client.post(ACCEPT, {"code": code})


def test_create_returns_code_and_url(invite, moe, settings):
    invitation = invite()
    assert invitation.keys() == {"id", "created_by", "created_at", "expires_at", "max_uses", "uses", "code", "url"}
    assert (invitation["max_uses"], invitation["uses"], invitation["created_by"]["username"]) == (None, 0, "moe")
    assert invitation["url"] == f"{settings.APP_URL}/invite?code={invitation['code']}"
    stored = Invitation.objects.get()
    assert stored.expires_at - stored.created_at == pytest.approx(
        datetime.timedelta(hours=168), abs=datetime.timedelta(1)
    )


def test_code_is_random_and_not_stored(invite, invites, as_moe, caplog):
    codes = {invite()["code"] for _ in range(20)}
    assert len(codes) == 20
    assert all(len(code) >= 22 for code in codes)  # 128 bits in base64
    columns = " ".join(str(value) for row in Invitation.objects.values() for value in row.values())
    listed = as_moe.get(invites).content.decode()
    assert not any(code in columns or code in listed for code in codes)
    assert '"code"' not in listed
    assert '"digest"' not in listed


def test_response_headers_do_not_contain_the_code(as_moe, invites):
    response = as_moe.post(invites, {})
    assert response.json()["code"] not in str(response.headers)


def test_logs_do_not_contain_the_code(invite, as_charlie, caplog):
    with caplog.at_level(logging.DEBUG):
        code = invite()["code"]
        accept(as_charlie, code)
    assert code not in caplog.text
    assert not any(code in str(record.__dict__) for record in caplog.records)


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"expires_in_hours": 0}, "expires_in_hours", "min_value"),
        ({"expires_in_hours": 721}, "expires_in_hours", "max_value"),
        ({"expires_in_hours": None}, "expires_in_hours", "null"),
        ({"max_uses": 0}, "max_uses", "min_value"),
        ({"max_uses": 1001}, "max_uses", "max_value"),
        ({"max_uses": "x"}, "max_uses", "invalid"),
    ],
)
def test_create_with_invalid_values_fails(as_moe, invites, body, field, code):
    assert bad_fields(as_moe.post(invites, body)) == {field: code}


def test_accept_adds_the_user_as_a_member(invite, private_club, as_charlie, charlie):
    response = accept(as_charlie, invite()["code"])
    assert response.status_code == 201
    body = response.json()
    assert body["club"] == {"id": private_club.pk, "name": private_club.name}
    assert (body["user"]["id"], body["role"], body["status"]) == (charlie.pk, "member", "active")
    assert as_charlie.get(f"{CLUBS}{private_club.pk}/").json()["my_role"] == "member"


def test_accept_completes_a_join_request(make_club, alice, as_charlie, charlie):
    club = make_club(join_policy="request")
    bring_in(club, charlie, status="pending")
    _invitation, code = Invitation.create_with_code(club, by=alice, expires_in_hours=1, max_uses=1)
    assert accept(as_charlie, code).status_code == 201
    assert club.get_membership(charlie).message == ""


def test_accept_answers_the_same_404_for_every_invalid_code(
    invite, invites, as_moe, client_of, make_user, private_club
):
    users = [make_user(f"reader{n}") for n in range(6)]
    spent, expired, revoked, good = (invite(max_uses=1) for _ in range(4))
    assert accept(client_of(users[0]), spent["code"]).status_code == 201
    Invitation.objects.filter(pk=expired["id"]).update(expires_at=timezone.now())
    assert as_moe.delete(f"{invites}{revoked['id']}/").status_code == 204
    bring_in(private_club, users[5], status="banned")
    stranger = client_of(users[1])
    responses = [
        accept(stranger, code)
        for code in ("nonsense", "x" * 200, "ünknown", spent["code"], expired["code"], revoked["code"])
    ]
    responses.append(accept(client_of(users[5]), good["code"]))
    for response in responses:
        assert problem(response, 404, "not_found") | {"request_id": ""} == responses[0].json() | {"request_id": ""}
    assert Invitation.objects.get(pk=good["id"]).uses == 0


def test_accept_after_club_deletion_is_not_found(invite, private_club, alice, as_charlie):
    code = invite()["code"]
    private_club.delete_club(by=alice)
    problem(accept(as_charlie, code), 404, "not_found")


@pytest.mark.parametrize(
    "body", [{}, {"code": ""}, {"code": None}, {"code": "x" * 201}, {"code": "a\x00"}, {"code": {}}]
)
def test_accept_with_malformed_code_fails(as_charlie, body):
    assert bad_fields(as_charlie.post(ACCEPT, body, format="json")).keys() == {"code"}


def test_accept_by_a_member_does_not_count_as_use(invite, as_bob, as_alice):
    invitation = invite(max_uses=2)
    problem(accept(as_bob, invitation["code"]), 409, "already_member")
    problem(accept(as_alice, invitation["code"]), 409, "already_member")
    assert Invitation.objects.get().uses == 0


def test_accept_retry_after_last_use_reports_membership(invite, as_charlie):
    code = invite(max_uses=1)["code"]
    assert accept(as_charlie, code).status_code == 201
    problem(accept(as_charlie, code), 409, "already_member")


def test_accept_in_a_full_club_does_not_count_as_use(make_club, alice, as_charlie):
    club = make_club(member_limit=3)
    invitation, code = Invitation.create_with_code(club, by=alice, expires_in_hours=1, max_uses=1)
    problem(accept(as_charlie, code), 409, "club_full")
    invitation.refresh_from_db()
    assert invitation.uses == 0
    club.update_club(by=alice, member_limit=4)
    assert accept(as_charlie, code).status_code == 201


def test_accept_counts_uses(invite, invites, as_moe, make_user, client_of):
    invitation = invite(max_uses=2)
    found = [accept(client_of(make_user(f"reader{n}")), invitation["code"]).status_code for n in range(3)]
    assert found == [201, 201, 404]
    (row,) = as_moe.get(invites).json()["results"]
    assert (row["uses"], row["max_uses"]) == (2, 2)


def test_accept_with_same_idempotency_key_counts_once(invite, as_charlie, as_moe, invites):
    invitation = invite(max_uses=2)
    first = as_charlie.post(ACCEPT, {"code": invitation["code"]}, headers={"Idempotency-Key": "k"})
    again = as_charlie.post(ACCEPT, {"code": invitation["code"]}, headers={"Idempotency-Key": "k"})
    assert first.json() == again.json()
    responses = [as_moe.post(invites, {}, headers={"Idempotency-Key": "k"}).json() for _ in range(2)]
    assert responses[0] == responses[1]
    assert Invitation.objects.count() == 2


def test_revoked_invitation_is_not_listed(invite, invites, as_moe):
    active, revoked = invite(), invite()
    url = f"{invites}{revoked['id']}/"
    assert as_moe.delete(url).status_code == 204
    problem(as_moe.delete(url), 404, "not_found")
    assert [row["id"] for row in as_moe.get(invites).json()["results"]] == [active["id"]]


def test_revoke_in_another_club_is_not_found(invite, as_charlie, charlie):
    invitation = invite()
    own = Club.create_club(by=charlie, name="Own")
    problem(as_charlie.delete(f"{CLUBS}{own.pk}/invites/{invitation['id']}/"), 404, "not_found")
    assert Invitation.objects.get(pk=invitation["id"]).revoked_at is None


def test_accept_is_throttled_per_user(rate, as_charlie, as_bob, anonymous):
    rate("invite", 3, 60)
    for _ in range(3):
        problem(accept(as_charlie, "guess"), 404, "not_found")
    response = accept(as_charlie, "guess")
    problem(response, 429, "throttled")
    assert 1 <= int(response["Retry-After"]) <= 60
    # Another user at the same address has a separate limit, up to that of the address.
    problem(accept(as_bob, "guess"), 404, "not_found")
    problem(accept(anonymous, "guess"), 401, "not_authenticated")


def test_accept_is_throttled_per_address(rate, make_user, client_of):
    rate("invite", 1, 60)
    responses = [accept(client_of(make_user(f"reader{n}")), "guess").status_code for n in range(11)]
    assert responses == [404] * 10 + [429]
