"""The whole service beside a store that fails: what its clients see, and what the store holds."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from conftest import PASSWORD, TASKS, Api, Person, codes
from faults import Proxy, Store, proxied_store
from test_process import LONG, SECRET, Answer, Program, environment, titles, unhurried

from graphql_api.infra.dynamodb.database import ATTEMPTS

pytestmark = pytest.mark.whole

THREADS = 4
# A breaker that nothing but the first failure has any effect on.
STAYS_OPEN = (
    "from graphql_api.infra.dynamodb import circuit_breaker",
    f"circuit_breaker.FIRST_PAUSE = circuit_breaker.LONGEST_PAUSE = {LONG}",
)


class Rig(NamedTuple):
    """A service, its store, and what is between them."""

    service: Program
    proxy: Proxy
    store: Store
    ann: Person

    def create(self, key: str) -> Answer:
        """Ask for a task named by its idempotency key."""
        token = {"Authorization": f"Bearer {self.ann.token}", "Idempotency-Key": key}
        return self.service.post("/api/v1/tasks", {"title": key}, token)

    def log_in(self) -> None:
        """Let ann have a session that was just looked at, and is not for long."""
        name = {"username": self.ann.username, "password": PASSWORD}
        self.ann.token = self.service.post("/auth/login", name, {}).get_json()["token"]

    def errors(self) -> list[dict[str, Any]]:
        """The lines of the service's log that are more than information."""
        lines = map(json.loads, self.service.errors.read_text().splitlines())
        return [line for line in lines if line["level"] != "INFO"]

    def ready(self) -> bool:
        return self.service.get("/readyz").status == 200 and self.create("ready").status == 201


@contextmanager
def running(directory: Path, *more: str) -> Iterator[Rig]:
    """A service of one worker behind the proxy; attempts, not the time, end what it asks for."""
    environment(directory)  # skips where there is no engine
    with proxied_store(directory) as (store, proxy):
        settings = {"DYNAMODB": proxy.url, "JWT_SECRET": SECRET, "WORKERS": 1, "THREADS": THREADS}
        lately = (
            "from graphql_api.infra.dynamodb import circuit_breaker",
            "circuit_breaker.LATELY = 0",  # no test is told of the failures of the one before
        )
        with Program(unhurried(*lately, *more), directory, **settings) as service:
            service.ready()
            yield Rig(service, proxy, store, Api(service).register("ann"))


@pytest.fixture(scope="module")
def rig(tmp_path_factory) -> Iterator[Rig]:
    with running(tmp_path_factory.mktemp("faults")) as rig:
        yield rig


@pytest.fixture
def broken(tmp_path) -> Iterator[Rig]:
    """A service whose breaker stays open."""
    with running(tmp_path, *STAYS_OPEN) as rig:
        yield rig


@contextmanager
def fault(rig: Rig, *rules: dict[str, Any]) -> Iterator[None]:
    """Do this to the store's answers for a while; then all must be well again."""
    rig.service.eventually(rig.ready)
    rig.proxy.rules(*rules)
    try:
        yield
    finally:
        rig.proxy.rules()
        rig.service.eventually(rig.ready)


def refused(answer: Answer, detail="The service is unavailable, try again.", **more: bool) -> str:
    """The code of an answer that says: later. Nothing of the store's or its library's is in it."""
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    body = answer.get_json()
    assert (body["code"], body["detail"]) == ("SERVICE_UNAVAILABLE", detail)
    assert body.keys() == {
        *("type", "title", "status", "detail", "code", "error", "message", "retry_after", *more),
    }
    assert {name: body[name] for name in more} == more
    return body["code"]


def unready(answer: Answer, *, write: bool) -> None:
    refused(answer, "The store cannot be read, try again.", read=False, write=write)


ERROR = {
    "throttled": {"error": {"code": "ThrottlingException"}},
    "internal error": {"error": {"code": "InternalServerError"}},
    "unavailable": {"error": {"code": "ServiceUnavailable", "status": 503}},
    "expired credentials": {"error": {"code": "ExpiredTokenException"}},
    "no permission": {"error": {"code": "AccessDeniedException"}},
    "no table": {"error": {"code": "ResourceNotFoundException"}},
    "reset": {"reset": True},
    "lost": {"response": {"abort_bytes": 0}},
    "cut off": {"response": {"truncate_frac": 0.5}},
    "corrupt": {"response": {"set_headers": {"x-amz-crc32": "1"}}},
    "mute": {"timeout_ms": 60_000},
}
PASSING = ["throttled", "internal error", "unavailable", "reset", "lost", "cut off", "corrupt"]
REFUSING = {"throttled", "expired credentials", "no permission", "no table"}
AWAY = sorted(ERROR.keys() - REFUSING)  # which open the breaker


