"""The text of access tokens, by which secret scanners know them, as they know GitHub's.

    sts_<owner><secret><checksum>, each in base 62

The owner's id says where to look, without an index of all tokens. The secret has 178 bits. The
checksum is CRC-32 of all before it, so that what is no token, or has lost a character, is told
from one without a look into the store.
https://github.blog/engineering/behind-githubs-new-authentication-token-formats/
"""

import hashlib
import re
import secrets
import string
import zlib
from dataclasses import dataclass

from graphql_api.errors import Unauthenticated
from graphql_api.ids import is_id

PREFIX = "sts_"
DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
SECRET_LENGTH = 30
CHECKSUM_LENGTH = 6

_TEXT = re.compile(
    rf"{PREFIX}([0-9A-Za-z]+)[0-9A-Za-z]{{{SECRET_LENGTH}}}([0-9A-Za-z]{{{CHECKSUM_LENGTH}}})",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class SecretText:
    """The text of a token, and whose it says that it is."""

    text: str
    user_id: str

    @classmethod
    def new(cls, user_id: str) -> "SecretText":
        """Make a token's text at random."""
        secret = "".join(secrets.choice(DIGITS) for _ in range(SECRET_LENGTH))
        body = f"{PREFIX}{_owner(user_id)}{secret}"
        return cls(body + _checksum(body), user_id)

    @classmethod
    def parse(cls, text: str) -> "SecretText":
        """Read a token's text. Raises Unauthenticated for one that is not whole."""
        found = _TEXT.fullmatch(text)
        if found is None or _checksum(text[:-CHECKSUM_LENGTH]) != found[2]:
            raise Unauthenticated(
                "The access token is incomplete or mistyped: its checksum does not fit. Copy it"
                " again, or make another one."
            )
        return cls(text, _user_id(found[1]))

    @property
    def hash(self) -> str:
        """The form that is kept; the secret is random enough for an unsalted hash."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def _checksum(text: str) -> str:
    return _base62(zlib.crc32(text.encode())).rjust(CHECKSUM_LENGTH, DIGITS[0])


def _owner(user_id: str) -> str:
    return _base62(int.from_bytes(user_id.encode()))


def _user_id(owner: str) -> str:
    """The id that an owner's digits stand for. Raises Unauthenticated."""
    number = 0
    for digit in owner:
        number = number * len(DIGITS) + DIGITS.index(digit)
    data = number.to_bytes((number.bit_length() + 7) // 8)
    text = data.decode("ascii", "replace")
    if not is_id(text):
        raise Unauthenticated("The access token is none of this service.")
    return text


def _base62(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, len(DIGITS))
        digits = DIGITS[digit] + digits
    return digits
