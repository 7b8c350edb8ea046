"""What a user is, and which names and passwords are fit to be one's."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from graphql_api import clock
from graphql_api.errors import BadUserInput
from graphql_api.ids import new_id

USERNAME_LENGTH = (3, 64)  # characters after NFKC
PASSWORD_BYTES = (8, 1024)  # bytes of UTF-8 after NFC


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person with an account; `password` is the Argon2 hash and never leaves the service."""

    user_id: str
    username: str
    password: str
    created_at: datetime

    @classmethod
    def new(cls, *, username: str, password: str, now: datetime) -> "User":
        """A user of this name (as typed) and password hash, registered now."""
        return cls(
            user_id=new_id(now),
            username=username.strip(),
            password=password,
            created_at=clock.milliseconds(now),
        )


def username_key(username: str) -> str:
    """The form in which two usernames are the same: NFKC, case-folded, trimmed.

    Raises BadUserInput for a name that nobody can have.
    """
    shown = unicodedata.normalize("NFKC", username).strip()
    low, high = USERNAME_LENGTH
    if not low <= len(shown) <= high:
        raise BadUserInput(f"A username has {low} to {high} characters.", "username")
    # Category C: control, format, surrogate, private and unassigned code points, with which
    # one name could be made to look like another.
    if any(unicodedata.category(character).startswith("C") for character in shown):
        raise BadUserInput("A username has no control characters.", "username")
    return unicodedata.normalize("NFKC", shown.casefold())


def new_password(text: str, field: str = "password") -> str:
    """A password fit to be set, in the form that is hashed (NFC, RFC 8265).

    Raises BadUserInput.
    """
    low, _ = PASSWORD_BYTES
    password = typed_password(text, field)
    if len(password.encode()) < low:
        raise BadUserInput(f"A password has at least {low} bytes.", field)
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
