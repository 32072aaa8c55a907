import base64
import json
import re
import time

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.conf import settings

from accounts import tokens
from accounts.models import AuthSession
from tests.accounts.conftest import bearer, is_accepted

pytestmark = pytest.mark.django_db


@pytest.fixture
def session(alice):
    tokens.sign_in(alice, device="tests")
    return AuthSession.objects.get()


@pytest.fixture
def claims(session):
    now = int(time.time())
    return {"sid": session.pk, "sub": str(session.user_id), "jti": session.jti, "iat": now, "exp": now + 60}


def signed(claims, key=None, algorithm="ES256", **headers):
    return jwt.encode(claims, key or tokens.backend.signing_key, algorithm=algorithm, headers=headers or None)


def is_rejected(post, token, routes=(("refresh", "refresh"), ("verify", "token"), ("logout", "refresh"))):
    """Return whether every endpoint that accepts a token rejects this one with a 401."""
    for route, name in routes:
        response = post(route, **{name: token})
        if response.status_code != 401 or response["WWW-Authenticate"] != "Bearer":
            return False
    return not is_accepted(token)


def test_tokens_of_the_fixture_are_accepted(post, claims):
    assert is_accepted(signed(claims | {"token_type": "access"}))
    assert post("verify", token=signed(claims | {"token_type": "access"})).status_code == 200
    assert post("verify", token=signed(claims | {"token_type": "refresh"})).status_code == 200
    assert post("refresh", refresh=signed(claims | {"token_type": "refresh"})).status_code == 200


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_forged_tokens_are_rejected(post, claims, kind):
    claims["token_type"] = kind
    other = ec.generate_private_key(ec.SECP256R1())
    assert is_rejected(post, signed(claims, other))
    assert is_rejected(post, signed(claims, rsa.generate_private_key(65537, 2048), "RS256"))
    unsigned = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": "none", "typ": "JWT"}, claims)
    ]
    assert is_rejected(post, ".".join([*unsigned, ""]))
    good = signed(claims)
    head, body, signature = good.split(".")
    assert is_rejected(post, f"{unsigned[0]}.{body}.{signature}")
    assert is_rejected(post, f"{head}.{unsigned[1]}.{signature[::-1]}")
    assert is_rejected(post, f"{head}.{body}.")
    assert is_rejected(post, good + "x" * 10)


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_hmac_with_public_key_is_rejected(post, claims, kind):
    """Algorithm confusion: an HMAC with the public key as its secret, in each encoding."""
    claims["token_type"] = kind
    public = tokens.backend.public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    head, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": "HS256", "typ": "JWT", "kid": tokens.backend.kid}, claims)
    )
    import hashlib
    import hmac

    for secret in (public, public.strip(), json.dumps(tokens.backend.jwk()).encode()):
        mac = hmac.digest(secret, f"{head}.{body}".encode(), hashlib.sha256)
        assert is_rejected(post, f"{head}.{body}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}")


@pytest.mark.parametrize("kind", ["access", "refresh"])
@pytest.mark.parametrize(
    "change",
    [
        {"sid": None},
        {"sid": "1"},
        {"sid": 1.5},
        {"sid": [1]},
        {"sid": {"pk": 1}},
        {"sid": True},
        {"jti": None},
        {"jti": 7},
        {"sub": None, "sid": None},
        {"sub": 7},
        {"exp": None},
        {"exp": "soon"},
        {"exp": 10**300},
        {"exp": int(time.time()) - 60},
        {"iat": int(time.time()) + 3600},
        {"nbf": int(time.time()) + 3600},
        {"token_type": None},
        {"token_type": "sliding"},
        {"token_type": ["access", "refresh"]},
    ],
    ids=lambda change: re.sub(r"\d{10}$", "then", str(change)[:-1])[:40],
)
def test_invalid_claims_are_rejected(post, claims, kind, change):
    claims = {k: v for k, v in (claims | {"token_type": kind} | change).items() if v is not None}
    assert is_rejected(post, signed(claims))


