"""The version of the time zone data from which instants are derived."""

import zoneinfo
from functools import cache
from importlib import resources
from pathlib import Path

UNKNOWN = "unknown"
_NAMES = ("tzdata.zi", "+VERSION")  # of files that tell it


@cache
def version() -> str:
    """The version of the data that zoneinfo reads, such as `2025b`.

    That is the system's or, where it has none, the package tzdata's (PEP 615).
    """
    for folder in map(Path, zoneinfo.TZPATH):
        if (folder / "UTC").exists():
            return next((_told(folder / n) for n in _NAMES if (folder / n).exists()), UNKNOWN)
    with resources.as_file(resources.files("tzdata") / "zoneinfo" / _NAMES[0]) as file:
        return _told(file)


def _told(file: Path) -> str:
    """The version that the first line of a file tells: `# version 2025b`, or the version alone."""
    with file.open(encoding="ascii") as lines:
        return lines.readline().strip().removeprefix("# version ") or UNKNOWN
