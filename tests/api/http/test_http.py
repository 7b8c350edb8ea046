"""HTTP itself: what is no GraphQL request, in which form answers come, and health."""

import json
import logging
from dataclasses import replace

import pytest
from conftest import CREATE, PASSWORD, Api, codes
from flask import Blueprint, Flask, request
from opentelemetry.sdk.trace import TracerProvider
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

from graphql_api import create_app
from graphql_api.api.http import responses
from graphql_api.api.http.application import Application
from graphql_api.api.http.graphql_view import GraphQLView
from graphql_api.api.http.middleware import RequestMiddleware
from graphql_api.api.http.problems import error_response
from graphql_api.api.http.requests import HTTPRequest
from graphql_api.api.rest.views import RestViews
from graphql_api.domain.accounts.store import UserStore
from graphql_api.errors import ServiceUnavailable
from graphql_api.infra.dynamodb import Database, circuit_breaker
from graphql_api.infra.dynamodb.circuit_breaker import CircuitBreaker
from graphql_api.infra.serving.wsgi import REFUSED

pytestmark = pytest.mark.engine_is_no_matter

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
PROBLEM = "application/problem+json"
HELLO = "{ __typename }"

READY = {"status": "ready", "read": True, "write": True}


def post(api, data, content_type=JSON, **headers):
    return api.client.post("/graphql", data=data, content_type=content_type, headers=headers)


MALFORMED = {
    "nothing": b"",
    "no JSON": b"{",
    "a number": b"3",
    "null": b"null",
    "a text": b'"x"',
    "a list": b"[]",
    "a batch": json.dumps([{"query": HELLO}]).encode(),
    "a list of garbage": b"[1, null, {}]",
    "not UTF-8": b'{"query": "\xff"}',
    "UTF-16": json.dumps({"query": HELLO}).encode("utf-16"),
    "a lone surrogate": b'{"query": "\\ud800"}',
    "NaN": b'{"query": "{ __typename }", "variables": {"x": NaN}}',
    "too deep": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "too deep for a stack": b'{"query": "{ __typename }", "variables": '
    + b'{"a":' * 990
    + b"1"
    + b"}" * 991,
    "a level too deep": b'{"query": "{ __typename }", "variables": {"a":'
    + b"[" * 15
    + b"]" * 15
    + b"}}",
    "no query": b"{}",
    "an empty query": b'{"query": ""}',
    "query of another type": b'{"query": 3}',
    "query of another type, too": b'{"query": ["{ __typename }"]}',
    "variables of another type": b'{"query": "{ __typename }", "variables": [1]}',
    "variables of another type, too": b'{"query": "{ __typename }", "variables": "x"}',
    "variables that are false": b'{"query": "{ __typename }", "variables": false}',
    "operationName of another type": b'{"query": "{ __typename }", "operationName": 3}',
    "operationName of another type, too": b'{"query": "{ __typename }", "operationName": {}}',
    "extensions of another type": b'{"query": "{ __typename }", "extensions": 1}',
}


@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_graphql_request_is_refused(api, calls, body, accept):
    answer = post(api, body, accept=accept)

    assert answer.status_code == 400
    assert answer.content_type == f"{accept}; charset=utf-8"
    assert codes(answer.json) == ["BAD_USER_INPUT"]
    assert answer.json.keys() == {"errors"}
    assert calls == []


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("path", ["/auth/register", "/auth/login"])
def test_what_is_no_rest_request_is_refused(api, calls, path, body):
    answer = api.client.post(path, data=body, content_type=JSON)

    assert (answer.status_code, answer.json["code"]) == (400, "BAD_USER_INPUT")
    assert answer.content_type == f"{PROBLEM}; charset=utf-8"
    assert calls == []


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/graphql",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plainapplication/json",
        "application/json; charset=utf-16",
        "application/json; charset=utf-7",
    ],
)
@pytest.mark.parametrize("path", ["/graphql", "/auth/login"])
def test_a_body_that_is_not_json_by_its_type_is_refused(api, path, content_type):
    body = json.dumps({"query": HELLO})

    answer = api.client.post(path, data=body, content_type=content_type)

    assert answer.status_code == 415


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", 'Application/JSON; charset="UTF-8"'],
)
def test_json_may_name_its_charset(api, content_type):
    answer = post(api, json.dumps({"query": HELLO}), content_type)

    assert answer.json == {"data": {"__typename": "Query"}}


