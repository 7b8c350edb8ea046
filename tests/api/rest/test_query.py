"""Query strings become the variables of an operation that reads."""

import pytest
from graphql import build_schema

from graphql_api.api.rest.operations import Operations
from graphql_api.api.rest.parameters import Parameters
from graphql_api.api.rest.query import MAX_CACHED_LENGTH
from graphql_api.api.rest.routes import Route
from graphql_api.errors import BadUserInput

SCHEMA = build_schema("""
  enum Color { RED DARK_GREEN }
  enum BirdField { NAME SEEN_AT }
  enum Direction { ASC DESC }
  input BirdFilter { color: Color, colors: [Color!], places: [String!], ids: [ID!], sizes: [Int!]
    isRare: Boolean, nest: NestFilter }
  input NestFilter { height: Int }
  input BirdOrder { field: BirdField!, direction: Direction! }
  type Bird { name: String }
  type Page { hasNextPage: Boolean, endCursor: String }
  type Birds { nodes: [Bird!]!, pageInfo: Page! }
  type Query {
    birds(first: Int, after: String, minSize: Float, where: BirdFilter, by: BirdOrder): Birds!
  }
""")
SOURCE = """
  query ListBirds(
    $where: BirdFilter, $first: Int, $after: String, $minSize: Float, $orderBy: BirdOrder
  ) {
    birds(where: $where, first: $first, after: $after, minSize: $minSize, by: $orderBy) {
      nodes { name } pageInfo { hasNextPage endCursor }
    }
  }
"""


@pytest.fixture
def query():
    route = Route(
        ("GET",),
        "/birds",
        "ListBirds",
        tag="Tasks",
        summary="List birds",
        names={"places": "place"},
        paged_orders={"seen_at"},
    )
    return Parameters(route, Operations(SCHEMA, SOURCE)["ListBirds"]).query


def test_each_argument_and_each_plain_field_of_a_filter_is_a_parameter(query):
    assert list(query) == [
        *("color", "colors", "place", "ids", "sizes", "is_rare"),
        *("limit", "after", "min_size", "sort"),
    ]


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("", {}),
        ("color=dark_green", {"where": {"color": "DARK_GREEN"}}),
        ("colors=red,Dark_Green", {"where": {"colors": ["RED", "DARK_GREEN"]}}),
        ("colors=red&colors=dark_green,red", {"where": {"colors": ["RED", "DARK_GREEN", "RED"]}}),
        ("place=Ulm,%20Donau&place=x", {"where": {"places": ["Ulm, Donau", "x"]}}),
        ("ids=1,2", {"where": {"ids": ["1", "2"]}}),
        ("sizes=1,2&is_rare=true", {"where": {"sizes": [1, 2], "isRare": True}}),
        ("limit=3&after=x&min_size=1.5", {"first": 3, "after": "x", "minSize": "1.5"}),
        ("sort=name", {"orderBy": {"field": "NAME", "direction": "ASC"}}),
        ("sort=-seen_at", {"orderBy": {"field": "SEEN_AT", "direction": "DESC"}}),
    ],
)
def test_texts_are_read_by_the_types_of_the_schema(query, text, variables):
    assert query.parse(text).variables == variables


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        ("height=1", "height", "Unknown parameter: height"),
        ("nest=1", "nest", "Unknown parameter: nest"),
        ("first=1", "first", "Unknown parameter: first"),
        ("limit=1&limit=2", "limit", "limit can be given once only."),
        ("limit=many", "limit", "limit must be a whole number."),
        ("sizes=1,x", "sizes", "sizes must be a whole number."),
        ("is_rare=yes", "is_rare", "is_rare must be true or false."),
        ("sort=size", "sort", "sort must be one of name, -name, seen_at, -seen_at."),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_parameter(query, text, field, message):
    with pytest.raises(BadUserInput) as caught:
        query.parse(text)

    assert (caught.value.field, caught.value.message) == (field, message)


@pytest.mark.parametrize(
    ("text", "is_paged", "next_query"),
    [
        ("", False, "after=c"),
        ("color=red", False, "color=red&after=c"),
        ("limit=2", True, "limit=2&after=c"),
        ("after=b&place=a%26b", True, "place=a%26b&after=c"),
        ("sort=name", False, "sort=name&after=c"),
        ("sort=-seen_at", True, "sort=-seen_at&after=c"),
    ],
)
def test_a_page_is_followed_by_the_same_query_after_a_cursor(query, text, is_paged, next_query):
    parsed = query.parse(text)

    assert (parsed.is_paged, parsed.after("c")) == (is_paged, next_query)


def test_a_query_string_that_comes_again_is_parsed_once_unless_it_is_long(query):
    short, long = "limit=1&place=x", "&".join(["place=" + "x" * 50] * 12)

    assert len(long) > MAX_CACHED_LENGTH
    assert query.parse(short) is query.parse(short)
    assert query.parse(long) is not query.parse(long)
    assert query.parse(long) == query.parse(long)
