"""A store with a proxy before it that does to its answers whatever a test wants (microburst)."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from test_process import SOON, accepts, free_port

from graphql_api.infra.dynamodb import embedded

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Store:
    """The embedded engine's program by itself, on data that outlive it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.start()

    def start(self) -> None:
        with (self.directory / "store.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    embedded._binary(),
                    *("--port", str(self.port), "--data-dir", str(self.directory / "store")),
                    "--durable",
                ],
                cwd=self.directory,
                stdout=log,
                stderr=log,
            )
        _until_it_listens(self.process, self.port)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class Proxy:
    """What stands between the service and its store."""

    def __init__(self, store: Store) -> None:
        self.port = free_port()
        # At a host of several labels it would look for a service's name in them, for which it
        # reads the descriptions of all of AWS: seconds.
        self.url = f"http://localhost:{self.port}"
        with (store.directory / "proxy.log").open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "microburst", "--host", "127.0.0.1"),
                    *("--upstream", f"http://127.0.0.1:{store.port}", "--port", str(self.port)),
                ],
                stdout=log,
                stderr=log,
            )
        _until_it_listens(self.process, self.port)

    def rules(self, *rules: dict[str, Any]) -> None:
        """Do this from now on, and nothing else."""
        self._ask("POST", "rules", [{"service": "dynamodb", **rule} for rule in rules])
        self._ask("DELETE", "fired")

    def faults(self) -> int:
        """How many calls were tampered with under these rules."""
        return sum(rule["fired_count"] for rule in self._ask("GET", "rules"))

    def _ask(self, method: str, what: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(
            f"{self.url}/_microburst/{what}", data, headers, method=method
        )
        with _direct.open(request, timeout=SOON) as answer:
            return json.loads(answer.read() or b"null")


@contextmanager
def proxied_store(directory: Path) -> Iterator[tuple[Store, Proxy]]:
    """A store, and a proxy before it."""
    store = Store(directory)
    try:
        proxy = Proxy(store)
        try:
            yield store, proxy
        finally:
            proxy.process.kill()  # asked to, it would wait for those that it keeps waiting
            proxy.process.wait()
    finally:
        store.kill()


def _until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + SOON
    while not accepts(port):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise AssertionError(f"{process.args} does not listen")
        time.sleep(0.02)
