"""No library is older than the release that mended its last advisory."""

import re
from importlib.metadata import version

import pytest
from packaging.version import Version
from service import ROOT

from requirements import listed

MINIMUM = {
    "strawberry-graphql": "0.341.2",
    "graphql-core": "3.3.2",
    "pyjwt": "2.15.1",
    "werkzeug": "3.1.9",
    "flask": "3.1.3",
}
WANTED = listed("requirements/dev.txt")  # which includes all others
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


def test_every_direct_dependency_has_a_lower_bound_or_one_version():
    for name, wanted in WANTED.items():
        assert {bound.operator for bound in wanted.specifier} & {">=", "=="}, name


def test_the_projects_requirements_are_those_of_the_service_its_engine_and_its_tests():
    assert {"strawberry-graphql", "flask", "boto3", "pyjwt", "argon2-cffi"} < set(
        listed("requirements/service.txt")
    )
    assert set(listed("requirements/run.txt")) - set(listed("requirements/service.txt")) == {
        "roto-aws"
    }
    assert set(listed("requirements.txt")) - set(listed("requirements/run.txt")) == {
        *("pytest", "moto")
    }


def test_make_run_installs_what_serves_and_its_engine_only():
    rule = re.search(r"\.venv/run:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text())[1]

    assert re.findall(r"-r (\S+)", rule) == ["requirements/run.txt"]
