"""Two services on one store are one service: state lives in DynamoDB only."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from conftest import PASSWORD, bearer
from service import ROOT, SETTINGS, running

pytestmark = [pytest.mark.whole, pytest.mark.engine_is_no_matter]

SECRET = "a secret that two processes share, of 32 bytes and more"
ATTEMPTS = 10  # at a name, from where no session of it is


@pytest.fixture(scope="module")
def pair(engine, tmp_path_factory) -> Iterator["Pair"]:
    """Two services, each with one worker, on the engine's tables."""
    if engine.endpoint is None:
        pytest.skip("two processes cannot share an in-process mock")
    settings = {"DYNAMODB": engine.endpoint, "JWT_SECRET": SECRET, "WORKERS": "1"}
    with ExitStack() as stack:
        urls = [
            stack.enter_context(running(tmp_path_factory.mktemp(name), **settings))
            for name in ("here", "there")
        ]
        yield Pair(*urls, settings)


class Pair:
    """What a client that meets now one process and now the other sees."""

    def __init__(self, here: str, there: str, settings: dict[str, str]) -> None:
        self.here, self.there, self.settings = here, there, settings

    def operate(self, *command: str) -> str:
        """What a command of the operator's prints."""
        others = {name: value for name, value in os.environ.items() if name not in SETTINGS}
        done = subprocess.run(
            [sys.executable, "-m", "graphql_api", *command],
            cwd=ROOT,
            env={**others, **self.settings},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def ask(self, url: str, method: str, path: str, body: Any = None, token: str | None = None):
        """The status and the body of an answer."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **bearer(token)}
        request = urllib.request.Request(url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def register(self, name: str) -> dict[str, Any]:
        account = {"username": name, "password": PASSWORD}
        status, body = self.ask(self.here, "POST", "/auth/register", account)
        assert status == 201
        return body


def test_a_session_that_was_opened_here_is_good_there(pair):
    opened = pair.register("both-ways")

    status, refreshed = pair.ask(
        pair.there, "POST", "/auth/refresh", {"refresh_token": opened["refresh_token"]}
    )
    created = pair.ask(
        pair.there, "POST", "/api/v1/tasks", {"title": "Made there"}, opened["token"]
    )
    seen = pair.ask(pair.here, "GET", "/api/v1/tasks", token=refreshed["token"])

    assert (status, created[0]) == (200, 201)
    assert seen == (200, [created[1]])


def test_pages_go_on_across_both(pair):
    token = pair.register("pages")["token"]
    tasks = [
        pair.ask(url, "POST", "/api/v1/tasks", {"title": f"Task {number}"}, token)[1]["task_id"]
        for number, url in enumerate([pair.here, pair.there] * 3)
    ]
    query = """query ($after: String) {
      tasks(first: 2, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }"""

    found, after = [], None
    for url in (pair.here, pair.there, pair.here):
        body = {"query": query, "variables": {"after": after}}
        _, answer = pair.ask(url, "POST", "/graphql", body, token)
        page = answer["data"]["tasks"]
        found += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]

    assert found == tasks[::-1]
    assert page["pageInfo"]["hasNextPage"] is False


def test_a_version_that_was_read_here_conflicts_with_a_change_made_there(pair):
    token = pair.register("versions")["token"]
    _, task = pair.ask(pair.here, "POST", "/api/v1/tasks", {"title": "One"}, token)
    path = f"/api/v1/tasks/{task['task_id']}"
    change = "mutation ($input: UpdateTaskInput!) { updateTask(input: $input) { task { title } } }"
    old = {"id": task["task_id"], "expectedVersion": 1, "title": "Too late"}

    assert pair.ask(pair.there, "PUT", path, {"title": "Two"}, token)[0] == 200
    body = {"query": change, "variables": {"input": old}}
    _, late = pair.ask(pair.here, "POST", "/graphql", body, token)

    [error] = late["errors"]
    assert (error["extensions"]["code"], error["extensions"]["currentVersion"]) == ("CONFLICT", 2)
    assert pair.ask(pair.here, "GET", path, token=token)[1]["title"] == "Two"


def test_one_idempotency_key_makes_one_task_whichever_process_hears_it(pair):
    token = pair.register("keys")["token"]
    create = """mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }"""
    body = {
        "query": create,
        "variables": {"input": {"title": "Once", "idempotencyKey": "the same"}},
    }

    made = [pair.ask(url, "POST", "/graphql", body, token) for url in (pair.here, pair.there)]

    assert made[0] == made[1]
    assert len(pair.ask(pair.here, "GET", "/api/v1/tasks", token=token)[1]) == 1


def test_wrong_passwords_are_counted_by_both_together(pair):
    wrong = {"username": "guessed-at", "password": "not the password"}

    statuses = [
        pair.ask(url, "POST", "/auth/login", wrong)[0]
        for url in [pair.here, pair.there] * (ATTEMPTS // 2 + 1)
    ]

    assert statuses == [401] * ATTEMPTS + [429] * 2


def test_what_was_ended_here_is_ended_there_within_seconds(pair):
    opened = pair.register("ended")
    for url in (pair.here, pair.there):
        assert pair.ask(url, "GET", "/auth/verify", token=opened["token"])[0] == 200

    assert pair.ask(pair.here, "POST", "/auth/logout", token=opened["token"])[0] == 200

    assert pair.ask(pair.here, "GET", "/auth/verify", token=opened["token"])[0] == 401
    # TTL_SECONDS of the session cache keep the promise of five; this machine may be busy.
    deadline = time.monotonic() + 60
    while pair.ask(pair.there, "GET", "/auth/verify", token=opened["token"])[0] == 200:
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.parametrize("by", ["a session", "an operator"])
def test_an_access_token_that_was_revoked_is_refused_by_both_within_five_seconds(pair, by):
    name = f"revoked-by-{by[-7:]}"
    session = pair.register(name)["token"]
    given = {"name": "cron", "scopes": ["tasks_read"]}
    _, made = pair.ask(pair.here, "POST", "/api/v1/access-tokens", given, session)
    text, token_id = made["token"], made["access_token"]["token_id"]
    for url in (pair.here, pair.there):
        assert pair.ask(url, "GET", "/api/v1/tasks", token=text) == (200, [])

    if by == "a session":
        path = f"/api/v1/access-tokens/{token_id}"
        assert pair.ask(pair.here, "DELETE", path, token=session)[0] == 200
        assert pair.ask(pair.here, "GET", "/api/v1/tasks", token=text)[0] == 401
    else:
        assert pair.operate("token", "revoke", name, token_id) == f"Revoked {token_id}."

    # However busy the machine is: what is asked more than 5 seconds after that is refused.
    revoked = time.monotonic()
    for url in (pair.here, pair.there):
        asked, status = time.monotonic(), 200
        while status == 200 and asked - revoked <= 5:
            asked = time.monotonic()
            status, body = pair.ask(url, "GET", "/api/v1/tasks", token=text)
            time.sleep(0.1)
        assert (status, body["code"]) == (401, "UNAUTHENTICATED")
