"""Access tokens (JWT, RFC 9068) and refresh tokens; the only module that imports PyJWT."""

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import jwt

from graphql_api.domain.access.model import EVERYTHING, Confinement
from graphql_api.domain.access.model import AccessToken as ProgramToken
from graphql_api.errors import Unauthenticated
from graphql_api.ids import ID_PATTERN, is_id, new_id

ISSUER = AUDIENCE = "smart-task-scheduler"
ALGORITHM = "HS256"
TYPE = "at+jwt"  # RFC 9068, section 2.1
HEADER_FIELDS = {"alg", "typ", "kid"}  # no other: `jku`, `crit` … could change what a token means
MAX_HEADER_LENGTH = 4096  # characters of an Authorization header
LEEWAY = 10  # seconds that clocks may differ
CACHE_SIZE = 2_000  # verified access tokens

_REFRESH = re.compile(rf"({ID_PATTERN})\.({ID_PATTERN})\.([\w-]{{43}})([\w-]{{22}})?", re.ASCII)
_CREDENTIALS = re.compile(r"(?:bearer +)?(?!bearer$)([^ ]+)", re.ASCII | re.IGNORECASE)
_JWT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)  # JWS Compact Serialization


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A signed token and the time at which it expires."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """The user and the session for whom a request is; or the token of a program."""

    user_id: str
    session_id: str
    token: ProgramToken | None = None

    @property
    def confinement(self) -> Confinement:
        """The tasks that the request may see."""
        return self.token.confinement if self.token else EVERYTHING


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A secret of 256 bits with the user and the session it belongs to, and a tag.

    The tag is a MAC of the rest: it tells tokens that were issued here from invented ones. Tokens
    that were issued before tags were introduced have none.
    """

    user_id: str
    session_id: str
    secret: str
    tag: str = ""

    @classmethod
    def parse(cls, text: str) -> "RefreshToken":
        """Parse a token as clients send it. Raises Unauthenticated."""
        match = _REFRESH.fullmatch(text)
        if match is None:
            raise Unauthenticated("The refresh token is invalid.")
        return cls(*match.groups(""))

    @property
    def text(self) -> str:
        """The token as clients send it."""
        return f"{self.user_id}.{self.session_id}.{self.secret}{self.tag}"

    @property
    def hash(self) -> str:
        """The stored form; the secret is random enough for an unsalted hash."""
        return hashlib.sha256(self.secret.encode()).hexdigest()