def test_a_compressed_body_is_refused(api):
    assert post(api, b"x", content_encoding="gzip").status_code == 415


@pytest.mark.parametrize("path", ["/graphql", "/auth/login"])
def test_a_body_beyond_64_kib_is_refused(api, path):
    body = json.dumps({"query": HELLO + " " * 64 * 1024})

    answer = api.client.post(path, data=body, content_type=JSON)

    assert answer.status_code == 413


def test_a_body_may_be_nested_sixteen_levels_deep(api):
    body = {"query": HELLO, "variables": {"a": [[[[[[[[[[[[[[]]]]]]]]]]]]]]}}

    assert post(api, json.dumps(body)).json == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("depth", [17, 300, 990])
@pytest.mark.parametrize("name", ["title", "tags", "status", "due_at"])
def test_a_value_nested_too_deeply_is_refused_in_rest(ann, calls, name, depth):
    nested = b"[" * depth + b"]" * depth

    answer = ann.rest(
        "POST", "/api/v1/tasks", data=b'{"%b": %b}' % (name.encode(), nested), content_type=JSON
    )

    assert (answer.status_code, answer.json["code"]) == (400, "BAD_USER_INPUT")
    assert calls == []


def test_null_members_are_as_good_as_absent_ones(api):
    body = {"query": HELLO, "variables": None, "operationName": None, "extensions": None, "x": 1}

    assert post(api, json.dumps(body)).json == {"data": {"__typename": "Query"}}


def test_a_query_can_be_sent_by_get(api, ann):
    query = {
        "query": "query Q($first: Int) { tasks(first: $first) { totalCount } }",
        "variables": '{"first": 1}',
        "operationName": "Q",
    }
    answer = api.rest("GET", "/graphql", ann.token, query_string=query)

    assert answer.json == {"data": {"tasks": {"totalCount": 0}}}


def test_a_mutation_cannot_be_sent_by_get(ann, calls):
    query = {"query": 'mutation { createTask(input: {title: "x"}) { task { id } } }'}

    answer = ann.rest("GET", "/graphql", query_string=query)

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert codes(answer.json) == ["BAD_USER_INPUT"]
    assert answer.json["errors"][0]["message"] == "Mutations are sent by POST."
    assert calls == []


@pytest.mark.parametrize(
    "query", [{}, {"query": HELLO, "variables": "{"}, {"query": HELLO, "variables": "3"}]
)
def test_a_get_without_a_good_query_is_refused(api, query):
    answer = api.rest("GET", "/graphql", query_string=query)

    assert (answer.status_code, codes(answer.json)) == (400, ["BAD_USER_INPUT"])


@pytest.mark.parametrize(
    ("method", "said"),
    [
        *((method, method) for method in ("PUT", "DELETE", "PATCH", "TRACE")),
        ("GETS", "this method"),
    ],
)
def test_other_methods_are_refused(api, method, said):
    answer = api.rest(method, "/graphql")

    assert answer.status_code == 405
    assert answer.json["errors"][0]["message"] == f"This path does not accept {said}."
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))


REQUEST_ERRORS = {
    "{": "GRAPHQL_PARSE_FAILED",
    "{ nope }": "GRAPHQL_VALIDATION_FAILED",
    "query A { __typename } query B { __typename }": "OPERATION_RESOLUTION_FAILURE",
    "query ($x: Int!) { tasks(first: $x) { totalCount } }": "BAD_USER_INPUT",
    "{" + " ".join(f"a{n}: __typename" for n in range(16)) + "}": "QUERY_TOO_COMPLEX",
}


