"""Access and refresh tokens. SimpleJWT signs and verifies them; the AuthSession row decides whether they are accepted.

SimpleJWT's own rotation accepts concurrent uses of one refresh token and does not revoke a stolen token family. Here
the session row is locked while a token is exchanged, and reuse of an old token revokes the whole session.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any, cast

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from jwt.utils import base64url_encode
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import Token

from accounts.events import emit
from accounts.models import AuthSession, User, new_jti
from accounts.models.sessions import AuthSessionQuerySet
from core.db.prepared import prepared
from core.db.transactions import atomic_with_retry
from core.encryption import decrypt, encrypt

ENCRYPTION_PURPOSE = "refresh"
# The claim of an access token that names the refresh token it was issued with.
PAIR_CLAIM = "pair"


class InvalidToken(AuthenticationFailed):
    """401 for a token that is not accepted. The code does not reveal more than the client is allowed to know."""

    default_detail = _("The token is invalid or has expired.")
    default_code = "token_not_valid"


class VerifyingTokenBackend(TokenBackend):
    """SimpleJWT's backend with a public key."""

    def __init__(self, public: Any) -> None:
        self.public = public
        algorithm = "RS256" if isinstance(public, rsa.RSAPublicKey) else "ES256"
        pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        leeway = cast(int, settings.SIMPLE_JWT["LEEWAY"])
        super().__init__(algorithm, verifying_key=pem.decode(), leeway=leeway)
        self.kid = self._thumbprint()

    def jwk(self) -> dict[str, Any]:
        """Return the public key as a JSON Web Key (RFC 7517)."""
        return self._public_jwk() | {"kid": self.kid, "use": "sig", "alg": self.algorithm}

    def _public_jwk(self) -> dict[str, Any]:
        algorithm = jwt.get_algorithm_by_name(self.algorithm)
        fields = algorithm.to_jwk(self.public, as_dict=True)
        return {name: fields[name] for name in ("crv", "e", "kty", "n", "x", "y") if name in fields}

    def _thumbprint(self) -> str:
        """Return the JWK thumbprint (RFC 7638): the digest of the required members in lexical order."""
        canonical = json.dumps(self._public_jwk(), sort_keys=True, separators=(",", ":"))
        return base64url_encode(sha256(canonical.encode()).digest()).decode()


class KeyIDTokenBackend(VerifyingTokenBackend):
    """A backend that signs with the header `kid`, by which other services find the key in the JWKS.

    It also accepts tokens of `others`: of keys that signed earlier, or that will sign next.
    """

    def __init__(self, key: Any, others: Sequence[Any] = ()) -> None:
        super().__init__(key.public_key())
        pem = serialization.Encoding.PEM
        private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        self.signing_key = private.decode()
        backends = [VerifyingTokenBackend(public) for public in others]
        self.others = {backend.kid: backend for backend in backends if backend.kid != self.kid}

    def encode(self, payload: dict[str, Any]) -> str:
        """Return the signed token."""
        return jwt.encode(payload, self.prepared_signing_key, algorithm=self.algorithm, headers={"kid": self.kid})

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:
        """Return the payload of a token. Raises TokenBackendError."""
        other = self.others.get(_key_id(token)) if self.others else None
        return other.decode(token, verify) if other else super().decode(token, verify)

    def jwks(self) -> list[dict[str, Any]]:
        """Return all keys that verify tokens, as JSON Web Keys."""
        return [backend.jwk() for backend in (self, *self.others.values())]


def _key_id(token: Any) -> str:
    """Return the id of the key that has signed a token, according to the token."""
    try:
        return str(jwt.get_unverified_header(token).get("kid"))
    except jwt.InvalidTokenError:
        return ""


backend = KeyIDTokenBackend(settings.JWT_PRIVATE_KEY, settings.JWT_VERIFYING_KEYS)


