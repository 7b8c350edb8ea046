import itertools
import re
import time
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest
from conftest import TASK, Api
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    Lexer,
    OperationDefinitionNode,
    Source,
    TokenKind,
    get_introspection_query,
    parse,
)
from hypothesis import event, given, settings
from hypothesis import strategies as st

from graphql_api import create_app
from graphql_api.api.graphql.schema import SCHEMA
from graphql_api.config import DEFAULT_LIMITS, Limits
from graphql_api.errors import QueryTooComplex
from graphql_api.infra.executor import compiler, limits
from graphql_api.infra.executor.executor import CACHED_DOCUMENTS, Executor, Request, RequestErrors
from graphql_api.infra.serving.body_limits import BODY_BYTES


@pytest.fixture
def executor() -> Executor:
    return Executor(SCHEMA, introspection=True)


@pytest.fixture
def secretive() -> Executor:
    """An executor that tells nothing of its schema."""
    return Executor(SCHEMA, introspection=False)


def refusal(query: str, most: Limits = DEFAULT_LIMITS) -> str | None:
    """Why the guard refuses the document; None if it does not."""
    try:
        limits.check(parse(query), most)
    except QueryTooComplex as error:
        return error.message
    return None


def too_many(what: str, most: int) -> str:
    return f"The query has too many {what}: at most {most} are allowed."


def errors(executor: Executor, query: str, name: str | None = None) -> list[tuple[str, str]]:
    """Codes and messages of what an executor has against a request; none if it is fit."""
    try:
        executor.operation(Request(query, operation_name=name))
    except RequestErrors as refused:
        return [(e["extensions"]["code"], e["message"]) for e in refused.answer.errors]
    return []


def codes(executor: Executor, query: str, name: str | None = None) -> list[str]:
    return [code for code, _ in errors(executor, query, name)]


@contextmanager
def measured():
    """The nesting level of each selection set that the guard looks at."""
    levels = []
    measure = limits._measure

    def counted(selected, fragments, known, level=0):
        levels.append(level)
        return measure(selected, fragments, known, level)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "_measure", counted)
        yield levels


def many(text: str, count: int) -> str:
    return f"{text} " * count


def nested(name: str, levels: int, leaf: str = "a") -> str:
    """A chain of fields with a leaf at this level, the first one being 1: `a { a { leaf } }`."""
    return f"{name} {{ " * (levels - 1) + leaf + " }" * (levels - 1)


def chain(count: int, selection: str, last: str) -> str:
    """Fragments of which each spreads the next, in place of the selection's asterisks."""
    names = [f"F{number}" for number in range(count + 1)]
    return "".join(
        f"fragment {name} on T {{ {selection.replace('*', f'...{after}')} }} "
        for name, after in itertools.pairwise(names)
    ) + (f"fragment {names[-1]} on T {{ {last} }}")


# Each limit: documents that use exactly n of it, and nothing else too much

