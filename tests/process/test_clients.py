"""Clients as people use them, against the whole service: their programs are in clients/."""

import json
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from conftest import PASSWORD
from graphql import build_schema, concat_ast, parse, validate
from receiver import receiving
from service import ROOT, running

pytestmark = pytest.mark.whole

CLIENTS = ROOT / "tests" / "clients"
DOCUMENTS = sorted((CLIENTS / "documents").glob("*.graphql"))

# What each program must see in the scenario, whichever its client is.
SEEN = {
    "stranger": [{"code": "UNAUTHENTICATED"}],
    "sameUser": True,
    "username": True,
    "pages": [25, 25, 10],
    "titles": [f"Task {n}" for n in range(60, 0, -1)],
    "update": ["Changed", 2],
    "conflict": [{"code": "CONFLICT", "field": "expectedVersion", "currentVersion": 2}],
    "deleted": True,
    "unknown": [{"task": None}, [{"code": "NOT_FOUND", "field": "id"}]],
    "emptyTitle": [{"code": "BAD_USER_INPUT", "field": "title"}],
    "badDate": [{"code": "BAD_USER_INPUT", "field": "dueAt"}],
    "mediaTypes": ["application/graphql-response+json; charset=utf-8"],
}


# What each must see that follows changes, while they are made by other requests.
FOLLOWED = {
    "kind": "TASK_CREATED",
    "first": ["1"],
    "resumed": ["1", "2", "3"],  # after the cursor of the first: what lies within the window again
    "refused": [[{"code": "BAD_USER_INPUT", "field": "after"}], 1],  # and not tried again
}


