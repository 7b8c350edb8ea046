"""Argon2id hashes of passwords (RFC 9106): the only door to argon2."""

from argon2 import PasswordHasher, profiles
from argon2.exceptions import InvalidHashError, VerificationError


class Passwords:
    """Hashes passwords and checks them, with one of argon2-cffi's profiles."""

    def __init__(self, profile: str) -> None:
        self._hasher = PasswordHasher.from_parameters(getattr(profiles, profile))
        self._nobodys = self._hasher.hash("the password of a user who does not exist")

    def hash(self, password: str) -> str:
        """A salted hash in PHC form, which names its own parameters."""
        return self._hasher.hash(password)

    def verify(self, hashed: str | None, password: str) -> bool:
        """Whether this is the password; without a hash, no, after the same time."""
        try:
            return self._hasher.verify(hashed or self._nobodys, password) and hashed is not None
        except (VerificationError, InvalidHashError):
            return False

    def outdated(self, hashed: str) -> bool:
        """Whether the hash has other parameters than new ones get."""
        return self._hasher.check_needs_rehash(hashed)