SHAPES = {
    ("levels of depth", 8): {
        "fields": lambda n: f"{{ {nested('a', n)} }}",
        "the deepest of several": lambda n: f"{{ b a {{ b }} {nested('a', n)} b }}",
        "a mutation": lambda n: f"mutation {{ {nested('a', n)} }}",
        "inline fragments": lambda n: many("{ ... { a", n) + many("} }", n),
        "fragments": lambda n: "{ ...F0 } " + chain(n - 1, "a { * }", "a"),
        "a fragment in two places": lambda n: (
            f"{{ ...F {nested('a', n - 1, '...F')} }} fragment F on T {{ a {{ a }} }}"
        ),
        "beside the schema": lambda n: f"{{ __schema {{ a }} {nested('a', n)} }}",
    },
    ("fields", 500): {
        "beside each other": lambda n: f"{{ a {{ {many('b', n - 1)} }} }}",
        "below several": lambda n: f"{{ a {{ {many('b', 99)} }} a {{ {many('b', n - 101)} }} }}",
        "fragments": lambda n: (
            f"{{ a {{ {many('...F', 9)} {many('b', n - 91)} }} }} "
            f"fragment F on T {{ {many('b', 10)} }}"
        ),
        "fragments in fragments": lambda n: (
            f"{{ a {{ {many('...F', 4)} {many('b', n - 401)} }} }} "
            f"fragment F on T {{ {many('...G', 5)} }} fragment G on T {{ {many('b', 20)} }}"
        ),
    },
    ("aliases", 15): {
        "beside each other": lambda n: f"{{ a {{ {many('x: b', n)} }} }}",
        "below several": lambda n: f"{{ a {{ x: b }} a {{ x: b }} a {{ {many('x: b', n - 2)} }} }}",
        "below an alias": lambda n: f"{{ y: a {{ {many('x: b', n - 1)} }} }}",
        "the same name": lambda n: f"{{ a {{ {many('b: b', n)} }} }}",
        "fragments": lambda n: (
            f"{{ a {{ ...F ...F ...F {many('x: b', n - 12)} }} }} "
            "fragment F on T { x: b x: b ...G } fragment G on T { x: b ... { x: b } }"
        ),
        "of the schema": lambda n: f"{{ x: __schema {{ {many('x: a', n - 1)} }} }}",
    },
    ("root fields", 10): {
        "beside each other": lambda n: f"{{ {many('a', n)} }}",
        "with fields below": lambda n: f"{{ {many('a { b c }', n)} }}",
        "of a mutation": lambda n: f"mutation {{ {many('createTask { a }', n)} }}",
        "with the schema": lambda n: f"{{ __typename __schema {{ a }} {many('a', n - 2)} }}",
        "only the schema": lambda n: f"{{ {many('__type { a }', n)} }}",
        "fragments": lambda n: (
            f"{{ ...F ...F ... {{ ...F }} {many('a', n - 9)} }} "
            "fragment F on Q { a ...G } fragment G on Q { a ... on Q { a } }"
        ),
    },
    ("fields that check a password, plan or write in bulk", 1): {
        "beside each other": lambda n: f"mutation {{ {many('login { a }', n)} }}",
        "among others": lambda n: f"mutation {{ b {many('register { a }', n)} b }}",
        "with an alias": lambda n: f"mutation {{ {many('a: changePassword { a }', n)} }}",
        "passwords": lambda n: f"mutation {{ {' '.join(['deleteAccount', 'login'][:n])} }}",
        "bulk": lambda n: f"mutation {{ {' '.join(['createTasks', 'updateTasks'][:n])} }}",
        "one of each": lambda n: f"mutation {{ {' '.join(['deleteTasks', 'register'][:n])} }}",
        "fragments": lambda n: (
            f"mutation {{ {many('...F', n)} }} "
            "fragment F on M { ... on M { ...G } } fragment G on M { createTasks { a } }"
        ),
    },
    ("lists within lists", 1): {
        "tasks": lambda n: f"{{ {many('tasks { a {', n)} b {many('} }', n)} }}",
        "at once": lambda n: f"{{ {many('tasks {', n)} b {many('}', n)} }}",
        "sessions of a task": lambda n: (
            f"{{ tasks {{ a {{ {many('sessions { a }', n - 1)} b }} }} }}"
        ),
        "tasks of results": lambda n: (
            f"mutation {{ a {{ results {{ a {{ {many('tasks { b }', n - 1)} b }} }} }} }}"
        ),
        "with aliases": lambda n: f"{{ {many('a: tasks {', n)} b {many('}', n)} }}",
        "among others": lambda n: (
            f"{{ tasks {{ a }} tasks {{ {many('tasks { a }', n - 1)} a }} sessions {{ a }} }}"
        ),
        "beside dependencies": lambda n: f"{{ tasks {{ blocks {{ a }} {many('tasks', n - 1)} }} }}",
        "fragments": lambda n: (
            f"{{ ...F {many('tasks { ...F }', n - 1)} }} "
            "fragment F on T { a { ...G } } fragment G on U { ... { tasks { b } } }"
        ),
    },
    ("lists within a task's dependencies", 1): {
        "of dependencies": lambda n: f"{{ a {{ {many('blocks {', n)} b {many('}', n)} }} }}",
        "both kinds": lambda n: (
            f"{{ tasks {{ blockedBy {{ {many('blocks { b }', n - 1)} b }} }} }}"
        ),
        "lists": lambda n: f"{{ a {{ blocks {{ a {{ {many('sessions { b }', n - 1)} b }} }} }} }}",
        "within a list": lambda n: f"{{ tasks {{ {many('blocks {', n)} b {many('}', n)} }} }}",
        "among others": lambda n: (
            f"{{ a {{ blocks {{ a }} blocks {{ a {many('blocks { a }', n - 1)} }} "
            "tasks { a } } }"
        ),
        "fragments": lambda n: (
            f"{{ blockedBy {{ ...F {many('a { ...G }', n - 1)} }} }} "
            "fragment F on T { a { b } } fragment G on U { ... { blocks { b } } }"
        ),
    },
    ("directives", 5): {
        "on a field": lambda n: f"{{ a {many('@x', n)} }}",
        "on operations": lambda n: many("query @x { a }", n),
        "anywhere": lambda n: (
            f"query ($v: Int @x) @x {{ a @x ... @x {{ a }} }} query {{ a {many('@x', n - 4)} }}"
        ),
        "on a fragment that nobody spreads": lambda n: (
            f"{{ a }} fragment F on T {many('@x(if: true)', n)} {{ a }}"
        ),
    },
    ("lines", 2000): {
        "before": lambda n: "\n" * (n - 1) + "{ a }",
        "after": lambda n: "{ a }" + "\r\n" * (n - 1),
        "in a text": lambda n: '{ a(b: """' + "\r" * (n - 1) + '""") }',
    },
    ("levels in a value", 10): {
        "lists": lambda n: f"{{ a(b: {'[' * n + ']' * n}) }}",
        "objects": lambda n: f"{{ a(b: {'{a: ' * n + '1' + '}' * n}) }}",
        "both": lambda n: f"{{ a(b: {'[' * (n - 2)} {{ c: [] }} {']' * (n - 2)}) {{ a }} }}",
        "the deepest of several": lambda n: f"{{ a(b: [[1]], c: {'[' * n + ']' * n}, d: []) }}",
        "of a directive": lambda n: f"{{ a @x(b: {'[' * n + ']' * n}) }}",
        "of a default": lambda n: f"query ($v: [Int] = {'[' * n + ']' * n}) {{ a(b: $v) }}",
        "of a variable's directive": lambda n: (
            f"query ($v: Int @x(b: {'[' * n + ']' * n}), $w: [[Int]]) {{ a }}"
        ),
        "of a type": lambda n: f"query ($v: {'[' * n} Int {']' * n}) {{ a(b: $v) }}",
        "of a fragment": lambda n: f"{{ ...F }} fragment F on T {{ a(b: {'[' * n + ']' * n}) }}",
    },
    ("levels of introspection", 25): {
        "the schema": lambda n: f"{{ __schema {{ {nested('a', n - 1)} }} }}",
        "a type": lambda n: f"{{ __type {{ {nested('ofType', n - 1)} }} }}",
        "below an alias": lambda n: f"{{ a: __schema {{ {nested('a', n - 1)} }} }}",
        "below fields": lambda n: f"{{ a {{ a {{ __type {{ {nested('a', n - 3)} }} }} }} }}",
        "within itself": lambda n: (
            f"{{ __schema {{ a {{ __type {{ {nested('a', n - 3)} }} }} }} }}"
        ),
        "fragments": lambda n: (
            "{ ...F } fragment F on Q { __schema { ...G } } "
            f"fragment G on S {{ {nested('a', n - 1)} }}"
        ),
    },
    ("introspection fields", 1000): {
        "beside each other": lambda n: f"{{ __schema {{ {many('a', n - 1)} }} }}",
        "below both": lambda n: (
            f"{{ __schema {{ {many('a', 499)} }} __type {{ {many('a', n - 501)} }} }}"
        ),
        "within each other": lambda n: (
            f"{{ __schema {{ {many('a', 299)} __type {{ {many('a', n - 301)} }} }} }}"
        ),
        "fragments": lambda n: (
            f"{{ __schema {{ {many('...F', 9)} {many('a', n - 901)} }} }} "
            f"fragment F on S {{ {many('a', 100)} }}"
        ),
    },
    ("levels of nesting", 60): {
        "inline fragments": lambda n: f"{{ {many('... {', n)} a {many('}', n)} }}",
        "fields and inline fragments": lambda n: (
            "{ __schema { " + many("a {", 19) + many("... {", n - 20) + "a" + many("}", n + 1)
        ),
        "typed inline fragments": lambda n: f"{{ {many('... on T {', n)} a {many('}', n)} }}",
        "fragments": lambda n: "{ ...F0 } " + chain(n - 1, "*", "a"),
    },
}

