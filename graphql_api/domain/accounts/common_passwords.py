"""Passwords that attackers try first."""

import runpy
from functools import cache
from importlib.metadata import distribution

SHORTEST = 8  # bytes, as a password must have


@cache
def passwords() -> frozenset[str]:
    """Those of the 30,000 most common ones that are long enough to be refused for being common.

    The list is zxcvbn's, by D. L. Wheeler ("zxcvbn: Low-Budget Password Strength Estimation",
    USENIX Security 2016), from leaked passwords. Only its file is read: the package itself
    would keep a hundred thousand words in memory.
    """
    lists = runpy.run_path(str(distribution("zxcvbn").locate_file("zxcvbn/frequency_lists.py")))
    words: list[str] = lists["FREQUENCY_LISTS"]["passwords"]
    return frozenset(word for word in words if len(word) >= SHORTEST)
