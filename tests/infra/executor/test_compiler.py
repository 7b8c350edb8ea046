"""A compiled operation answers as graphql-core does: data, errors, their order and their paths."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from random import Random
from typing import Any

import pytest
import strawberry
from conftest import TASK_FIELDS
from graphql import ExecutionResult, OperationDefinitionNode, execute_sync, parse, validate
from graphql.execution import Executor as CoreExecutor
from hypothesis import event, given
from hypothesis import strategies as st

from graphql_api.api.graphql.schema import SCHEMA
from graphql_api.api.rest.operations import Operations
from graphql_api.infra.executor import compiler

pytestmark = pytest.mark.thorough


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Context:
    text: str = "from the context"


@strawberry.type
class Node:
    name: str
    maybe: str | None
    number: int
    large: int | None
    ratio: float
    flag: bool
    id: strawberry.ID
    colour: Colour
    colours: list[Colour | None]
    matrix: list[list[int | None]] | None
    child: "Node | None"
    children: list["Node"]
    maybes: list["Node | None"] | None
    must: "Node"

    @strawberry.field
    def loud(self) -> str:
        return self.name.upper()

    @strawberry.field
    def told(self, info: strawberry.Info) -> str | None:
        return f"{info.context.text} {info.field_name} {self.name}"

    @strawberry.field
    def parent_name(parent: strawberry.Parent[Any]) -> str:  # noqa: N805 - Strawberry's way to name it
        return parent.name

    @strawberry.field
    def repeated(self, info: strawberry.Info, times: int = 2, of: str | None = None) -> str | None:
        return (of or self.name) * times + info.path.key


@strawberry.input
class Inner:
    colour: Colour | None = strawberry.UNSET
    colours: list[Colour] = strawberry.field(default_factory=list)
    number: int | None = None


@strawberry.input
class Outer:
    id: strawberry.ID
    when: datetime | None = strawberry.UNSET
    ratio: float = 0.5
    flag: bool | None = strawberry.UNSET
    texts: list[str | None] | None = strawberry.UNSET
    inner: Inner | None = strawberry.UNSET
    inners: list[Inner | None] | None
    camel_case: Colour = Colour.BLUE


@strawberry.type
class Query:
    @strawberry.field
    def echo(
        self,
        given: Outer,
        more: list[Outer] | None = None,
        ids: list[strawberry.ID] | None = strawberry.UNSET,
        number: int | None = 7,
        colour: Colour = Colour.RED,
    ) -> str:
        return repr((given, more, ids, number, colour))

    @strawberry.field
    def node(self, seed: int = 0) -> Node | None:
        return Source(Random(seed))

    @strawberry.field
    def nodes(self, seed: int = 0) -> list[Node]:
        return [Source(Random(seed + number)) for number in range(3)]


@strawberry.type
class Mutation:
    @strawberry.mutation
    def change(self, seed: int) -> Node:
        return Source(Random(seed))


class Trouble(Exception):
    """What a resolver may raise."""


class Source:
    """An object whose attributes are made up, and now and then go wrong, in some order."""

    def __init__(self, chance: Random, depth: int = 0) -> None:
        self._seed, self._depth = chance.random(), depth

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        chance = Random(f"{self._seed} {name}")
        match chance.randrange(40):
            case 0:
                raise Trouble(name)
            case 1:
                return None
            case 2:
                return Trouble(f"{name} as a value")
            case 3:
                return chance.choice([0, "text", 2**40, [], 1.5, True])
        node = Source(chance, self._depth + 1)
        return {
            "name": "Ann",
            "maybe": "may be",
            "number": -7,
            "large": 2**31,
            "ratio": 0.5,
            "flag": False,
            "id": "an id",
            "colour": Colour.RED,
            "colours": [Colour.BLUE, None, chance.choice(["red", Colour.RED])],
            "matrix": [[1, None], [], chance.choice([[2], None])],
            "child": node,
            "children": [Source(chance, self._depth + 1) for _ in range(chance.randrange(4))],
            "maybes": (node, None, Trouble("an element"), node),
            "must": node,
        }[name]


SOURCES = strawberry.Schema(Query, Mutation)._schema

LEAVES = [
    *("name", "maybe", "number", "large", "ratio", "flag", "id", "colour", "colours", "matrix"),
    *("loud", "told", "parentName", "repeated", "__typename"),
    *('literal: repeated(times: 1, of: "text")', "variable: repeated(times: $times, of: $of)"),
]
OBJECTS = ["child", "children", "maybes", "must"]


@st.composite
def selections(draw, depth: int = 0, *, spreads: bool = True):
    """A selection set of a node, with aliases and fragments."""
    parts = draw(st.lists(st.sampled_from(LEAVES), min_size=1, max_size=4))
    if draw(st.booleans()):  # the same key is always the same field, so that fields can be merged
        parts = [part if ":" in part else f"again_{part}: {part}" for part in parts]
    if depth < 3:
        for name in draw(st.lists(st.sampled_from(OBJECTS), max_size=2)):
            parts.append(f"{name} {draw(selections(depth + 1, spreads=spreads))}")
        if draw(st.booleans()):
            parts.append(f"... on Node {draw(selections(depth + 1, spreads=spreads))}")
    if spreads:
        parts += draw(st.lists(st.sampled_from(["...One", "...Two"]), max_size=1))
    return f"{{ {' '.join(draw(st.permutations(parts)))} }}"


@st.composite
def documents(draw):
    """A valid document."""
    seed = draw(st.integers(0, 10_000))
    kind, field = draw(
        st.sampled_from([("query", "node"), ("query", "nodes"), ("mutation", "change")])
    )
    roots = [
        f"r{number}: {field}(seed: {seed + number}) {draw(selections())}"
        for number in range(draw(st.integers(1, 3)))
    ]
    return f"""
        {kind} Q($times: Int = 1, $of: String) {{
          {" ".join(roots)} last: {field}(seed: {seed}) {{ ...One ...Two }}
        }}
        fragment One on Node {draw(selections(2, spreads=False))}
        fragment Two on Node {{
          name child {{ id ratio }} variable: repeated(times: $times, of: $of)
        }}
    """


@pytest.fixture(autouse=True, scope="module")
def _however_many_fields():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiler, "MAX_FIELDS", 100_000)
        yield


def both(schema, text: str, **variables: Any):
    """The answers of graphql-core and of the compiled form; the latter is None if there is none."""
    document = parse(text)
    [operation] = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    options = {"context_value": Context()}
    expected = execute_sync(schema, document, variable_values=variables, **options)
    made = compiler.compile_operation(schema, document, operation)
    if made is None:
        return expected, None
    core = made.executor(options["context_value"], variables)
    event("plain variables" if core else "variables for graphql-core")
    if core is None:
        core = CoreExecutor.build(schema, document, raw_variable_values=variables, **options)
    if isinstance(core, list):
        return expected, ExecutionResult(None, core)
    return expected, made.run(core)


@given(
    documents(),
    st.fixed_dictionaries(
        {}, optional={"times": st.integers(0, 3), "of": st.none() | st.text(max_size=3)}
    ),
)
def test_a_compiled_operation_answers_byte_for_byte_as_graphql_core_does(text, variables):
    assert validate(SOURCES, parse(text)) == []

    expected, made = both(SOURCES, text, **variables)

    assert made is not None
    assert made.formatted == expected.formatted
    assert str(made.data) == str(expected.data)  # in the same order, too
    event("with errors" if expected.errors else "without errors")


NUMBERS = st.integers(-(2**32), 2**32) | st.floats(allow_nan=False, allow_infinity=False)
ANYTHING = st.none() | st.booleans() | st.text(max_size=3) | NUMBERS | st.just([]) | st.just({})
COLOURS = st.sampled_from(["RED", "BLUE"]) | ANYTHING
INNER = st.fixed_dictionaries(
    {},
    optional={
        "colour": COLOURS,
        "colours": st.lists(COLOURS, max_size=2) | COLOURS,
        "number": st.integers() | ANYTHING,
        "unknown": ANYTHING,
    },
)
OUTER = st.fixed_dictionaries(
    {"id": st.text(max_size=3) | ANYTHING, "inners": st.lists(INNER, max_size=2) | ANYTHING},
    optional={
        "when": st.sampled_from(["2026-11-22T09:30:00Z", "2026-11-22"]) | ANYTHING,
        "ratio": NUMBERS | ANYTHING,
        "flag": st.booleans() | ANYTHING,
        "texts": st.lists(st.none() | st.text(max_size=2), max_size=3) | ANYTHING,
        "inner": INNER | ANYTHING,
        "camelCase": COLOURS,
    },
)
ECHO = """
    query (
      $given: Outer!, $more: [Outer!], $ids: [ID!] = ["a"], $number: Int, $colour: Colour! = BLUE
    ) {
      all: echo(given: $given, more: $more, ids: $ids, number: $number, colour: $colour)
      one: echo(given: {id: 1, inners: [{colours: [RED, BLUE]}, null]}, number: null)
      mixed: echo(given: {id: "x", inners: null, camelCase: $colour}, ids: ["b"])
    }
