"""Each limit of a document: used fully it passes, by one more it is refused, at a linear cost."""

import itertools
import re
import time
from contextlib import contextmanager, suppress
from typing import NamedTuple

import pytest
import strawberry
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    Lexer,
    OperationDefinitionNode,
    OperationType,
    Source,
    TokenKind,
    get_introspection_query,
    parse,
)
from hypothesis import event, given
from hypothesis import strategies as st

from graphql_api.config import DEFAULT_LIMITS, Limits
from graphql_api.errors import QueryTooComplex
from graphql_api.infra.executor import limits
from graphql_api.infra.executor.executor import Executor, Request
from graphql_api.infra.executor.limits import FieldCost, Nesting
from graphql_api.infra.executor.responses import RequestErrors
from graphql_api.infra.serving.body_limits import BODY_BYTES


@strawberry.type
class Fields:
    """The fields of all types here, as cheap or dear as their names say."""

    a: "T"
    b: "T"
    page: list["T"]
    rows: list["T"]
    near: list["T"]
    far: list["T"]
    dear: "T"
    steep: "T"
    alone: "T"

    @strawberry.field
    def named(self, names: list[str]) -> "T":
        raise NotImplementedError


@strawberry.type
class Q(Fields):
    pass


@strawberry.type
class M(Fields):
    pass


@strawberry.type
class T(Fields):
    pass


@strawberry.type
class U(Fields):
    pass


SCHEMA = strawberry.Schema(Q, M, types=[U])
CORE_SCHEMA = SCHEMA._schema
COSTS = {
    (type_.__name__, field): cost
    for type_ in (Q, M, T, U)
    for field, cost in {
        "page": FieldCost(Nesting.LIST),
        "rows": FieldCost(Nesting.LIST),
        "near": FieldCost(Nesting.RELATION),
        "far": FieldCost(Nesting.RELATION),
        "dear": FieldCost(expensive=True),
        "steep": FieldCost(expensive=True),
        "alone": FieldCost(exclusive=True),
    }.items()
}


@pytest.fixture
def executor() -> Executor:
    return Executor(SCHEMA, costs=COSTS, introspection=True)


def refusal(query: str, most: Limits = DEFAULT_LIMITS) -> str | None:
    """Why the document is refused; None if it is not."""
    try:
        limits.check(parse(query), CORE_SCHEMA, COSTS, most)
    except QueryTooComplex as error:
        return error.message
    return None


ONLY = {
    "lists within lists": "A list cannot contain another list.",
    "lists or relations within relations": (
        "A relation cannot contain a list or another relation."
    ),
    "expensive fields": "An operation can have only one expensive field.",
}


def too_many(what: str, most: int) -> str:
    if what in ONLY:
        return ONLY[what]
    return f"The query has too many {what}: at most {most} are allowed."


def errors(executor: Executor, query: str, name: str | None = None) -> list[tuple[str, str]]:
    """Codes and messages of what an executor has against a request; none if it is fit."""
    try:
        executor.operation(Request(query, operation_name=name))
    except RequestErrors as refused:
        return [(e["extensions"]["code"], e["message"]) for e in refused.answer.body["errors"]]
    return []


def codes(executor: Executor, query: str, name: str | None = None) -> list[str]:
    return [code for code, _ in errors(executor, query, name)]