@pytest.mark.parametrize(("query", "code"), REQUEST_ERRORS.items(), ids=REQUEST_ERRORS.values())
def test_a_request_error_is_a_400_only_where_the_media_type_says_that_it_is_graphqls(
    api, query, code
):
    old = post(api, json.dumps({"query": query}), accept=JSON)
    new = post(api, json.dumps({"query": query}), accept=GRAPHQL)

    assert (old.status_code, new.status_code) == (200, 400)
    assert old.json == new.json
    assert codes(new.json) == [code]
    assert "data" not in new.json


def test_a_field_error_is_a_200_in_both_media_types(api):
    for accept in (JSON, GRAPHQL):
        answer = post(api, json.dumps({"query": "{ viewer { id } }"}), accept=accept)
        assert (answer.status_code, answer.content_type) == (200, f"{accept}; charset=utf-8")
        assert answer.json["data"] is None
        assert codes(answer.json) == ["UNAUTHENTICATED"]


def test_an_answer_says_that_it_depends_on_accept(api):
    answers = [
        api.post(HELLO),
        api.post("{ nope }"),
        post(api, b"[]", accept=GRAPHQL),
        post(api, b"{}", accept="image/png"),
        api.rest("PUT", "/graphql"),
        api.rest("GET", "/graphql", headers={"Accept": "text/html"}),
    ]

    assert {answer.headers["Vary"] for answer in answers} == {"Accept"}


def test_what_is_not_accepted_is_not_sent(api):
    answer = post(api, json.dumps({"query": HELLO}), accept="image/png")

    assert answer.status_code == 406
    assert codes(answer.json) == ["BAD_USER_INPUT"]


def test_every_answer_has_safe_headers_and_a_request_id(api, ann):
    answers = [
        api.post(HELLO),
        ann.rest("GET", "/api/v1/tasks"),
        api.rest("GET", "/nowhere"),
        api.rest("PUT", "/graphql"),
        api.rest("GET", "/healthz"),
    ]

    for answer in answers:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
    assert len({answer.headers["X-Request-Id"] for answer in answers}) == len(answers)


def test_a_clients_request_id_is_kept_if_it_is_harmless(api):
    kept = api.rest("GET", "/healthz", headers={"X-Request-Id": "abc-123"})
    replaced = api.rest("GET", "/healthz", headers={"X-Request-Id": "a b"})

    assert kept.headers["X-Request-Id"] == "abc-123"
    assert replaced.headers["X-Request-Id"] != "a b"


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1", "/api/v1/tasks/x/y", "/graphql/x"])
def test_an_unknown_path_is_a_problem(api, path):
    answer = api.rest("GET", path)

    assert (answer.status_code, answer.json["code"]) == (404, "NOT_FOUND")
    assert answer.content_type.startswith(PROBLEM)


def test_the_root_leads_to_the_page_if_there_is_one(api, closed):
    root = api.rest("GET", "/")

    assert (root.status_code, root.headers["Location"]) == (302, "/graphql")
    assert closed.rest("GET", "/").status_code == 404


def test_health_needs_no_store_and_readiness_does(api, calls):
    healthy = api.rest("GET", "/healthz")

    assert (healthy.status_code, healthy.json) == (200, {"status": "ok"})
    assert calls == []
    ready = api.rest("GET", "/readyz")
    assert (ready.status_code, ready.json) == (
        200,
        {"status": "ready", "read": True, "write": True},
    )
    assert "Connection" not in ready.headers


def test_readiness_tells_that_writes_fail_while_reads_go_on(app, api, ann, monkeypatch):
    breakers = app.extensions["database"].breakers
    monkeypatch.setattr(circuit_breaker, "LATELY", 0)
    monkeypatch.setitem(breakers, "write", CircuitBreaker())
    breakers["write"].record_failure()

    def fail(_):
        raise ServiceUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(UserStore, "check_write", fail)
        degraded = api.rest("GET", "/readyz")
        listed = ann.rest("GET", "/api/v1/tasks")
        created = ann.rest("POST", "/api/v1/tasks", json={"title": "x"})
    recovered = api.rest("GET", "/readyz")

    assert (degraded.status_code, degraded.json) == (
        200,
        {"status": "ready", "read": True, "write": False},
    )
    assert (listed.status_code, created.status_code) == (200, 503)
    assert recovered.json == {"status": "ready", "read": True, "write": True}