@pytest.mark.parametrize("kind", ["access", "refresh"])
@pytest.mark.parametrize("sid", [10**30, -(10**30), -1, 0, 987654])
def test_missing_session_is_rejected(post, claims, kind, sid):
    token = signed(claims | {"token_type": kind, "sid": sid})
    assert is_rejected(post, token, [("refresh", "refresh"), ("verify", "token")])
    # Logging out of a session that no longer exists succeeds.
    assert post("logout", refresh=token).status_code == (204 if kind == "refresh" else 401)


def test_invalid_payload_is_rejected(post):
    for payload in (b"", b"null", b"[]", b"7", b'"x"', b"\xff\xfe", b"[" * 2700):
        assert is_rejected(post, jwt.api_jws.encode(payload, tokens.backend.signing_key, algorithm="ES256"))


@pytest.mark.parametrize(
    "head",
    [
        b"[" * 2700,
        b'{"a":' * 540,
        b"{}",
        b"null",
        b'{"alg": ["ES256"]}',
        b'{"alg": 7}',
        b'{"alg": "ES256", "crit": ["x"]}',
        b'{"alg": "ES256", "b64": false}',
        b'{"alg": "ES256", "kid": 7}',
        b'{"alg": "\\ud800"}',
        b"1" * 2700,
    ],
    ids=lambda head: repr(head[:30]),
)
def test_invalid_token_header_is_rejected(post, head):
    """The header is parsed before the signature is verified."""
    assert is_rejected(post, base64.urlsafe_b64encode(head).decode().rstrip("=") + ".e30.AAAA")


def test_clock_skew_of_ten_seconds_is_accepted(claims):
    assert is_accepted(signed(claims | {"token_type": "access", "iat": int(time.time()) + 8}))
    assert not is_accepted(signed(claims | {"token_type": "access", "iat": int(time.time()) + 13}))


def test_token_types_are_not_interchangeable(post, alice, sign_in):
    own = sign_in("alice")
    assert not is_accepted(own["refresh"])
    assert post("refresh", refresh=own["access"]).status_code == 401
    assert post("logout", refresh=own["access"]).status_code == 401
    assert is_accepted(own["access"])


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer a b", "bearer nonsense", "Bearer \xff\xfe", "Bearer ..."]
)
def test_malformed_authorization_header_is_401(anonymous, header):
    response = anonymous.get("/api/v1/users/me/", HTTP_AUTHORIZATION=header)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"


def test_other_authorization_schemes_are_401(anonymous):
    for header in ("Basic YWxpY2U6eA==", "Token abc", ""):
        assert anonymous.get("/api/v1/users/me/", HTTP_AUTHORIZATION=header).status_code == 401


def test_bearer_scheme_is_case_insensitive(alice, sign_in, anonymous):
    response = anonymous.get("/api/v1/users/me/", HTTP_AUTHORIZATION=f"bEaReR {sign_in('alice')['access']}")
    assert response.status_code == 200


def test_verify_reports_current_validity(post, alice, sign_in):
    first = sign_in("alice")
    for kind in ("access", "refresh"):
        assert post("verify", token=first[kind]).status_code == 200
    second = post("refresh", refresh=first["refresh"]).json()
    # The first token is still within the grace period.
    assert post("verify", token=first["refresh"]).status_code == 200
    AuthSession.objects.update(rotated_at=AuthSession.objects.get().created_at.replace(year=2020))
    assert post("verify", token=first["refresh"]).status_code == 401
    # Verifying does not count as reuse, so the session is still active.
    assert post("verify", token=second["refresh"]).status_code == 200
    assert post("logout", refresh=second["refresh"]).status_code == 204
    for kind in ("access", "refresh"):
        response = post("verify", token=second[kind])
        assert (response.status_code, response.json()["code"]) == (401, "token_not_valid")
    assert post("verify").status_code == 400


def keys():
    return [ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)]


