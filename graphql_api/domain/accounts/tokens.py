"""Access tokens: JSON Web Tokens as RFC 9068 profiles them; the only door to PyJWT."""

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

from graphql_api.errors import Unauthenticated
from graphql_api.ids import new_id

ISSUER = AUDIENCE = "smart-task-scheduler"
ALGORITHM = "HS256"
TYPE = "at+jwt"  # RFC 9068, section 2.1
HEADER = {"alg", "typ", "kid"}  # nothing that could lead to another key, or another reading
LONGEST = 4096  # characters of an Authorization header
LEEWAY = 10  # seconds that clocks may differ
REMEMBERED = 2_000  # tokens that were verified

_ID = re.compile(r"[\w-]{1,128}", re.ASCII)
_REFRESH = re.compile(r"([\w-]{1,128})\.([\w-]{1,128})\.([\w-]{43})", re.ASCII)
_CREDENTIALS = re.compile(r"(?:bearer +)?([\w-]+\.[\w-]+\.[\w-]+)", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A signed token and the instant at which it ends."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is asking, in which session."""

    user_id: str
    session_id: str


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """An opaque token of 256 random bits, which names the session that it is for."""

    user_id: str
    session_id: str
    secret: str

    @classmethod
    def new(cls, user_id: str, session_id: str) -> "RefreshToken":
        """A fresh one for this session."""
        return cls(user_id, session_id, secrets.token_urlsafe(32))

    @classmethod
    def parse(cls, text: str) -> "RefreshToken":
        """The token that a client presents; Unauthenticated for any other text."""
        match = _REFRESH.fullmatch(text)
        if match is None:
            raise Unauthenticated("The refresh token is invalid.")
        return cls(*match.groups())

    @property
    def text(self) -> str:
        """The token as the client keeps it."""
        return f"{self.user_id}.{self.session_id}.{self.secret}"

    @property
    def hash(self) -> str:
        """What of it is stored: enough bits are random that a plain hash cannot be reversed."""
        return hashlib.sha256(self.secret.encode()).hexdigest()


class Tokens:
    """Issues and verifies access tokens; the key is chosen by `kid`, from our own ring only."""

    def __init__(self, keys: Sequence[bytes], ttl: int) -> None:
        """The first key signs; the others are still accepted while keys are rotated."""
        self._ttl = timedelta(seconds=ttl)
        self._kid = _kid(keys[0])
        self._ring = {_kid(key): key for key in keys}
        # To verify one takes 0.2 ms of CPU, and who has it comes again.
        self._verified = lru_cache(REMEMBERED)(self._verify)

    def issue(self, user_id: str, session_id: str, now: datetime) -> AccessToken:
        """A token for this user's session, from now on for the configured time."""
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

    def successor(self, spent: RefreshToken) -> RefreshToken:
        """The refresh token that this one is exchanged for: the same, however often it is asked.

        Only who has the key can tell it from the spent one.
        """
        digest = hmac.digest(self._ring[self._kid], b"refresh" + spent.secret.encode(), "sha256")
        secret = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        return RefreshToken(spent.user_id, spent.session_id, secret)

    def viewer(self, authorization: str | None) -> Viewer:
        """Who is behind an Authorization header: `Bearer <jwt>` or a bare `<jwt>`.

        Raises Unauthenticated.
        """
        if not authorization:
            raise Unauthenticated("Authentication is required.")
        match = _CREDENTIALS.fullmatch(authorization.strip(" "))
        if match is None or len(authorization) > LONGEST:
            raise Unauthenticated("The Authorization header must be 'Bearer <token>'.")
        viewer, ends = self._verified(match[1])
        if time.time() > ends:
            raise Unauthenticated("The token has expired.")
        return viewer

    def _verify(self, token: str) -> tuple[Viewer, float]:
        claims = self._claims(token)
        return Viewer(claims["sub"], claims["sid"]), claims["exp"] + LEEWAY

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            kid = header.get("kid")
            if header.keys() != HEADER or header["typ"] != TYPE:
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
        # PyJWT takes any number, or a text of one, for a time, and any text for a subject.
        if (type(claims["iat"]), type(claims["exp"])) != (int, int):
            raise Unauthenticated("The token is invalid.")
        if not all(isinstance(i, str) and _ID.fullmatch(i) for i in (claims["sub"], claims["sid"])):
            raise Unauthenticated("The token is invalid.")
        if not 0 < claims["exp"] - claims["iat"] <= self._ttl.total_seconds():
            raise Unauthenticated("The token is invalid.")
        return claims


def _kid(secret: bytes) -> str:
    """A name for a key that tells nothing of it."""
    return hmac.digest(secret, b"kid", hashlib.sha256).hex()[:16]