def test_readiness_tells_that_writes_fail_now_and_then(app, api, monkeypatch):
    seconds = [0.0]
    writes = CircuitBreaker(lambda: seconds[0])
    monkeypatch.setitem(app.extensions["database"].breakers, "write", writes)

    writes.record_failure()
    writes.record_success()
    failing = api.rest("GET", "/readyz")
    seconds[0] = circuit_breaker.LATELY
    later = api.rest("GET", "/readyz")

    assert [failing.json["write"], later.json["write"]] == [False, True]


def test_readiness_tells_what_is_so_where_nothing_can_be_read(api, monkeypatch):
    def fail(_):
        raise ServiceUnavailable

    monkeypatch.setattr(UserStore, "check", fail)
    answer = api.rest("GET", "/readyz")

    assert (answer.status_code, answer.json["read"], answer.json["write"]) == (503, False, True)


def test_a_process_that_leaves_is_not_ready_but_alive_and_lets_every_client_go(engine):
    api = Api(create_app(engine, is_draining=lambda: True).test_client())
    ready, healthy = api.rest("GET", "/readyz"), api.rest("GET", "/healthz")
    answer = api.post("{ __typename }")

    assert (ready.status_code, ready.headers["Retry-After"]) == (503, "1")
    assert ready.mimetype == "application/problem+json"
    assert ready.json["code"] == "SERVICE_UNAVAILABLE"
    assert healthy.status_code == 200
    assert answer.json == {"data": {"__typename": "Query"}}
    assert {each.headers["Connection"] for each in (ready, healthy, answer)} == {"close"}


@pytest.mark.parametrize("path", ["/healthz", "/graphql", "/none"])
def test_over_tls_browsers_are_told_to_stay_there(app, path):
    plain = app.test_client().get(path)
    secure = app.test_client().get(path, base_url="https://tasks.example")

    assert "Strict-Transport-Security" not in plain.headers
    assert secure.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_no_answer_names_the_software_behind_it(app):
    assert [
        value for name, value in app.test_client().get("/none").headers if name == "Server"
    ] == ["http"]


# When something goes wrong that the client cannot mend


def test_a_crash_is_logged_once_and_shown_by_its_id(ann, monkeypatch, caplog):
    def crash(*_, **__):
        raise RuntimeError("arn:aws:dynamodb:secret detail")

    monkeypatch.setattr(Database, "call", crash)
    headers = {"X-Request-Id": "crash-1"}
    with caplog.at_level(logging.ERROR):
        graphql = ann.api.client.post(
            "/graphql",
            json={"query": CREATE, "variables": {"input": {"title": "x"}}},
            headers={**headers, "Authorization": ann.token},
        )
        rest = ann.rest("GET", "/api/v1/tasks", headers=headers)

    assert graphql.json["data"] is None
    assert [(error["message"], error["extensions"]) for error in graphql.json["errors"]] == [
        ("Internal server error.", {"code": "INTERNAL_SERVER_ERROR", "requestId": "crash-1"})
    ]
    assert (rest.status_code, rest.json["code"], rest.json["request_id"]) == (
        500,
        "INTERNAL_SERVER_ERROR",
        "crash-1",
    )
    assert b"secret detail" not in graphql.data + rest.data
    assert [("crash-1" in record.getMessage()) for record in caplog.records] == [True, True]


