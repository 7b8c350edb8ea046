"""What operators read: one JSON object an event, under the request's id, with no secret in it."""

import io
import json
import logging
import re
from urllib.parse import quote

import pytest
from conftest import CREATE, LOGIN, PASSWORD, REGISTER, TASK, bearer, codes
from suite_logs import SECRETS, leaks

from graphql_api.infra import request_log
from graphql_api.infra.dynamodb import Database
from graphql_api.infra.request_log import JSONFormatter

ESCAPES = "\r\n\x1b[31m\x9b31m\u2028\N{RIGHT-TO-LEFT OVERRIDE}"


@pytest.fixture
def lines():
    """What has been logged since the test began, each line as what it says."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JSONFormatter())
    logging.getLogger().addHandler(handler)
    logging.getLogger("graphql_api").setLevel(logging.INFO)  # whatever a test before has set
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.getLogger().removeHandler(handler)


def without(line, *names):
    assert set(names) <= line.keys()
    return {name: value for name, value in line.items() if name not in names}


def test_a_request_is_one_line_that_says_who_asked_for_what_and_what_it_took(ann, lines):
    operation = "query OneTask($id: ID!) { task(id: $id) { title } }"
    body = {"query": operation, "variables": {"id": "none"}}
    headers = {"X-Request-Id": "a-request", **bearer(ann.token)}

    ann.api.client.post("/graphql", json=body, headers=headers)

    [line] = lines()
    assert without(line, "time", "duration_ms") == {
        "level": "INFO",
        "logger": "graphql_api.infra.request_log",
        "message": "request",
        "request_id": "a-request",
        "user_id": ann.id,
        "client": "127.0.0.1",
        "method": "POST",
        "path": "/graphql",
        "operation": "OneTask",
        "status": 200,
        "codes": ["NOT_FOUND"],
        "dynamodb_calls": 1,
    }


def test_a_rest_request_has_its_operation_and_no_query_string(ann, lines):
    ann.rest("GET", "/api/v1/tasks?search=private")
    ann.rest("GET", "/api/v1/tasks/none")

    first, second = lines()
    assert (first["operation"], first["path"], first["status"]) == (
        *("ListTasks", "/api/v1/tasks"),
        200,
    )
    assert "codes" not in first
    assert (second["operation"], second["status"], second["codes"]) == (
        *("GetTask", 404),
        ["NOT_FOUND"],
    )
    assert "private" not in json.dumps([first, second])


def test_a_subscription_that_is_refused_has_its_code(api, lines):
    api.client.post(
        "/graphql",
        json={"query": "subscription { changes { kind } }"},
        headers={"Accept": "text/event-stream"},
    )

    [line] = lines()
    assert (line["status"], line["codes"]) == (200, ["UNAUTHENTICATED"])


def test_whoever_logs_in_is_named_by_id_and_whoever_fails_is_not(api, ann, lines):
    api.graphql(LOGIN, input={"username": ann.username, "password": PASSWORD})
    api.graphql(LOGIN, input={"username": ann.username, "password": "another password"})

    right, wrong = lines()
    assert right["user_id"] == ann.id
    assert "user_id" not in wrong
    assert wrong["codes"] == ["UNAUTHENTICATED"]


def test_a_refused_document_and_a_malformed_body_have_their_codes(api, lines):
    api.graphql("{ nothing }")
    api.graphql("{")
    api.rest("POST", "/graphql", data="{", content_type="application/json")

    assert [line["codes"] for line in lines()] == [
        ["GRAPHQL_VALIDATION_FAILED"],
        ["GRAPHQL_PARSE_FAILED"],
        ["BAD_USER_INPUT"],
    ]


def test_what_a_client_sends_stays_on_one_escaped_line(api, ann, lines):
    api.rest("GET", "/" + quote(ESCAPES), headers={"User-Agent": "x\x1b[31m"})
    ann.graphql(CREATE, input={"title": ESCAPES})

    found = io.StringIO()
    for line in lines():
        found.write(json.dumps(line))
    assert len(lines()) == 2
    assert lines()[0]["path"] == "/" + ESCAPES  # nothing is lost …
    assert re.search(r"[^ -~]", found.getvalue()) is None  # … and nothing acts on a terminal


@pytest.mark.parametrize("text", [ESCAPES + "\ud800", "a\x7fb", "\x1b[2J\r\n"])
def test_the_formatter_escapes_whatever_a_message_has(text):
    record = logging.makeLogRecord({"msg": text, "levelname": "ERROR", "name": "x"})

    line = JSONFormatter().format(record)

    assert re.search(r"[^ -~]", line) is None
    assert json.loads(line)["message"] == text


def test_a_crash_is_one_line_with_its_stack(ann, lines, monkeypatch):
    def crash(*_, **__):
        raise RuntimeError("what happened")

    monkeypatch.setattr(Database, "call", crash)

    answer = ann.graphql(TASK, id="any")

    assert codes(answer) == ["INTERNAL_SERVER_ERROR"]
    crashed, request = lines()
    assert crashed["level"] == "ERROR"
    assert crashed["exception"].endswith("RuntimeError: what happened")
    assert crashed["request_id"] == request["request_id"]


def test_lines_of_requests_can_be_switched_off(api, lines, monkeypatch):
    monkeypatch.setattr(logging.getLogger("graphql_api"), "level", logging.WARNING)
    request_log.log.manager._clear_cache()

    api.rest("GET", "/healthz")

    assert lines() == []


# What must never be written, wherever it came from


@pytest.mark.parametrize(
    "text",
    [
        "eyJhbGciOiJIUzI1NiJ9",
        "$argon2id$v=19$",
        ".".join(["x" * 36, "y" * 36, "z" * 43]),
        "Authorization",
        "a correct horse",
        '"password": "',
    ],
)
def test_the_search_for_secrets_would_find_one(text):
    assert SECRETS.search(f'{{"message": "{text}"}}')


@pytest.mark.last
def test_nothing_that_was_logged_in_the_whole_suite_has_a_secret_in_it(api, suite_log):
    api.graphql(REGISTER, input={"username": "logged last", "password": PASSWORD})

    assert '"message":"request"' in (suite_log / "suite.log").read_text()
    assert leaks(suite_log) == []
