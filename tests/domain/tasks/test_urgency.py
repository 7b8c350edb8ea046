"""How urgent a task is: each term, their sum, and what a task inherits."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import fsum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphql_api.domain.dependencies.model import Dependencies
from graphql_api.domain.tasks.model import Task, TaskPriority, TaskStatus
from graphql_api.domain.tasks.urgency import DEFAULTS, Coefficients, Rating, Term, Urgency
from graphql_api.errors import BadUserInput, Conflict

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
MEDIUM = Term("priority_medium", 3.9, 1.0, 3.9)
NONE = Dependencies.none("ann")


def task(task_id: str = "a", *, age: timedelta = timedelta(), **fields) -> Task:
    made = Task.new("ann", {"title": task_id, **fields}, NOW - age)
    return replace(made, task_id=task_id)


def rated(
    *tasks: Task,
    dependencies: Dependencies = NONE,
    coefficients: Coefficients = DEFAULTS,
    as_of: datetime = NOW,
) -> Rating:
    rating = Rating(dependencies, coefficients, as_of)
    rating.rate(tasks)
    return rating


def test_a_plain_new_task_is_as_urgent_as_its_priority():
    assert rated(task())["a"] == Urgency(NOW, 3.9, (MEDIUM,))


@pytest.mark.parametrize(
    ("fields", "term"),
    [
        ({"priority": TaskPriority.URGENT}, Term("priority_urgent", 8.1, 1.0, 8.1)),
        ({"priority": TaskPriority.HIGH}, Term("priority_high", 6.0, 1.0, 6.0)),
        ({"priority": TaskPriority.LOW}, Term("priority_low", 1.8, 1.0, 1.8)),
        ({"status": TaskStatus.IN_PROGRESS}, Term("active", 4.0, 1.0, 4.0)),
        ({"tags": ("x",)}, Term("tags", 1.0, 0.8, 0.8)),
        ({"tags": ("x", "y")}, Term("tags", 1.0, 0.9, 0.9)),
        ({"tags": ("x", "y", "z", "next ")}, Term("tags", 1.0, 1.0, 1.0)),
        ({"tags": ("next",)}, Term("next", 15.0, 1.0, 15.0)),
        ({"not_before": NOW}, Term("scheduled", 5.0, 1.0, 5.0)),
        ({"not_before": NOW + DAY}, Term("waiting", -3.0, 1.0, -3.0)),
        ({"planned_start": NOW, "planned_end": NOW + DAY}, Term("scheduled", 5.0, 1.0, 5.0)),
        ({"age": 73 * DAY}, Term("age", 2.0, 0.2, 0.4)),
        ({"age": 730 * DAY}, Term("age", 2.0, 1.0, 2.0)),
        ({"due_at": NOW + 100 * DAY}, Term("due", 12.0, 0.2, 2.4)),
        ({"due_at": NOW + 14 * DAY}, Term("due", 12.0, 0.2, 2.4)),
        ({"due_at": NOW}, Term("due", 12.0, 0.733, 8.796)),
        ({"due_at": NOW - 3.5 * DAY}, Term("due", 12.0, 0.867, 10.404)),
        ({"due_at": NOW - 7 * DAY}, Term("due", 12.0, 1.0, 12.0)),
        ({"due_at": NOW - 70 * DAY}, Term("due", 12.0, 1.0, 12.0)),
    ],
    ids=str,
)
def test_each_reason_is_a_term(fields, term):
    assert term in rated(task(**fields))["a"].terms


def test_what_is_planned_later_is_not_scheduled_though_it_could_be_begun():
    later = {"planned_start": NOW + DAY, "planned_end": NOW + DAY}

    assert rated(task(not_before=NOW, **later))["a"].terms == (MEDIUM,)


def test_a_task_made_after_the_instant_is_not_younger_than_new():
    assert rated(task(), as_of=NOW - 400 * DAY)["a"].terms == (MEDIUM,)


@pytest.mark.parametrize("status", [TaskStatus.COMPLETED, TaskStatus.CANCELLED])
def test_what_is_closed_is_not_urgent(status):
    assert rated(task(status=status, due_at=NOW))["a"] == Urgency(NOW, 0.0, ())


# What tasks have of each other


def test_a_task_inherits_from_the_most_urgent_one_that_waits_for_it():
    tasks = (task("a"), task("b", due_at=NOW), task("c", priority=TaskPriority.URGENT))
    waiting = NONE.add("b", ["a"], []).add("c", ["a"], [])

    rating = rated(*tasks, dependencies=waiting)

    assert rating["b"].terms == (
        Term("due", 12.0, 0.733, 8.796),
        MEDIUM,
        Term("blocked", -5.0, 1.0, -5.0),
    )
    assert (rating["b"].score, rating["c"].score) == (7.696, 3.1)
    assert rating["a"] == Urgency(NOW, 11.9, (MEDIUM, Term("blocking", 8.0, 1.0, 8.0)))
    most = rated(*tasks, dependencies=waiting, coefficients=replace(DEFAULTS, blocking=0.0))
    assert most["a"].score == 7.706
    assert most["a"].terms[-1] == Term("inherited", 1.0, 3.806, 3.806)


def test_urgency_is_inherited_along_a_chain():
    chain = NONE.add("c", ["b"], []).add("b", ["a"], [])
    plain = Coefficients(blocking=0.0, blocked=0.0)
    tasks = (task("a"), task("b"), task("c", priority=TaskPriority.HIGH))

    rating = rated(*tasks, dependencies=chain, coefficients=plain)
    without = rated(*tasks, dependencies=chain, coefficients=replace(plain, inherited=0.0))

    assert [rating[name].score for name in "abc"] == [6.02, 6.01, 6.0]
    assert [without[name].score for name in "abc"] == [3.9, 3.9, 6.0]


def test_nothing_is_inherited_from_what_is_closed_and_it_blocks_no_more():
    waiting = NONE.add("b", ["a"], closed=["b"]).add("c", ["b"], closed=["b"])
    tasks = (task("a"), task("b", status=TaskStatus.COMPLETED, due_at=NOW), task("c"))

    rating = rated(*tasks, dependencies=waiting)

    assert rating["a"].terms == rating["c"].terms == (MEDIUM,)


def test_all_that_waits_for_a_task_is_needed_to_rate_it():
    waiting = NONE.add("c", ["b"], []).add("b", ["a"], []).add("x", ["y"], [])
    rating = Rating(waiting, DEFAULTS, NOW)

    assert rating.needs(["a"]) == ["a", "b", "c"]
    rating.rate([task("c"), task("b")])
    assert rating.needs(["a", "b"]) == ["a"]


# Coefficients


def test_a_coefficient_is_changed_and_given_back_its_default():
    changed = DEFAULTS.edit({"due": 1.23456, "blocked": 0, "age": -100})

    assert changed == Coefficients(due=1.235, blocked=0.0, age=-100.0)
    assert changed.edit({"due": None, "age": None}) == Coefficients(blocked=0.0)


@pytest.mark.parametrize("value", [100.1, -101, 1e300])
def test_a_coefficient_has_bounds(value):
    with pytest.raises(BadUserInput) as caught:
        DEFAULTS.edit({"priority_low": value})

    assert (caught.value.code, caught.value.render().details) == (
        "BAD_USER_INPUT",
        {"field": "priority_low"},
    )


# Whatever the tasks

TASKS = st.lists(
    st.builds(
        dict,
        status=st.sampled_from(TaskStatus),
        priority=st.sampled_from(TaskPriority),
        tags=st.sampled_from([(), ("x",), ("next", "y")]),
        age=st.timedeltas(timedelta(), 800 * DAY),
        due_at=st.none() | st.timedeltas(-30 * DAY, 30 * DAY).map(lambda d: NOW + d),
        not_before=st.none() | st.timedeltas(-DAY, DAY).map(lambda d: NOW + d),
    ),
    min_size=1,
    max_size=6,
)
EDGES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=8)
COEFFICIENTS = st.dictionaries(
    st.sampled_from(sorted({*Coefficients.__dataclass_fields__} - {"inherited"})),
    st.floats(-100, 100),
).map(DEFAULTS.edit)


@settings(deadline=None)
@given(TASKS, EDGES, COEFFICIENTS)
def test_a_score_is_the_sum_of_its_terms_and_above_that_of_whatever_waits(
    fields, edges, coefficients
):
    tasks = [task(f"{number}", **given_) for number, given_ in enumerate(fields)]
    closed = [t.task_id for t in tasks if not t.open]
    waiting = NONE
    for a, b in edges:
        if a != b and max(a, b) < len(tasks):
            try:
                waiting = waiting.add(f"{a}", [f"{b}"], closed)
            except Conflict:
                continue

    rating = rated(*tasks, dependencies=waiting, coefficients=coefficients)
    one_by_one = Rating(waiting, coefficients, NOW)
    by_id = {t.task_id: t for t in tasks}
    for name in by_id:
        one_by_one.rate([by_id[needed] for needed in one_by_one.needs([name])])

    for name, rated_task in by_id.items():
        urgency = rating[name]
        assert one_by_one[name] == urgency
        assert urgency.score == round(fsum(term.contribution for term in urgency.terms), 3)
        for term in urgency.terms:
            assert term.contribution == pytest.approx(term.coefficient * term.value, abs=0.0005001)
        for other in waiting.open_blocked(name):
            assert not rated_task.open or urgency.score > rating[other].score
