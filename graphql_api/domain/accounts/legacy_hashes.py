"""Password hashes of the older program, as werkzeug writes them: checked once, then replaced.

scrypt:<n>:<r>:<p>$<salt>$<hex>
pbkdf2:<digest>:<iterations>$<salt>$<hex>
"""

import re

from werkzeug.security import check_password_hash

_SCRYPT = re.compile(r"scrypt:(\d{1,7}):(\d{1,2}):(\d{1,2})\$\w{1,64}\$[0-9a-f]{128}", re.ASCII)
_PBKDF2 = re.compile(r"pbkdf2:(sha1|sha256|sha512):(\d{1,7})\$\w{1,64}\$([0-9a-f]+)", re.ASCII)
_DIGITS = {"sha1": 40, "sha256": 64, "sha512": 128}

# Beyond what any version of werkzeug has written by default, so that no stored text can make
# a login take seconds or gigabytes: scrypt's N·r·p was 2^18 (32 MiB), the iterations 1,000,000.
MOST_SCRYPT = 2**20
MOST_ITERATIONS = 1_000_000
# Below these, OpenSSL refuses some, and werkzeug gives it too little memory for others.
LEAST_N, LEAST_R = 128, 8


def recognised(hashed: str) -> bool:
    """Whether it is a hash of werkzeug's that can be checked, within bounds."""
    if match := _SCRYPT.fullmatch(hashed):
        n, r, p = map(int, match.groups())
        enough = n >= LEAST_N and n.bit_count() == 1 and r >= LEAST_R
        return enough and 0 < n * r * p <= MOST_SCRYPT
    if match := _PBKDF2.fullmatch(hashed):
        digest, iterations, tag = match.groups()
        return len(tag) == _DIGITS[digest] and 1 <= int(iterations) <= MOST_ITERATIONS
    return False


def verify(hashed: str, password: str) -> bool:
    """Whether this is the password of a recognised hash."""
    return check_password_hash(hashed, password)
