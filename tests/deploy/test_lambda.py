"""The service on AWS Lambda, called with events as AWS documents them (tests/events/)."""

import base64
import json
import runpy
from dataclasses import replace

import pytest
from conftest import CREATE, PASSWORD, REGISTER, codes
from engines import CONFIG
from moto import mock_aws
from service import ROOT

from graphql_api.aws_lambda import create_handler
from graphql_api.domain.accounts import service
from graphql_api.domain.tables import TABLES
from graphql_api.errors import StartError
from graphql_api.infra.dynamodb import connect
from graphql_api.infra.dynamodb.tables import Tables
from graphql_api.infra.serving.body_limits import BODY_BYTES

PREFIX = "lambda."
ENVIRON = {"JWT_SECRET": CONFIG.jwt_secret.decode(), "TABLE_PREFIX": PREFIX, "THREADS": "2"}
FRONTS = ["http-api", "load-balancer", "load-balancer-multi-value", "rest-api"]


@pytest.fixture(scope="module", autouse=True)
def _tables():
    with mock_aws():
        config = replace(CONFIG, dynamodb="aws", table_prefix=PREFIX)
        Tables(connect(config), config, TABLES).create_missing()
        yield


@pytest.fixture(scope="module")
def handler(_tables):
    return create_handler(ENVIRON)


def event(front, method="GET", path="/graphql", body="", query=None, **headers):
    """The event of a front for a request; `query` has lists of texts as they are in the URL."""
    found = json.loads((ROOT / "tests" / "events" / f"{front}.json").read_text())
    query = query or {}
    if front == "http-api":
        found["rawPath"] = found["requestContext"]["http"]["path"] = path
        found["rawQueryString"] = "&".join(f"{n}={v}" for n, vs in query.items() for v in vs)
        found["requestContext"]["http"]["method"] = method
    else:
        found |= {"path": path, "httpMethod": method}
        found["queryStringParameters"] = {name: values[-1] for name, values in query.items()}
        if "multiValueQueryStringParameters" in found:
            found["multiValueQueryStringParameters"] = query
    headers = {name.replace("__", "-"): value for name, value in headers.items()}
    for kind in {"headers", "multiValueHeaders"} & found.keys():
        known = {name.lower(): name for name in found[kind]}
        for name, value in headers.items():
            kept = value if kind == "headers" else [value]
            found[kind][known.get(name.lower(), name)] = kept
    return found | {"body": body}


def in_base64(found):
    body = base64.b64encode(found["body"].encode()).decode()
    return found | {"body": body, "isBase64Encoded": True}


def header(answer, name):
    """A header of an answer, wherever the front wants to have it."""
    several = answer.get("multiValueHeaders")
    named = answer["headers"] if several is None else {n: v[0] for n, v in several.items()}
    return {key.lower(): value for key, value in named.items()}.get(name)


def graphql(query, **variables):
    return json.dumps({"query": query, "variables": variables}, ensure_ascii=False)


def register(handler, name, front="http-api", **headers):
    """The answer to somebody who wants an account."""
    asked = graphql(REGISTER, input={"username": name, "password": PASSWORD})
    return json.loads(handler(event(front, "POST", body=asked, **headers), None)["body"])


@pytest.fixture(scope="module")
def ann(handler):
    """The Authorization header of somebody who is logged in."""
    token = register(handler, "ann")["data"]["register"]["token"]
    return {"authorization": f"Bearer {token}"}


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("encode", [lambda found: found, in_base64], ids=["text", "base64"])
def test_a_task_created_in_graphql_comes_back_as_it_was_typed(handler, ann, front, encode):
    title = "Überweisung an Łukasz, 送金 ✅"
    asked = graphql(CREATE, input={"title": title})

    answer = handler(encode(event(front, "POST", body=asked, **ann)), None)

    task = json.loads(answer["body"])["data"]["createTask"]["task"]
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, False)
    assert header(answer, "content-type") == "application/json; charset=utf-8"
    assert task["title"] == title