class AccessToken(Token):
    """Token that authorizes requests: valid for 15 minutes, and only while its session is active."""

    token_type = "access"  # noqa: S105  not a password
    lifetime = cast(timedelta, settings.SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"])
    _token_backend = backend


class RefreshToken(Token):
    """Token that can be exchanged for the next pair, and again until that has been used."""

    token_type = "refresh"  # noqa: S105
    lifetime = cast(timedelta, settings.SIMPLE_JWT["REFRESH_TOKEN_LIFETIME"])
    _token_backend = backend


@dataclass(frozen=True)
class TokenPair:
    """The tokens that a client gets at sign-in and at each refresh."""

    access: str
    refresh: str
    # Seconds from now, because the clock of a phone may be wrong.
    expires_in: int
    refresh_expires_in: int


@atomic_with_retry
def sign_in(user: User, *, device: str) -> TokenPair:
    """Create a session. Raises PasswordChangedError, so that a password change never misses a concurrent sign-in."""
    user.lock(password_hash=user.password)
    session = AuthSession(user=user, device=device, jti=new_jti(), expires_at=timezone.now() + RefreshToken.lifetime)
    session.save(force_insert=True)
    emit("session.created", user.pk, object_id=session.pk, detail=device)
    return _issue_pair(session)


def refresh(token: str) -> TokenPair:
    """Exchange a refresh token for a new pair. Raises InvalidToken; with `token_reused` the session is revoked.

    A retry within REFRESH_GRACE_SECONDS returns the same pair, unless one of its tokens has been used.
    """
    claims = _decode(RefreshToken, token)
    result = _rotate(claims)
    if isinstance(result, TokenPair):
        return result
    # Raised outside the transaction, which would otherwise roll back the revocation.
    raise InvalidToken(code=result) if result else InvalidToken()


@atomic_with_retry
def _rotate(claims: Token) -> TokenPair | str:
    """Return the next pair, or the error code (`""` for the default)."""
    session = AuthSession.objects.select_for_update().filter(pk=claims["sid"]).first()
    if session is None or not session.is_active or not session.user.can_sign_in:
        return ""
    now = timezone.now()
    if claims["jti"] == session.jti:
        session.previous_jti, session.jti, session.rotated_at, session.last_used_at = session.jti, new_jti(), now, now
        session.expires_at = now + RefreshToken.lifetime
        pair = _issue_pair(session)
        session.grace_token_pair = encrypt(json.dumps([pair.access, pair.refresh]), purpose=ENCRYPTION_PURPOSE)
        session.save(
            update_fields=["previous_jti", "jti", "rotated_at", "last_used_at", "expires_at", "grace_token_pair"]
        )
        return pair
    grace_pair = _grace_pair(session, claims)
    if grace_pair:
        return grace_pair
    AuthSession.objects.filter(pk=session.pk).revoke()
    emit("session.reused", session.user_id, object_id=session.pk, detail=session.device)
    return "token_reused"


def _grace_pair(session: AuthSession, claims: Token) -> TokenPair | None:
    """Return the pair that this token was exchanged for within the grace period, or None."""
    if claims["jti"] != session.previous_jti or session.rotated_at is None:
        return None
    age = timezone.now() - session.rotated_at
    if age > timedelta(seconds=settings.REFRESH_GRACE_SECONDS):
        return None
    text = decrypt(session.grace_token_pair, purpose=ENCRYPTION_PURPOSE)
    return _pair(*json.loads(text), age=age) if text else None


def get_session(token: str) -> AuthSession:
    """Return the session of a valid access token, with its user. Raises InvalidToken."""
    claims = _decode(AccessToken, token)
    session = _get_valid_session(claims)
    session.uses_new_pair = bool(session.grace_token_pair) and claims.get(PAIR_CLAIM) == session.jti
    return session


def verify(token: str) -> None:
    """Raise InvalidToken unless the access or refresh token would be accepted now."""
    try:
        claims = _decode(AccessToken, token)
    except InvalidToken:
        claims = _decode(RefreshToken, token)
        session = _get_valid_session(claims)
        if claims["jti"] != session.jti and not _grace_pair(session, claims):
            raise InvalidToken from None
    else:
        _get_valid_session(claims)


def sign_out(token: str) -> None:
    """Revoke the session of a refresh token, unless it has ended already. Raises InvalidToken for a forged token."""
    session = AuthSession.objects.filter(pk=_decode(RefreshToken, token)["sid"]).first()
    if session:
        revoke_session(session)


@atomic_with_retry
def revoke_session(session: AuthSession) -> None:
    """Revoke the session, unless it has ended already."""
    if AuthSession.objects.filter(pk=session.pk).revoke():
        emit("session.ended", session.user_id, object_id=session.pk, detail=session.device)


@atomic_with_retry
def revoke_other_sessions(user: User, *, keep: AuthSession | None) -> None:
    """Revoke all sessions of the user but `keep`."""
    if AuthSession.objects.filter(user=user).exclude(pk=keep.pk if keep else 0).revoke():
        emit("sessions.ended", user.pk)


@prepared
def _sessions() -> AuthSessionQuerySet:
    return AuthSession.objects.select_related("user")


def _get_valid_session(claims: Token) -> AuthSession:
    try:
        session = _sessions().get(pk=claims["sid"])
    except AuthSession.DoesNotExist:
        raise InvalidToken from None
    if not session.user.is_active:
        raise InvalidToken
    # Checked first, because a suspension also revokes the session.
    if session.user.is_suspended:
        raise InvalidToken(_("This account is suspended."), code="account_suspended")
    if not session.is_active:
        raise InvalidToken
    return session


@lru_cache(maxsize=2000)
def _verify(kind: Any, token: str) -> Token:
    """Return the claims of a token with a valid signature. A client sends the same token for 15 minutes."""
    return cast(Token, kind(token))


def _decode(kind: type[Token], token: str) -> Token:
    try:
        claims = _verify(cast(Any, kind), token)
        claims.check_exp(current_time=timezone.now())
    except (TokenError, ArithmeticError, RecursionError, TypeError, ValueError):
        # SimpleJWT and PyJWT let other exceptions through for some malformed tokens.
        raise InvalidToken from None
    if type(claims.get("sid")) is not int or not isinstance(claims.get("jti"), str):
        raise InvalidToken
    return claims


def _issue_pair(session: AuthSession) -> TokenPair:
    access, refresh_token = AccessToken(), RefreshToken()
    for token in (access, refresh_token):
        token["sub"], token["sid"] = str(session.user_id), session.pk
    refresh_token["jti"] = access[PAIR_CLAIM] = session.jti
    return _pair(str(access), str(refresh_token))


def _pair(access: str, refresh_token: str, *, age: timedelta = timedelta()) -> TokenPair:
    """Return a pair that was issued this long ago."""
    lifetimes = (int((lifetime - age).total_seconds()) for lifetime in (AccessToken.lifetime, RefreshToken.lifetime))
    return TokenPair(access, refresh_token, *lifetimes)
