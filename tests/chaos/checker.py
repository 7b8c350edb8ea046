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
    id: str = ""


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
    if op.outcome == "unknown":
        yield from _effects(state, op)
        return
    there = state.version > 0
    shown = State(op.version, op.title, op.id)
    explained = {
        "ok": shown == state if op.kind == "read" else False,
        "missing": not there,
        "gone": state.version == GONE,
        "conflict": there and op.expected != state.version,
    }
    if explained[op.outcome]:
        yield state
    if op.outcome == "ok" and op.kind != "read":
        yield from (
            after
            for after in _effects(state, op)
            if op.kind == "delete" or after == shown or (op.kind == "create" and there)
        )
        if op.kind == "create" and there and shown == state:
            return


def _effects(state: State, op: Operation) -> Iterator[State]:
    """What the operation makes of the state, if it does something."""
    there = state.version > 0
    if op.kind in {"create", "register"} and state.version == 0:
        yield State(1, op.title, op.id)
    elif op.kind == "update" and there and op.expected in {None, state.version}:
        yield State(state.version + 1, op.title, state.id)
    elif op.kind == "delete" and there and op.expected in {None, state.version}:
        yield State(GONE, "", state.id)