def test_a_crash_outside_of_graphql_is_a_problem_with_its_id(app, monkeypatch, caplog):
    monkeypatch.setitem(app.view_functions, "health.healthz", lambda _: 1 // 0)

    answer = app.test_client().get("/healthz", headers={"X-Request-Id": "crash-2"})

    assert (answer.status_code, answer.json["request_id"]) == (500, "crash-2")
    assert [bool(r.exc_info) for r in caplog.records if r.levelno == logging.ERROR] == [True]


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [
        (400, "BAD_REQUEST", "The body broke off, or it has trailers."),
        (408, "REQUEST_TIMEOUT", "The body came too slowly, or ended early."),
        (503, "SERVICE_UNAVAILABLE", "Too many requests are waiting, try again."),
    ],
)
def test_what_the_server_refuses_is_not_executed_and_gets_its_form(ann, calls, status, code, says):
    refused = {"environ_overrides": {REFUSED: status}, "json": {"query": HELLO, "title": "x"}}
    graphql = ann.rest("POST", "/graphql", **refused)
    rest = ann.rest("POST", "/api/v1/tasks", **refused)

    assert {graphql.status_code, rest.status_code} == {status}
    at_graphql = code if status == 503 else "BAD_USER_INPUT"
    assert (codes(graphql.json), graphql.json["errors"][0]["message"]) == ([at_graphql], says)
    assert (rest.json["code"], rest.json["detail"]) == (code, says)
    retry_after = {answer.headers.get("Retry-After") for answer in (graphql, rest)}
    assert retry_after == {"1" if status == 503 else None}
    assert calls == []


def test_a_browser_can_read_what_the_server_refuses(engine):
    origin = {"Origin": "https://app.example"}
    client = create_app(replace(engine, cors_origins=("https://app.example",))).test_client()
    busy = {"environ_overrides": {REFUSED: 503}, "headers": origin}

    refused = client.post("/graphql", json={"query": HELLO}, **busy)
    asked = client.options("/graphql", **busy)

    assert (refused.status_code, codes(refused.json)) == (503, ["SERVICE_UNAVAILABLE"])
    assert asked.status_code == 200
    for answer in (refused, asked):
        assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"


def test_a_store_that_is_away_is_a_503_with_retry_after(ann, monkeypatch):
    def away(*_, **__):
        raise ServiceUnavailable

    monkeypatch.setattr(Database, "call", away)

    graphql = ann.graphql(CREATE, input={"title": "x"})
    answers = [
        ann.rest("GET", "/api/v1/tasks"),
        ann.rest("POST", "/api/v1/tasks", json={"title": "x"}),
        ann.rest("GET", "/readyz"),
    ]

    assert [error["extensions"] for error in graphql["errors"]] == [
        {"code": "SERVICE_UNAVAILABLE", "retryAfter": 1}
    ]
    for answer in answers:
        assert (answer.status_code, answer.json["code"]) == (503, "SERVICE_UNAVAILABLE")
        assert answer.headers["Retry-After"] == "1"


# What a deployment may switch


@pytest.fixture(scope="module")
def closed(engine):
    """The service without the page and without schema questions, open to one other origin."""
    config = replace(
        engine, graphiql=False, introspection=False, cors_origins=("https://app.example",)
    )
    return Api(create_app(config).test_client())


def test_without_graphiql_there_is_no_page(api, closed):
    html = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}

    assert api.rest("GET", "/graphql", headers=html).mimetype == "text/html"
    assert closed.rest("GET", "/graphql", headers=html).status_code == 400
    assert closed.rest("GET", "/graphiql/start.js").status_code == 404


def test_without_introspection_the_schema_is_not_told(api, closed):
    question = "{ __schema { queryType { name } } }"

    assert api.graphql(question) == {"data": {"__schema": {"queryType": {"name": "Query"}}}}
    assert set(codes(closed.graphql(question))) == {"GRAPHQL_VALIDATION_FAILED"}
    assert "Did you mean" in api.graphql("{ viewr { id } }")["errors"][0]["message"]
    assert "Did you mean" not in closed.graphql("{ viewr { id } }")["errors"][0]["message"]


def test_only_listed_origins_may_ask_from_a_browser(api, closed):
    def allowed(service, origin):
        preflight = {
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization, content-type",
        }
        answer = service.rest("OPTIONS", "/graphql", headers=preflight)
        return answer.headers.get("Access-Control-Allow-Origin")

    assert allowed(closed, "https://app.example") == "https://app.example"
    assert allowed(closed, "https://evil.example") is None
    assert allowed(api, "https://app.example") is None


