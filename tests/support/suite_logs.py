"""What a run of the suite has logged, in this process and in those that it started."""

import re
from pathlib import Path

# What must never be written, wherever it came from.
SECRETS = re.compile(
    r"\beyJ[\w-]{8,}"  # an access token
    r"|\$argon2"  # a password's hash
    r"|[\w-]{36}\.[\w-]{36}\.[\w-]{43}"  # a refresh token
    r"|(?i:authorization|bearer )"
    r"|(?i:correct horse)"  # the suite's passwords
    r"|(?i:\bpassword\W+[:=])"
)


def leaks(base: Path) -> list[str]:
    """The lines below this directory that have a secret in them."""
    files = [file for kind in ("*.log", "err-*", "out*") for file in base.rglob(kind)]
    texts = [file.read_text(errors="replace") for file in files if file.is_file()]
    return [line for text in texts for line in text.splitlines() if SECRETS.search(line)]
