"""What clients did and heard: the only thing that the checker is told of the service."""

import itertools
import math
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Literal

Kind = Literal["create", "read", "update", "delete", "register"]
Outcome = Literal["ok", "missing", "conflict", "gone", "unknown"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One request and its answer; times in seconds of one clock.

    `key` is what it was about: an idempotency key, which one task at most may ever have, or a
    username. An unknown outcome may take effect at any later time, or never.
    """

    key: str
    kind: Kind
    outcome: Outcome
    invoked: float
    returned: float
    expected: int | None = None  # the version that the client asked to be in place
    title: str = ""  # the one that it wanted, or was shown
    version: int = 0  # the one that it was shown
    id: str = ""  # of the task, or of the user
    client: int = 0

    def __post_init__(self) -> None:
        if self.outcome == "unknown":
            object.__setattr__(self, "returned", math.inf)


@dataclass
class History:
    """Operations of many clients, in no order."""

    operations: list[Operation] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)  # that the clients saw by themselves
    _lock: Lock = field(default_factory=Lock)

    def add(self, operation: Operation, **heard: object) -> None:
        """Note an operation with what was heard of it."""
        with self._lock:
            self.operations.append(replace(operation, **heard))

    def violate(self, what: str) -> None:
        """Note that something has happened that must not."""
        with self._lock:
            self.violations.append(what)

    def by_key(self) -> dict[str, list[Operation]]:
        """The operations about each key."""
        ordered = sorted(self.operations, key=lambda operation: (operation.key, operation.invoked))
        groups = itertools.groupby(ordered, key=lambda operation: operation.key)
        return {key: list(operations) for key, operations in groups}
