"""No library is older than the release that mended its last advisory."""

from importlib.metadata import version

import pytest
from packaging.requirements import Requirement
from packaging.version import Version
from service import ROOT

MINIMUM = {
    "strawberry-graphql": "0.341.2",
    "graphql-core": "3.3.2",
    "pyjwt": "2.15.1",
    "werkzeug": "3.1.9",
    "flask": "3.1.3",
}
WANTED = {
    wanted.name: wanted
    for line in (ROOT / "requirements.txt").read_text().splitlines()
    if (text := line.partition("#")[0].strip())
    for wanted in [Requirement(text)]
}
PINNED = dict(
    line.lower().replace("_", "-").split("==")
    for line in (ROOT / "constraints.txt").read_text().splitlines()
)


@pytest.mark.parametrize(("name", "least"), MINIMUM.items(), ids=MINIMUM)
def test_a_library_with_advisories_is_new_enough_wherever_it_comes_from(name, least):
    assert Version(version(name)) >= Version(least)
    assert Version(PINNED[name]) >= Version(least)
    lower = [s.version for s in WANTED[name].specifier if s.operator == ">="]
    assert [Version(bound) >= Version(least) for bound in lower] == [True]


def test_every_direct_dependency_is_pinned_within_its_range():
    for name, wanted in WANTED.items():
        assert Version(PINNED[name]) in wanted.specifier, name