each_shape = pytest.mark.parametrize(
    ("what", "most", "shape"),
    [
        pytest.param(what, most, shape, id=f"{what}-{name}")
        for (what, most), shapes in SHAPES.items()
        for name, shape in shapes.items()
    ],
)


@each_shape
def test_a_document_may_use_a_limit_fully_and_no_more(executor, what, most, shape):
    assert refusal(shape(most)) is None
    assert refusal(shape(most + 1)) == too_many(what, most)
    assert codes(executor, shape(most + 1)) == ["QUERY_TOO_COMPLEX"]


@pytest.mark.parametrize(
    "document",
    [
        lambda n: "{ tasks(filter: { tags: [" + many('""', n - 16) + "] }) { totalCount } }",
        lambda n: many("# a comment is a token, too\n", n - 6) + "{ viewer { id } }",
        lambda n: "{ viewer { id } }" + many("#\n", n - 6),
    ],
    ids=["values", "comments before", "comments after"],
)
def test_a_document_has_at_most_1000_tokens(executor, document):
    assert parse(document(1000)).token_count == 1000
    assert errors(executor, document(1000)) == []
    assert errors(executor, document(1001)) == [
        ("QUERY_TOO_COMPLEX", "Document contains more than 1000 tokens. Parsing aborted.")
    ]


TOKENS = st.sampled_from(
    [
        *"!$&():=@[]{|}",
        *("...", "name", "_1", "0", "-12", "1.5e+3"),
        *('""', '"a b"', r'"\\ \" { "'),
        *('""""""', '"""a "quoted" one"""', '"""\n\\""" \\ """'),
        *("# a { comment\n", '# "\r'),
    ]
)
SPACES = st.sampled_from([" ", "\n", ", ", "\t\r\n", "\ufeff "])


@given(st.lists(st.tuples(TOKENS, SPACES)))
def test_tokens_are_counted_as_the_parser_counts_them(parts):
    text = "".join(map("".join, parts))
    lexer, count = Lexer(Source(text)), 0
    while lexer.advance().kind is not TokenKind.EOF:
        pass
    token = lexer.token.prev
    while token.kind is not TokenKind.SOF:
        token, count = token.prev, count + 1

    limits.check_tokens(text, count)
    if count:
        with pytest.raises(QueryTooComplex):
            limits.check_tokens(text, count - 1)


