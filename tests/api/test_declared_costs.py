"""What a field costs is declared where the field is; one that forgets to cannot start."""

from collections import deque

import pytest
import strawberry
from graphql import GraphQLObjectType, get_named_type, is_composite_type, parse, validate

from graphql_api.api.graphql.connection import Connection
from graphql_api.api.graphql.costs import LIST, LOADED, RELATION, TREE, collect, field_cost
from graphql_api.api.graphql.schema import COSTS, SCHEMA
from graphql_api.errors import QueryTooComplex, StartError
from graphql_api.infra.executor import limits

CORE_SCHEMA = SCHEMA._schema
ARGUMENTS = {
    "webhookDeliveries": '(webhookId: "1")',
    "project": '(id: "1")',
    "node": '(id: "1")',
    "nodes": '(ids: ["1"])',
    "series": '(id: "1")',
    "task": '(id: "1")',
    "planPreview": '(input: {from: "2030-01-01T00:00:00Z"})',
    "plannedBlocks": '(from: "2030-01-01T00:00:00Z", to: "2030-01-02T00:00:00Z")',
    "busyTimes": '(from: "2030-01-01T00:00:00Z", to: "2030-01-02T00:00:00Z")',
    "createTask": '(input: {title: "x"})',
    "createTasks": '(input: {tasks: [{title: "x"}]})',
    "deleteTasks": '(input: {tasks: [{id: "x"}]})',
    "updateTasks": '(input: {tasks: [{id: "x"}]})',
}


def refusal(query: str, schema: strawberry.Schema = SCHEMA, costs: limits.Costs = COSTS):
    """Why the valid document is refused; None if it is not."""
    document = parse(query)
    assert validate(schema._schema, document) == []
    try:
        limits.check(document, schema._schema, costs)
    except QueryTooComplex as error:
        return error.message
    return None


# A schema that has a field too many


@strawberry.type
class Work:
    title: str


def started(metadata: dict | None = None, returned: type = list[Work]) -> limits.Costs:
    """The costs of a schema with `projects { works }`, which declares these."""

    @strawberry.type
    class Project:
        works: returned = strawberry.field(metadata=metadata or {})

    @strawberry.type
    class Query:
        projects: list[Project] = strawberry.field(metadata=field_cost(LIST))

    return collect(strawberry.Schema(Query))


@pytest.mark.parametrize(
    "returned", [list[Work], list[Work] | None, list[Work | None], Connection[Work]]
)
def test_a_list_of_objects_or_a_connection_that_declares_no_cost_cannot_start(returned):
    with pytest.raises(StartError) as error:
        started(returned=returned)

    assert str(error.value) == (
        "Project.works: a list or a connection of objects declares its cost,"
        " metadata=field_cost(LIST), RELATION, TREE or LOADED (graphql_api/api/graphql/costs.py)"
    )


@pytest.mark.parametrize("returned", [list[str], Work, Work | None, str])
def test_a_field_with_one_object_or_with_values_needs_none(returned):
    assert ("Project", "works") not in started(returned=returned)


def test_all_fields_that_declare_none_are_named_at_once():
    @strawberry.type
    class Query:
        works: list[Work]
        others: Connection[Work]

    with pytest.raises(StartError, match=r"^Query\.works, Query\.others: "):
        collect(strawberry.Schema(Query))


# What is declared is held


@strawberry.type
class Task:
    title: str


@strawberry.type
class Project:
    name: str
    tasks: list[Task] = strawberry.field(metadata=field_cost(LIST))
    related: list["Project"] = strawberry.field(metadata=field_cost(RELATION))
    labels: list[Task] = strawberry.field(metadata=field_cost(LOADED))


@strawberry.type
class ProjectQuery:
    projects: list[Project] = strawberry.field(metadata=field_cost(LIST))
    project: Project
    tasks: Project  # the name of a list elsewhere


