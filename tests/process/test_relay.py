"""Clients that know objects by their ids, against the whole service, and what Relay asks of it."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import PASSWORD
from service import ROOT, running
from test_clients import posted

pytestmark = [pytest.mark.whole, pytest.mark.usefixtures("compiled")]

CLIENTS = ROOT / "tests" / "clients"


@pytest.fixture(scope="module")
def compiled() -> None:
    """What relay-compiler has made of the documents; it refuses `@refetchable` without `Node`."""
    compiler = CLIENTS / "node_modules" / ".bin" / "relay-compiler"
    if not (shutil.which("node") and compiler.exists()):
        pytest.skip("it needs Node and `npm ci --ignore-scripts` in tests/clients/")
    shutil.rmtree(CLIENTS / "relay" / "__generated__", ignore_errors=True)
    done = subprocess.run([str(compiler)], cwd=CLIENTS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def service(tmp_path_factory) -> Iterator[tuple[str, str]]:
    """Where the whole service is, and the token of somebody who has just registered there."""
    with running(tmp_path_factory.mktemp("data"), WORKERS="1") as url:
        account = {"username": "ann", "password": PASSWORD}
        yield url, posted(url, "/auth/register", account)["token"]


def ran(program: str, *arguments: str) -> Any:
    """What a program of the clients prints."""
    done = subprocess.run(
        ["node", str(CLIENTS / program), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_relay_pages_through_tasks_and_fetches_one_again_by_its_id(service):
    url, token = service
    for number in range(1, 26):
        posted(url, "/api/v1/tasks", {"title": str(number)}, token)

    seen = ran("relay/job.js", url, token)

    first = {"id": seen["before"]["id"], "parent": None}
    assert seen == {
        "pages": [10, 20, 25],
        "before": {**first, "title": "25", "version": 1},
        "after": {**first, "title": "Changed", "version": 2},
        "titles": ["Changed", *(str(number) for number in range(24, 0, -1))],
    }


def test_houdini_pages_through_tasks_with_what_it_generates(service):
    url, token = service
    if not (CLIENTS / "node_modules" / "houdini").is_dir():
        pytest.skip("it needs `npm ci --ignore-scripts` in tests/clients/")
    for number in range(1, 13):
        posted(url, "/api/v1/tasks", {"title": f"Houdini {number}"}, token)
    generated = subprocess.run(
        ["../node_modules/.bin/houdini", "generate"],
        cwd=CLIENTS / "houdini",
        capture_output=True,
        text=True,
        check=False,
    )
    assert generated.returncode == 0, generated.stdout

    pages = ran("houdini/job.js", url, token)

    newest = [title for page in pages for title in page][:12]
    assert newest == [f"Houdini {number}" for number in range(12, 0, -1)]
    assert {len(page) for page in pages[:-1]} <= {10}


def test_normalized_caches_show_a_change_wherever_its_task_is_shown(service):
    url, token = service
    parent = posted(url, "/api/v1/tasks", {"title": "parent"}, token)["task_id"]
    posted(url, "/api/v1/tasks", {"title": "child", "parent_id": parent}, token)

    assert ran("normalized.mjs", url, token) == {
        "graphcache": {"parent": "by urql", "requests": 2},
        "apollo": {"titles": ["by urql", "by Apollo"], "requests": 2},
    }


# What the rules for Relay report, and why it stays so.
ANSWERED = {
    # A page of the change feed: its cursor goes on for ever, and changes are no edges of a list.
    ("relay-connection-types", "ChangeConnection"),
    # An occurrence of a series has no id of its own: its day and its task tell it.
    ("relay-edge-types", "OccurrenceEdge"),
}


def test_the_rules_for_relay_report_nothing_that_is_not_answered():
    reported = ran("eslint-relay.mjs", str(ROOT / "schema.graphql"))

    assert {(rule, type_) for rule, type_, _ in reported} == ANSWERED