@contextmanager
def measured():
    """The nesting level of each selection set that is measured."""
    levels = []
    selections = limits._Meter.selections

    def counted(meter, selected, parent, level):
        levels.append(level)
        return selections(meter, selected, parent, level)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits._Meter, "selections", counted)
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
    },
    ("introspection aliases", 15): {
        "of a question": lambda n: (
            f"{{ {many('x: __schema { a }', 9)} __type {{ {many('x: a', n - 9)} }} }}"
        ),
        "below it": lambda n: f"{{ x: __schema {{ {many('x: a', n - 1)} }} }}",
    },
    ("introspection directives", 50): {
        "on a question": lambda n: f"{{ __schema {many('@x', n)} {{ a }} }}",
        "below it": lambda n: f"{{ __schema {{ types {{ name {many('@x', n)} }} }} }}",
        "beside others": lambda n: f"{{ a {many('@x', 50)} __type {many('@x', n)} {{ a }} }}",
        "fragments": lambda n: (
            "{ __schema { ...F types { ...G } } __schema { ...F } } "
            "fragment F on __Schema { ...G @x types { ...H } } "
            f"fragment H on __Type {{ ... @x {{ name {many('@x', n - 3)} }} }} "
            "fragment G on __Type { name @x }"
        ),
    },
    ("root fields", 10): {
        "beside each other": lambda n: f"{{ {many('a', n)} }}",
        "with fields below": lambda n: f"{{ {many('a { b c }', n)} }}",
        "of a mutation": lambda n: f"mutation {{ {many('createTask { a }', n)} }}",
        "with the schema": lambda n: f"{{ __typename __schema {{ a }} {many('a', n - 1)} }}",
        "fragments": lambda n: (
            f"{{ ...F ...F ... {{ ...F }} {many('a', n - 9)} }} "
            "fragment F on Q { a ...G } fragment G on Q { a ... on Q { a } }"
        ),
    },
    ("introspection root fields", 10): {
        "beside each other": lambda n: f"{{ {many('__type { a }', n)} }}",
        "beside others": lambda n: f"{{ {many('a', 10)} {many('__schema { a }', n)} }}",
    },
    ("expensive fields", 1): {
        "beside each other": lambda n: f"mutation {{ {many('dear { a }', n)} }}",
        "among others": lambda n: f"mutation {{ b {many('dear { a }', n)} b }}",
        "with an alias": lambda n: f"mutation {{ {many('a: dear { a }', n)} }}",
        "of several kinds": lambda n: f"mutation {{ {' '.join(['dear', 'steep'][:n])} }}",
        "within each other": lambda n: f"{{ {many('dear {', n)} a {many('}', n)} }}",
        "fragments": lambda n: (
            f"mutation {{ {many('...F', n)} }} "
            "fragment F on M { ... on M { ...G } } fragment G on M { steep { a } }"
        ),
    },
    ("lists within lists", 1): {
        "one kind": lambda n: f"{{ {many('page { a {', n)} b {many('} }', n)} }}",
        "at once": lambda n: f"{{ {many('page {', n)} b {many('}', n)} }}",
        "several kinds": lambda n: f"{{ page {{ a {{ {many('rows { a }', n - 1)} b }} }} }}",
        "of a mutation": lambda n: (
            f"mutation {{ a {{ rows {{ a {{ {many('page { b }', n - 1)} b }} }} }} }}"
        ),
        "with aliases": lambda n: f"{{ {many('a: page {', n)} b {many('}', n)} }}",
        "among others": lambda n: (
            f"{{ page {{ a }} page {{ {many('page { a }', n - 1)} a }} rows {{ a }} }}"
        ),
        "beside relations": lambda n: f"{{ page {{ near {{ a }} {many('page', n - 1)} }} }}",
        "fragments": lambda n: (
            f"{{ ...F {many('page { ...F }', n - 1)} }} "
            "fragment F on T { a { ...G } } fragment G on U { ... { page { b } } }"
        ),
    },
    ("lists or relations within relations", 1): {
        "of one kind": lambda n: f"{{ a {{ {many('near {', n)} b {many('}', n)} }} }}",
        "of both kinds": lambda n: f"{{ page {{ far {{ {many('near { b }', n - 1)} b }} }} }}",
        "lists": lambda n: f"{{ a {{ near {{ a {{ {many('rows { b }', n - 1)} b }} }} }} }}",
        "within a list": lambda n: f"{{ page {{ {many('near {', n)} b {many('}', n)} }} }}",
        "among others": lambda n: (
            f"{{ a {{ near {{ a }} near {{ a {many('near { a }', n - 1)} }} page {{ a }} }} }}"
        ),
        "fragments": lambda n: (
            f"{{ far {{ ...F {many('a { ...G }', n - 1)} }} }} "
            "fragment F on T { a { b } } fragment G on U { ... { near { b } } }"
        ),
    },
    ("directives", 50): {
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
        lambda n: "{ named(names: [" + many('""', n - 12) + "]) { __typename } }",
        lambda n: many("# a comment is a token, too\n", n - 6) + "{ a { __typename } }",
        lambda n: "{ a { __typename } }" + many("#\n", n - 6),
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


SGQLC = """
    query IntrospectionQuery($includeDescription: Boolean!, $includeDeprecated: Boolean!) {
      __schema {
        queryType { name }
        types { ...FullType }
        directives {
          name description @include(if: $includeDescription) locations args { ...InputValue }
        }
      }
    }
    fragment FullType on __Type {
      kind name description @include(if: $includeDescription)
      fields(includeDeprecated: $includeDeprecated) {
        name description @include(if: $includeDescription) args { ...InputValue }
        isDeprecated @include(if: $includeDeprecated)
        deprecationReason @include(if: $includeDeprecated)
      }
      enumValues(includeDeprecated: $includeDeprecated) {
        name description @include(if: $includeDescription)
        isDeprecated @include(if: $includeDeprecated)
        deprecationReason @include(if: $includeDeprecated)
      }
    }
    fragment InputValue on __InputValue {
      name description @include(if: $includeDescription) defaultValue
    }
"""
TOOLS = {
    "all options": get_introspection_query(**dict.fromkeys(OPTIONS, True)),
    "no options": get_introspection_query(**dict.fromkeys(OPTIONS, False)),
    "nine directives, as sgqlc has them": SGQLC,
    "several types": '{ a: __type(name: "T") { name } b: __type(name: "U") { name } }',
}
TOO_LONG = ("QUERY_TOO_COMPLEX", "Document contains more than 20 tokens. Parsing aborted.")


@pytest.mark.parametrize("value", [True, False])
def test_the_introspection_query_of_tools_passes_with_all_its_options(executor, value):
    query = get_introspection_query(**dict.fromkeys(OPTIONS, value))

    assert errors(executor, query) == []


def test_introspection_has_an_allowance_of_its_own():
    ours = f"{nested('a', 8)} a {{ {many('b', 491)} }}"
    schema = f"__schema {{ {nested('a', 24)} {many('a', 974)} }}"
    most = Limits(tokens=10_000)

    assert refusal(f"{{ {ours} }}", most) is None
    assert refusal(f"{{ {schema} }}", most) is None
    assert refusal(f"{{ {ours} {schema} }}", most) is None
    assert refusal(f"{{ {ours} a {schema} }}", most) == too_many("fields", 500)
    assert refusal(f"{{ {ours} {schema} __type {{ a }} }}", most) == too_many(
        "introspection fields", 1000
    )


STRICT = Limits(tokens=10, depth=1, fields=1, aliases=0, root_fields=1, directives=0)


@pytest.mark.parametrize("query", TOOLS.values(), ids=TOOLS)
def test_the_limits_of_operators_do_not_stop_tools_that_ask_for_the_schema(query):
    executor = Executor(SCHEMA, costs=COSTS, introspection=True, limits=STRICT)

    assert errors(executor, query) == []


def test_a_document_that_asks_for_more_than_the_schema_has_the_tokens_of_any_other():
    executor = Executor(SCHEMA, costs=COSTS, introspection=True, limits=Limits(tokens=20))
    secretive = Executor(SCHEMA, costs=COSTS, introspection=False, limits=Limits(tokens=20))
    names = many("name", 30)

    assert errors(executor, f"{{ __schema {{ types {{ {names} }} }} }}") == []
    for query in (
        f"{{ __schema {{ types {{ {names} }} }} a {{ __typename }} }}",
        f"query A {{ a {{ __typename }} }} query B {{ __schema {{ types {{ {names} }} }} }}",
        f"{{ a {{ {many('__typename', 30)} }} }} # __schema",
    ):
        assert errors(executor, query) == [TOO_LONG]
    assert errors(secretive, f"{{ __schema {{ types {{ {names} }} }} }}") == [TOO_LONG]


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
        (
            f"{{ a {{ __schema {{ {many('x: a', 16)} }} }} }}",
            too_many("introspection aliases", 15),
        ),
        (
            f"mutation {{ __schema {{ dear {{ a }} }} {many('dear { a }', 2)} }}",
            too_many("expensive fields", 1),
        ),
    ],
)
def test_a_schema_field_within_others_opens_no_way_around_the_limits(query, why):
    assert refusal(query) == why


