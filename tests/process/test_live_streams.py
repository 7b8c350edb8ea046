"""Live changes over server-sent events, from the whole service with several processes."""

import json
import shutil
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from conftest import CREATE, REGISTER
from service import running
from tokens import CREATE_TOKEN

pytestmark = pytest.mark.whole

SOON = 120  # seconds for what takes one
SUBSCRIPTION = "subscription ($after: String) { changes(after: $after) { kind task { title } } }"


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with running(tmp_path_factory.mktemp("live"), WORKERS="2", MAX_STREAMS_PER_USER="3") as url:
        yield url


def post(url, query, token=None, **variables):
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    body = json.dumps({"query": query, "variables": variables}).encode()
    with urlopen(Request(f"{url}/graphql", body, headers), timeout=SOON) as answer:
        return json.load(answer)


@pytest.fixture
def token(url):
    name = f"live-{time.monotonic_ns()}"
    answer = post(url, REGISTER, input={"username": name, "password": "correct horse battery"})
    return answer["data"]["register"]["token"]


class Events:
    """A stream's events as they come: dictionaries of their lines, comments left out."""

    def __init__(self, connection):
        self.file = connection.makefile("rb")
        self.status = self.file.readline().decode().split()[1]
        self.headers = {}
        while line := self.file.readline().decode().strip():
            name, _, value = line.partition(": ")
            self.headers[name.lower()] = value
        self._text = b""

    def next(self):
        while True:
            while b"\n\n" not in self._text:
                size = int(self.file.readline() or b"0", 16)
                if not size:
                    return None
                self._text += self.file.read(size)
                self.file.readline()
            block, _, self._text = self._text.partition(b"\n\n")
            lines = [line.partition(": ") for line in block.decode().split("\n")]
            event = {name: value for name, _, value in lines if name and name != ":"}
            if event:
                return event


@contextmanager
def sent(url, text):
    """The answer to a request."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=SOON) as connection:
        connection.sendall(text.encode())
        yield Events(connection)


def subscribed(url, token, query=SUBSCRIPTION, **variables):
    body = json.dumps({"query": query, "variables": variables})
    head = (
        "POST /graphql HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n"
        f"Content-Type: application/json\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return sent(url, head + body)


def followed(url, token, query="", method="GET", **headers):
    """A stream of REST's, with further headers."""
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()]
    head = (
        f"{method} /api/v1/events{query} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
    )
    return sent(url, "".join([head, *lines, "\r\n"]))


def assert_ended(events):
    last = events.next()
    assert 1_000 <= int(last.pop("retry")) <= 5_000  # milliseconds until the client comes back
    assert last == {"event": "complete", "data": ""}
    assert events.next() is None


def titles(events, count):
    found = []
    for _ in range(count):
        event = events.next()
        assert event["event"] == "next"
        found.append(json.loads(event["data"])["data"]["changes"]["task"]["title"])
    return found


def test_subscribers_in_all_processes_get_what_any_of_them_writes(url, token):
    with subscribed(url, token) as one, subscribed(url, token) as two:
        assert (one.status, one.headers["content-type"]) == (
            "200",
            "text/event-stream; charset=utf-8",
        )
        for number in range(6):
            post(url, CREATE, token, input={"title": f"{number}"})

        wanted = [f"{number}" for number in range(6)]
        assert titles(one, 6) == wanted
        assert titles(two, 6) == wanted


def test_what_happened_while_a_client_was_away_comes_after_its_cursor(url, token):
    with subscribed(url, token) as events:
        post(url, CREATE, token, input={"title": "1"})
        cursor = events.next()["id"]
    post(url, CREATE, token, input={"title": "2"})

    with subscribed(url, token, after=cursor) as events:
        # What lies within the window comes again.
        assert titles(events, 2) == ["1", "2"]
        post(url, CREATE, token, input={"title": "3"})
        assert titles(events, 1) == ["3"]


