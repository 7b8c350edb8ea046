"""What operations.graphql leaves to the schema."""

import pytest
from graphql import build_schema, parse, print_ast

from graphql_api.api.rest.operations import Operations, snake_case
from graphql_api.api.rest.serializers import serializer

SCHEMA = build_schema("""
  enum Color { RED DARK_GREEN }
  type Egg { id: ID!, color: Color!, laidOn: String, sizes(unit: String!): [Int!] }
  type Bird { id: ID!, latinName: String!, colors: [Color!], song: String, eggs: [Egg], mate: Bird }
  type BirdPayload { bird: Bird! }
  type Place { birds: [Bird!]! }
  type Query { bird: Bird, place: Place, count: BirdPayload }
""")


def completed(source):
    return print_ast(parse(Operations(SCHEMA, source).text))


def test_leaves_are_the_scalars_and_enums_in_the_order_of_the_schema():
    assert completed("query Q { bird @leaves }") == (
        "query Q {\n  bird {\n    id\n    latin_name: latinName\n    colors\n    song\n  }\n}"
    )


def test_what_is_excepted_or_needs_an_argument_is_no_leaf():
    text = completed('query Q { bird @leaves(except: ["song", "id"]) { eggs @leaves } }')

    assert text == (
        "query Q {\n  bird {\n    latin_name: latinName\n    colors\n"
        "    eggs {\n      id\n      color\n      laid_on: laidOn\n    }\n  }\n}"
    )


def test_what_is_written_keeps_its_alias_and_its_fragments():
    source = """
      query Q { bird @leaves(except: ["song"]) { bird_id: id mate { ...Mate } ...Song } }
      fragment Mate on Bird { latinName }
      fragment Song on Bird { song }
    """

    assert completed(source).startswith(
        "query Q {\n  bird {\n    bird_id: id\n    latin_name: latinName\n    colors\n"
        "    mate {\n      ...Mate\n    }\n    ...Song\n  }\n}"
    )


@pytest.mark.parametrize(
    ("source", "path", "shown", "has_many"),
    [
        ("query Q { bird { song id } }", ("bird",), "Bird", False),
        ("query Q { count { bird { song id } } }", ("count", "bird"), "Bird", False),
        ("query Q { place { birds { song } } }", ("place", "birds"), "Bird", True),
        ("query Q { bird { ...B } } fragment B on Bird { id song }", ("bird",), "B", False),
    ],
)
def test_a_payload_with_nothing_but_one_object_stands_for_it(source, path, shown, has_many):
    operation = Operations(SCHEMA, source)["Q"]

    assert (operation.result_path, operation.result.name, operation.has_many) == (
        path,
        shown,
        has_many,
    )


def test_enums_are_in_lower_case_wherever_they_are():
    selection = Operations(
        SCHEMA, "query Q { bird { id colors eggs { color } mate { colors } song } }"
    )["Q"].result
    bird = {
        "id": "RED",
        "colors": ["RED", "DARK_GREEN"],
        "eggs": [{"color": "DARK_GREEN"}, None],
        "mate": {"colors": None},
        "song": "RED",
    }

    assert serializer(selection)(bird) == {
        "id": "RED",
        "colors": ["red", "dark_green"],
        "eggs": [{"color": "dark_green"}, None],
        "mate": {"colors": None},
        "song": "RED",
    }


@pytest.mark.parametrize(
    ("name", "spelled"), [("dueAt", "due_at"), ("due_at", "due_at"), ("x", "x"), ("aBC", "a_b_c")]
)
def test_a_name_is_spelled_in_snake_case(name, spelled):
    assert snake_case(name) == spelled
