"""The processes that are measured, and the engine under them: started, watched, ended."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
BENCH = ROOT / "bench"
PEERS = BENCH / "peers"
ENGINE = PEERS / "node_modules/@dynoxide/linux-x64/dynoxide"
WORKERS = 2  # processes that answer, of every server alike: one a core
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
START_SECONDS = 30

# What all sign with: some engines keep separate tables by region and key.
IDENTITY = {
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True)
class Server:
    """A server that runs: its first process and where it listens."""

    name: str
    process: subprocess.Popen
    port: int

    def tree(self) -> list[int]:
        """The ids of its processes."""
        parents = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal() and (fields := _stat(int(entry.name))):
                parents[int(entry.name)] = int(fields[1])
        found = [self.process.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found

    def cpu(self) -> float:
        """Seconds of CPU that its processes have taken so far."""
        stats = [fields for pid in self.tree() if (fields := _stat(pid))]
        return sum(int(fields[11]) + int(fields[12]) for fields in stats) / TICKS

    def memory(self) -> list[float]:
        """Resident MB of each of its processes, the largest first."""
        return sorted(self.resident().values(), reverse=True)

    def resident(self) -> dict[int, float]:
        """Resident MB of its processes, by their ids."""
        stats = {pid: fields for pid in self.tree() if (fields := _stat(pid))}
        return {pid: int(fields[21]) * PAGE / 1e6 for pid, fields in stats.items()}


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/<pid>/stat from `state` on (proc(5) numbers it 3); None if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def missing() -> str | None:
    """What the measurement needs and this machine does not have, in one line."""
    if sys.platform != "linux":
        return "Linux is needed: CPU and memory are read from /proc"
    if shutil.which("wrk") is None:
        return "wrk, the load generator, is needed: apt install wrk"
    if shutil.which("node") is None:
        return "Node.js 20 or newer is needed, for Apollo Server and GraphQL Yoga"
    if not (PEERS / "node_modules").is_dir():
        return "the npm packages of bench/peers are needed: run this as `make bench`"
    if not ENGINE.is_file():
        return "the engine, npm's @dynoxide/linux-x64, is for Linux on x86-64 only"
    return None


def end_all_when_ended() -> None:
    """Let SIGTERM unwind the program as Ctrl-C does, so that no server is left behind."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(
    name: str, command: list, directory: Path, port: int, **settings: str
) -> Iterator[Server]:
    """A server with these settings and nothing else of ours; ended afterwards."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(directory), **IDENTITY, **settings}
    log = directory / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=BENCH, env=environment, stdout=output, stderr=output
        )
    server = Server(name, process, port)
    try:
        _await(server, log)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(server: Server, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
        except OSError:
            if server.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{server.name} does not start:\n{log.read_text()}")
            time.sleep(0.05)


def engine(directory: Path, *, on_disk: bool = False):
    """dynoxide without any data, which it keeps in memory: disks are not what is measured."""
    port = free_port()
    listen = ["--host", "127.0.0.1", "--port", str(port)]
    if on_disk:
        listen += ["--db-path", str(directory / "dynoxide.db")]
    return running("engine", [ENGINE, "serve", *listen], directory, port)


def start(
    name: str, directory: Path, store: str, secret: str, before: Path | None = None, **more: str
):
    """Start one of the servers as one would on a machine of two cores; `more` are settings.

    `before` is another checkout of this service, with a .venv of its own.
    """
    port = free_port()
    settings = {
        "DYNAMODB": store,
        "JWT_SECRET": secret,
        "PORT": str(port),
        "WORKERS": str(WORKERS),
        **more,
    }
    if name in ("service", "before"):
        python, root = sys.executable, ROOT
        if name == "before":
            assert before
            python, root = str(before / ".venv/bin/python"), before
        command = [python, str(root / "app.py")]
        settings |= {"DATA_DIR": str(directory / name), "DRAIN_SECONDS": "0"}
        settings.setdefault("METRICS_PORT", str(free_port()))
    elif name == "floor":
        # One thread for each of the connections that a process gets of the eight.
        serving = ["--interface", "wsgi", "--workers", str(WORKERS), "--blocking-threads", "4"]
        listen = ["--host", "127.0.0.1", "--port", str(port), "--log-level", "error"]
        command = [sys.executable, "-m", "granian", *serving, *listen, "floor:app"]
    else:
        command = ["node", str(PEERS / f"{name}.mjs")]
        settings["NODE_ENV"] = "production"
    return running(name, command, directory, port, **settings)