def test_graphqls_own_media_type_is_text_too(handler):
    accept = {"accept": "application/graphql-response+json"}

    answer = handler(event("http-api", "POST", body=graphql("{ nope }"), **accept), None)

    assert (answer["statusCode"], answer["isBase64Encoded"]) == (400, False)
    assert codes(json.loads(answer["body"])) == ["GRAPHQL_VALIDATION_FAILED"]


@pytest.mark.parametrize("front", ["http-api", "load-balancer", "load-balancer-multi-value"])
def test_rest_finds_what_the_url_asks_for(handler, ann, front):
    fields = json.dumps({"title": f"Gemüse {front}", "tags": ["a+b", "c d"]})
    made = handler(event(front, "POST", "/api/v1/tasks", body=fields, **ann), None)
    assert made["statusCode"] == 201

    query = {"search": ["gem%C3%9CSE%20" + front], "tag": ["a%2Bb"]}
    found = handler(event(front, path="/api/v1/tasks", query=query, **ann), None)

    assert [task["task_id"] for task in json.loads(found["body"])] == [
        json.loads(made["body"])["task_id"]
    ]


def test_a_parameter_may_be_repeated_where_the_front_keeps_both(handler, ann):
    for tag in ("left", "right"):
        fields = json.dumps({"title": tag, "tags": [tag]})
        handler(event("load-balancer", "POST", "/api/v1/tasks", body=fields, **ann), None)

    query, plain = {"tag": ["left", "right"]}, {"accept__encoding": "identity"}
    counts = {
        front: len(
            json.loads(
                handler(event(front, path="/api/v1/tasks", query=query, **plain, **ann), None)[
                    "body"
                ]
            )
        )
        for front in ("http-api", "load-balancer-multi-value", "load-balancer")
    }

    assert counts == {"http-api": 2, "load-balancer-multi-value": 2, "load-balancer": 1}


@pytest.mark.parametrize("front", FRONTS)
def test_errors_keep_their_status_and_their_form(handler, front):
    nowhere = handler(event(front, path="/nowhere"), None)
    nobody = handler(event(front, path="/api/v1/tasks"), None)

    assert (nowhere["statusCode"], nowhere["isBase64Encoded"]) == (404, False)
    assert header(nowhere, "content-type") == "application/problem+json; charset=utf-8"
    assert json.loads(nowhere["body"])["code"] == "NOT_FOUND"
    assert (nobody["statusCode"], header(nobody, "www-authenticate")) == (401, "Bearer")


@pytest.mark.parametrize("front", FRONTS)
def test_a_large_body_is_refused_and_a_chunked_one_within_the_limit_is_read(handler, front):
    query = graphql("{ __typename }")
    large = handler(event(front, "POST", body=query + " " * BODY_BYTES), None)
    chunked = handler(event(front, "POST", body=query, transfer__encoding="chunked"), None)

    assert large["statusCode"] == 413
    assert json.loads(chunked["body"]) == {"data": {"__typename": "Query"}}


def test_bytes_that_are_no_text_are_refused_as_such(handler):
    found = event("http-api", "POST") | {
        "body": base64.b64encode(b"\xff\xfe\x00").decode(),
        "isBase64Encoded": True,
    }

    answer = handler(found, None)

    assert answer["statusCode"] == 400
    assert codes(json.loads(answer["body"])) == ["BAD_USER_INPUT"]


def test_the_load_balancers_own_question_is_answered(handler):
    answer = handler(event("load-balancer-health-check", path="/healthz"), None)

    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"status": "ok"})


# Who is asking is told by AWS, not by the client


@pytest.fixture
def _one_account_an_address(monkeypatch):
    only = replace(service.ACCOUNTS_BY_ADDRESS, kind="lambda", attempts=1)
    monkeypatch.setattr(service, "ACCOUNTS_BY_ADDRESS", only)


def from_address(found, address):
    """The event as AWS would have written it for a client of this address."""
    context = found["requestContext"]
    for kind in {"http", "identity"} & context.keys():
        context[kind]["sourceIp"] = address
    return found


