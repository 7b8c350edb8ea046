"""The requirements files, with those that they include."""

from pathlib import Path

from packaging.requirements import Requirement
from service import ROOT


def listed(path: str) -> dict[str, Requirement]:
    """What a file of requirements asks for, by name."""
    found = {}
    for line in (ROOT / path).read_text().splitlines():
        text = line.partition("#")[0].strip()
        if text.startswith("-r "):
            found |= listed(str(Path(path).parent / text.removeprefix("-r ")))
        elif text:
            requirement = Requirement(text)
            found[requirement.name] = requirement
    return found
