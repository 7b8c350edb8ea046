"""The checker rejects what must not happen, and nothing else."""

import itertools

import pytest
from checker import NOTHING, linearizable, steps, violations
from history import History, Operation
from hypothesis import assume, given
from hypothesis import strategies as st

_clock = itertools.count()


def op(kind, outcome="ok", *, at=None, until=None, **more) -> Operation:
    """An operation after those before it, unless its times are given."""
    at = next(_clock) if at is None else at
    more.setdefault("title", "k" if kind == "create" else "")
    return Operation("k", kind, outcome, at, at + 0.5 if until is None else until, **more)


def create(outcome="ok", version=1, task="t", **more):
    return op("create", outcome, version=version, id=task, **more)


def change(version=0, title="", expected=None, outcome="ok", **more):
    return op("update", outcome, expected=expected, version=version, title=title, **more)


def read(version, title, **more):
    return op("read", "ok" if version else "missing", version=version, title=title, **more)


def delete(outcome="ok", **more):
    return op("delete", outcome, **more)


def register(outcome="ok", **more):
    return op("register", outcome, version=int(outcome == "ok"), **more)


def found(*operations: Operation) -> list[str]:
    return violations(History(list(operations)))


GOOD = {
    "nothing": list,
    "one after the other": lambda: [
        create(),
        change(2, "a"),
        read(2, "a"),
        change(3, "b", expected=2),
        change(outcome="conflict", expected=2),
        delete(),
        read(0, ""),
        delete("missing"),
        create("gone"),
    ],
    "a repeated key": lambda: [create(), create(), change(2, "a"), create(version=2, title="a")],
    "two at once": lambda: [
        create(at=0, until=1),
        change(3, "b", at=2, until=9),
        change(2, "a", at=3, until=9),
    ],
    "a read during a change shows what was before": lambda: [
        create(at=0, until=1),
        change(2, "a", at=2, until=9),
        read(1, "k", at=3, until=4),
    ],
    "unknown and done": lambda: [create(), change(outcome="unknown", title="a"), read(2, "a")],
    "unknown and not done": lambda: [
        create(),
        change(outcome="unknown", title="a"),
        read(1, "k"),
        change(2, "b"),
    ],
    "unknown and done long after": lambda: [
        create(),
        change(outcome="unknown", title="a"),
        read(1, "k"),
        read(2, "a"),
    ],
    "a deletion that may have been": lambda: [create(), delete("unknown"), read(0, "")],
    "a creation that was": lambda: [create("unknown", version=0), create()],
    "a name that one has": lambda: [register(), register("conflict"), register("conflict")],
    "a name that somebody has": lambda: [register("unknown"), register("conflict")],
}

BAD = {
    "a task that was never made": lambda: [read(1, "k")],
    "an acknowledged task that is not there": lambda: [create(), read(0, "")],
    "an acknowledged change that is lost": lambda: [create(), change(2, "a"), read(1, "k")],
    "a change that was overwritten": lambda: [
        create(),
        change(2, "a", expected=1),
        change(2, "b", expected=1),
    ],
    "two changes of one version": lambda: [
        create(at=0, until=1),
        change(2, "a", at=2, until=9),
        change(2, "b", at=2, until=9),
    ],
    "a version left out": lambda: [create(), change(3, "a")],
    "a version that falls": lambda: [create(), change(2, "a"), read(2, "a"), read(1, "k")],
    "a title of nobody": lambda: [create(), read(1, "x")],
    "a title of a change that was refused": lambda: [
        create(),
        change(2, "a"),
        change(outcome="conflict", expected=1, title="b"),
        read(2, "b"),
    ],
    "a refusal without a reason": lambda: [create(), change(outcome="conflict", expected=1)],
    "a task that came back": lambda: [create(), delete(), read(1, "k")],
    "a deletion before what it was after": lambda: [create(), delete(), change(2, "a")],
    "two deletions": lambda: [create(), delete(), delete()],
    "gone without a deletion": lambda: [create(), create("gone")],
    "missing without a deletion": lambda: [create(), delete("missing")],
    "unknown, seen, and gone again": lambda: [
        create(),
        change(outcome="unknown", title="a"),
        read(2, "a"),
        read(1, "k"),
    ],
    "unknown, and done twice": lambda: [
        create(),
        change(outcome="unknown", title="a"),
        read(2, "a"),
        change(3, "b"),
        read(4, "a"),
    ],
    "done before it was asked for": lambda: [
        create(at=0, until=1),
        read(2, "a", at=2, until=3),
        change(outcome="unknown", title="a", at=4),
    ],
    "two tasks of one key": lambda: [create(), create(task="u")],
    "a key that forgot": lambda: [create(), delete(), create()],
    "a name for two": lambda: [register(), register()],
    "a name for two at once": lambda: [register(at=0, until=9), register(at=0, until=9)],
    "a name that nobody has and nobody gets": lambda: [register("conflict")],
}


@pytest.mark.parametrize("history", GOOD.values(), ids=GOOD)
def test_what_may_happen_is_accepted(history):
    assert found(*history()) == []


@pytest.mark.parametrize("history", BAD.values(), ids=BAD)
def test_what_must_not_happen_is_found(history):
    assert found(*history()) != []


def test_what_the_clients_saw_by_themselves_counts_too():
    history = History()
    history.violate("a session ended by itself")

    assert violations(history) == ["a session ended by itself"]


def test_keys_are_checked_each_by_itself():
    other = Operation("other", "create", "ok", 0, 1, title="other", version=1, id="o")

    assert found(create(), other) == []
    assert [line.split(":")[0] for line in found(create(), other, read(0, ""))] == ["k"]


kinds = st.sampled_from(["create", "read", "update", "delete"])
spans = st.floats(0, 3)


@st.composite
def real_histories(draw):
    """What one store, which does one thing at a time, may be seen to do."""
    state, operations = NOTHING, []
    for number in range(draw(st.integers(0, 12))):
        kind, lost = draw(kinds), draw(st.booleans())
        expected = draw(st.none() | st.integers(1, 3)) if kind in {"update", "delete"} else None
        title = "k" if kind == "create" else str(number)
        times = {"at": number - draw(spans), "until": number + draw(spans), "expected": expected}
        wanted = op(kind, "unknown", title=title, **times)
        if lost:
            operations.append(wanted)
            state = next(iter(steps(state, wanted)), state) if draw(st.booleans()) else state
            continue
        after = next(iter(steps(state, wanted)), None)
        if after is None and kind == "create" and state.version > 0:
            after = state
        if after is None and kind == "read" and state.version > 0:
            after = state
        outcome = "ok" if after is not None else ("conflict" if state.version > 0 else "missing")
        if kind == "create" and after is None:
            outcome = "gone"
        state = state if after is None else after
        shown = {"version": max(state.version, 0), "title": state.title}
        operations.append(op(kind, outcome, **(shown if outcome == "ok" else {}), **times))
    return operations


@given(real_histories())
def test_whatever_one_store_does_is_accepted(operations):
    assert linearizable(operations)


@given(real_histories(), st.data())
def test_a_version_that_nobody_made_is_never_accepted(operations, data):
    reads = [
        n for n, each in enumerate(operations) if each.outcome == "ok" and each.kind != "delete"
    ]
    assume(reads)
    broken = data.draw(st.sampled_from(reads))
    each = operations[broken]
    far = Operation("k", each.kind, "ok", each.invoked, each.returned, each.expected, "?", 99)
    assert not linearizable([*operations[:broken], far, *operations[broken + 1 :]])