def test_the_files_of_the_page_are_served_by_exact_name(api):
    assert api.rest("GET", "/graphiql/start.js").mimetype == "text/javascript"
    for name in ("nope.js", "..%2f..%2fapp.py", "%2e%2e/app.py", "graphiql.html"):
        assert api.rest("GET", f"/graphiql/{name}").status_code == 404


# Every request goes one way, which answers as Flask's own dispatch would.

REQUESTS = {
    "an operation": {"json": {"query": HELLO}},
    "an error of a resolver": {"json": {"query": "{ viewer { id } }"}},
    "a mutation": {"json": {"query": 'mutation { deleteTask(id: "none") { id } }'}},
    "an unknown field": {"json": {"query": "{ nothing }"}},
    "what no client takes": {"json": {"query": HELLO}, "headers": {"Accept": "text/csv"}},
    "what is GraphQL's": {"json": {"query": "{ a"}, "headers": {"Accept": GRAPHQL}},
    "another charset": {
        "data": json.dumps({"query": HELLO}),
        "content_type": f"{JSON}; charset=utf-16",
    },
    "an encoding": {"json": {"query": HELLO}, "headers": {"Content-Encoding": "gzip"}},
    "too much": {"data": b" " * 300_000, "content_type": JSON},
    "a form": {"data": {"query": HELLO}},
    "a path with more slashes": {"json": {"query": HELLO}, "path": "//graphql"},
    "a path with a slash behind": {"json": {"query": HELLO}, "path": "/graphql/"},
    **{name: {"data": body, "content_type": JSON} for name, body in MALFORMED.items()},
    "a list": {"method": "GET", "path": "/api/v1/tasks?limit=1"},
    "a list, by its head": {"method": "HEAD", "path": "/api/v1/tasks?limit=1"},
    "a parameter that there is not": {"method": "GET", "path": "/api/v1/tasks?colour=red"},
    "a task that there is not": {"method": "GET", "path": "/api/v1/tasks/none"},
    "a task's name that is no UTF-8": {"method": "GET", "path": "/api/v1/tasks/%ff%00"},
    "a new task": {"path": "/api/v1/tasks", "json": {"title": ""}},
    "a new task of no JSON": {"path": "/api/v1/tasks", "data": "{", "content_type": JSON},
    "a new task of too much": {"path": "/api/v1/tasks", "data": b" " * 300_000},
    "a method that a route does not have": {"method": "PATCH", "path": "/api/v1/tasks"},
    "what methods a route has": {"method": "OPTIONS", "path": "/api/v1/tasks"},
    "a route with a slash behind": {"method": "GET", "path": "/api/v1/tasks/"},
    "no route": {"method": "GET", "path": "/nowhere"},
    "health": {"method": "GET", "path": "/healthz"},
}


@pytest.fixture(scope="module")
def by_flask(app):
    """The same routes, dispatched by Flask itself, with all its contexts and hooks."""
    flask = Flask(__name__, static_folder=None)
    flask.url_map.merge_slashes = False

    def dispatched(endpoint):
        return lambda **path: app.view_functions[endpoint](HTTPRequest(request.environ), **path)

    for rule in app.url_map.iter_rules():
        flask.add_url_rule(
            rule.rule,
            rule.endpoint,
            dispatched(rule.endpoint),
            methods=rule.methods - {"OPTIONS"},  # which Flask answers itself
            strict_slashes=rule.strict_slashes,
        )
    flask.register_error_handler(Exception, lambda error: error_response(error, request.environ))
    flask.wsgi_app = RequestMiddleware(flask.wsgi_app, lambda: False)
    return flask


@pytest.fixture(scope="module")
def by_others(engine):
    """The service for browser apps of another origin, with traces."""
    provider = TracerProvider()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("graphql_api.infra.telemetry.tracing.provider", lambda: provider)
        yield create_app(replace(engine, cors_origins=("https://app.example",), traces=True))


