"""Browser apps of listed origins may read responses; others may not."""

from dataclasses import replace

import pytest
from conftest import Api

from graphql_api import create_app

pytestmark = pytest.mark.engine_is_no_matter

ORIGINS = ("https://app.example", "https://Other.example:8443")
ALLOW_ORIGIN = "Access-Control-Allow-Origin"
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization, content-type",
}
EXPOSED = {
    *("ETag", "Link", "Location", "Preference-Applied", "Retry-After"),
    *("X-Changes-Cursor", "X-Incomplete", "X-Request-Id"),
}
ALLOWED = {
    *("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"),
    *("Last-Event-ID", "Prefer", "X-GraphQL-Cost", "X-Request-Id"),
}


@pytest.fixture(scope="module")
def open_api(engine):
    """The service, open to two other origins."""
    return Api(create_app(replace(engine, cors_origins=ORIGINS)).test_client())


def listed(answer, header):
    """The members of a header that is a list, and may be there more than once."""
    text = ",".join(answer.headers.getlist(header))
    return {part.strip() for part in text.split(",") if part.strip()}


PATHS = ["/graphql", "/api/v1/tasks", "/healthz", "/nowhere", "/plan", "/openapi.json"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("origin", ["https://app.example", "https://other.example:8443"])
def test_every_response_can_be_read_by_a_listed_origin(open_api, path, origin):
    answer = open_api.rest("GET", path, headers={"Origin": origin})

    assert answer.headers.getlist(ALLOW_ORIGIN) == [origin]
    assert listed(answer, "Access-Control-Expose-Headers") == EXPOSED
    assert "Origin" in listed(answer, "Vary")
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Access-Control-Allow-Methods" not in answer.headers


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "origin",
    [
        *("https://evil.example", "http://app.example", "https://app.example:8443"),
        *("https://app.example.evil.example", "https://xapp.example", "null", "", None),
    ],
)
def test_no_response_can_be_read_by_another_origin(open_api, path, origin):
    headers = {} if origin is None else {"Origin": origin}

    answers = [
        open_api.rest(method, path, headers={**headers, **PREFLIGHT})
        for method in ("GET", "OPTIONS")
    ]

    for answer in answers:
        assert [name for name, _ in answer.headers if name.startswith("Access-Control")] == []
        assert "Origin" in listed(answer, "Vary")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "post"])
def test_a_preflight_allows_every_method_and_header_of_the_apis(open_api, method):
    headers = {**PREFLIGHT, "Origin": ORIGINS[0], "Access-Control-Request-Method": method}

    answer = open_api.rest("OPTIONS", "/api/v1/tasks", headers=headers)

    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers[ALLOW_ORIGIN] == ORIGINS[0]
    assert listed(answer, "Access-Control-Allow-Headers") == ALLOWED
    assert listed(answer, "Access-Control-Allow-Methods") == {
        *("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    }


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "", None])
def test_options_that_are_no_preflight_allow_nothing(open_api, method):
    headers = {} if method is None else {"Access-Control-Request-Method": method}

    answer = open_api.rest("OPTIONS", "/graphql", headers={"Origin": ORIGINS[0], **headers})

    assert answer.headers[ALLOW_ORIGIN] == ORIGINS[0]
    assert "Access-Control-Allow-Methods" not in answer.headers
    assert listed(answer, "Allow") == {"GET", "HEAD", "POST", "OPTIONS"}


def test_what_varies_by_accept_varies_by_origin_too(open_api):
    answer = open_api.rest("GET", "/graphql", headers={"Origin": ORIGINS[0]})

    assert answer.headers.getlist("Vary") == ["Origin, Accept"]


def test_without_listed_origins_no_header_tells_of_any(api):
    answer = api.rest("OPTIONS", "/graphql", headers={"Origin": ORIGINS[0], **PREFLIGHT})

    assert answer.headers.get("Vary") == "Accept"
    assert [name for name, _ in answer.headers if name.startswith("Access-Control")] == []
