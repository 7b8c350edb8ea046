"""Hash and verify passwords with Argon2id (RFC 9106); the only module that imports argon2."""

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
    """Hashes and verifies passwords with one of argon2-cffi's profiles.

    Each hash takes 64 MiB and a core for a while: callers hold a `slot` meanwhile.
    """

    def __init__(self, profile: str, bulkhead: Bulkhead) -> None:
        self._bulkhead = bulkhead
        self._hasher = PasswordHasher.from_parameters(getattr(profiles, profile))
        self._dummy_hash = _unmatchable_hash(self._hasher)

    def hash(self, password: str) -> str:
        """Return a salted hash in PHC string format, which contains its parameters."""
        return run_in_thread(partial(self._hasher.hash, password))

    def verify(self, hashed: str | None, password: str, typed: str | None = None) -> bool:
        """Tell whether the password matches; without a hash, False after the same work.

        A hash of the legacy service was made of the password as `typed`, not normalised. It
        takes a different time to verify, so until the user's first login an attacker can tell
        that the account was migrated.
        """
        return run_in_thread(lambda: self._verify(hashed, password, typed))

    def _verify(self, hashed: str | None, password: str, typed: str | None) -> bool:
        if hashed is not None and legacy_hashes.is_supported(hashed):
            spellings = dict.fromkeys([password, password if typed is None else typed])
            return any(legacy_hashes.verify(hashed, text) for text in spellings)
        try:
            matches = self._hasher.verify(hashed or self._dummy_hash, password)
        except (VerificationError, InvalidHashError):
            return False
        return matches and hashed is not None

    def needs_rehash(self, hashed: str) -> bool:
        """Tell whether the hash's algorithm or parameters differ from those of new hashes."""
        return legacy_hashes.is_supported(hashed) or self._hasher.check_needs_rehash(hashed)

    def slot(self) -> AbstractContextManager[None]:
        """Hold a slot for hashing. Raises ServiceUnavailable if none becomes free in time."""
        return self._bulkhead.slot()


def _unmatchable_hash(hasher: PasswordHasher) -> str:
    """Return a random hash with the usual parameters, which no known password matches."""
    salt, tag = (
        base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=")
        for size in (hasher.salt_len, hasher.hash_len)
    )
    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v={ARGON2_VERSION}${costs}${salt}${tag}"