def test_a_schema_field_within_others_is_no_field_at_all(executor):
    query = f"{{ a {{ __schema {{ a {{ {nested('page', 9, 'b')} }} }} }} }}"

    assert errors(executor, query) == [
        ("GRAPHQL_VALIDATION_FAILED", "Cannot query field '__schema' on type 'T'.")
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
        "{ ...A } fragment A on Q { ...A }",
        "{ ...A } fragment A on Q { a { __typename } ...B } fragment B on Q { ...A ...B }",
        "{ a { b { ...A } } } fragment A on T { __typename ... { __typename ...A } }",
        "{ ...A ...B } fragment A on Q { ...A ...B } fragment B on Q { ...A ...B }",
    ],
)
def test_a_cycle_of_fragments_ends_and_is_refused_by_validation(executor, query):
    with measured() as steps:
        assert refusal(query) is None

    assert len(steps) <= 2 * query.count("{")
    assert set(codes(executor, query)) == {"GRAPHQL_VALIDATION_FAILED"}
    assert all("Cannot spread fragment" in message for _, message in errors(executor, query))


@pytest.mark.parametrize("query", ["{ ...Nowhere }", "{ a { ...Nowhere __typename } }"])
def test_a_fragment_that_is_not_there_is_refused_by_validation(executor, query):
    assert refusal(query) is None
    assert errors(executor, query) == [("GRAPHQL_VALIDATION_FAILED", "Unknown fragment 'Nowhere'.")]


