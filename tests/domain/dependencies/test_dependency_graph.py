"""What waits for what: no circles, bounds, and what is remembered of closed tasks."""

from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphql_api.domain.dependencies import model as dependencies
from graphql_api.domain.dependencies.model import Dependencies, distinct_blockers
from graphql_api.errors import BadUserInput, Conflict
from graphql_api.infra.dynamodb import codec

NONE = Dependencies.none("ann")


def chain(*task_ids: str) -> Dependencies:
    """Each task waits for the next."""
    made = NONE
    for waiting, blocker in pairwise(task_ids):
        made = made.add(waiting, [blocker], [])
    return made


def test_a_task_waits_for_its_blockers_and_they_know_of_it():
    made = NONE.add("a", ["b", "c"], []).add("d", ["b"], [])

    assert made.blockers_of("a") == ("b", "c")
    assert made.blocked_by("b") == ("a", "d")
    assert made.blockers_of("b") == made.blocked_by("a") == ()
    assert made.blocked_ids == {"a", "d"}
    assert made.version == 2


def test_who_is_closed_blocks_nobody_until_it_is_open_again():
    made = NONE.add("a", ["b", "c"], closed=["c"])

    closed = made.mark("b", closed=True)
    again = closed.mark("c", closed=False)

    assert (made.open_blockers("a"), closed.open_blockers("a")) == (("b",), ())
    assert (closed.blocked_ids, again.blocked_ids) == (frozenset(), {"a"})
    assert again.open_blockers("a") == ("c",)
    assert closed.blockers_of("a") == ("b", "c")


def test_who_is_closed_waits_no_more():
    made = NONE.add("a", ["b"], closed=["a"])

    assert (made.blocked_by("b"), made.open_blocked("b")) == (("a",), ())


def test_a_task_that_is_no_more_releases_what_waits_for_it_and_its_blockers():
    made = chain("a", "b", "c").add("d", ["b"], [])

    after = made.without("b")

    assert made.blocked_by("b") == ("a", "d")
    assert after == Dependencies(user_id="ann", blockers={}, closed=(), version=4)


@pytest.mark.parametrize(
    "same",
    [
        lambda made: made.add("a", ["b"], []),
        lambda made: made.remove("a", ["x"]),
        lambda made: made.remove("x", ["a"]),
        lambda made: made.without("x"),
        lambda made: made.mark("x", closed=True),
        lambda made: made.mark("a", closed=False),
    ],
)
def test_a_change_that_changes_nothing_gives_the_same(same):
    made = chain("a", "b", "c")

    assert same(made) is made


@pytest.mark.parametrize(
    ("blockers", "circle"),
    [
        (["a"], ["d", "a", "b", "c", "d"]),
        (["c"], ["d", "c", "d"]),
        (["x", "b"], ["d", "b", "c", "d"]),
    ],
)
def test_a_circle_is_refused_with_its_path(blockers, circle):
    with pytest.raises(Conflict) as caught:
        chain("a", "b", "c", "d").add("d", blockers, [])

    assert caught.value.code == "CONFLICT"
    assert caught.value.render().details == {"field": "blocker_ids", "cycle": circle}


def test_the_path_is_the_shortest():
    made = chain("a", "b", "c", "d").add("a", ["d"], [])

    with pytest.raises(Conflict) as caught:
        made.add("d", ["a"], [])

    assert caught.value.details["cycle"] == ["d", "a", "d"]


def many(name: str, count: int) -> list[str]:
    return [f"{name}{number}" for number in range(count)]


def test_a_task_has_at_most_fifty_blockers():
    made = NONE.add("a", many("b", 49), []).add("a", ["c"], [])

    with pytest.raises(BadUserInput) as caught:
        made.add("a", ["b0", "d"], [])

    assert len(made.blockers_of("a")) == 50
    assert made.add("a", ["b0", "c"], []) is made
    assert (caught.value.code, caught.value.render().details) == (
        "BAD_USER_INPUT",
        {"field": "blocker_ids"},
    )


