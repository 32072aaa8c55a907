import datetime

import pytest
from django.core.management import call_command

from accounts import tokens
from accounts.models import AuthSession
from tests.accounts.conftest import V1, bearer, is_accepted

pytestmark = pytest.mark.django_db

URL = f"{V1}auth/sessions/"


def test_logout_revokes_session_at_once(post, alice, sign_in):
    own, other = sign_in("alice"), sign_in("alice")
    response = post("logout", refresh=own["refresh"])
    assert (response.status_code, response.content) == (204, b"")
    assert not is_accepted(own["access"])
    assert post("refresh", refresh=own["refresh"]).status_code == 401
    assert is_accepted(other["access"])
    # Logging out twice is harmless.
    assert post("logout", refresh=own["refresh"]).status_code == 204
    assert post("logout").status_code == 400


def test_logout_with_used_refresh_token(post, alice, sign_in):
    own = sign_in("alice")
    newer = post("refresh", refresh=own["refresh"]).json()
    assert post("logout", refresh=own["refresh"]).status_code == 204
    assert not is_accepted(newer["access"])


def test_logout_ignores_expired_access_token(anonymous, alice, sign_in):
    own = sign_in("alice")
    anonymous.credentials(HTTP_AUTHORIZATION="Bearer expired")
    assert anonymous.post(f"{V1}auth/logout/", {"refresh": own["refresh"]}).status_code == 204


def test_list_shows_own_active_sessions(post, alice, bob, sign_in):
    phone = sign_in("alice", device="phone")
    laptop = sign_in("alice", device="laptop")
    ended = sign_in("alice", device="gone")
    sign_in("bob")
    post("logout", refresh=ended["refresh"])
    stale = AuthSession.objects.get(device="gone")
    AuthSession.objects.create(user=alice, device="stale", jti="x", expires_at=stale.created_at)
    rows = bearer(phone["access"]).get(URL).json()["results"]
    assert [(row["device"], row["current"]) for row in rows] == [("laptop", False), ("phone", True)]
    assert rows[0].keys() == {"id", "device", "created_at", "last_used_at", "current"}
    rows = bearer(laptop["access"]).get(URL).json()["results"]
    assert [row["current"] for row in rows] == [True, False]


def test_refresh_updates_last_used_at(post, alice, sign_in):
    own = sign_in("alice")
    then = AuthSession.objects.get().last_used_at
    post("refresh", refresh=own["refresh"])
    assert AuthSession.objects.get().last_used_at > then


def test_revoke_one_session(alice, sign_in):
    phone, laptop = sign_in("alice", device="phone"), sign_in("alice", device="laptop")
    client = bearer(phone["access"])
    lost = AuthSession.objects.get(device="laptop").pk
    assert client.delete(f"{URL}{lost}/").status_code == 204
    assert not is_accepted(laptop["access"])
    assert client.delete(f"{URL}{lost}/").status_code == 404
    # The row stays, to detect reuse of its tokens.
    assert AuthSession.objects.filter(pk=lost).exists()
    # Revoking the current session is allowed.
    assert client.delete(f"{URL}{AuthSession.objects.get(device='phone').pk}/").status_code == 204
    assert not is_accepted(phone["access"])


def test_revoke_other_sessions(alice, bob, sign_in):
    phone, laptop, tablet = (sign_in("alice") for _ in range(3))
    bobs = sign_in("bob")
    assert bearer(phone["access"]).delete(URL).status_code == 204
    assert [is_accepted(own["access"]) for own in (phone, laptop, tablet, bobs)] == [True, False, False, True]


@pytest.mark.parametrize("name", ["987654", "0", "9" * 40, "٣", "-1", "abc", "1e3"])
def test_foreign_and_missing_sessions_are_404(alice, bob, sign_in, name):
    sign_in("bob")
    client = bearer(sign_in("alice")["access"])
    bobs = AuthSession.objects.get(user=bob)
    missing = client.delete(f"{URL}{name}/")
    theirs = client.delete(f"{URL}{bobs.pk}/")
    assert (missing.status_code, theirs.status_code) == (404, 404)
    assert missing.json() | {"request_id": ""} == theirs.json() | {"request_id": ""}
    bobs.refresh_from_db()
    assert bobs.ended_at is None


def test_sessions_require_authentication(anonymous, alice, sign_in):
    sign_in("alice")
    pk = AuthSession.objects.get().pk
    assert anonymous.get(URL).status_code == 401
    assert anonymous.delete(URL).status_code == 401
    assert anonymous.delete(f"{URL}{pk}/").status_code == 401
    assert anonymous.delete(f"{URL}987654/").status_code == 401


def test_other_methods_are_not_allowed(alice, client_of):
    client = client_of(alice)
    pk = AuthSession.objects.get().pk
    for method, path in (("post", URL), ("patch", URL), ("get", f"{URL}{pk}/"), ("put", f"{URL}{pk}/")):
        response = getattr(client, method)(path)
        assert response.status_code == 405
        assert response.json()["code"] == "method_not_allowed"
        assert response["Allow"]
    assert client.head(URL).status_code == 200


def test_pagination_is_complete(alice, client_of):
    client = client_of(alice)
    for n in range(6):
        tokens.sign_in(alice, device=f"d{n}")
    seen, url = [], f"{URL}?page_size=3"
    while url:
        page = client.get(url).json()
        seen += [row["device"] for row in page["results"]]
        url = page["next"]
    assert seen == ["d5", "d4", "d3", "d2", "d1", "d0", "tests"]
    assert client.get(f"{URL}?cursor=nonsense").status_code == 404
    assert client.get(f"{URL}?page_size=0").json()["code"] == "invalid_parameter"
    assert client.get(f"{URL}?user=1").json()["code"] == "invalid_parameter"


def test_list_query_count_is_constant(alice, client_of, django_assert_num_queries):
    client = client_of(alice)
    for size in (3, 100):
        while AuthSession.objects.count() < size:
            tokens.sign_in(alice, device="more")
        # Session with user; the page.
        with django_assert_num_queries(2):
            assert len(client.get(f"{URL}?page_size=100").json()["results"]) == size


def test_sessions_are_deleted_30_days_after_their_end(alice, sign_in, capsys):
    for days, device in ((31, "old"), (29, "recent"), (0, "live")):
        sign_in("alice", device=device)
        if days:
            session = AuthSession.objects.get(device=device)
            AuthSession.objects.filter(pk=session.pk).update(
                ended_at=session.created_at - datetime.timedelta(days=days)
            )
    call_command("prune_expired")
    assert "sessions: 1 deleted" in capsys.readouterr().out
    assert set(AuthSession.objects.values_list("device", flat=True)) == {"recent", "live"}