class Tokens:
    """Issues and verifies tokens with a ring of keys; a token's `kid` names its key."""

    def __init__(self, keys: Sequence[bytes], ttl: int) -> None:
        """Sign with the first key and accept all; `ttl` of access tokens is in seconds."""
        self._ttl = timedelta(seconds=ttl)
        self._kid = _kid(keys[0])
        self._ring = {_kid(key): key for key in keys}
        # Verifying takes 0.2 ms of CPU, and clients send the same token again.
        self._verified = lru_cache(CACHE_SIZE)(self._verify)

    def issue(self, user_id: str, session_id: str, now: datetime) -> AccessToken:
        """Issue an access token for this user's session."""
        issued = now.replace(microsecond=0)
        expires = issued + self._ttl
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": user_id,
            "sid": session_id,
            "jti": new_id(now),
            "iat": int(issued.timestamp()),
            "exp": int(expires.timestamp()),
        }
        headers = {"kid": self._kid, "typ": TYPE}
        token = jwt.encode(claims, self._ring[self._kid], ALGORITHM, headers)
        return AccessToken(token, expires)

    def new_refresh_token(self, user_id: str, session_id: str) -> RefreshToken:
        """Make a random refresh token for this session."""
        return self._tagged(user_id, session_id, secrets.token_urlsafe(32))

    def successor(self, spent: RefreshToken) -> RefreshToken:
        """Derive the refresh token that this one is exchanged for, always the same one.

        Without the signing key it cannot be derived from the spent token.
        """
        secret = _next_secret(self._ring[self._kid], spent.secret)
        return self._tagged(spent.user_id, spent.session_id, secret)

    def descendant(self, spent: RefreshToken, exchanges: int, hashed: str) -> RefreshToken | None:
        """Derive the refresh token with this hash, which so many exchanges led to from `spent`.

        Returns None if that took other keys, or several ones.
        """
        for key in self._ring.values():
            secret = spent.secret
            for _ in range(exchanges):
                secret = _next_secret(key, secret)
            token = self._tagged(spent.user_id, spent.session_id, secret)
            if token.hash == hashed:
                return token
        return None

    def has_issued(self, token: RefreshToken) -> bool:
        """Tell whether a refresh token carries a tag by one of our keys."""
        tags = [
            _tag(key, token.user_id, token.session_id, token.secret) for key in self._ring.values()
        ]
        return any(hmac.compare_digest(token.tag, tag) for tag in tags)

    def _tagged(self, user_id: str, session_id: str, secret: str) -> RefreshToken:
        tag = _tag(self._ring[self._kid], user_id, session_id, secret)
        return RefreshToken(user_id, session_id, secret, tag)

    def verify(self, token: str) -> Identity:
        """Verify a JWT. Raises Unauthenticated."""
        if not _JWT.fullmatch(token):
            raise _unreadable()
        identity, expiry = self._verified(token)
        if time.time() > expiry:
            raise Unauthenticated("The token has expired.")
        return identity

    def _verify(self, token: str) -> tuple[Identity, float]:
        claims = self._claims(token)
        return Identity(claims["sub"], claims["sid"]), claims["exp"] + LEEWAY

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            kid = header.get("kid")
            if header.keys() != HEADER_FIELDS or header["typ"] != TYPE:
                raise Unauthenticated("The token is invalid.")
            if not isinstance(kid, str) or kid not in self._ring:
                raise Unauthenticated("The token is invalid.")
            claims: dict[str, Any] = jwt.decode(
                token,
                self._ring[kid],
                [ALGORITHM],
                issuer=ISSUER,
                audience=AUDIENCE,
                leeway=LEEWAY,
                options={
                    "require": ["iss", "aud", "sub", "sid", "jti", "iat", "exp"],
                    "strict_aud": True,
                    "enforce_minimum_key_length": True,
                },
            )
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("The token has expired.") from None
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError):
            raise Unauthenticated("The token is invalid.") from None
        # PyJWT accepts any number, or a numeric text, as a time and any text as a subject.
        if (type(claims["iat"]), type(claims["exp"])) != (int, int):
            raise Unauthenticated("The token is invalid.")
        if not all(
            isinstance(claim, str) and is_id(claim) for claim in (claims["sub"], claims["sid"])
        ):
            raise Unauthenticated("The token is invalid.")
        if not 0 < claims["exp"] - claims["iat"] <= self._ttl.total_seconds():
            raise Unauthenticated("The token is invalid.")
        return claims


def credentials(authorization: str | None) -> str:
    """The token of an Authorization header: `Bearer <token>` or a bare `<token>`.

    Raises Unauthenticated.
    """
    if not authorization:
        raise Unauthenticated("Authentication is required.")
    match = _CREDENTIALS.fullmatch(authorization.strip(" "))
    if match is None:
        raise Unauthenticated("The Authorization header must be 'Bearer <token>'.")
    if len(authorization) > MAX_HEADER_LENGTH:
        raise _unreadable()
    return match[1]


def _unreadable() -> Unauthenticated:
    return Unauthenticated("The token cannot be read: it is incomplete or malformed.")


# Each use of a key has its own prefix, and no text of one use can be one of another.


def _kid(key: bytes) -> str:
    """Name a key by a digest that reveals nothing about it."""
    return hmac.digest(key, b"kid", "sha256").hex()[:16]


def _next_secret(key: bytes, secret: str) -> str:
    return _base64(hmac.digest(key, b"refresh" + secret.encode(), "sha256"))


def _tag(key: bytes, user_id: str, session_id: str, secret: str) -> str:
    """Return the MAC of a refresh token: 128 bits in 22 characters."""
    text = f"refresh token: {user_id}.{session_id}.{secret}"
    return _base64(hmac.digest(key, text.encode(), "sha256")[:16])


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