"""


@given(
    st.fixed_dictionaries(
        {"given": OUTER},
        optional={
            "more": st.lists(OUTER, max_size=2) | ANYTHING,
            "ids": st.lists(st.text(max_size=2), max_size=2) | ANYTHING,
            "number": st.integers() | ANYTHING,
            "colour": COLOURS,
        },
    )
)
def test_compiled_variables_and_arguments_are_what_strawberry_makes_of_them(variables):
    expected, made = both(SOURCES, ECHO, **variables)

    assert made is not None
    assert made.formatted == expected.formatted


COLOUR = st.sampled_from(["RED", "BLUE"])
RIGHT_INNER = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "colour": st.none() | COLOUR,
        "colours": st.lists(COLOUR, max_size=2),
        "number": st.none() | st.integers(-(2**31), 2**31 - 1),
    },
)
RIGHT = st.fixed_dictionaries(
    {"id": st.text(max_size=3), "inners": st.none() | st.lists(RIGHT_INNER, max_size=2)},
    optional={
        "when": st.none() | st.just("2026-11-22T09:30:00Z"),
        "ratio": st.floats(allow_nan=False, allow_infinity=False),
        "flag": st.none() | st.booleans(),
        "texts": st.none() | st.lists(st.none() | st.text(max_size=2), max_size=3),
        "inner": RIGHT_INNER,
        "camelCase": COLOUR,
    },
)


@given(
    st.fixed_dictionaries(
        {"given": RIGHT},
        optional={
            "more": st.none() | st.lists(RIGHT, max_size=2),
            "ids": st.none() | st.lists(st.text(max_size=2), max_size=2),
            "number": st.none() | st.integers(-(2**31), 2**31 - 1),
            "colour": COLOUR,
        },
    )
)
def test_variables_that_are_right_take_the_short_way_to_the_same(variables):
    document = parse(ECHO)

    assert compiler.compile_operation(SOURCES, document, document.definitions[0]).executor(
        None, variables
    )
    expected, made = both(SOURCES, ECHO, **variables)
    assert made.formatted == expected.formatted
    assert not expected.errors


@pytest.mark.parametrize(
    "text",
    [
        "{ node { name @skip(if: false) } }",
        "{ node { ... @include(if: true) { name } } }",
        "query @include(if: true) { node { name } }",
        "{ __schema { types { name } } }",
        '{ __type(name: "Node") { name } }',
        "{ node { ...F @skip(if: true) } } fragment F on Node { name }",
    ],
)
def test_what_is_not_covered_is_left_to_graphql_core(text):
    document = parse(text)

    assert compiler.compile_operation(SOURCES, document, document.definitions[0]) is None


def test_every_operation_behind_the_rest_routes_is_compiled():
    document = parse(Operations(SCHEMA._schema).text)

    for operation in document.definitions:
        if isinstance(operation, OperationDefinitionNode):
            assert compiler.compile_operation(SCHEMA._schema, document, operation), (
                operation.name.value
            )


def test_what_clients_ask_every_day_is_compiled():
    document = parse(
        f"""{{ tasks {{ nodes {{ {TASK_FIELDS} owner {{ id username createdAt }} }}
              edges {{ cursor }} pageInfo {{ endCursor }} totalCount __typename }}
              viewer {{ sessions {{ id device }} }} }}"""
    )

    assert compiler.compile_operation(SCHEMA._schema, document, document.definitions[0])