@pytest.mark.parametrize(
    "unit",
    [*('"', '\\"', '"\\', '"""', '\\"""', '"\\\\"""', '"a\\', '""" \\"""', '"\n'), *"#- 0a.\\"],
)
@pytest.mark.parametrize("first", ["", '"', '"""', '"""a'])
def test_to_count_takes_less_than_to_parse_whatever_the_text_is(first, unit):
    text = (first + unit * BODY_BYTES)[:BODY_BYTES]

    def counted():
        with suppress(QueryTooComplex):
            limits.check_tokens(text, 1000)

    fair = "{ viewer { " + many("id ", 995) + "} }"
    assert least_time(counted) < least_time(lambda: parse(fair))


def least_time(work):
    def once():
        start = time.thread_time()
        work()
        return time.thread_time() - start

    return min(once() for _ in range(5))


@pytest.mark.parametrize("order", ["ABC", "ACB", "BAC", "BCA", "CAB", "CBA"])
def test_nesting_is_counted_in_whatever_order_fragments_are_spread(order):
    def inline(selection: str) -> str:
        return f"{{ {many('... {', 25)} {selection} {many('}', 25)} }}"

    deep = (
        f"fragment A on T {inline('a')} fragment B on T {inline('...A')} "
        f"fragment C on T {inline('...B')}"
    )

    assert refusal(f"{{ {many('...%s', 3) % tuple(order)} }} {deep}") == too_many(
        "levels of nesting", 60
    )


# Introspection

OPTIONS = (
    *("descriptions", "specified_by_url", "directive_is_repeatable", "schema_description"),
    *("input_value_deprecation", "experimental_directive_deprecation", "one_of"),
)


@pytest.mark.parametrize("value", [True, False])
def test_the_introspection_query_of_tools_passes_with_all_its_options(executor, value):
    query = get_introspection_query(**dict.fromkeys(OPTIONS, value))

    assert errors(executor, query) == []


def test_introspection_has_an_allowance_of_its_own():
    ours = f"{nested('a', 8)} a {{ {many('b', 491)} }}"
    schema = f"__schema {{ {nested('a', 24)} {many('a', 974)} }}"

    assert refusal(f"{{ {ours} }}") is None
    assert refusal(f"{{ {schema} }}") is None
    assert refusal(f"{{ {ours} {schema} }}") is None
    assert refusal(f"{{ {ours} a {schema} }}") == too_many("fields", 500)
    assert refusal(f"{{ {ours} {schema} __type {{ a }} }}") == too_many(
        "introspection fields", 1000
    )


def test_a_chain_of_types_is_bounded(executor):
    def types(levels: int) -> str:
        return f"{{ __schema {{ types {{ {nested('ofType', levels - 2, 'name')} }} }} }}"

    assert errors(executor, types(25)) == []
    assert errors(executor, types(26)) == [
        ("QUERY_TOO_COMPLEX", too_many("levels of introspection", 25))
    ]


def test_types_of_fields_of_types_are_refused(executor):
    deep = nested("fields { type", 4, "fields { name }") + many("}", 3)

    assert codes(executor, f"{{ __schema {{ types {{ {deep} }} }} }}") == [
        "GRAPHQL_VALIDATION_FAILED"
    ]


@pytest.mark.parametrize("name", ["__schema", "__type"])
@pytest.mark.parametrize(
    "disguised",
    [
        "{{ ...{name} }} fragment {name} on T {{ {deep} }}",
        "{{ {name}: a {{ {deep} }} }}",
        "query {name} {{ {deep} }}",
        "{{ ... on {name} {{ {deep} }} }}",
        "{{ a({name}: 1) {{ {deep} }} }}",
        "{{ a(b: {name}) {{ {deep} }} }}",
        "{{ {name}_ {{ {deep} }} }}",
        "{{ _{name} {{ {deep} }} }}",
    ],
)
def test_only_a_field_can_have_the_allowance_of_introspection(disguised, name):
    assert refusal(disguised.format(name=name, deep=nested("a", 9))) == too_many(
        "levels of depth", 8
    )


@pytest.mark.parametrize(
    ("query", "why"),
    [
        (f"{{ {nested('a', 9, '__schema { a }')} }}", None),
        (f"{{ {nested('a', 10, '__schema { a }')} }}", too_many("levels of depth", 8)),
        (f"{{ a {{ __schema {{ a }} {nested('a', 8)} }} }}", too_many("levels of depth", 8)),
        (
            f"{{ a {{ __schema {{ {nested('a', 24)} }} }} }}",
            too_many("levels of introspection", 25),
        ),
        (f"{{ {many('a { __schema { a } }', 11)} }}", too_many("root fields", 10)),
        (f"{{ a {{ __schema {{ {many('x: a', 16)} }} }} }}", too_many("aliases", 15)),
        (
            f"mutation {{ __schema {{ login {{ a }} }} {many('login { a }', 2)} }}",
            too_many("fields that check a password, plan or write in bulk", 1),
        ),
    ],
)
def test_a_schema_field_within_others_opens_no_way_around_the_limits(query, why):
    assert refusal(query) == why


