import itertools
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from functools import cache, partial
from pathlib import Path

import pytest
from engines import ENGINES, refresh
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from suite_logs import leaks
from werkzeug.test import TestResponse

from graphql_api import bulkheads, create_app
from graphql_api.api.graphql.strawberry_extras import camel_case
from graphql_api.api.http import middleware
from graphql_api.config import Config
from graphql_api.domain.accounts import deletions, service, session_cache
from graphql_api.domain.tasks.model import RULES
from graphql_api.infra.concurrency import hub
from graphql_api.infra.concurrency.deadline import set_deadline
from graphql_api.infra.concurrency.poller import SelectorPoller
from graphql_api.infra.request_log import JSONFormatter

# Nothing in a test may reach for a real account.
os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_REGION="us-east-1",
    AWS_EC2_METADATA_DISABLED="true",
)

# Hypothesis would fail an example after 200 ms, as any may take on a machine that is busy. What it
# tries is the same in each run, so that no change fails by what another one has left behind, but
# for those who look for more.
settings.register_profile(
    "unhurried",
    deadline=None,
    derandomize="EXPLORE" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("unhurried")

NOT_LOCAL = pytest.param("local", marks=pytest.mark.skip("only DynamoDB Local tells its units"))

PASSWORD = "correct horse battery"


def pytest_addoption(parser):
    parser.addoption(
        "--engines",
        # What users get, what is closest to AWS, and the tables that are deployed there.
        default="embedded,local,moto",
        help=f"which engines to run on, of {', '.join(ENGINES)}; beside others, moto has the core",
    )


def pytest_generate_tests(metafunc):
    if "engine" in metafunc.fixturenames:
        engines = metafunc.config.getoption("engines").split(",")
        if len(engines) > 1 and not metafunc.definition.get_closest_marker("core"):
            engines = [name for name in engines if name != "moto"]
        if metafunc.definition.get_closest_marker("concurrent"):
            engines = [name for name in engines if name != "moto"]
        if metafunc.definition.get_closest_marker("engine_is_no_matter"):
            engines = (["embedded"] if "embedded" in engines else engines)[:1]
        if metafunc.definition.get_closest_marker("counts_units"):
            engines = [name for name in engines if name == "local"] or [NOT_LOCAL]
        metafunc.parametrize("engine", engines, indirect=True, scope="session")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


@pytest.fixture(scope="session", autouse=True)
def suite_log(tmp_path_factory) -> Iterator[Path]:
    """The directory below which all is that the suite has logged until now."""
    base = tmp_path_factory.getbasetemp()
    handler = logging.FileHandler(base / "suite.log")
    handler.setFormatter(JSONFormatter())
    logging.getLogger().addHandler(handler)
    logging.getLogger("graphql_api").setLevel(logging.INFO)
    yield base
    logging.getLogger().removeHandler(handler)
    handler.close()


def pytest_sessionfinish(session):
    """Where several processes have run the suite, look at what all of them have logged."""
    config = session.config
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        found = leaks(config._tmp_path_factory.getbasetemp())
        if found:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            print("\nSecrets were logged:", *found[:5], sep="\n")


@pytest.fixture(scope="session")
def kept(tmp_path_factory) -> Iterator[Callable[[str], Config]]:
    """Engines that go on until the session ends, once somebody has needed them."""
    with ExitStack() as stack:

        @cache
        def start(name: str) -> Config:
            return stack.enter_context(ENGINES[name](tmp_path_factory.mktemp(name)))

        yield start


@pytest.fixture(scope="session")
def engine(request, kept, tmp_path_factory) -> Iterator[Config]:
    """A running engine with the service's tables."""
    if request.param == "moto":  # while it is there, all other calls end in it
        with ENGINES["moto"](tmp_path_factory.mktemp("moto")) as config:
            yield config
    else:
        yield kept(request.param)


@pytest.fixture(scope="module", autouse=True)
def _fresh_engine(request) -> None:
    """Begin each module of tests without what those before have left in moto."""
    if "engine" in request.fixturenames:
        refresh(request.getfixturevalue("engine"))


@pytest.fixture(scope="session")
def app(engine) -> Flask:
    # However slow the machine is, a session that was opened here needs no second look: the
    # tests count calls. What happens when that answer is old has tests of its own.
    session_cache.TTL_SECONDS = 3600
    # Nor does a request run out of time on it. The deadline, too, has tests of its own.
    middleware.set_deadline = partial(set_deadline, 600)
    # … nor of its time in a queue.
    bulkheads.QUEUE_SECONDS = bulkheads.PLAN_QUEUE_SECONDS = 600
    # No thread of the background meets the tests' own calls: they sweep when they want to.
    deletions.SECOND_PASS_DELAY = timedelta(hours=1)
    deletions.LOOK_SECONDS = 3600
    # The whole suite comes from one address.
    service.ACCOUNTS_BY_ADDRESS = replace(service.ACCOUNTS_BY_ADDRESS, attempts=10**9)
    service.LOGINS_BY_ADDRESS = replace(service.LOGINS_BY_ADDRESS, attempts=10**9)
    app = create_app(engine)
    app.json.ensure_ascii = False  # what the tests send is as short as it can be
    # A process looks once whether open tasks have their items: not in a test that counts calls.
    Api(app.test_client()).register("first").graphql("{ viewer { openCount } }")
    return app


@pytest.fixture
def api(app) -> "Api":
    return Api(app.test_client())


@pytest.fixture
def calls(app) -> Iterator[list[str]]:
    """The names of the DynamoDB operations that are called during the test."""
    events = app.extensions["database"].client.meta.events
    names: list[str] = []

    def note(event_name, **_):
        names.append(event_name.rpartition(".")[2])

    events.register_first("before-send.dynamodb", note)
    yield names
    events.unregister("before-send.dynamodb", note)


@pytest.fixture(params=["the fastest poller here", "the poller of any system"])
def each_poller(request, monkeypatch) -> None:
    """Run the test with the poller of this system, and with that of systems without epoll."""
    if request.param == "the poller of any system":
        monkeypatch.setattr(hub, "new_poller", SelectorPoller)


@pytest.fixture
def ann(api) -> "Person":
    return api.register("ann")


@pytest.fixture(scope="module")
def bob(app) -> "Person":
    person = Api(app.test_client()).register("bob")
    for title in ("Bob's secret", "Bob's other secret"):
        person.create(title=title, dueAt="2030-01-01T00:00:00Z", tags=["home"])
    return person


@pytest.fixture(autouse=True)
def neighbour(request) -> "Person | None":
    """Somebody else, whose tasks must never show up in anybody's answers."""
    return request.getfixturevalue("bob") if "api" in request.fixturenames else None


_numbers = itertools.count()


class Api:
    """The service as its clients see it."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def graphql(self, query: str, token: str | None = None, **variables) -> dict:
        """The body of the answer to an operation."""
        return self.post(query, token, **variables).get_json()

    def post(self, query: str, token: str | None = None, **variables) -> TestResponse:
        return self.client.post(
            "/graphql",
            json={"query": query, "variables": variables},
            headers=bearer(token),
        )

    def rest(self, method: str, path: str, token: str | None = None, **options) -> TestResponse:
        headers = {**bearer(token), **options.pop("headers", {})}
        return self.client.open(path, method=method, headers=headers, **options)

    def register(self, name: str, password: str = PASSWORD) -> "Person":
        """Somebody of a name like this one, that nobody else in the session has."""
        username = f"{name}-{next(_numbers)}"
        answer = self.graphql(REGISTER, input={"username": username, "password": password})
        assert "errors" not in answer, answer
        payload = answer["data"]["register"]
        return Person(self, username, payload["user"]["id"], payload["token"])


class Person:
    """Somebody who is logged in."""

    def __init__(self, api: Api, username: str, user_id: str, token: str) -> None:
        self.api, self.username, self.id, self.token = api, username, user_id, token

    def graphql(self, query: str, **variables) -> dict:
        return self.api.graphql(query, self.token, **variables)

    def rest(self, method: str, path: str, **options) -> TestResponse:
        return self.api.rest(method, path, self.token, **options)

    def create(self, **fields) -> dict:
        """A new task of this person's."""
        return self.graphql(CREATE, input=fields)["data"]["createTask"]["task"]

    def task(self, task_id: str) -> dict | None:
        return self.graphql(TASK, id=task_id)["data"]["task"]


def bearer(token: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def codes(answer: dict) -> list[str]:
    """The codes of an answer's errors."""
    return [error["extensions"]["code"] for error in answer["errors"]]


_NAMES = {"task_id": "id", "user_id": "ownerId"}  # in GraphQL
_SELECTED = {"reminders": "reminders { at minutesBefore from }"}
TASK_FIELDS = " ".join(
    _NAMES.get(name, _SELECTED.get(name, camel_case(name)))
    for name, rules in RULES.items()
    if not rules.is_internal
)
REGISTER = """
  mutation ($input: RegisterInput!) {
    register(input: $input) { token expiresAt user { id username createdAt } }
  }
"""
LOGIN = "mutation ($input: LoginInput!) { login(input: $input) { token user { id username } } }"
CREATE = f"""
  mutation ($input: CreateTaskInput!) {{ createTask(input: $input) {{ task {{ {TASK_FIELDS} }} }} }}
"""
UPDATE = f"""
  mutation ($input: UpdateTaskInput!) {{ updateTask(input: $input) {{ task {{ {TASK_FIELDS} }} }} }}
"""
DELETE = "mutation ($input: DeleteTaskInput!) { deleteTask(input: $input) { deletedTaskId } }"
TASK = f"query ($id: ID!) {{ task(id: $id) {{ {TASK_FIELDS} }} }}"
TASKS = f"""
  query (
    $first: Int, $after: String, $last: Int, $before: String,
    $filter: TaskFilter, $orderBy: TaskOrder
  ) {{
    tasks(
      first: $first, after: $after, last: $last, before: $before,
      filter: $filter, orderBy: $orderBy
    ) {{
      nodes {{ {TASK_FIELDS} }}
      edges {{ cursor node {{ id }} }}
      pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
      totalCount
      isComplete
    }}
  }}
"""