def test_a_stream_ends_with_its_session_and_says_so(url, token):
    with subscribed(url, token) as one, followed(url, token) as two:
        post(url, "mutation { logout { endedSessions } }", token)

        assert_ended(one)
        assert_ended(two)


def test_a_user_has_a_number_of_streams_in_a_process_at_most(url, token):
    with ExitStack() as streams:
        found = [streams.enter_context(subscribed(url, token)) for _ in range(7)]
        refused = [events for events in found if "content-length" in events.headers]
        texts = [
            events.file.read(int(events.headers["content-length"])).decode() for events in refused
        ]

    assert 1 <= len(texts) <= 4  # of 7 in two processes, each has 3
    assert all('"code":"RATE_LIMITED"' in text for text in texts)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("subscription { changes { nothing } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { changes(after: 3) { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ('subscription { changes(after: "x") { id } }', "BAD_USER_INPUT"),
        ("subscription { changes { id } b: changes { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
    ],
)
def test_what_is_wrong_with_a_subscription_is_an_event_and_the_end(url, token, query, code):
    with subscribed(url, token, query) as events:
        length = int(events.headers["content-length"])
        text = events.file.read(length).decode()

    first, last, rest = text.split("\n\n")
    assert (last, rest) == ("event: complete\ndata: ", "")
    answer = json.loads(first.partition("\ndata: ")[2])
    assert answer["errors"][0]["extensions"]["code"] == code


def test_a_confined_token_hears_of_its_own_tasks_beside_a_session_that_hears_of_all(url, token):
    given = {"name": "x", "scopes": ["TASKS_READ"], "tags": ["home"]}
    program = post(url, CREATE_TOKEN, token, input=given)["data"]["createAccessToken"]["token"]
    with subscribed(url, token) as all_, subscribed(url, program) as own:
        post(url, CREATE, token, input={"title": "Hidden"})
        post(url, CREATE, token, input={"title": "Seen", "tags": ["home"]})
        post(url, CREATE, token, input={"title": "Hidden, too"})

        assert titles(all_, 3) == ["Hidden", "Seen", "Hidden, too"]
        assert titles(own, 1) == ["Seen"]
        post(url, CREATE, token, input={"title": "Seen again", "tags": ["Home"]})
        assert titles(own, 1) == ["Seen again"]
    with followed(url, program, "?after=" + first_cursor(url, token)) as own:
        seen = [json.loads(own.next()["data"])["task"]["title"] for _ in range(2)]
        assert seen == ["Seen", "Seen again"]


def test_a_stream_of_a_view_has_its_changes_and_ends_with_it(url, token):
    create = "mutation ($input: CreateViewInput!) { createView(input: $input) { view { id } } }"
    home = {"name": "Home", "filter": {"tags": ["home"]}}
    view = post(url, create, token, input=home)["data"]["createView"]["view"]["id"]
    query = "subscription ($view: ID) { changes(viewId: $view) { task { title } } }"
    with (
        subscribed(url, token, query, view=view) as by_graphql,
        followed(url, token, f"?view={view}") as by_rest,
        followed(url, token) as all_,
    ):
        post(url, CREATE, token, input={"title": "Other"})
        post(url, CREATE, token, input={"title": "Home", "tags": ["home"]})

        assert titles(by_graphql, 1) == ["Home"]
        assert json.loads(by_rest.next()["data"])["task"]["title"] == "Home"
        both = [json.loads(all_.next()["data"])["task"]["title"] for _ in range(2)]
        assert both == ["Other", "Home"]
        delete = "mutation ($id: ID!) { deleteView(input: {id: $id}) { deletedViewId } }"
        post(url, delete, token, id=view)
        post(url, CREATE, token, input={"title": "Home again", "tags": ["home"]})
        assert_ended(by_graphql)
        assert_ended(by_rest)


def first_cursor(url, token):
    """The place in the feed before all that has happened."""
    return post(url, "{ tasks { changesCursor } }", token)["data"]["tasks"]["changesCursor"]


