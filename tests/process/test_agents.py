"""Agents' own clients of MCP, against the whole service: their programs are in clients/."""

import importlib.util
import json
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from conftest import PASSWORD, REGISTER
from service import ROOT, running
from tokens import ALL_SCOPES, CREATE_TOKEN

pytestmark = pytest.mark.whole

CLIENTS = ROOT / "tests" / "clients"
LEGACY, MODERN = "2025-11-25", "2026-07-28"
SEEN = {
    "tools": 12,
    "failed": [False, False, False, True, False, True, *[False] * 6],
    "same": True,
    "wrong": ["BAD_USER_INPUT", True],
    "moved": ["2030-01-07", 2],
    "stale": ["CONFLICT", 2],
    "now": ["Pay rent", "Water plants"],
    "rehearsed": [True, "completed"],
    "done": "completed",
    "repeated": True,
    "restored": "pending",
}


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with running(tmp_path_factory.mktemp("agents"), WORKERS="1", MCP="1") as url:
        yield url


def post(url, query, token=None, **variables):
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    body = json.dumps({"query": query, "variables": variables}).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{url}/graphql", body, headers)) as answer:
        return json.load(answer)["data"]


def token_of(url, name):
    account = {"username": name, "password": PASSWORD}
    session = post(url, REGISTER, input=account)["register"]["token"]
    given = {"name": "an agent", "scopes": ALL_SCOPES}
    return post(url, CREATE_TOKEN, session, input=given)["createAccessToken"]["token"]


def ran(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.skipif(importlib.util.find_spec("mcp") is None, reason="needs PyPI's mcp")
@pytest.mark.parametrize(("mode", "version"), [("auto", MODERN), ("legacy", LEGACY)])
def test_pypi_s_client_does_a_job_of_a_dozen_calls(url, mode, version):
    token = token_of(url, f"python-{mode}")
    program = [sys.executable, CLIENTS / "mcp_job.py", f"{url}/mcp", token, mode]

    assert ran(program) == {**SEEN, "version": version}


def has(package: str) -> bool:
    folder: Path = CLIENTS / "node_modules" / package
    return shutil.which("node") is not None and folder.is_dir()


@pytest.mark.parametrize(
    ("package", "mode", "version"),
    [
        ("@modelcontextprotocol/sdk", "", None),  # which speaks the older era only
        ("@modelcontextprotocol/client", "", LEGACY),
        ("@modelcontextprotocol/client", "auto", MODERN),
    ],
)
def test_npm_s_clients_do_a_job_of_a_dozen_calls(url, package, mode, version):
    if not has(package):
        pytest.skip(f"it needs Node and {package} in tests/clients/")
    token = token_of(url, f"node-{package.rpartition('/')[2]}-{mode}")
    program = ["node", "mcp-job.mjs", package, f"{url}/mcp", token, mode]

    assert ran(program, cwd=CLIENTS) == {**SEEN, "version": version}
