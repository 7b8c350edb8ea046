"""Common passwords, which attackers try first; `common_passwords.txt` names their source."""

from functools import cache
from importlib.resources import files


@cache
def passwords() -> frozenset[str]:
    """Return common passwords in lower case: those long enough to be chosen here."""
    lines = files(__package__).joinpath("common_passwords.txt").read_text("ascii").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))
