"""What a user is, and which names and passwords are fit to be one's."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any

from graphql_api import clock
from graphql_api.domain.accounts import common_passwords
from graphql_api.errors import BadUserInput
from graphql_api.ids import new_id

USERNAME_LENGTH = (3, 64)  # characters after NFKC
LONGEST_TYPED = 256  # characters before
_LINES = {"Zl", "Zp"}
PASSWORD_BYTES = (8, 1024)  # bytes of UTF-8 after NFC
ONE_CHARACTER = 64  # so often, and less, is no password
NETWORK_BITS = 64  # of an IPv6 address: what one customer has
DEVICE_LENGTH = 200  # characters of what a device says of itself
LONGEST_IDLE = timedelta(days=14)  # without a refresh
LONGEST_SESSION = timedelta(days=60)
GRACE = timedelta(seconds=10)  # for a client that did not get the answer to its refresh


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person with an account; `password` is the Argon2 hash and never leaves the service."""

    user_id: str
    username: str
    password: str
    created_at: datetime
    generation: int = 1  # of the sessions: those of an earlier one have ended
    deleting: bool = False

    @classmethod
    def new(cls, *, username: str, password: str, now: datetime) -> "User":
        """A user of this name (as typed) and password hash, registered now."""
        return cls(
            user_id=new_id(now),
            username=username.strip(),
            password=password,
            created_at=clock.milliseconds(now),
        )


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request comes from: what the device says of itself, and its address."""

    device: str
    address: str

    @property
    def network(self) -> str:
        """What attempts are counted by: an IPv4 address, or the network of an IPv6 one."""
        try:
            address = ip_address(self.address)
        except ValueError:
            return self.address
        if isinstance(address, IPv4Address):
            return str(address)
        return str(address.ipv4_mapped or ip_network((address, NETWORK_BITS), strict=False))


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A login on one device; of its refresh token only the hash is kept."""

    session_id: str
    user_id: str
    generation: int
    device: str
    address: str  # a keyed digest of where the login came from
    refresh_hash: str
    previous_hash: str | None
    created_at: datetime
    last_used_at: datetime
    ends_at: datetime
    expires_at: int  # epoch seconds, as DynamoDB's TTL is

    @classmethod
    def new(
        cls,
        user: User,
        *,
        session_id: str,
        device: str,
        address: str,
        refresh_hash: str,
        now: datetime,
    ) -> "Session":
        """A session of this user's that begins now."""
        at = clock.milliseconds(now)
        return cls(
            session_id=session_id,
            user_id=user.user_id,
            generation=user.generation,
            device=device[:DEVICE_LENGTH],
            address=address,
            refresh_hash=refresh_hash,
            previous_hash=None,
            created_at=at,
            last_used_at=at,
            ends_at=at + LONGEST_SESSION,
            expires_at=_idle_end(at, at + LONGEST_SESSION),
        )

    def refreshed(self, refresh_hash: str, now: datetime) -> dict[str, Any]:
        """What changes when the refresh token is exchanged for the one of this hash."""
        at = clock.milliseconds(now)
        return {
            "refresh_hash": refresh_hash,
            "previous_hash": self.refresh_hash,
            "last_used_at": at,
            "expires_at": _idle_end(at, self.ends_at),
        }

    def alive(self, user: User, now: datetime) -> bool:
        """Whether the user's session still holds: neither ended nor expired."""
        return (
            not user.deleting
            and user.generation == self.generation
            and now.timestamp() < self.expires_at
        )

    def just_replaced(self, refresh_hash: str, now: datetime) -> bool:
        """Whether this was the refresh token until a moment ago: an honest client may retry."""
        return refresh_hash == self.previous_hash and now - self.last_used_at <= GRACE


def _idle_end(now: datetime, end: datetime) -> int:
    return int(min(now + LONGEST_IDLE, end).timestamp())


def username_key(username: str) -> str:
    """The form in which two usernames are the same: NFKC, case-folded, trimmed.

    Raises BadUserInput for a name that nobody can have.
    """
    low, high = USERNAME_LENGTH
    # Normalising takes time that grows with the square of what is piled up on one letter.
    if len(username) > LONGEST_TYPED:
        raise BadUserInput(f"A username has {low} to {high} characters.", "username")
    typed = unicodedata.normalize("NFKC", username)
    shown = typed.strip()
    if not low <= len(shown) <= high:
        raise BadUserInput(f"A username has {low} to {high} characters.", "username")
    # Category C: control, format, surrogate, private and unassigned code points, with which
    # one name could be made to look like another; Zl and Zp end a line.
    if any(unicodedata.category(c)[0] == "C" or unicodedata.category(c) in _LINES for c in typed):
        raise BadUserInput("A username has no control characters.", "username")
    return unicodedata.normalize("NFKC", shown.casefold())


def new_password(text: str, username: str, field: str = "password") -> str:
    """A password fit to be set by this user, in the form that is hashed (NFC, RFC 8265).

    Raises BadUserInput for one that attackers would try first (NIST SP 800-63B, 5.1.1.2).
    """
    low, _ = PASSWORD_BYTES
    password = typed_password(text, field)
    if len(password.encode()) < low:
        raise BadUserInput(f"A password has at least {low} bytes.", field)
    if username_key(username) == unicodedata.normalize("NFKC", password.strip().casefold()):
        raise BadUserInput("A password is not the username.", field)
    one_character = len(set(password)) == 1 and len(password) <= ONE_CHARACTER
    if one_character or password.casefold() in common_passwords.passwords():
        raise BadUserInput("The password is among the most common ones: take another.", field)
    return password


def typed_password(text: str, field: str = "password") -> str:
    """A password as it is compared: NFC; BadUserInput for what no password can be."""
    _, high = PASSWORD_BYTES
    # NFC cannot shrink a text below a third of its length, so this bounds its work, too.
    if len(text) > 3 * high:
        raise BadUserInput(f"A password has at most {high} bytes.", field)
    password = unicodedata.normalize("NFC", text)
    try:
        size = len(password.encode())
    except UnicodeEncodeError:
        raise BadUserInput("A password is valid Unicode.", field) from None
    if size > high:
        raise BadUserInput(f"A password has at most {high} bytes.", field)
    if "\0" in password:
        raise BadUserInput("A password has no NUL character.", field)
    return password