@pytest.fixture(scope="module")
def programs() -> Path:
    """The compiled programs; their types are generated from schema.graphql before."""
    if not (shutil.which("node") and (CLIENTS / "node_modules").is_dir()):
        pytest.skip("it needs Node and `npm ci --ignore-scripts` in tests/clients/")
    for folder in ("generated", "dist"):  # nothing of an earlier run may pass for this one's
        shutil.rmtree(CLIENTS / folder, ignore_errors=True)
    for command in (["node", "codegen.mjs"], ["node_modules/.bin/tsc"]):
        done = subprocess.run(command, cwd=CLIENTS, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return CLIENTS / "dist"


@pytest.fixture(scope="module")
def url(tmp_path_factory) -> Iterator[str]:
    """Where the whole service is."""
    # Each worker remembers documents by their hash for itself.
    with running(tmp_path_factory.mktemp("data"), WORKERS="1") as url:
        yield url


@pytest.fixture(scope="module")
def run(programs, url) -> Callable[[str], dict]:
    """Runs the program of that name, and gives what it saw."""

    return partial(ran, programs, url=url)


def ran(programs: Path, name: str, url: str) -> dict:
    """What the program of that name saw there."""
    done = subprocess.run(
        ["node", str(programs / f"{name}.js"), url],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def apollo(run) -> dict:
    return run("apollo")


def test_the_documents_of_the_clients_fit_the_schema():
    schema = build_schema((ROOT / "schema.graphql").read_text())
    document = concat_ast([parse(path.read_text()) for path in DOCUMENTS])

    assert len(document.definitions) == 10
    assert validate(schema, document) == []


def test_the_types_that_are_generated_from_the_schema_compile(programs):
    found = {path.relative_to(programs).as_posix() for path in programs.rglob("*.js")}

    # types.js: what the schema refuses did not compile.
    assert {"generated/operations.js", "types.js", "apollo.js", "urql.js"} <= found


@pytest.mark.parametrize("client", ["urql", "graphql-request"])
def test_a_client_pages_and_writes_and_reads_errors_by_code(run, client):
    assert run(client) == {"seen": SEEN}


def test_apollo_client_pages_and_writes_and_reads_errors_by_code(apollo):
    assert apollo["seen"] == SEEN


def test_apollo_client_shows_mutations_in_its_cached_list_without_fetching_it_again(apollo):
    assert apollo["cached"] == {
        "seen": [
            [25, "Task 59", "PENDING"],
            [26, "Newest", "PENDING"],  # created
            [26, "Newest", "COMPLETED"],  # updated
            [51, "Newest", "COMPLETED"],  # more is fetched: no task twice, none left out
            [60, "Newest", "COMPLETED"],
            [59, "Task 59", "PENDING"],  # deleted
        ],
        "titles": [f"Task {n}" for n in range(59, 0, -1)],
        "inCache": 59,
        "requests": [
            "POST Tasks by document: data",
            "POST CreateTask by document: data",
            "POST UpdateTask by document: data",
            "POST Tasks by document: data",
            "POST Tasks by document: data",
            "POST DeleteTask by document: data",
        ],
    }


def test_apollo_client_sends_a_document_once_and_then_only_its_hash(apollo):
    assert apollo["persisted"] == {
        "sameViewer": True,
        "lengths": [1, 2],
        "created": "By hash",
        "byPost": [
            "POST Viewer by hash: PERSISTED_QUERY_NOT_FOUND",
            "POST Viewer by hash and document: data",
            "POST Viewer by hash: data",
        ],
        "byGet": [
            "GET Viewer by hash: data",  # the other client has taught it
            "GET Tasks by hash: PERSISTED_QUERY_NOT_FOUND",
            "POST Tasks by hash and document: data",
            "GET Tasks by hash: data",
            "POST CreateTask by hash: PERSISTED_QUERY_NOT_FOUND",  # never by GET: it writes
            "POST CreateTask by hash and document: data",
        ],
    }


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory) -> Iterator[str]:
    """Where the whole service is, with two processes."""
    with running(tmp_path_factory.mktemp("two"), WORKERS="2") as url:
        yield url


@pytest.mark.parametrize("client", ["graphql-sse", "urql-live", "apollo-live", "event-source"])
def test_a_client_follows_changes_comes_back_and_reads_errors_by_code(
    programs, two_processes, client
):
    assert ran(programs, client, two_processes) == {"seen": FOLLOWED}


def test_event_source_comes_back_after_a_restart_and_misses_nothing(programs, tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])

    def post(url, path, body, token=""):
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        request = urllib.request.Request(url + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    with running(tmp_path / "data", PORT=port) as url:
        account = {"username": "ann", "password": PASSWORD}
        token = post(url, "/auth/register", account)["token"]
        program = subprocess.Popen(
            ["node", str(programs / "event-source-again.js"), url, token],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert program.stdout.readline() == "open\n"
        post(url, "/api/v1/tasks", {"title": "1"}, token)
        assert program.stdout.readline() == "1\n"
    with running(tmp_path / "data", PORT=port) as url:
        # It waits for a second at least before it comes back, as it was told.
        post(url, "/api/v1/tasks", {"title": "2"}, token)
        assert program.stdout.readline() == "open\n"
        assert next(line for line in program.stdout if line != "1\n") == "2\n"
        program.terminate()
        program.communicate()


def test_a_message_of_a_webhook_is_verified_by_npm_s_library(programs, tmp_path):
    with (
        receiving() as receiver,
        running(tmp_path / "data", WORKERS="1", WEBHOOK_ALLOW_PRIVATE="1") as url,
    ):
        account = {"username": "ann", "password": PASSWORD}
        token = posted(url, "/auth/register", account)["token"]
        secret = posted(url, "/api/v1/webhooks", {"url": receiver.url}, token)["secret"]
        task = posted(url, "/api/v1/tasks", {"title": "Grüße"}, token)
        assert receiver.came.wait(300)
    [message] = receiver.messages
    genuine = {"headers": message.headers, "body": message.body.decode()}
    forged = {**genuine, "body": genuine["body"].replace(task["task_id"], "another")}

    done = subprocess.run(
        ["node", str(programs / "webhook.js"), secret],
        input=json.dumps([genuine, forged]),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [message.payload, "No matching signature found"]
    assert message.task == task["task_id"]


def posted(url, path, body, token=""):
    """The answer to a request by REST."""
    headers = {"Content-Type": "application/json"} | (
        {"Authorization": f"Bearer {token}"} if token else {}
    )
    request = urllib.request.Request(url + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as response:
        return json.load(response)
