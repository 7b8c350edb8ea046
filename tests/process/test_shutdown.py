"""A service that is told to end says so, finishes what was begun, and then takes nothing more."""

import http.client
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import Api, Person
from faults import Proxy, proxied_store
from test_process import (
    LONG,
    SECRET,
    SOON,
    Program,
    accepts,
    environment,
    linux,
    unhurried,
    workers,
)

from graphql_api.infra.concurrency.drain import Drain

pytestmark = pytest.mark.whole

CLIENTS = 8
SLOWLY = {"operation": "TransactWriteItems", "latency": 10_000}
UNHURRIED = unhurried(  # an attempt at the store takes as long as it takes, too
    "from graphql_api.infra.dynamodb.database import Database",
    f"Database.__init__.__kwdefaults__['timeout'] = {LONG}",
)


@pytest.fixture(scope="module")
def proxy(tmp_path_factory) -> Iterator[Proxy]:
    directory = tmp_path_factory.mktemp("shutdown")
    environment(directory)  # skips where there is no engine
    with proxied_store(directory) as (_, proxy):
        yield proxy


@contextmanager
def running(directory: Path, proxy: Proxy, **settings: int) -> Iterator["Rig"]:
    proxy.rules()
    settings = {"DYNAMODB": proxy.url, "JWT_SECRET": SECRET, "THREADS": CLIENTS, **settings}
    with Program(UNHURRIED, directory, **settings) as service:
        service.ready()
        ann = Api(service).register("ann")
        again = {**settings, "DRAIN_SECONDS": 0}
        yield Rig(service, proxy, ann, lambda: Program(UNHURRIED, directory, **again))


@pytest.fixture
def rig(tmp_path, proxy) -> Iterator["Rig"]:
    """A service that goes without being asked whether anybody still comes."""
    with running(tmp_path, proxy) as rig:
        yield rig


@pytest.fixture
def draining(tmp_path, proxy) -> Iterator["Rig"]:
    """A service that takes its time to leave."""
    with running(tmp_path, proxy, DRAIN_SECONDS=60) as rig:
        yield rig


class Rig(NamedTuple):
    service: Program
    proxy: Proxy
    ann: Person
    again: type[Program]

    @property
    def port(self) -> int:
        return int(self.service.url.rpartition(":")[2])

    def connection(self) -> http.client.HTTPConnection:
        """One that is kept until the service closes it, and opened again then."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=SOON)

    def leaves(self) -> bool:
        """Whether a balancer can see that the service is to end."""
        answer = self.service.get("/readyz")
        return answer.status == 503 and answer.get_json()["detail"].endswith("about to end.")

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
        connection = rig.connection()
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
        connection = rig.connection()
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


@linux
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_no_request_fails_while_a_balancer_learns_that_the_service_leaves(draining, number):
    rig = draining
    begun, enough, left = threading.Event(), threading.Semaphore(0), threading.Event()

    def work(client: int) -> Counter[int]:
        """Send until the balancer knows, and some more as one that is slow to hear of it."""
        connection, seen = rig.connection(), Counter[int]()
        more = iter(range(5))
        for turn in count():
            if left.is_set() and next(more, None) is None:
                return seen
            seen[rig.create(connection, f"{client}-{turn}")] += 1
            enough.release()
        raise AssertionError

    def balance() -> None:
        begun.wait(SOON)
        rig.service.eventually(rig.leaves)
        left.set()

    with ThreadPoolExecutor(CLIENTS + 1) as pool:
        clients = [pool.submit(work, client) for client in range(CLIENTS)]
        balancer = pool.submit(balance)
        for _ in range(CLIENTS * 10):
            assert enough.acquire(timeout=SOON)
        rig.service.process.send_signal(number)
        begun.set()
        seen = sum((client.result() for client in clients), Counter[int]())
        balancer.result()

    assert rig.service.get("/healthz").status == 200
    assert seen.keys() == {201}
    # One that comes at the last moment is finished after the port has closed.
    rig.proxy.rules({**SLOWLY, "latency": 700})
    late = Counter[int]()
    with suppress(ConnectionRefusedError):
        for turn in count():
            if turn == 1:
                rig.service.process.send_signal(number)  # no need to wait any longer
            late[rig.create(rig.connection(), f"late-{turn}")] += 1
    assert late.keys() == {201}
    assert rig.service.process.wait(SOON) == 0
    assert len(rig.held()) == seen.total() + late.total()


def test_a_second_signal_ends_the_wait(tmp_path, proxy):
    with running(tmp_path, proxy, DRAIN_SECONDS=60) as rig:
        rig.service.process.send_signal(signal.SIGTERM)
        rig.service.eventually(rig.leaves)

        assert rig.service.end(signal.SIGINT) == 0  # long before the drain would end


@linux
def test_a_worker_that_is_killed_meanwhile_is_replaced_by_one_that_leaves_too(tmp_path, proxy):
    with running(tmp_path, proxy, DRAIN_SECONDS=60, WORKERS=1) as rig:
        [worker] = workers(rig.service)
        rig.service.process.send_signal(signal.SIGTERM)
        rig.service.eventually(rig.leaves)
        os.kill(worker, signal.SIGKILL)

        rig.service.eventually(lambda: workers(rig.service) not in ([], [worker]))
        rig.service.eventually(lambda: rig.service.get("/healthz").status == 200)

        assert rig.leaves()
        assert rig.service.end() == 0


@linux
def test_a_hang_up_that_only_workers_hear_of_says_nothing_about_the_service(rig):
    for worker in workers(rig.service):
        os.kill(worker, signal.SIGHUP)

    time.sleep(0.5)  # to hear of it
    for _ in range(20):
        assert rig.service.get("/readyz").status == 200


def act(drain: Drain) -> None:
    drain.on_start(lambda: os._exit(3))
    time.sleep(SOON)


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_every_process_hears_of_it_however_it_was_started(method):
    drain = Drain()
    processes = [get_context(method).Process(target=act, args=(drain,)) for _ in range(2)]
    for process in processes:
        process.start()
    assert not drain.is_started()

    drain.start()

    for process in processes:
        process.join(SOON)
    assert [process.exitcode for process in processes] == [3, 3]
    assert drain.is_started()
