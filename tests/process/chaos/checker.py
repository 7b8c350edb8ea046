"""Whether a history could have happened to one store, one operation after the other.

Each key is checked by itself, since linearizability is local (M. Herlihy and J. Wing,
"Linearizability", 1990). The search is that of Wing and Gong with a memory of the
configurations that were tried (G. Lowe, "Testing for linearizability", 2017).
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from history import History, Operation


class State(NamedTuple):
    """What the store holds of a key."""

    version: int  # 0 before there was anything, GONE after it was deleted
    title: str = ""


NOTHING = State(0)
GONE = -1


def violations(history: History) -> list[str]:
    """What is wrong with the history; empty if nothing is."""
    found = list(history.violations)
    for key, operations in history.by_key().items():
        found += [f"{key}: {what}" for what in _plain_violations(operations)]
        if not linearizable(operations):
            told = "\n".join(f"    {operation}" for operation in operations)
            found.append(f"{key}: no order of these explains their outcomes:\n{told}")
    return found


def linearizable(operations: Sequence[Operation]) -> bool:
    """Whether some order explains all outcomes, in which nothing moves out of its own time."""
    known = sum(1 << n for n, op in enumerate(operations) if op.outcome != "unknown")
    tried = {(0, NOTHING)}
    left = [(0, NOTHING)]
    while left:
        done, state = left.pop()
        if done & known == known:
            return True
        waiting = [n for n in range(len(operations)) if not done >> n & 1]
        first_return = min(operations[n].returned for n in waiting)
        for n in waiting:
            if operations[n].invoked <= first_return:
                after = [(done | 1 << n, state) for state in steps(state, operations[n])]
                left += [each for each in after if each not in tried]
                tried.update(after)
    return False


def steps(state: State, op: Operation) -> Iterator[State]:
    """The states after the operation, had it had its outcome in this one; none if it cannot."""
    there = state.version > 0
    shown = State(op.version, op.title)
    match op.outcome:
        case "missing":
            possible = not there
        case "gone":
            possible = state.version == GONE
        case "conflict":
            possible = there and op.expected != state.version
        case "ok" if there and op.kind in {"read", "create"}:  # a repeated key shows the task
            possible = shown == state
        case _:
            untold = op.outcome == "unknown" or op.kind == "delete"
            yield from (after for after in _effects(state, op) if untold or after == shown)
            return
    if possible:
        yield state


def _effects(state: State, op: Operation) -> Iterator[State]:
    """What the operation makes of the state, if it does something."""
    there = state.version > 0
    if op.kind in {"create", "register"} and state.version == 0:
        yield State(1, op.title)
    elif op.kind == "update" and there and op.expected in {None, state.version}:
        yield State(state.version + 1, op.title)
    elif op.kind == "delete" and there and op.expected in {None, state.version}:
        yield State(GONE)


def _plain_violations(operations: Sequence[Operation]) -> Iterator[str]:
    """What is wrong whatever the order was; the search would find it too, and tell less."""
    done = [op for op in operations if op.outcome == "ok"]
    if len({op.id for op in done if op.kind == "create"}) > 1:
        yield "one idempotency key has made several tasks"
    if sum(op.kind == "register" for op in done) > 1:
        yield "a name was registered twice"
    versions = [op.version for op in done if op.kind == "update"]
    if len(versions) != len(set(versions)):
        yield "two changes have made the same version"
