"""Argon2id hashes of passwords (RFC 9106): the only door to argon2."""

import base64
import secrets
from contextlib import AbstractContextManager
from functools import partial

from argon2 import PasswordHasher, profiles
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

from graphql_api.domain.accounts import legacy_hashes
from graphql_api.infra.concurrency.bulkhead import Bulkhead
from graphql_api.infra.concurrency.waiting import run_in_thread


class Passwords:
    """Hashes passwords and checks them, with one of argon2-cffi's profiles.

    A hash takes 64 MiB and a core for a while, so whoever wants one takes a `place` first.
    """

    def __init__(self, profile: str, bulkhead: Bulkhead) -> None:
        self._bulkhead = bulkhead
        self._hasher = PasswordHasher.from_parameters(getattr(profiles, profile))
        self._nobodys = _hash_of_nothing(self._hasher)

    def hash(self, password: str) -> str:
        """A salted hash in PHC form, which names its own parameters."""
        return run_in_thread(partial(self._hasher.hash, password))

    def verify(self, hashed: str | None, password: str, typed: str | None = None) -> bool:
        """Whether this is the password; without a hash, no, after the same time.

        A hash of the older program's is of the password as it was `typed`, not normalised, and
        takes another time: until its first login, it shows that the account came from there.
        """
        return run_in_thread(lambda: self._verify(hashed, password, typed))

    def _verify(self, hashed: str | None, password: str, typed: str | None) -> bool:
        if hashed is not None and legacy_hashes.recognised(hashed):
            tries = dict.fromkeys([password, password if typed is None else typed])
            return any(legacy_hashes.verify(hashed, text) for text in tries)
        try:
            right = self._hasher.verify(hashed or self._nobodys, password)
        except (VerificationError, InvalidHashError):
            return False
        return right and hashed is not None

    def outdated(self, hashed: str) -> bool:
        """Whether the hash is of another kind or has other parameters than new ones get."""
        return legacy_hashes.recognised(hashed) or self._hasher.check_needs_rehash(hashed)

    def place(self) -> AbstractContextManager[None]:
        """A place to hash in, for as long as it is held; ServiceUnavailable without one."""
        return self._bulkhead.slot()


def _hash_of_nothing(hasher: PasswordHasher) -> str:
    """A hash that no password has, with the parameters of all others; made without hashing."""
    salt, tag = (
        base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=")
        for size in (hasher.salt_len, hasher.hash_len)
    )
    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v={ARGON2_VERSION}${costs}${salt}${tag}"
