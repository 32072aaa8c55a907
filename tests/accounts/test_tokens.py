"""What is and what is no token; the published keys; verify."""

import base64
import json
import re
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

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


def refused(post, token, routes=(("refresh", "refresh"), ("verify", "token"), ("logout", "refresh"))):
    """Refused as any kind of token, everywhere a token can be sent, and never with a 5xx."""
    for route, name in routes:
        answer = post(route, **{name: token})
        if answer.status_code != 401 or answer["WWW-Authenticate"] != "Bearer":
            return False
    return not is_accepted(token)


def test_the_fixtures_own_tokens_are_accepted(post, claims):
    assert is_accepted(signed(claims | {"token_type": "access"}))
    assert post("verify", token=signed(claims | {"token_type": "access"})).status_code == 200
    assert post("verify", token=signed(claims | {"token_type": "refresh"})).status_code == 200
    assert post("refresh", refresh=signed(claims | {"token_type": "refresh"})).status_code == 200


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_forgeries(post, claims, kind):
    claims["token_type"] = kind
    other = ec.generate_private_key(ec.SECP256R1())
    assert refused(post, signed(claims, other))
    assert refused(post, signed(claims, rsa.generate_private_key(65537, 2048), "RS256"))
    unsigned = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": "none", "typ": "JWT"}, claims)
    ]
    assert refused(post, ".".join([*unsigned, ""]))
    good = signed(claims)
    head, body, signature = good.split(".")
    assert refused(post, f"{unsigned[0]}.{body}.{signature}")
    assert refused(post, f"{head}.{unsigned[1]}.{signature[::-1]}")
    assert refused(post, f"{head}.{body}.")
    assert refused(post, good + "x" * 10)


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_the_public_key_is_no_secret(post, claims, kind):
    """An HMAC with the published key as its secret, in each form it may be taken for."""
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
        assert refused(post, f"{head}.{body}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}")


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
def test_claims_that_cannot_be(post, claims, kind, change):
    claims = {k: v for k, v in (claims | {"token_type": kind} | change).items() if v is not None}
    assert refused(post, signed(claims))


@pytest.mark.parametrize("kind", ["access", "refresh"])
@pytest.mark.parametrize("sid", [10**30, -(10**30), -1, 0, 987654])
def test_a_sign_in_that_is_not_there(post, claims, kind, sid):
    token = signed(claims | {"token_type": kind, "sid": sid})
    assert refused(post, token, [("refresh", "refresh"), ("verify", "token")])
    # Whoever signs out of what is over has what they want.
    assert post("logout", refresh=token).status_code == (204 if kind == "refresh" else 401)


def test_a_token_without_a_payload_or_with_none_of_an_object(post):
    for payload in (b"", b"null", b"[]", b"7", b'"x"', b"\xff\xfe", b"[" * 2700):
        assert refused(post, jwt.api_jws.encode(payload, tokens.backend.signing_key, algorithm="ES256"))


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
def test_a_head_that_cannot_be(post, head):
    """Read before the signature is looked at, so anybody may send it."""
    assert refused(post, base64.urlsafe_b64encode(head).decode().rstrip("=") + ".e30.AAAA")


def test_clocks_may_differ_by_ten_seconds(claims):
    assert is_accepted(signed(claims | {"token_type": "access", "iat": int(time.time()) + 8}))
    assert not is_accepted(signed(claims | {"token_type": "access", "iat": int(time.time()) + 13}))


def test_one_kind_is_not_taken_for_the_other(post, alice, sign_in):
    own = sign_in("alice")
    assert not is_accepted(own["refresh"])
    assert post("refresh", refresh=own["access"]).status_code == 401
    assert post("logout", refresh=own["access"]).status_code == 401
    assert is_accepted(own["access"])


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer a b", "bearer nonsense", "Bearer \xff\xfe", "Bearer ..."]
)
def test_a_broken_header_is_401(anonymous, header):
    answer = anonymous.get("/api/v1/users/me/", HTTP_AUTHORIZATION=header)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"


def test_another_scheme_is_no_sign_in(anonymous):
    for header in ("Basic YWxpY2U6eA==", "Token abc", ""):
        assert anonymous.get("/api/v1/users/me/", HTTP_AUTHORIZATION=header).status_code == 401


def test_the_scheme_is_read_in_any_case(alice, sign_in, anonymous):
    answer = anonymous.get("/api/v1/users/me/", HTTP_AUTHORIZATION=f"bEaReR {sign_in('alice')['access']}")
    assert answer.status_code == 200


def test_verify_tells_what_would_be_accepted_now(post, alice, sign_in):
    first = sign_in("alice")
    for kind in ("access", "refresh"):
        assert post("verify", token=first[kind]).status_code == 200
    second = post("refresh", refresh=first["refresh"]).json()
    # A double send of the first would still be answered.
    assert post("verify", token=first["refresh"]).status_code == 200
    AuthSession.objects.update(rotated_at=AuthSession.objects.get().created_at.replace(year=2020))
    assert post("verify", token=first["refresh"]).status_code == 401
    # Asking is not using it: the sign-in is not over.
    assert post("verify", token=second["refresh"]).status_code == 200
    assert post("logout", refresh=second["refresh"]).status_code == 204
    for kind in ("access", "refresh"):
        answer = post("verify", token=second[kind])
        assert (answer.status_code, answer.json()["code"]) == (401, "token_not_valid")
    assert post("verify").status_code == 400


def keys():
    return [ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)]


@pytest.mark.parametrize("key", keys(), ids=["EC", "RSA"])
def test_another_service_checks_tokens_with_the_published_keys(anonymous, alice, key, monkeypatch):
    backend = tokens.SigningBackend(key)
    monkeypatch.setattr(tokens, "backend", backend)
    monkeypatch.setattr(tokens.AccessToken, "_token_backend", backend)
    monkeypatch.setattr(tokens.RefreshToken, "_token_backend", backend)
    access = tokens.sign_in(alice, device="tests").access
    assert is_accepted(access)

    answer = anonymous.get("/.well-known/jwks.json")
    assert answer.status_code == 200
    assert "public" in answer["Cache-Control"]
    published = {jwk["kid"]: jwk for jwk in answer.json()["keys"]}
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


def test_a_token_carries_nothing_but_ids(alice, sign_in):
    own = sign_in("alice")
    for kind in ("access", "refresh"):
        claims = jwt.decode(own[kind], options={"verify_signature": False})
        assert claims.keys() == {"token_type", "exp", "iat", "jti", "sub", "sid"}
    assert (
        jwt.decode(own["access"], options={"verify_signature": False})["jti"]
        != (jwt.decode(own["refresh"], options={"verify_signature": False})["jti"])
    )
    assert bearer(own["access"]).head("/.well-known/jwks.json").status_code == 200