def test_a_task_blocks_at_most_five_hundred_others(monkeypatch):
    monkeypatch.setattr(dependencies, "MAX_BLOCKED", 2)
    made = NONE.add("a", ["x"], []).add("b", ["x"], [])

    with pytest.raises(BadUserInput, match="can block at most 2 others"):
        made.add("c", ["x"], [])


def test_all_of_a_users_dependencies_are_bounded(monkeypatch):
    monkeypatch.setattr(dependencies, "MAX_DEPENDENCIES", 3)
    made = NONE.add("a", ["b", "c"], []).add("b", ["c"], [])

    with pytest.raises(BadUserInput, match="at most 3 dependencies"):
        made.add("d", ["a"], [])


def test_as_many_as_there_can_be_fit_into_one_item():
    uuid = "0192f0c1-2345-7890-abcd-{:012}".format
    blockers = {uuid(2 * n): (uuid(2 * n + 1),) for n in range(dependencies.MAX_DEPENDENCIES)}
    most = Dependencies(
        user_id=uuid(0),
        blockers=blockers,
        closed=tuple(uuid(n) for n in range(2 * dependencies.MAX_DEPENDENCIES)),
        version=1,
    )

    item = codec.encode(most)

    assert codec.decode(Dependencies, item) == most
    assert len(str(item)) < 2 * 400 * 1024  # in Python's spelling, which has more than the bytes
    assert sum(len(key) + 3 + 1 + 36 for key in blockers) + 37 * len(most.closed) < 350 * 1024


@pytest.mark.parametrize(
    "given_", [[], ["a"], ["b", "a"], [f"b{number}" for number in range(51)]], ids=len
)
def test_what_blockers_cannot_mean_is_refused(given_):
    with pytest.raises(BadUserInput) as caught:
        distinct_blockers("a", given_)

    assert (caught.value.code, caught.value.render().details) == (
        "BAD_USER_INPUT",
        {"field": "blocker_ids"},
    )


def test_blockers_given_twice_are_given_once():
    assert distinct_blockers("a", ["b"] * 51 + ["c"]) == ("b", "c")


IDS = st.sampled_from("abcdef")
CHANGES = st.one_of(
    st.tuples(st.just("add"), IDS, st.lists(IDS, min_size=1, max_size=3, unique=True)),
    st.tuples(st.just("remove"), IDS, st.lists(IDS, min_size=1, max_size=3)),
    st.tuples(st.just("without"), IDS, st.none()),
    st.tuples(st.just("mark"), IDS, st.booleans()),
)


@settings(deadline=None)
@given(st.lists(CHANGES, max_size=30))
def test_whatever_changes_follow_each_other_it_is_as_the_plain_answer(changes):
    made = NONE
    edges: set[tuple[str, str]] = set()
    closed: set[str] = set()
    for kind, task, value in changes:
        version = made.version
        match kind:
            case "add":
                if task in value:
                    continue
                wanted = edges | {(task, blocker) for blocker in value}
                try:
                    made = made.add(task, value, closed & {task, *value})
                except Conflict as refused:
                    path = refused.details["cycle"]
                    assert not acyclic(wanted)
                    assert path[0] == path[-1] == task
                    assert set(pairwise(path)) <= wanted
                    continue
                assert acyclic(wanted)
                edges = wanted
            case "remove":
                made = made.remove(task, value)
                edges -= {(task, blocker) for blocker in value}
            case "without":
                made = made.without(task)
                edges = {edge for edge in edges if task not in edge}
            case "mark":
                made = made.mark(task, closed=value)
                (closed.add if value else closed.discard)(task)
        here = {task for edge in edges for task in edge}
        assert {(a, b) for a, blockers in made.blockers.items() for b in blockers} == edges
        assert set(made.closed) == closed & here
        assert made.blocked_ids == {a for a, b in edges if b not in closed}
        assert made.version - version in {0, 1}
        assert codec.decode(Dependencies, codec.encode(made)) == made


def acyclic(edges: set[tuple[str, str]]) -> bool:
    sorter = TopologicalSorter[str]()
    for task, blocker in edges:
        sorter.add(task, blocker)
    try:
        sorter.prepare()
    except CycleError:
        return False
    return True
