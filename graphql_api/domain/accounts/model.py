"""Users, sessions and clients; the rules for usernames and passwords. Pure."""

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
MAX_TYPED_USERNAME = 256  # characters before NFKC
PASSWORD_BYTES = (8, 1024)  # bytes of UTF-8 after NFC
MAX_REPETITION = 64  # a password of one character, repeated up to this often, is refused
NETWORK_BITS = 64  # the prefix of an IPv6 address that one customer usually has
DEVICE_LENGTH = 200  # characters of the User-Agent header that are kept
IDLE_TIMEOUT = timedelta(days=14)  # without a refresh
SESSION_LIFETIME = timedelta(days=60)
REFRESH_GRACE = timedelta(seconds=10)  # for a client that missed the response to its refresh
MAX_EXCHANGES = 20  # of refresh tokens that are remembered during that time

_LINE_SEPARATORS = {"Zl", "Zp"}  # Unicode categories


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person with an account; `password` is the hash and never leaves the service."""

    user_id: str
    username: str
    password: str
    created_at: datetime
    generation: int = 1  # sessions of an earlier generation have ended
    deleting: bool = False

    @classmethod
    def new(cls, *, username: str, password: str, now: datetime) -> "User":
        """Make a user with this name (as typed) and password hash."""
        return cls(
            user_id=new_id(now),
            username=username.strip(),
            password=password,
            created_at=clock.milliseconds(now),
        )


@dataclass(frozen=True, slots=True)
class Client:
    """The client of a request: its User-Agent and its IP address."""

    device: str
    address: str

    @property
    def name(self) -> str:
        """The device's name for itself, as far as it is kept; "unknown device" without one."""
        return self.device[:DEVICE_LENGTH] or "unknown device"

    @property
    def network(self) -> str:
        """Return the IPv4 address or the IPv6 /64 network, by which attempts are counted."""
        try:
            address = ip_address(self.address)
        except ValueError:
            return self.address
        if isinstance(address, IPv4Address):
            return str(address)
        return str(address.ipv4_mapped or ip_network((address, NETWORK_BITS), strict=False))


@dataclass(frozen=True, slots=True)
class Exchange:
    """The exchange of a refresh token for the next one."""

    refresh_hash: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A login on one device; its refresh token is kept as a hash only."""

    session_id: str
    user_id: str
    generation: int
    device: str
    address: str  # a keyed digest of the network that the login came from
    refresh_hash: str
    previous_hash: str | None
    created_at: datetime
    last_used_at: datetime
    ends_at: datetime
    expires_at: int  # Unix seconds: the table's TTL attribute
    earlier_exchanges: tuple[Exchange, ...] = ()  # before that of `previous_hash`, oldest first

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
        """Make a session of this user that begins now."""
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
            ends_at=at + SESSION_LIFETIME,
            expires_at=_expiry(at, at + SESSION_LIFETIME),
        )

    def refreshed(self, refresh_hash: str, now: datetime) -> dict[str, Any]:
        """Return the attributes that change when a new refresh token replaces the current one."""
        at = clock.milliseconds(now)
        recent = [each for each in self._exchanges if at - each.at <= REFRESH_GRACE]
        return {
            "refresh_hash": refresh_hash,
            "previous_hash": self.refresh_hash,
            "last_used_at": at,
            "expires_at": _expiry(at, self.ends_at),
            "earlier_exchanges": tuple(recent[-MAX_EXCHANGES:]),
        }

    def is_active(self, user: User, now: datetime) -> bool:
        """Tell whether the user's session has neither ended nor expired."""
        return (
            not user.deleting
            and user.generation == self.generation
            and now.timestamp() < self.expires_at
        )

    def exchanges_since(self, refresh_hash: str, now: datetime) -> int | None:
        """Count the exchanges that led from this refresh token to the current one.

        Returns None unless it was exchanged within REFRESH_GRACE, so that its client may retry.
        """
        for count, exchange in enumerate(reversed(self._exchanges), 1):
            if exchange.refresh_hash == refresh_hash:
                return count if now - exchange.at <= REFRESH_GRACE else None
        return None

    @property
    def _exchanges(self) -> tuple[Exchange, ...]:
        """The latest exchanges, oldest first."""
        if self.previous_hash is None:
            return ()
        return *self.earlier_exchanges, Exchange(self.previous_hash, self.last_used_at)


def _expiry(last_used_at: datetime, ends_at: datetime) -> int:
    return int(min(last_used_at + IDLE_TIMEOUT, ends_at).timestamp())


def username_key(username: str) -> str:
    """Return the form in which usernames are compared: NFKC, trimmed, case-folded.

    Raises BadUserInput for an invalid username.
    """
    low, high = USERNAME_LENGTH
    # Normalising takes time quadratic in the number of combining characters on one letter.
    if len(username) > MAX_TYPED_USERNAME:
        raise BadUserInput(f"A username must have {low} to {high} characters.", "username")
    typed = unicodedata.normalize("NFKC", username)
    shown = typed.strip()
    if not low <= len(shown) <= high:
        raise BadUserInput(f"A username must have {low} to {high} characters.", "username")
    # Control, format, surrogate, private and unassigned code points (categories C*) could make
    # one name look like another.
    categories = set(map(unicodedata.category, typed))
    if categories & _LINE_SEPARATORS or any(category[0] == "C" for category in categories):
        raise BadUserInput("A username must not contain control characters.", "username")
    return unicodedata.normalize("NFKC", shown.casefold())


def new_password(text: str, username: str, field: str = "password") -> str:
    """Validate a password that this user wants to set; return it normalised (NFC, RFC 8265).

    Raises BadUserInput, also for passwords that attackers try first (NIST SP 800-63B, 5.1.1.2).
    """
    low, _ = PASSWORD_BYTES
    password = normalized_password(text, field)
    if len(password.encode()) < low:
        raise BadUserInput(f"A password must have at least {low} bytes.", field)
    if username_key(username) == unicodedata.normalize("NFKC", password.strip().casefold()):
        raise BadUserInput("The password must not be the username.", field)
    repetitive = len(set(password)) == 1 and len(password) <= MAX_REPETITION
    if repetitive or password.casefold() in common_passwords.passwords():
        raise BadUserInput("This password is too common, choose another one.", field)
    return password


def normalized_password(text: str, field: str = "password") -> str:
    """Return a password in the form in which it is hashed and compared: NFC.

    Raises BadUserInput for a text that cannot be a password.
    """
    _, high = PASSWORD_BYTES
    # NFC cannot shrink a text below a third of its length, so this bounds its work, too.
    if len(text) > 3 * high:
        raise BadUserInput(f"A password must have at most {high} bytes.", field)
    password = unicodedata.normalize("NFC", text)
    try:
        size = len(password.encode())
    except UnicodeEncodeError:
        raise BadUserInput("A password must be valid Unicode.", field) from None
    if size > high:
        raise BadUserInput(f"A password must have at most {high} bytes.", field)
    if "\0" in password:
        raise BadUserInput("A password must not contain NUL characters.", field)
    return password