def test_a_schema_field_within_others_is_no_field_at_all(executor):
    query = f"{{ viewer {{ __schema {{ viewer {{ {nested('tasks', 9, 'totalCount')} }} }} }} }}"

    assert errors(executor, query) == [
        ("GRAPHQL_VALIDATION_FAILED", "Cannot query field '__schema' on type 'User'.")
    ]


# Operations


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize(("what", "most"), SHAPES)
def test_every_operation_of_a_document_is_checked(executor, what, most, place):
    shape = next(iter(SHAPES[what, most].values()))
    fine = ["query Fine { a } ", "mutation Good { a } "]
    fine.insert(place, shape(most + 1) + " ")

    assert refusal("".join(fine)) == too_many(what, most)
    assert codes(executor, "".join(fine), "Fine") == ["QUERY_TOO_COMPLEX"]


def test_each_operation_has_its_own_allowance():
    full = f"{{ ...F {nested('a', 8)} }} "

    assert (
        refusal(full * 20 + f"fragment F on T {{ a {{ {many('x: b', 15)} {many('b', 400)} }} }}")
        is None
    )


# What the guard itself costs


@pytest.mark.parametrize("spreads", [2, 3, 10])
@pytest.mark.parametrize("levels", [40, 55])
def test_exponentially_many_fields_are_counted_in_one_step_a_fragment(levels, spreads):
    query = "{ ...F0 } " + chain(levels, many("*", spreads), "a")

    with measured() as steps:
        assert refusal(query) == too_many("fields", 500)

    assert len(steps) == query.count("{") == levels + 2


@pytest.mark.parametrize("spreads", [2, 7])
def test_exponentially_many_subfields_are_counted_in_one_step_a_selection_set(spreads):
    query = "{ ...F0 } " + chain(25, many("a { * }", spreads), "a")

    with measured() as steps:
        assert refusal(query) == too_many("levels of depth", 8)

    assert len(steps) == query.count("{") == 1 + 25 * (1 + spreads) + 1


def test_a_chain_of_fragments_is_not_followed_beyond_its_limit():
    query = "{ ...F0 } " + chain(500, "* *", "a")

    with measured() as steps:
        assert refusal(query) == too_many("levels of nesting", 60)

    assert steps == list(range(62))


def test_many_operations_measure_a_fragment_once():
    query = many("{ ...F0 }", 50) + chain(30, "* *", "a")

    with measured() as steps:
        assert refusal(query) == too_many("fields", 500)
    assert len(steps) == 1 + 31

    with measured() as steps:
        assert refusal(many("{ ...F0 }", 50) + chain(30, "*", "a")) is None
    assert len(steps) <= 50 + 2 * 31


@pytest.mark.parametrize(
    "query",
    [
        "{ ...A } fragment A on Query { ...A }",
        "{ ...A } fragment A on Query { viewer { id } ...B } fragment B on Query { ...A ...B }",
        "{ task(id: 1) { owner { ...A } } } fragment A on User { id ... { username ...A } }",
        "{ ...A ...B } fragment A on Query { ...A ...B } fragment B on Query { ...A ...B }",
    ],
)
def test_a_cycle_of_fragments_ends_and_is_refused_by_validation(executor, query):
    with measured() as steps:
        assert refusal(query) is None

    assert len(steps) <= 2 * query.count("{")
    assert set(codes(executor, query)) == {"GRAPHQL_VALIDATION_FAILED"}
    assert all("Cannot spread fragment" in message for _, message in errors(executor, query))


@pytest.mark.parametrize("query", ["{ ...Nowhere }", "{ viewer { ...Nowhere id } }"])
def test_a_fragment_that_is_not_there_is_refused_by_validation(executor, query):
    assert refusal(query) is None
    assert errors(executor, query) == [("GRAPHQL_VALIDATION_FAILED", "Unknown fragment 'Nowhere'.")]


def test_a_fragment_that_nobody_spreads_is_refused_by_validation(executor):
    query = "{ viewer { id } } fragment F on User { id }"

    assert refusal(query) is None
    assert errors(executor, query) == [("GRAPHQL_VALIDATION_FAILED", "Fragment 'F' is never used.")]


# The guard against random documents

FRAGMENTS = 6
FIELDS = [*("a", "b", "a", "b", "__typename", "x: a", "a", "b", "x: b", "a", "b", "login")]
PARENTS = [
    *FIELDS,
    *("tasks", "tasks", "x: tasks", "blocks"),
    "...",
    "... on T",
    "__schema",
    "__type",
    "__schema: a",
    "a @skip(if: true)",
]
SPREADS = [f"...F{number}" for number in range(FRAGMENTS)]


def beside(selection: st.SearchStrategy[str], most: int) -> st.SearchStrategy[str]:
    return st.lists(selection, min_size=1, max_size=most).map(" ".join)