@pytest.mark.parametrize("name", PASSING)
def test_what_fails_twice_is_no_failure(rig, name):
    with fault(rig, {**ERROR[name], "times": 2}):
        answer = rig.create(f"{name} twice")
        assert rig.proxy.faults() == 2

    assert answer.status == 201
    assert titles(rig.ann).count(f"{name} twice") == 1


@pytest.mark.parametrize("name", ERROR)
def test_what_keeps_failing_is_service_unavailable_until_it_does_not(rig, name):
    logged = len(rig.errors())
    rig.log_in()
    with fault(rig, ERROR[name]):
        first = rig.create(name)
        refused(first)
        assert rig.proxy.faults() <= ATTEMPTS
        [line] = rig.errors()[logged:]
        assert line["message"].startswith("DynamoDB TransactWriteItems failed: ")
        assert line["request_id"] == first.headers["X-Request-Id"]

        graphql = rig.ann.graphql(TASKS)
        assert (codes(graphql), graphql["data"]) == (["SERVICE_UNAVAILABLE"], None)
        assert [error["message"] for error in graphql["errors"]] == [
            "The service is unavailable, try again."
        ]
        assert rig.service.get("/healthz").status == 200
        unready(rig.service.get("/readyz"), write=name not in AWAY)

    held = titles(rig.ann).count(name)
    answer = rig.create(name)  # again, under the same key
    assert answer.status == 201
    assert titles(rig.ann).count(name) == 1
    assert held == (name in {"lost", "cut off", "corrupt"})  # these had been carried out


WRITES = ["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"]


def test_where_only_writes_fail_everybody_can_read_and_is_told_so(rig):
    rig.service.eventually(rig.ready)
    before = titles(rig.ann)
    with fault(rig, *({**ERROR["internal error"], "operation": name} for name in WRITES)):
        for number in range(20):
            refused(rig.create(f"unwritten {number}"))
            assert titles(rig.ann) == before

        ready = rig.service.get("/readyz")
        assert (ready.status, ready.get_json()) == (
            200,
            {"status": "ready", "read": True, "write": False},
        )


@pytest.mark.parametrize("name", AWAY)
def test_while_the_store_is_away_nobody_waits_for_it_until_it_is_tried_again(broken, name):
    broken.proxy.rules(ERROR[name])
    refused(broken.create("x"))
    assert broken.proxy.faults() == ATTEMPTS

    for _ in range(20):
        refused(broken.create("x"))

    assert broken.proxy.faults() == ATTEMPTS


def test_a_mute_store_holds_no_request_for_longer_than_its_attempts(broken):
    broken.proxy.rules(ERROR["mute"])
    with ThreadPoolExecutor(THREADS) as clients:
        answers = list(clients.map(lambda _: broken.create("x"), range(THREADS)))
        attempts = broken.proxy.faults()
        answers += clients.map(lambda _: broken.create("x"), range(THREADS * 2))

    assert [refused(answer) for answer in answers] == ["SERVICE_UNAVAILABLE"] * THREADS * 3
    assert ATTEMPTS <= attempts <= THREADS * ATTEMPTS
    assert broken.proxy.faults() == attempts  # the others came when the breaker was open


def test_whether_the_service_is_ready_takes_one_attempt_at_a_mute_store(rig):
    with fault(rig, ERROR["mute"]):
        unready(rig.service.get("/readyz"), write=True)

        assert rig.proxy.faults() == 1


def test_keys_that_the_store_leaves_out_are_asked_for_again(rig):
    """What a client of the whole service sees of it; see test_database.py for each case."""
    with fault(rig, {**ERROR["throttled"], "operation": "BatchGetItem", "times": 2}):
        answer = rig.service.get("/auth/verify", Authorization=f"Bearer {rig.ann.token}")

    assert answer.status == 200


def test_a_store_that_is_gone_is_waited_for_without_its_data_being_lost(rig):
    rig.service.eventually(rig.ready)
    before = titles(rig.ann)
    rig.store.kill()
    try:
        refused(rig.create("while it is gone"))
        unready(rig.service.get("/readyz"), write=False)
        assert rig.service.get("/healthz").status == 200
    finally:
        rig.store.start()
    rig.service.eventually(rig.ready)

    assert titles(rig.ann) == before
    assert rig.create("while it is gone").status == 201
    assert titles(rig.ann).count("while it is gone") == 1


def test_what_failed_in_a_request_is_logged_once_and_without_a_traceback(rig):
    lines = rig.errors()
    told = [(line["request_id"], line["message"]) for line in lines if "request_id" in line]

    assert told
    assert len(told) == len(set(told))
    assert not any("exception" in line for line in lines)
