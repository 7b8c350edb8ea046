"""A service that is told to end finishes what was begun, and takes nothing more."""

import http.client
import json
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import pytest
from conftest import Api, Person
from faults import Proxy, proxied_store
from test_process import APP, SECRET, SOON, Program, accepts, environment, linux

pytestmark = pytest.mark.whole

CLIENTS = 8
SLOWLY = {"operation": "TransactWriteItems", "latency": 1000}  # within an attempt's time


@pytest.fixture(scope="module")
def proxy(tmp_path_factory) -> Iterator[Proxy]:
    directory = tmp_path_factory.mktemp("shutdown")
    environment(directory)  # skips where there is no engine
    with proxied_store(directory) as (_, proxy):
        yield proxy


@pytest.fixture
def rig(tmp_path, proxy) -> Iterator["Rig"]:
    proxy.rules()
    settings = {"DYNAMODB": proxy.url, "JWT_SECRET": SECRET, "THREADS": CLIENTS}
    with Program(APP, tmp_path, **settings) as service:
        service.ready()
        ann = Api(service).register("ann")
        yield Rig(service, proxy, ann, lambda: Program(APP, tmp_path, **settings))


class Rig(NamedTuple):
    service: Program
    proxy: Proxy
    ann: Person
    again: type[Program]

    @property
    def port(self) -> int:
        return int(self.service.url.rpartition(":")[2])

    def create(self, connection: http.client.HTTPConnection, title: str) -> int:
        headers = {
            "Authorization": f"Bearer {self.ann.token}",
            "Content-Type": "application/json",
            "Idempotency-Key": title,
        }
        connection.request("POST", "/api/v1/tasks", json.dumps({"title": title}), headers)
        with connection.getresponse() as answer:
            answer.read()
            return answer.status

    def held(self) -> list[str]:
        """The tasks that a later life of the service finds."""
        self.proxy.rules()
        with self.again() as service:
            service.ready()
            token = {"Authorization": f"Bearer {self.ann.token}"}
            return [task["title"] for task in service.get("/api/v1/tasks", **token).get_json()]


@linux
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_requests_in_flight_are_answered_and_new_ones_are_refused(rig, number):
    rig.proxy.rules(SLOWLY)

    def create(title: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", rig.port, timeout=SOON)
        try:
            return rig.create(connection, title)
        finally:
            connection.close()

    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = [clients.submit(create, title) for title in "abcdefgh"]
        rig.service.eventually(lambda: rig.proxy.faults() == CLIENTS)
        rig.service.process.send_signal(number)
        rig.service.eventually(lambda: not accepts(rig.port))

        assert not any(answer.done() for answer in answers)
        assert [answer.result() for answer in answers] == [201] * CLIENTS

    assert rig.service.process.wait(SOON) == 0
    assert sorted(rig.held()) == list("abcdefgh")


def test_under_load_no_request_that_was_begun_fails_and_none_that_succeeded_is_lost(rig):
    seen: Counter[str] = Counter()
    done: list[str] = []
    told = threading.Event()
    enough = threading.Semaphore(0)

    def work(client: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", rig.port, timeout=SOON)
        connection.connect()
        connection.auto_open = 0
        for number in range(10_000):
            before = not told.is_set()
            title = f"{client}-{number}"
            try:
                status = rig.create(connection, title)
            except (OSError, http.client.HTTPException):
                # An idle connection was closed: whoever sends then has not begun (RFC 9112, 9.5).
                seen["failed" if before and not told.is_set() else "closed"] += 1
                connection.close()
                return
            seen[str(status)] += 1
            done.append(title)
            enough.release()

    threads = [threading.Thread(target=work, args=(client,)) for client in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for _ in range(CLIENTS * 10):
        assert enough.acquire(timeout=SOON)
    told.set()
    rig.service.process.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join(SOON)

    assert rig.service.process.wait(SOON) == 0
    assert seen == {"201": len(done), "closed": CLIENTS}
    assert set(done) <= set(rig.held())