def below(selection: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds("{} {{ {} }}".format, st.sampled_from(PARENTS), beside(selection, 3))


LEAVES = st.sampled_from([*FIELDS, *SPREADS, *SPREADS])
SELECTIONS = LEAVES | below(LEAVES | below(LEAVES))
OPERATIONS = st.builds(
    "{} {{ {} }} ".format, st.sampled_from(["query", "mutation"]), beside(SELECTIONS, 4)
)
BODIES = st.lists(beside(SELECTIONS, 3), min_size=FRAGMENTS, max_size=FRAGMENTS)


def fragment(number: int, body: str) -> str:
    return f"fragment F{number} on T {{ {body} }} "


@settings(deadline=None)
@given(st.lists(OPERATIONS, min_size=1, max_size=3), BODIES)
def test_any_document_is_passed_or_refused_in_two_steps_a_selection_set_at_most(operations, bodies):
    query = "".join(operations) + "".join(itertools.starmap(fragment, enumerate(bodies)))

    with measured() as steps:
        why = refusal(query)

    event(why or "passed")
    assert len(steps) <= 2 * query.count("{")  # a fragment by itself, and where it is spread


LOW = Limits(depth=3, fields=9, aliases=2, root_fields=4)
LOW_INTROSPECTION = {"INTROSPECTION_DEPTH": 3, "INTROSPECTION_FIELDS": 5}


@settings(deadline=None)
@given(st.lists(OPERATIONS, min_size=1, max_size=2), BODIES)
def test_a_document_is_measured_as_if_its_fragments_were_written_out(operations, bodies):
    query = "".join(operations)
    for number, body in enumerate(bodies):
        # Without cycles, and without what nobody spreads: each spreads only the two after it.
        if f"...F{number}" in query:
            query += fragment(
                number, re.sub(r"F(\d)", lambda f, n=number: f"F{n + 1 + int(f[1]) % 2}", body)
            )

    with pytest.MonkeyPatch.context() as patch:
        for name, most in LOW_INTROSPECTION.items():
            patch.setattr(limits, name, most)
        why = refusal(query, LOW)

    event(why or "passed")
    excesses = excesses_of_what_is_written_out(query)
    assert why in excesses if excesses else why is None


def excesses_of_what_is_written_out(query: str) -> list[str]:
    """Every reason to refuse the document."""
    definitions = parse(query).definitions
    fragments = {
        node.name.value: node for node in definitions if isinstance(node, FragmentDefinitionNode)
    }
    counts = [("directives", DEFAULT_LIMITS.directives, query.count("@"))]
    for operation in definitions:
        if isinstance(operation, OperationDefinitionNode):
            fields = list(written_out(operation, fragments))
            names = [[node.name.value for node in way] for way in fields]
            schema = [len(way) for way in names if not {"__schema", "__type"}.isdisjoint(way)]
            ours = [way for way in names if {"__schema", "__type"}.isdisjoint(way)]
            counts += [
                ("levels of depth", LOW.depth, max(map(len, ours), default=0)),
                ("fields", LOW.fields, len(ours)),
                ("aliases", LOW.aliases, sum(way[-1].alias is not None for way in fields)),
                (
                    "levels of introspection",
                    LOW_INTROSPECTION["INTROSPECTION_DEPTH"],
                    max(schema, default=0),
                ),
                ("introspection fields", LOW_INTROSPECTION["INTROSPECTION_FIELDS"], len(schema)),
                ("root fields", LOW.root_fields, [len(way) for way in names].count(1)),
                ("lists within lists", 1, max((way.count("tasks") for way in ours), default=0)),
                ("lists within a task's dependencies", 1, max(map(links, ours), default=0)),
                ("fields that check a password, plan or write in bulk", 1, names.count(["login"])),
            ]
    return [too_many(what, most) for what, most, count in counts if count > most]


def links(way: list[str]) -> int:
    """From the first dependencies on, those and the lists below them."""
    below = way[way.index("blocks") :] if "blocks" in way else []
    return sum(name in {"blocks", "tasks"} for name in below)


def written_out(node, fragments, above=()):
    """Every field below a node, by the fields on the way down to it."""
    for selection in node.selection_set.selections if node.selection_set else ():
        if isinstance(selection, FieldNode):
            yield (*above, selection)
            yield from written_out(selection, fragments, (*above, selection))
        elif not isinstance(selection, FragmentSpreadNode):
            yield from written_out(selection, fragments, above)
        elif selection.name.value in fragments:
            yield from written_out(fragments[selection.name.value], fragments, above)


# What an executor makes of a request before it executes anything

TWO = "query A { viewer { id } } mutation B { deleteTask(input: { id: 1 }) { deletedTaskId } }"


@pytest.mark.parametrize(
    ("query", "name", "code", "message"),
    [
        ("{", None, "GRAPHQL_PARSE_FAILED", "Syntax Error: Expected Name, found <EOF>."),
        ("", None, "GRAPHQL_PARSE_FAILED", "Syntax Error: Unexpected <EOF>."),
        ("# nothing", None, "GRAPHQL_PARSE_FAILED", "Syntax Error: Unexpected <EOF>."),
        ("{}", None, "GRAPHQL_PARSE_FAILED", "Syntax Error: Expected Name, found '}'."),
        ("{ viewer {} }", None, "GRAPHQL_PARSE_FAILED", "Syntax Error: Expected Name, found '}'."),
        (
            "{ viewer { ... {} } }",
            None,
            "GRAPHQL_PARSE_FAILED",
            "Syntax Error: Expected Name, found '}'.",
        ),
        (
            '{ viewer { id "Parsing aborted" } }',
            None,
            "GRAPHQL_PARSE_FAILED",
            "Syntax Error: Expected Name, found String 'Parsing aborted'.",
        ),
        (
            "{ viewer { id } } \ud800",
            None,
            "GRAPHQL_PARSE_FAILED",
            "Syntax Error: Invalid character: U+D800.",
        ),
        (
            "{a" * 240,
            None,
            "QUERY_TOO_COMPLEX",
            "Document is nested too deeply. Parsing aborted.",
        ),
        (
            "{ a(b: " + "[" * 240 + "]" * 240 + ") }",
            None,
            "QUERY_TOO_COMPLEX",
            "Document is nested too deeply. Parsing aborted.",
        ),
        (
            "{ nobody }",
            None,
            "GRAPHQL_VALIDATION_FAILED",
            "Cannot query field 'nobody' on type 'Query'.",
        ),
        (
            "subscription { viewer }",
            None,
            "GRAPHQL_VALIDATION_FAILED",
            "The subscription operation is not supported by the schema.",
        ),
        # Without an operation
        (
            "fragment F on User { id }",
            None,
            "GRAPHQL_VALIDATION_FAILED",
            "Fragment 'F' is never used.",
        ),
        (
            "type T { a: Int }",
            None,
            "GRAPHQL_VALIDATION_FAILED",
            "The 'T' definition is not executable.",
        ),
        # With several, or with another one
        (
            TWO,
            None,
            "OPERATION_RESOLUTION_FAILURE",
            "operationName must say which operation.",
        ),
        (TWO, "C", "OPERATION_RESOLUTION_FAILURE", "Unknown operation: C"),
        (TWO, "a", "OPERATION_RESOLUTION_FAILURE", "Unknown operation: a"),
        ("{ viewer { id } }", "A", "OPERATION_RESOLUTION_FAILURE", "Unknown operation: A"),
    ],
)
def test_a_request_that_cannot_be_executed_gets_one_error(executor, query, name, code, message):
    assert errors(executor, query, name) == [(code, message)]


def test_a_field_without_its_subfields_is_refused(executor):
    assert codes(executor, "{ viewer }") == ["GRAPHQL_VALIDATION_FAILED"]
    assert codes(executor, "{ viewer { id { a } } }") == ["GRAPHQL_VALIDATION_FAILED"]


def test_an_error_says_where_it_is_and_that_nothing_was_executed(executor):
    for query in ("{\n  viewer { id\n", "{\n  nobody\n}"):
        with pytest.raises(RequestErrors) as caught:
            executor.operation(Request(query))

        answer = caught.value.answer
        [error] = answer.errors
        assert error.keys() == {"message", "extensions", "locations"}
        assert answer.body == {"errors": [error]}
    assert error["locations"] == [{"line": 2, "column": 3}]


@pytest.mark.parametrize(("wrong", "reported"), [(1, 1), (5, 5), (6, 5), (400, 5)])
def test_at_most_five_validation_errors_are_reported(executor, wrong, reported):
    query = "{ viewer { " + "".join(f"x{number} " for number in range(wrong)) + "} }"

    assert errors(executor, query) == [
        ("GRAPHQL_VALIDATION_FAILED", f"Cannot query field 'x{number}' on type 'User'.")
        for number in range(reported)
    ]


@pytest.mark.parametrize(("name", "writes"), [("A", False), ("B", True)])
def test_the_name_chooses_the_operation(executor, name, writes):
    operation = executor.operation(Request(TWO, operation_name=name))

    assert (operation.node.name.value, operation.writes) == (name, writes)


@pytest.mark.parametrize(
    ("query", "name"), [("{ viewer { id } }", None), ("query A { viewer { id } }", "A")]
)
def test_a_lone_operation_needs_no_choice(executor, query, name):
    node = executor.operation(Request(query)).node

    assert (node.name.value if node.name else None) == name


def test_a_document_seen_before_is_not_looked_at_again(executor):
    first = executor.operation(Request(TWO, operation_name="A"))
    again = executor.operation(Request(TWO, {"other": "variables"}, "B"))

    assert first.document is again.document
    assert executor.operations.cache_info()[:2] == (1, 1)  # a hit, a miss


def test_of_what_clients_send_again_and_again_more_than_95_in_100_are_not_looked_at(executor):
    clients = [
        "query Tasks($first: Int) { tasks(first: $first) { nodes { id title } } }",
        "query Task($id: ID!) { task(id: $id) { id title status } }",
        "mutation Create($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }",
        "mutation Login($input: LoginInput!) { login(input: $input) { token } }",
        *(f"query Screen{number} {{ viewer {{ id username }} }}" for number in range(36)),
    ]
    for number in range(2_000):
        executor.operation(Request(clients[number % len(clients)], {"first": number, "id": number}))
        if number % 100 == 0:  # somebody who sends whatever comes to mind
            codes(executor, f"query Odd{number} {{ viewer {{ id }} }}")
            codes(executor, f"{{ wrong{number} }}")

    hits, misses, *_ = executor.operations.cache_info()
    assert hits + misses == 2_000 + 2 * 20
    assert hits / (hits + misses) > 0.95


def test_a_refused_document_is_not_kept(executor):
    assert codes(executor, "{ nobody }") == codes(executor, "{ nobody }")
    assert executor.operations.cache_info().currsize == 0


def test_only_so_many_documents_are_kept(executor):
    for number in range(CACHED_DOCUMENTS + 10):
        executor.operation(Request(f"query Q{number} {{ viewer {{ id }} }}"))

    assert executor.operations.cache_info().currsize == CACHED_DOCUMENTS == 128


# Without introspection


@pytest.mark.parametrize(
    "query",
    [
        "{ __schema { description } }",
        '{ __type(name: "User") { name } }',
        "{ ...F } fragment F on Query { ... { a: __schema { description } } }",
    ],
)
def test_questions_about_the_schema_are_answered_only_if_they_may_be(executor, secretive, query):
    assert errors(executor, query) == []
    [(code, message)] = errors(secretive, query)
    assert code == "GRAPHQL_VALIDATION_FAILED"
    assert "GraphQL introspection has been disabled" in message


def test_the_name_of_a_type_is_always_told(secretive):
    assert errors(secretive, "{ __typename viewer { __typename id } }") == []


@pytest.mark.parametrize(
    "query",
    [
        "{ viewe { id } }",
        "{ viewer { usernam } }",
        "{ viewer { ... on Use { id } } }",
        "{ tasks(firs: 1) { totalCount } }",
        "{ tasks(filter: { statu: PENDING }) { totalCount } }",
        "{ tasks(filter: { status: PENDIN }) { totalCount } }",
        '{ tasks(filter: { status: "PENDING" }) { totalCount } }',
        "query ($f: TaskFilte) { tasks(filter: $f) { totalCount } }",
        "{ viewer { id @skip(i: true, if: true) } }",
    ],
)
def test_suggestions_are_made_only_where_the_schema_is_no_secret(executor, secretive, query):
    assert any("Did you mean" in message for _, message in errors(executor, query))
    assert codes(secretive, query) == codes(executor, query)
    assert not any("Did you mean" in message for _, message in errors(secretive, query))


# What operators can set


@pytest.mark.parametrize(
    ("most", "text", "what"),
    [
        (Limits(tokens=10), "{ viewer { id username createdAt id id id } }", "10 tokens"),
        (Limits(depth=2), "{ tasks { nodes { id } } }", "too many levels of depth: at most 2"),
        (Limits(fields=2), "{ viewer { id username } }", "too many fields: at most 2"),
        (Limits(aliases=0), "{ viewer { a: id } }", "aliases: at most 0"),
        (Limits(root_fields=1), "{ viewer { id } tasks { totalCount } }", "root fields: at most 1"),
        (Limits(directives=0), "{ viewer { id @skip(if: true) } }", "directives: at most 0"),
    ],
)
def test_a_limit_can_be_set(most, text, what):
    request = Request(text)
    Executor(SCHEMA, introspection=False).operation(request)  # it is well by default

    with pytest.raises(RequestErrors) as refused:
        Executor(SCHEMA, introspection=False, most=most).operation(request)

    [error] = refused.value.answer.errors
    assert error["extensions"]["code"] == "QUERY_TOO_COMPLEX"
    assert what in error["message"]


def test_rest_works_whatever_the_limits_of_documents_are(engine, ann):
    strict = Limits(tokens=10, depth=1, fields=1, aliases=0, root_fields=1, directives=0)
    api = Api(create_app(replace(engine, limits=strict)).test_client())

    [refused] = api.graphql(TASK, ann.token, id="any")["errors"]

    assert refused["extensions"] == {"code": "QUERY_TOO_COMPLEX"}
    assert api.rest("GET", "/api/v1/tasks", ann.token).json == []


def test_only_what_is_asked_again_is_compiled_and_nothing_large(executor):
    # 105 operations of 500 fields each, 1,000 tokens in all: 4 s of CPU if all were compiled.
    fragments = "fragment F on User { a: id b: id c: id d: id e: id } "
    many = fragments + " ".join(f"query q{number} {{ viewer {{ ...F }} }}" for number in range(90))

    operation = executor.operation(Request(many, operation_name="q7"))

    assert executor.compiled.cache_info().currsize == 0
    assert executor.compiled(operation) is not None
    fields = " ".join(f"f{number}: id" for number in range(compiler.MOST_FIELDS))
    large = parse(f"{{ viewer {{ {fields} }} }}")
    assert compiler.of(executor.schema, large, large.definitions[0]) is None
