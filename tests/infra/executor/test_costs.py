"""What a refusal costs: counted in calls of functions, Python's and C's, and not by a clock.

A call took 0.1 µs where this was written, so that the bound stands for 50 ms of CPU.
"""

import sys
from contextlib import contextmanager

import orjson
import pytest
from hypothesis import given, settings, target
from hypothesis import strategies as st

from graphql_api.api.graphql.schema import COSTS, SCHEMA
from graphql_api.errors import MAX_MESSAGE, BadUserInput
from graphql_api.infra.executor import variable_errors
from graphql_api.infra.executor.executor import MAX_ERRORS, Executor, Request
from graphql_api.infra.executor.responses import RequestErrors
from graphql_api.infra.serving.body_limits import BODY_BYTES

pytestmark = pytest.mark.thorough

MOST_CALLS = 500_000
EXECUTOR = Executor(SCHEMA, costs=COSTS, introspection=False)
CREATE = "mutation ($input: CreateTasksInput!) { createTasks(input: $input) { __typename } }"


@contextmanager
def counted():
    """How many functions are called, in a list of one number."""
    calls = [0]

    def note(_frame, event, _argument):
        calls[0] += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield calls
    finally:
        sys.setprofile(before)


def refuse(query: str, variables: dict | None = None) -> tuple[int, list[dict]]:
    """The calls that it took to refuse a request, and the errors; none if it was not refused."""
    EXECUTOR.operations.cache_clear()
    request = Request(query, variables or {})
    with counted() as calls:
        try:
            operation = EXECUTOR.operation(request)
            answer = EXECUTOR.execute(operation, request, None) if variables else None
        except RequestErrors as refused:
            answer = refused.answer
    return calls[0], answer.body.get("errors", []) if answer else []


def many(text: str, count: int) -> str:
    """The text so often, with each its own number where it has an asterisk."""
    return " ".join(text.replace("*", str(number)) for number in range(count))


LINES = "\n" * 30_000

ADVERSARIAL = {
    "one field often": f"{{ viewer {{ {many('id', 490)} }} }}",
    "unknown fields": f"{{ viewer {{ {many('x*', 490)} }} }}",
    "long unknown fields": f"{{ viewer {{ {many('x' * 120 + '*', 480)} }} }}",
    "unknown fields far below": LINES + f"{{ viewer {{ {many('x*', 490)} }} }}",
    "unused fragments": "{ viewer { id } } " + many("fragment F* on User { id }", 140),
    "unused fragments far below": LINES + "{ a } " + many("fragment F* on User { id }", 140),
    "fragments beside each other": f"{{ viewer {{ {many('...F*', 80)} }} }} "
    + many("fragment F* on User { id username createdAt }", 80),
    "fragments in each other": "{ viewer { ...F0 } } "
    + " ".join(f"fragment F{n} on User {{ ...F{n + 1} ...F{n + 1} }}" for n in range(58))
    + " fragment F58 on User { id }",
    "a cycle of all": "{ viewer { ...F0 } } "
    + many(f"fragment F* on User {{ {many('...F*', 28)} }}", 1)
    + many(f"fragment G* on User {{ {many('...G*', 28)} }}", 15),
    "a cycle": "{ viewer { ...F0 } } "
    + " ".join(f"fragment F{n} on User {{ ...F{(n + 1) % 58} }}" for n in range(58)),
    "inline fragments": f"{{ viewer {{ {many('... on User { id }', 150)} }} }}",
    "fields that overlap": f"{{ viewer {{ {many('tasks { nodes { owner { id } } }', 80)} }} }}",
    "fields that conflict": f"{{ viewer {{ {many('x: id x: username', 7)} }} }}",
    "arguments that overlap": "{ " + many(f"tasks(first: [{many('1', 85)}]) {{ id }}", 9) + " }",
    "one argument often": f"{{ tasks({many('first: 1', 320)}) {{ totalCount }} }}",
    "unknown arguments": f"{{ tasks({many('x*: 1', 320)}) {{ totalCount }} }}",
    "variables nobody declared": f"{{ tasks(filter: {{ tags: [{many('$v*', 480)}] }}) {{ id }} }}",
    "variables nobody uses": f"query ({many('$v*: Int', 245)}) {{ viewer {{ id }} }}",
    "operations": many("query Q* { viewer { id } }", 120),
    "operations that share fragments": many("query Q* { ...F0 }", 75)
    + " ".join(f"fragment F{n} on Query {{ ...F{n + 1} }}" for n in range(57))
    + " fragment F57 on Query { viewer { id } }",
    "a long list": f"{{ tasks(filter: {{ tags: [{many('1', 960)}] }}) {{ totalCount }} }}",
    "long text in lists": '{ tasks(filter: { search: [[[[[[[["""'
    + "\nx" * 1_900
    + '"""]]]]]]]] }) { totalCount } }',
    "a long text": '{ tasks(first: "' + "x" * 60_000 + '") { totalCount } }',
    "long digits": "{ tasks(first: " + "9" * 60_000 + ") { totalCount } }",
    "a long date": '{ tasks(filter: { dueBefore: "' + "9" * 60_000 + '" }) { totalCount } }',
    "a long name": "{ " + "x" * 60_000 + " }",
    "lists in lists": "{ tasks(first: " + "[" * 190 + "]" * 190 + ") { totalCount } }",
    "directives": f"{{ viewer {{ {many('id @skip(if: true)', 120)} }} }}",
    "one directive's arguments": f"{{ viewer {{ id @skip({many('if: true', 300)}) }} }}",
    "nothing but comments": "#\n" * 990,
    "nothing but lines": LINES,
    "definitions": many("type T* { a: Int }", 140),
    "questions about the schema": f"{{ __schema {{ {many('types { name }', 200)} }} }}",
}