IN_RELATION = "A relation cannot contain a list or another relation."


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("{ projects { name labels { title } } }", None),
        ("{ project { tasks { title } } }", None),
        ("{ tasks { tasks { title } } }", None),
        ("{ projects { related { name labels { title } } } }", None),
        ("{ projects { tasks { title } } }", "A list cannot contain another list."),
        ("{ project { related { tasks { title } } } }", IN_RELATION),
        ("{ project { related { labels { title } related { name } } } }", IN_RELATION),
    ],
)
def test_lists_that_are_declared_are_bounded_by_type_and_field(query, why):
    schema = strawberry.Schema(ProjectQuery)

    assert refusal(query, schema, collect(schema)) == why


# The service's own schema


MANY = [field for field, cost in COSTS.items() if cost.nesting is not LOADED]


def way_to(target: tuple[str, str], *starts: str) -> list[str] | None:
    """The names of the fields from a type down to a field, through no other list; the shortest."""
    waiting, seen = deque((start, []) for start in starts), set(starts)
    while waiting:
        name, way = waiting.popleft()
        for field_name, field in CORE_SCHEMA.type_map[name].fields.items():
            if (name, field_name) == target:
                return [*way, field_name]
            below = get_named_type(field.type)
            is_many = (name, field_name) in MANY
            if is_composite_type(below) and below.name not in seen and not is_many:
                seen.add(below.name)
                waiting.append((below.name, [*way, field_name]))
    return None


def returned_by(field: tuple[str, str]) -> GraphQLObjectType:
    return get_named_type(CORE_SCHEMA.type_map[field[0]].fields[field[1]].type)


def document(way: list[str]) -> str:
    root = "mutation" if way[0] in CORE_SCHEMA.mutation_type.fields else "query"
    opened = " { ".join([way[0] + ARGUMENTS.get(way[0], ""), *way[1:]])
    return f"{root} {{ {opened} {{ __typename }} {'}' * len(way)}"


@pytest.mark.parametrize("field", MANY, ids=str)
def test_each_list_can_be_asked_for_by_itself(field):
    way = way_to(field, "Query", "Mutation")

    assert way, f"{field} is only below other lists, where it is refused"
    assert refusal(document(way)) is None


WITHIN = {
    (outer, inner): [*above, *below]
    for outer in MANY
    for inner in MANY
    if (above := way_to(outer, "Query", "Mutation"))
    and (below := way_to(inner, returned_by(outer).name))
}


@pytest.mark.parametrize(("outer", "inner"), WITHIN, ids=str)
def test_no_two_lists_of_the_schema_multiply_what_a_request_reads(outer, inner):
    allowed = {LIST: {RELATION, TREE}, TREE: {RELATION, TREE}}
    is_allowed = COSTS[inner].nesting in allowed.get(COSTS[outer].nesting, ())

    assert (refusal(document(WITHIN[outer, inner])) is None) == is_allowed


def test_there_are_lists_within_lists_to_be_refused():
    assert {
        (("Query", "tasks"), ("User", "sessions")),
        (("User", "tasks"), ("User", "tasks")),
        (("Plan", "blocks"), ("Task", "blocks")),
        (("TasksPayload", "results"), ("User", "settings")),
    } <= WITHIN.keys()
    assert len(WITHIN) >= 45


def test_passwords_plans_and_writes_in_bulk_are_expensive():
    assert {field for (_, field), cost in COSTS.items() if cost.expensive} == {
        *("register", "login", "changePassword", "deleteAccount"),
        *("createTasks", "updateTasks", "deleteTasks", "renameTag", "deleteProject"),
        *("planPreview", "planApply", "planUndo", "addBusyCalendar"),
    }
    assert (
        refusal(
            "mutation { a: createTasks(input: {tasks: []}) { __typename }"
            " b: deleteTasks(input: {tasks: []}) { __typename } }"
        )
        == "An operation can have only one expensive field."
    )


def test_what_ends_sessions_stands_alone():
    assert {field for (_, field), cost in COSTS.items() if cost.exclusive} == {
        *("logout", "logoutEverywhere", "changePassword", "deleteAccount"),
    }
    assert refusal("mutation { logout { endedSessions } }") is None
    assert refusal("mutation { __typename logout { endedSessions } }") == (
        "logout must be the only root field of its operation."
    )