def test_a_fragment_that_nobody_spreads_is_refused_by_validation(executor):
    query = "{ a { __typename } } fragment F on T { __typename }"

    assert refusal(query) is None
    assert errors(executor, query) == [("GRAPHQL_VALIDATION_FAILED", "Fragment 'F' is never used.")]


# Documents at random

FRAGMENTS = 6
FIELDS = [*("a", "b", "a", "b", "__typename", "x: a", "a", "b", "x: b", "a", "b", "dear")]
PARENTS = [
    *FIELDS,
    *("page", "page", "x: page", "near"),
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


@given(st.lists(OPERATIONS, min_size=1, max_size=3), BODIES)
def test_any_document_is_passed_or_refused_in_two_steps_a_selection_set_at_most(operations, bodies):
    query = "".join(operations) + "".join(itertools.starmap(fragment, enumerate(bodies)))

    with measured() as steps:
        why = refusal(query)

    event(why or "passed")
    assert len(steps) <= 2 * query.count("{")  # a fragment by itself, and where it is spread


LOW = Limits(depth=3, fields=9, aliases=2, root_fields=4, directives=3)
LOW_INTROSPECTION = Limits(depth=3, fields=5, aliases=1, root_fields=2, directives=1)


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
        patch.setattr(limits, "INTROSPECTION", LOW_INTROSPECTION)
        why = refusal(query, LOW)

    event(why or "passed")
    excesses = excesses_of_what_is_written_out(query)
    assert why in excesses if excesses else why is None


class Step(NamedTuple):
    """A field on the way down to another one, and the type that it is a field of."""

    node: FieldNode
    parent: str | None

    @property
    def name(self) -> str:
        return self.node.name.value

    @property
    def is_question(self) -> bool:
        return self.name in {"__schema", "__type"}

    def costs_as(self, *names: str) -> bool:
        return self.name in names and self.parent in {"Q", "M", "T"}

    @property
    def returned(self) -> str | None:
        if self.is_question:
            return "__" if self.parent == "Q" else None
        return "T" if self.name != "__typename" and self.parent in {"Q", "M", "T"} else None


def excesses_of_what_is_written_out(query: str) -> list[str]:
    """Every reason to refuse the document."""
    definitions = parse(query).definitions
    fragments = {
        node.name.value: node for node in definitions if isinstance(node, FragmentDefinitionNode)
    }
    asking = sum(directives_of_questions(node, type_of(node)) for node in definitions)
    counts = [
        ("directives", LOW.directives, query.count("@") - asking),
        ("introspection directives", LOW_INTROSPECTION.directives, asking),
    ]
    for operation in definitions:
        if isinstance(operation, OperationDefinitionNode):
            ways = list(written_out(operation, fragments, type_of(operation)))
            schema = [way for way in ways if asks_for_the_schema(way)]
            ours = [way for way in ways if not asks_for_the_schema(way)]
            counts += [
                *sizes(ours, LOW, "levels of depth", "{}"),
                *sizes(schema, LOW_INTROSPECTION, "levels of introspection", "introspection {}"),
                ("lists within lists", 1, most(nested_lists(way) for way in ours)),
                ("lists or relations within relations", 1, most(map(in_relations, ours))),
                ("expensive fields", 1, sum(way[-1].costs_as("dear") for way in ours)),
            ]
    return [too_many(what, limit) for what, limit, count in counts if count > limit]


def asks_for_the_schema(way) -> bool:
    return any(step.is_question for step in way)


def type_of(definition) -> str:
    """The type whose fields an operation or a fragment has."""
    if isinstance(definition, FragmentDefinitionNode):
        return "T"
    return "Q" if definition.operation is OperationType.QUERY else "M"


def sizes(ways, limit: Limits, depth: str, name: str):
    yield depth, limit.depth, most(map(len, ways))
    yield name.format("fields"), limit.fields, len(ways)
    aliases = sum(way[-1].node.alias is not None for way in ways)
    yield name.format("aliases"), limit.aliases, aliases
    yield name.format("root fields"), limit.root_fields, [len(way) for way in ways].count(1)


def most(counts) -> int:
    return max(counts, default=0)


def nested_lists(way) -> int:
    return sum(step.costs_as("page") for step in way)


def in_relations(way) -> int:
    """From the first relation on, relations and lists."""
    below = itertools.dropwhile(lambda step: not step.costs_as("near"), way)
    return sum(step.costs_as("near", "page") for step in below)


def written_out(node, fragments, parent, above=()):
    """Every field below a node, as the steps down to it."""
    for selection in node.selection_set.selections if node.selection_set else ():
        if isinstance(selection, FieldNode):
            way = (*above, Step(selection, parent))
            yield way
            yield from written_out(selection, fragments, way[-1].returned, way)
        elif not isinstance(selection, FragmentSpreadNode):
            yield from written_out(selection, fragments, narrowed(selection, parent), above)
        elif selection.name.value in fragments:
            yield from written_out(fragments[selection.name.value], fragments, "T", above)


def narrowed(inline: InlineFragmentNode, parent: str | None) -> str | None:
    return "T" if inline.type_condition else parent


def directives_of_questions(node, parent: str | None) -> int:
    """The directives on questions about the schema, and on what is below them."""
    count = 0
    for selection in node.selection_set.selections if node.selection_set else ():
        below = parent
        is_question = parent == "__"
        if isinstance(selection, FieldNode):
            step = Step(selection, parent)
            below, is_question = step.returned, is_question or step.is_question
        elif isinstance(selection, InlineFragmentNode):
            below = narrowed(selection, parent)
        count += len(selection.directives or ()) if is_question else 0
        if not isinstance(selection, FragmentSpreadNode):
            count += directives_of_questions(selection, below)
    return count