def accounts(handler, front, *forwarded, **headers):
    """The codes of the errors of one registration for each X-Forwarded-For."""
    seen = []
    for number, addresses in enumerate(forwarded):
        name = f"{front}-{addresses[-9:]}-{number}"
        asked = graphql(REGISTER, input={"username": name, "password": PASSWORD})
        more = {"x__forwarded__for": addresses, **headers}
        found = event(front, "POST", body=asked, **more)
        answer = handler(from_address(found, addresses.rpartition(", ")[2]), None)
        seen += codes({"errors": [], **json.loads(answer["body"])})
    return seen


@pytest.mark.usefixtures("_one_account_an_address")
@pytest.mark.parametrize(("number", "front"), list(enumerate(FRONTS)))
def test_a_client_cannot_say_that_it_is_another_one(handler, number, front):
    client = f"198.51.100.{number}"
    claims = [f"192.0.2.1, {client}", f"192.0.2.2, {client}"]

    assert accounts(handler, front, *claims) == ["RATE_LIMITED"]
    assert (
        accounts(handler, front, *claims, X_Forwarded_For=f"203.0.113.{number}")
        == ["RATE_LIMITED"] * 2
    )


@pytest.mark.usefixtures("_one_account_an_address")
@pytest.mark.parametrize(("number", "front"), list(enumerate(FRONTS)))
def test_behind_a_cdn_the_address_before_its_own_counts(number, front):
    handler = create_handler({**ENVIRON, "TRUSTED_PROXIES": "2"})
    cdn = f"198.51.100.{100 + number}"
    clients = [f"192.0.2.{10 * number + n}, {cdn}" for n in (1, 2, 2)]

    assert accounts(handler, front, *clients) == ["RATE_LIMITED"]


# The cold start


def test_settings_are_read_once():
    environ = dict(ENVIRON)
    handler = create_handler(environ)
    environ.clear()

    assert handler(event("http-api", path="/readyz"), None)["statusCode"] == 200


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"DYNAMODB": "embedded"}, "DYNAMODB=embedded"),
        ({"DYNAMODB": ""}, "DYNAMODB=embedded"),
        ({"JWT_SECRET": ""}, "JWT_SECRET is required"),
        ({"TABLE_PREFIX": "nobody.has."}, "no table nobody.has.Users"),
    ],
)
def test_what_cannot_serve_does_not_start(settings, words):
    with pytest.raises(StartError, match=words):
        create_handler({**ENVIRON, **settings})


@pytest.mark.parametrize("front", FRONTS)
def test_a_stream_is_refused_with_a_sentence_that_names_polling(handler, ann, front):
    sentence = "This server cannot stream: poll `changes` instead."
    asked = graphql("subscription { changes { id } }")
    events, json_ = {"accept": "text/event-stream"}, {"accept": "application/json"}

    by_events = handler(event(front, "POST", body=asked, **ann, **events), None)
    by_json = handler(event(front, "POST", body=asked, **ann, **json_), None)
    by_rest = handler(event(front, path="/api/v1/events", **ann, **events), None)
    polled = handler(event(front, path="/api/v1/changes", **ann), None)

    first, last, _ = by_events["body"].split("\n\n")
    [error] = json.loads(first.removeprefix("event: next\ndata: "))["errors"]
    assert (error["message"], last) == (sentence, "event: complete\ndata: ")
    assert header(by_events, "content-type") == "text/event-stream; charset=utf-8"
    assert json.loads(by_json["body"])["errors"][0]["message"] == sentence
    assert (by_rest["statusCode"], json.loads(by_rest["body"])["detail"]) == (400, sentence)
    assert polled["statusCode"] == 200


def test_lambda_finds_its_function_under_the_name_that_it_looks_for(monkeypatch):
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    function = runpy.run_path(str(ROOT / "deploy" / "lambda_function.py"))["lambda_handler"]

    answer = function(event("http-api", path="/healthz"), None)

    assert answer["statusCode"] == 200
