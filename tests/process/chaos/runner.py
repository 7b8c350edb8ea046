"""Runs the service with clients while its processes are killed and its store's answers lost."""

import contextlib
import itertools
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from checker import violations
from faults import Proxy, Store, proxied_store
from test_process import APP, SECRET, SOON, Program, engines, free_port, workers
from workload import Workload

CLIENTS = 8
LEAST_KILLS = 3  # however little time there is
PAUSES = (0.4, 1.6)  # seconds from one fault to the next
FAULTS = (
    {"response": {"abort_bytes": 0}},  # carried out, and not told
    {"response": {"truncate_frac": 0.5}},
    {"reset": True},
    {"error": {"code": "InternalServerError"}},
    {"error": {"code": "ThrottlingException"}},
)
STARTS = 5  # that may fail in a row, since the engine was killed meanwhile
LIKELIHOOD = 0.2  # that a call meets the fault of the day


@dataclass
class Report:
    """What a run has come to."""

    seed: int
    operations: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    faults: int = 0
    longest_silence: float = 0.0
    violations: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.operations} operations {dict(self.outcomes)},"
            f" {self.faults} faults, {self.kills.total()} kills {dict(self.kills)},"
            f" longest silence {self.longest_silence:.1f} s,"
            f" {len(self.violations)} violations"
        )


class Rig:
    """A service that is started again whenever it has ended."""

    def __init__(self, directory: Path, **settings: object) -> None:
        self.directory = directory
        self.settings = {"PORT": free_port(), "WORKERS": 2, "LOG_LEVEL": "ERROR", **settings}
        self.port = int(str(self.settings["PORT"]))
        self.faults = 0
        self._programs = contextlib.ExitStack()
        self.ensure()

    def ensure(self) -> None:
        """Have a service that answers."""
        for _ in range(STARTS):
            program = getattr(self, "program", None)
            if program is None or program.process.poll() is not None:
                program = Program(APP, self.directory, **self.settings)
                self.program = self._programs.enter_context(program)
            with contextlib.suppress(AssertionError):  # it has ended while it was waited for
                program.eventually(lambda: self.program.get("/readyz").status == 200)
                return
        raise AssertionError(program.errors.read_text())

    def kill_worker(self, which: random.Random) -> None:
        if found := workers(self.program):
            with contextlib.suppress(ProcessLookupError):
                os.kill(which.choice(found), signal.SIGKILL)

    def kill_master(self, _: random.Random) -> None:
        self.program.end(signal.SIGKILL)
        self.ensure()

    def kill_engine(self, _: random.Random) -> None:
        for engine in engines(self.program):
            os.kill(engine, signal.SIGKILL)

    def acts(self) -> dict[str, Callable[[random.Random], None]]:
        """What may be done to it."""
        return {
            "worker": self.kill_worker,
            "master": self.kill_master,
            "engine": self.kill_engine,
        }

    def was_hurt(self) -> bool:
        """Return whether each kind of thing that was done to it has had an effect."""
        return True

    def heal(self) -> None:
        """Let all be well again."""
        self.ensure()

    def close(self) -> None:
        self._programs.close()


class ProxiedRig(Rig):
    """A service whose store is another program, behind a proxy that loses answers."""

    def __init__(self, directory: Path, store: Store, proxy: Proxy) -> None:
        self.store, self.proxy = store, proxy
        super().__init__(directory, DYNAMODB=proxy.url, JWT_SECRET=SECRET)

    def kill_engine(self, _: random.Random) -> None:
        self.store.kill()
        self.store.start()

    def kill_master(self, which: random.Random) -> None:
        self.heal()  # else it might be long until a start succeeds
        super().kill_master(which)

    def tamper(self, which: random.Random) -> None:
        self._count()
        self.proxy.rules({**which.choice(FAULTS), "probability": LIKELIHOOD})

    def acts(self) -> dict[str, Callable[[random.Random], None]]:
        return {**super().acts(), "": self.tamper, " ": self.tamper}

    def was_hurt(self) -> bool:
        return bool(self.faults or self.proxy.faults())

    def heal(self) -> None:
        self._count()
        self.proxy.rules()
        super().heal()

    def _count(self) -> None:
        self.faults += self.proxy.faults()


@contextlib.contextmanager
def rig(directory: Path, *, proxied: bool) -> Iterator[Rig]:
    """A service to be mistreated, on an engine of its own or behind a proxy."""
    with contextlib.ExitStack() as stack:
        if proxied:
            made: Rig = ProxiedRig(directory, *stack.enter_context(proxied_store(directory)))
        else:
            made = Rig(directory, DATA_DIR=directory / "data")
        stack.callback(made.close)
        yield made


def run(rig: Rig, seconds: float, seed: int) -> Report:
    """Mistreat it for so long, or until each way of that has had an effect; what it did."""
    which = random.Random(seed)
    report = Report(seed)
    workload = Workload(rig.port, seed)
    threads = workload.run(CLIENTS)
    began = time.monotonic()
    turns: Iterator[str] = itertools.cycle(which.sample(sorted(rig.acts()), len(rig.acts())))
    try:
        while (
            time.monotonic() - began < seconds
            or report.kills.total() < LEAST_KILLS
            or not rig.was_hurt()
        ):
            time.sleep(which.uniform(*PAUSES))
            act = next(turns)
            rig.acts()[act](which)
            if act.strip():
                report.kills[act] += 1
            if rig.program.process.poll() is not None:  # its engine has died for the second time
                rig.ensure()
    finally:
        workload.stop.set()
        for thread in threads:
            thread.join(SOON)
    rig.heal()
    workload.finish()
    history = workload.history
    report.operations, report.faults = len(history.operations), rig.faults
    report.outcomes = Counter(operation.outcome for operation in history.operations)
    times = sorted(workload.answered)
    report.longest_silence = max(b - a for a, b in itertools.pairwise(times))
    report.violations = violations(history)
    return report