@pytest.mark.parametrize("crash", [False, True], ids=["well", "crashing"])
@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_a_request_is_answered_as_by_flask_and_the_same_with_cors_and_traces(
    app, by_flask, by_others, ann, monkeypatch, request_, crash
):
    if crash:
        monkeypatch.setattr(GraphQLView, "_response", None)
        monkeypatch.setattr(RestViews, "_context", None)

    def answer(app):
        sent = {"method": "POST", "path": "/graphql", **request_}
        signed = {"Authorization": f"Bearer {ann.token}", **sent.pop("headers", {})}
        response = app.test_client().open(**sent, headers=signed)
        crashed = response.headers.pop("X-Request-Id").encode()
        response.headers.pop("X-Changes-Cursor", None)  # which holds the time
        if "Allow" in response.headers:
            response.headers["Allow"] = ", ".join(sorted(response.headers["Allow"].split(", ")))
        return response.status, response.headers, response.data.replace(crashed, b"the id")

    def without_origin(status, headers, body):
        vary = headers.pop("Vary").removeprefix("Origin").removeprefix(", ")
        return status, Headers({**headers, "Vary": vary} if vary else headers), body

    assert answer(app) == answer(by_flask) == without_origin(*answer(by_others))


HOOKS = ["before_request", "after_request", "teardown_request"]
APP_HOOKS = ["before_app_request", "after_app_request", "teardown_app_request"]


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_that_would_not_be_called_cannot_be_set(hook):
    application, routes = Application(__name__), Blueprint("routes", __name__)
    getattr(routes, hook)(print)

    with pytest.raises(TypeError, match="calls no hooks"):
        getattr(application, hook)(print)
    with pytest.raises(TypeError, match="calls no hooks"):
        application.register_blueprint(routes)


@pytest.mark.parametrize("hook", APP_HOOKS)
def test_a_hook_of_a_blueprint_for_all_requests_cannot_be_set(hook):
    routes = Blueprint("routes", __name__)
    getattr(routes, hook)(print)

    with pytest.raises(TypeError, match="calls no hooks"):
        Application(__name__).register_blueprint(routes)


def test_an_error_handler_that_would_not_be_called_cannot_be_set():
    with pytest.raises(TypeError, match="calls no hooks"):
        Application(__name__).register_error_handler(Exception, print)


@pytest.mark.parametrize("method", ["options", "Options", "OPTIONS"])
@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/auth/account", {"DELETE", "OPTIONS"}),
        ("/api/v1/tasks", {"GET", "HEAD", "POST", "OPTIONS"}),
    ],
)
def test_to_ask_for_methods_does_nothing_however_it_is_spelled(app, ann, method, path, methods):
    signed = {"Authorization": f"Bearer {ann.token}"}
    answer = raw(app, method, path, signed, {"password": PASSWORD, "title": "x"})

    assert (answer.status_code, answer.data) == (200, b"")
    assert set(answer.headers["Allow"].split(", ")) == methods
    assert raw(app, "GET", "/api/v1/tasks", signed).json == []


def test_a_method_in_lower_case_is_the_same(app):
    assert raw(app, "post", "/graphql", {}, {"query": HELLO}).json == {
        "data": {"__typename": "Query"}
    }


def raw(app, method, path, headers, body=None):
    """The answer to a request whose method is sent as it is; werkzeug's client writes capitals."""
    builder = EnvironBuilder(path, method=method, headers=headers, json=body)
    environ = builder.get_environ()
    environ["REQUEST_METHOD"] = method
    return Response.from_app(app, environ)


def test_an_answer_that_was_measured_is_not_written_twice(ann, monkeypatch):
    """It may be large, and is written by a thread, where others need not wait for it."""
    monkeypatch.setattr(responses, "orjson", None)
    fields = " ".join(f"d{number}: description" for number in range(5))
    answer = ann.graphql(f"{{ tasks(first: 100) {{ nodes {{ {fields} }} }} }}")
    assert answer == {"data": {"tasks": {"nodes": []}}}
