"""Access tokens: JSON Web Tokens as RFC 9068 profiles them; the only door to PyJWT."""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt

from graphql_api.errors import Unauthenticated
from graphql_api.ids import new_id

ISSUER = AUDIENCE = "smart-task-scheduler"
ALGORITHM = "HS256"
TYPE = "at+jwt"  # RFC 9068, section 2.1
LONGEST = 4096  # characters of an Authorization header

_CREDENTIALS = re.compile(r"(?:bearer +)?([\w-]+\.[\w-]+\.[\w-]+)", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A signed token and the instant at which it ends."""

    token: str
    expires_at: datetime


class Tokens:
    """Issues and verifies access tokens; the key is chosen by `kid`, from our own ring only."""

    def __init__(self, secrets: Sequence[bytes], ttl: int) -> None:
        """The first secret signs; the others are still accepted while keys are rotated."""
        self._ttl = timedelta(seconds=ttl)
        self._kid = _kid(secrets[0])
        self._ring = {_kid(secret): secret for secret in secrets}

    def issue(self, user_id: str, now: datetime) -> AccessToken:
        """A token for this user, from now on for the configured time."""
        issued = now.replace(microsecond=0)
        expires = issued + self._ttl
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": user_id,
            "jti": new_id(now),
            "iat": int(issued.timestamp()),
            "exp": int(expires.timestamp()),
        }
        headers = {"kid": self._kid, "typ": TYPE}
        token = jwt.encode(claims, self._ring[self._kid], ALGORITHM, headers)
        return AccessToken(token, expires)

    def viewer(self, authorization: str | None) -> str:
        """The user id behind an Authorization header: `Bearer <jwt>` or a bare `<jwt>`.

        Raises Unauthenticated.
        """
        if not authorization:
            raise Unauthenticated("Authentication is required.")
        match = _CREDENTIALS.fullmatch(authorization.strip(" "))
        if match is None or len(authorization) > LONGEST:
            raise Unauthenticated("The Authorization header must be 'Bearer <token>'.")
        return str(self._claims(match[1])["sub"])

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            kid = header.get("kid")
            if header.get("typ") != TYPE or not isinstance(kid, str) or kid not in self._ring:
                raise Unauthenticated("The token is invalid.")
            claims: dict[str, Any] = jwt.decode(
                token,
                self._ring[kid],
                [ALGORITHM],
                issuer=ISSUER,
                audience=AUDIENCE,
                leeway=10,
                options={
                    "require": ["iss", "aud", "sub", "jti", "iat", "exp"],
                    "strict_aud": True,
                    "enforce_minimum_key_length": True,
                },
            )
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("The token has expired.") from None
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError):
            raise Unauthenticated("The token is invalid.") from None
        # PyJWT takes any number, or a text of one, for a time.
        if type(claims["iat"]) is not int or type(claims["exp"]) is not int:
            raise Unauthenticated("The token is invalid.")
        if not 0 < claims["exp"] - claims["iat"] <= self._ttl.total_seconds():
            raise Unauthenticated("The token is invalid.")
        return claims


def _kid(secret: bytes) -> str:
    """A name for a key that tells nothing of it."""
    return hmac.digest(secret, b"kid", hashlib.sha256).hex()[:16]