def test_the_end_of_the_service_ends_its_streams_and_does_not_wait_for_them(tmp_path):
    with ExitStack() as client:
        with running(tmp_path) as url:
            account = {"username": "end", "password": "correct horse battery"}
            token = post(url, REGISTER, input=account)["data"]["register"]["token"]
            events = client.enter_context(subscribed(url, token))
            post(url, CREATE, token, input={"title": "1"})
            assert titles(events, 1) == ["1"]
            by_rest = client.enter_context(followed(url, token))
        # It has ended by now, after a SIGTERM.

        assert_ended(events)
        assert_ended(by_rest)


# REST


def test_an_event_of_rest_is_the_change_as_rest_lists_it(url, token):
    with followed(url, token) as events:
        assert (events.status, events.headers["content-type"]) == (
            "200",
            "text/event-stream; charset=utf-8",
        )
        post(url, CREATE, token, input={"title": "1", "dueAt": "2030-01-01T00:00:00Z"})
        event = events.next()
    request = Request(f"{url}/api/v1/changes", headers={"Authorization": f"Bearer {token}"})
    with urlopen(request, timeout=SOON) as answer:
        [change] = json.load(answer)["nodes"]

    assert list(event) == ["id", "data"]  # no other than EventSource's onmessage
    data = json.loads(event["data"])
    # Cursors differ with the moment of reading.
    assert data.pop("cursor")
    assert change.pop("cursor")
    assert data == change
    assert (data["fields"], data["task"]["due_at"]) == (
        ["title", "due_at"],
        "2030-01-01T00:00:00.000Z",
    )


def test_last_event_id_comes_before_the_url_and_the_url_before_now(url, token):
    with followed(url, token) as events:
        post(url, CREATE, token, input={"title": "1"})
        old = events.next()["id"]
    post(url, CREATE, token, input={"title": "2"})

    # What lies within the window comes again.
    with followed(url, token, f"?after={old}") as events:
        found = [json.loads(events.next()["data"])["task"]["title"] for _ in range(2)]
        assert found == ["1", "2"]
    with followed(url, token, "?after=nonsense", Last_Event_ID=old) as events:
        found = [json.loads(events.next()["data"])["task"]["title"] for _ in range(2)]
        assert found == ["1", "2"]


def test_a_head_request_opens_no_stream(url, token):
    for _ in range(7):  # a process lets a user have 3
        with followed(url, token, method="HEAD") as events:
            assert (events.status, events.headers["content-type"]) == (
                "200",
                "text/event-stream; charset=utf-8",
            )


@pytest.mark.parametrize(
    ("query", "bearer", "status", "code"),
    [
        ("?after=x", True, "400", "BAD_USER_INPUT"),
        ("?before=x", True, "400", "BAD_USER_INPUT"),
        ("", False, "401", "UNAUTHENTICATED"),
    ],
)
def test_what_is_wrong_with_a_stream_is_a_problem(url, token, query, bearer, status, code):
    with followed(url, token if bearer else "x", query) as events:
        text = events.file.read(int(events.headers["content-length"]))

    assert (events.status, events.headers["content-type"]) == (
        status,
        "application/problem+json; charset=utf-8",
    )
    assert json.loads(text)["code"] == code


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("kind", ["rest", "graphql"])
def test_curl_shows_events_as_they_happen(url, token, kind):
    query = json.dumps({"query": "subscription { changes { task { title } } }"})
    more = {
        "rest": [f"{url}/api/v1/events"],
        "graphql": [
            *(f"{url}/graphql", "-H", "Content-Type: application/json", "-d", query),
            *("-H", "Accept: text/event-stream"),
        ],
    }
    command = [
        "curl",
        "--no-buffer",
        "--silent",
        "-H",
        f"Authorization: Bearer {token}",
        *more[kind],
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as curl:
        assert curl.stdout.readline() == ":\n"  # the stream is open
        post(url, CREATE, token, input={"title": "Seen"})
        data = next(line for line in curl.stdout if line.startswith("data: "))
        curl.terminate()

    assert '"title":"Seen"' in data