@pytest.mark.parametrize("key", keys(), ids=["EC", "RSA"])
def test_published_keys_verify_access_tokens(anonymous, alice, key, monkeypatch):
    backend = tokens.KeyIDTokenBackend(key)
    monkeypatch.setattr(tokens, "backend", backend)
    monkeypatch.setattr(tokens.AccessToken, "_token_backend", backend)
    monkeypatch.setattr(tokens.RefreshToken, "_token_backend", backend)
    access = tokens.sign_in(alice, device="tests").access
    assert is_accepted(access)

    response = anonymous.get("/.well-known/jwks.json")
    assert response.status_code == 200
    assert "public" in response["Cache-Control"]
    published = {jwk["kid"]: jwk for jwk in response.json()["keys"]}
    header = jwt.get_unverified_header(access)
    jwk = published[header["kid"]]
    private = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
    assert not private & jwk.keys()
    assert jwk["use"] == "sig"
    assert header["alg"] == jwk["alg"] == ("ES256" if jwk["kty"] == "EC" else "RS256")
    claims = jwt.decode(access, jwt.PyJWK(jwk), algorithms=[jwk["alg"]])
    assert claims["sub"] == str(alice.pk)
    assert claims["token_type"] == "access"
    assert claims["exp"] - claims["iat"] == 15 * 60
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(access[:-4] + ("AAAA" if access[-4:] != "AAAA" else "BBBB"), jwt.PyJWK(jwk), algorithms=[jwk["alg"]])


def test_tokens_of_another_verifying_key_are_accepted(anonymous, alice, monkeypatch):
    former, current = keys()

    def use(key, *others):
        backend = tokens.KeyIDTokenBackend(key, [other.public_key() for other in others])
        for place in (tokens, tokens.AccessToken, tokens.RefreshToken):
            monkeypatch.setattr(place, "backend" if place is tokens else "_token_backend", backend)
        tokens._verify.cache_clear()

    use(former)
    pair = tokens.sign_in(alice, device="tests")
    use(current)
    assert not is_accepted(pair.access)
    use(current, former)
    assert is_accepted(pair.access)
    next_pair = tokens.refresh(pair.refresh)
    assert is_accepted(next_pair.access)
    kids = [jwt.get_unverified_header(access)["kid"] for access in (next_pair.access, pair.access)]
    assert [jwk["kid"] for jwk in anonymous.get("/.well-known/jwks.json").json()["keys"]] == kids
    # An instance that still signs with the former key accepts the tokens of the others.
    use(former, current)
    assert is_accepted(next_pair.access)


@pytest.mark.parametrize("kid", ["former", "", "x" * 5000])
def test_unknown_key_id_is_checked_with_the_current_key(alice, kid, monkeypatch):
    former, current = keys()
    backend = tokens.KeyIDTokenBackend(current, [former.public_key()])
    monkeypatch.setattr(tokens.AccessToken, "_token_backend", backend)
    forged = jwt.encode({"sid": 1, "jti": "x", "token_type": "access"}, "x" * 32, headers={"kid": kid} if kid else {})
    assert not is_accepted(forged)
    assert not is_accepted("a.b.c")


def test_tokens_contain_only_ids(alice, sign_in):
    own = sign_in("alice")
    for kind, pair in (("access", {"pair"}), ("refresh", set())):
        claims = jwt.decode(own[kind], options={"verify_signature": False})
        assert claims.keys() == {"token_type", "exp", "iat", "jti", "sub", "sid"} | pair
    assert (
        jwt.decode(own["access"], options={"verify_signature": False})["jti"]
        != (jwt.decode(own["refresh"], options={"verify_signature": False})["jti"])
    )
    assert bearer(own["access"]).head("/.well-known/jwks.json").status_code == 200


def test_verified_access_token_still_expires(claims):
    with time_machine.travel(claims["iat"], tick=False) as clock:
        access = signed(claims | {"token_type": "access"})
        assert is_accepted(access)
        assert is_accepted(access)
        clock.shift(60 + settings.SIMPLE_JWT["LEEWAY"] + 1)
        assert not is_accepted(access)