@pytest.mark.parametrize("query", ADVERSARIAL.values(), ids=ADVERSARIAL)
def test_an_adversarial_document_is_refused_in_bounded_steps_with_a_short_answer(query):
    assert len(query) < BODY_BYTES

    calls, errors = refuse(query)

    assert calls <= MOST_CALLS
    assert 1 <= len(errors) <= MAX_ERRORS
    assert all(len(error["message"]) <= MAX_MESSAGE for error in errors)
    assert len(orjson.dumps(errors)) <= BODY_BYTES // 4


WORDS = [
    *(
        "{ ",
        "} ",
        "...F0 ",
        "...F1 ",
        "...F2 ",
        "... { ",
        "... on User { ",
        "a: id ",
        "a: username ",
    ),
    *(
        "id ",
        "viewer { ",
        "tasks { ",
        "nodes { ",
        "owner { ",
        "x ",
        "@skip(if: true) ",
        "first: 1 ",
    ),
    *("@include(if: $v) ", "tasks(first: 1) { ", "task(id: 1) { ", "[", "]", "(", ")", "\n", '"""'),
]
PARTS = st.tuples(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6), st.integers(1, 200))


def balanced(parts) -> str:
    text = "".join("".join(words) * count for words, count in parts)
    return text + "} " * max(0, text.count("{") - text.count("}"))


@settings(max_examples=120)
@given(st.lists(PARTS, min_size=1, max_size=4), st.lists(st.lists(PARTS, max_size=3), max_size=3))
def test_whatever_is_made_up_is_refused_in_bounded_steps(operation, fragments):
    query = "{ " + balanced(operation) + "}"
    for number, parts in enumerate(fragments):
        query += f" fragment F{number} on User {{ id {balanced(parts)} }}"

    calls, errors = refuse(query[:BODY_BYTES])

    target(float(calls), label="calls")
    assert calls <= MOST_CALLS
    assert len(errors) <= MAX_ERRORS


VARIABLES = {
    "a list of numbers": {"tasks": [1] * 30_000},
    "a list of nulls": {"tasks": [None] * 12_000},
    "a list of empty objects": {"tasks": [{}] * 20_000},
    "a list of unknown fields": {"tasks": [{"x": 1}] * 7_000},
    "tags of numbers": {"tasks": [{"title": "x", "tags": [1] * 30_000}]},
    "unknown states": {"tasks": [{"title": "x", "status": "DONE"}] * 2_000},
    "unknown fields": {f"x{number}": 1 for number in range(6_000)},
    "long digits": {"tasks": [{"title": "x", "dueAt": "9" * 60_000}]},
}


@pytest.mark.parametrize("value", VARIABLES.values(), ids=VARIABLES)
def test_adversarial_variables_are_refused_in_bounded_steps_with_five_errors_at_most(value):
    calls, errors = refuse(CREATE, {"input": value})

    assert calls <= MOST_CALLS
    assert {error["extensions"]["code"] for error in errors} == {"BAD_USER_INPUT"}
    assert 1 <= len(errors) <= MAX_ERRORS


def test_after_five_problems_no_further_is_looked_for(monkeypatch):
    looked = []
    problems = variable_errors._problems

    def noted(path, *of):
        looked.append(path)
        return problems(path, *of)

    monkeypatch.setattr(variable_errors, "_problems", noted)
    _, errors = refuse(CREATE, {"input": {"tasks": [1] * 20_000}})

    assert len(errors) == MAX_ERRORS
    assert len(looked) < 20


def test_a_long_message_is_cut():
    assert BadUserInput("x" * 500).message == "x" * 500
    assert BadUserInput("x" * 501).message == "x" * 499 + "…"
