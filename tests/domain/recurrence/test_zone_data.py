"""The version of the zone data is told, wherever it comes from."""

import re
import zoneinfo

import pytest

from graphql_api.domain.recurrence import zone_data


@pytest.fixture(autouse=True)
def fresh():
    zone_data.version.cache_clear()
    yield
    zone_data.version.cache_clear()


@pytest.mark.parametrize(
    ("name", "line"), [("tzdata.zi", "# version 2025b\n# more\n"), ("+VERSION", "2025b\n")]
)
def test_the_version_is_that_of_the_systems_data(tmp_path, monkeypatch, name, line):
    (tmp_path / "UTC").touch()
    (tmp_path / name).write_text(line)
    monkeypatch.setattr(zoneinfo, "TZPATH", (str(tmp_path / "none"), str(tmp_path)))

    assert zone_data.version() == "2025b"


def test_a_system_that_does_not_tell_is_unknown(tmp_path, monkeypatch):
    (tmp_path / "UTC").touch()
    monkeypatch.setattr(zoneinfo, "TZPATH", (str(tmp_path),))

    assert zone_data.version() == "unknown"


def test_without_a_system_s_it_is_the_packages(monkeypatch):
    monkeypatch.setattr(zoneinfo, "TZPATH", ())

    assert re.fullmatch(r"20\d\d[a-z]", zone_data.version())
