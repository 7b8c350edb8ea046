"""Verify password hashes of the legacy service, in werkzeug's format.

    scrypt:<n>:<r>:<p>$<salt>$<hex>
    pbkdf2:<digest>:<iterations>$<salt>$<hex>

Such a hash is replaced by an Argon2id hash at the user's first login.
"""

import re

from werkzeug.security import check_password_hash

_SCRYPT = re.compile(r"scrypt:(\d{1,7}):(\d{1,2}):(\d{1,2})\$\w{1,64}\$[0-9a-f]{128}", re.ASCII)
_PBKDF2 = re.compile(r"pbkdf2:(sha1|sha256|sha512):(\d{1,7})\$\w{1,64}\$([0-9a-f]+)", re.ASCII)
_HEX_DIGITS = {"sha1": 40, "sha256": 64, "sha512": 128}

# At least what any version of werkzeug has used by default (scrypt: N·r·p = 2^18, which takes
# 32 MiB), yet low enough that no stored hash makes a login take seconds or gigabytes.
MAX_SCRYPT_COST = 2**20
MAX_ITERATIONS = 1_000_000
# Below these, OpenSSL rejects the parameters or werkzeug passes it too little memory.
MIN_N, MIN_R = 128, 8


def is_supported(hashed: str) -> bool:
    """Tell whether this is a werkzeug hash that `verify` can check within the cost limits."""
    if match := _SCRYPT.fullmatch(hashed):
        n, r, p = map(int, match.groups())
        valid = n >= MIN_N and n.bit_count() == 1 and r >= MIN_R
        return valid and 0 < n * r * p <= MAX_SCRYPT_COST
    if match := _PBKDF2.fullmatch(hashed):
        digest, iterations, tag = match.groups()
        return len(tag) == _HEX_DIGITS[digest] and 1 <= int(iterations) <= MAX_ITERATIONS
    return False


def verify(hashed: str, password: str) -> bool:
    """Tell whether the password matches a supported hash."""
    return check_password_hash(hashed, password)
