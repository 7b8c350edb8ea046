"""The container's recipe keeps its promises. No image is built here: that wants a Docker daemon."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import urllib.request
from pathlib import Path

import pytest
import yaml
from packaging.utils import canonicalize_name
from service import ROOT, SETTINGS, running

from requirements import listed

DOCKERFILE = ROOT / "deploy" / "Dockerfile"
COMPOSE = ROOT / "deploy" / "compose.yaml"
SCRIPTS = Path(sysconfig.get_path("scripts"))
SECRET = "a secret of the test suite, 32 bytes and more"

# The instructions of the Dockerfile, one a line, without comments.
INSTRUCTIONS = [
    (line.partition(" ")[0], line.partition(" ")[2])
    for line in re.sub(r"\\\n\s*", "", re.sub(r"(?m)^#.*\n", "", DOCKERFILE.read_text())).split(
        "\n"
    )
    if line
]


def each(name):
    """The arguments of every instruction of this name."""
    return [arguments for instruction, arguments in INSTRUCTIONS if instruction == name]


def copied():
    """What the image takes from the working tree: sources, and where they go."""
    return [
        (arguments.split()[:-1], arguments.split()[-1])
        for arguments in each("COPY")
        if not arguments.startswith("--from=")
    ]


def says(*command):
    """The exit code and the words of a checker."""
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.returncode, found.stdout + found.stderr


def test_hadolint_has_nothing_to_say():
    assert says(SCRIPTS / "hadolint", DOCKERFILE) == (0, "")


def test_the_compose_file_fits_its_schema():
    code, words = says(
        SCRIPTS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE
    )

    assert code == 0, words


def test_the_image_is_pinned_runs_as_nobody_and_starts_the_program():
    assert {arguments.split()[0] for arguments in each("FROM")} == {"python:3.11.14-slim-bookworm"}
    [user] = each("USER")
    assert all(part.isdecimal() and int(part) > 0 for part in user.split(":"))
    assert [json.loads(command) for command in each("CMD")] == [["python", "app.py"]]
    assert INSTRUCTIONS.index(("USER", user)) > max(
        number for number, (name, _) in enumerate(INSTRUCTIONS) if name in {"COPY", "RUN"}
    )


def test_the_image_takes_the_service_and_nothing_else():
    sources = [source for several, _ in copied() for source in several]
    ignored = (ROOT / ".dockerignore").read_text().splitlines()

    assert each("ADD") == each("ARG") == []
    assert sources == ["constraints.txt", "requirements/service.txt", "app.py", "graphql_api"]
    assert {line for line in ignored if line.startswith("!")} == {f"!{name}" for name in sources}
    assert "*" in ignored
    assert "SECRET" not in DOCKERFILE.read_text()


def test_the_image_installs_what_serves_requests():
    [install] = [command for command in each("RUN") if "pip install" in command]

    assert install.endswith("-r /build/service.txt -c /build/constraints.txt")
    assert set(listed("requirements/service.txt")) <= {
        canonicalize_name(name) for name in listed("constraints.txt")
    }


def test_compose_gives_the_service_no_more_than_it_needs():
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    service, dynamodb = services["service"], services["dynamodb"]
    dispatcher = services["dispatcher"]

    assert service["read_only"] is dispatcher["read_only"] is True
    for each_service in (service, dispatcher, dynamodb):
        assert each_service["cap_drop"] == ["ALL"]
        assert each_service["security_opt"] == ["no-new-privileges:true"]
    assert set(service["environment"]) <= SETTINGS
    assert service["ports"] == ["127.0.0.1:5000:5000"]
    assert set(dispatcher["environment"]) <= set(service["environment"])
    assert "ports" not in dynamodb
    assert "ports" not in dispatcher
    assert re.fullmatch(r"amazon/dynamodb-local:\d+\.\d+\.\d+", dynamodb["image"])


def unprivileged() -> list[str]:
    """What to put before a command so that even root has to obey permissions."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root writes wherever it likes, and setpriv (util-linux) is not installed")
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]


@pytest.fixture
def image(tmp_path):
    """What the image has of the working tree, where nobody can write."""
    directory = tmp_path / "service"
    directory.mkdir()
    for sources, target in copied():
        if target == "/build/":
            continue
        for source in sources:
            kind = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
            kind(ROOT / source, directory / target)
    for cache in directory.rglob("__pycache__"):
        shutil.rmtree(cache)
    paths = [directory, *directory.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield directory
    for path in paths:
        path.chmod(0o755)


@pytest.mark.whole
@pytest.mark.engine_is_no_matter
def test_the_program_runs_where_it_cannot_write(image, engine):
    by = unprivileged()
    assert says(*by, "touch", str(image / "x"))[0] != 0
    settings = {
        "DYNAMODB": engine.endpoint,
        "JWT_SECRET": SECRET,
        "WORKERS": "2",
        "HOME": str(image),
        "TMPDIR": str(image),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    [check] = each("HEALTHCHECK")
    healthy = [sys.executable, *json.loads(check.partition("CMD ")[2])[1:]]

    with running(image / "no data", directory=image, by=by, **settings) as url:
        port = url.rpartition(":")[2]
        body = json.dumps({"query": "{ __typename }"}).encode()
        asked = urllib.request.Request(f"{url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(asked, timeout=10) as answer:
            assert json.load(answer) == {"data": {"__typename": "Query"}}
        assert subprocess.run(healthy, env={"PORT": port}, check=False).returncode == 0

    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        env = {"PORT": str(nobody.getsockname()[1])}
        assert subprocess.run(healthy, env=env, check=False, capture_output=True).returncode == 1
