"""A field of a task that was forgotten somewhere is named here, with the place.

Walks from the model to the schema, REST, OpenAPI, the archive and the documentation.
"""

import json
import re

import pytest
from conftest import CREATE, UPDATE
from graphql import get_named_type, is_leaf_type
from service import ROOT

from graphql_api.api.graphql.schema import SCHEMA
from graphql_api.api.graphql.strawberry_extras import camel_case
from graphql_api.api.rest import openapi
from graphql_api.api.rest.operations import Operations
from graphql_api.api.rest.parameters import Parameters
from graphql_api.api.rest.routes import ROUTES
from graphql_api.clock import now
from graphql_api.domain.accounts.model import User
from graphql_api.domain.archive import export_format
from graphql_api.domain.dependencies.model import Dependencies
from graphql_api.domain.tasks.model import RULES, Task

TYPES = SCHEMA._schema.type_map
OPERATIONS = Operations(SCHEMA._schema)
ROUTE = {route.operation: route for route in ROUTES}
DOCUMENT = openapi.document(SCHEMA._schema, "1")

VISIBLE = {name for name, rules in RULES.items() if not rules.is_internal}
WRITABLE = {name for name, rules in RULES.items() if rules.is_writable}
INTERNAL = RULES.keys() - VISIBLE - {"planned_blocks"}  # which are shown one by one


def in_schema(type_):
    """The names of a type's fields as the model has them."""
    names = {"id": "task_id", "ownerId": "user_id"}
    known = {camel_case(name): name for name in (*RULES, "forgotten")}
    return {names.get(name, known.get(name)) for name in TYPES[type_].fields}


def in_body(operation):
    return set(Parameters(ROUTE[operation], OPERATIONS[operation]).body)


def in_component(name):
    return set(DOCUMENT["components"]["schemas"][name]["properties"])


def in_export():
    user = User(user_id="u", username="ann", password="", created_at=now())
    task = Task.new("u", {"title": "x"}, now())
    entry = exported(user, task)
    return {*entry, "user_id"}  # which is the user's, in the head


def exported(user, task):
    alone = Dependencies(user_id=user.user_id, blockers={}, closed=(), version=0)
    [entry] = json.loads("".join(export_format.chunks(user, [task], alone)))["tasks"]
    return entry


def in_documentation():
    """The names in the example of a task."""
    text = (ROOT / "docs" / "rest.md").read_text().partition("## A task")[2]
    return set(re.findall(r'^  "(\w+)":', text.partition("```\n")[0], re.MULTILINE))


# What clients see is there, and what they write is here.
SEEN_IN = {
    "schema: Task": lambda: in_schema("Task"),
    "REST: a task": lambda: set(OPERATIONS["GetTask"].result.fields),
    "REST: a list": lambda: set(OPERATIONS["ListTasks"].result.fields["nodes"].selection.fields),
    "OpenAPI: Task": lambda: in_component("Task"),
    "archive: export": in_export,
    "archive: import": lambda: {*export_format._READERS, "user_id"},
    "docs/rest.md": in_documentation,
}
WRITTEN_IN = {
    "schema: CreateTaskInput": lambda: in_schema("CreateTaskInput"),
    "schema: UpdateTaskInput": lambda: in_schema("UpdateTaskInput"),
    "REST: a new task": lambda: in_body("CreateTask"),
    "REST: a change": lambda: in_body("UpdateTask"),
    "OpenAPI: CreateTaskInput": lambda: in_component("CreateTaskInput"),
    "OpenAPI: UpdateTaskInput": lambda: in_component("UpdateTaskInput"),
}


def missing(visible, writable):
    """The fields that places lack, by place; none if they lack none."""
    lacking = {place: visible - names() for place, names in SEEN_IN.items()} | {
        place: writable - names() for place, names in WRITTEN_IN.items()
    }
    return {place: names for place, names in lacking.items() if names}


def test_no_field_of_a_task_is_missing_anywhere():
    assert missing(VISIBLE, WRITABLE) == {}


def test_a_field_that_is_in_the_model_alone_would_be_named_in_every_place():
    lacking = missing(VISIBLE | {"forgotten"}, WRITABLE | {"forgotten"})

    assert lacking == {place: {"forgotten"} for place in (*SEEN_IN, *WRITTEN_IN)}


@pytest.mark.parametrize("place", SEEN_IN)
def test_what_the_model_keeps_to_itself_is_seen_nowhere(place):
    assert INTERNAL
    assert INTERNAL.isdisjoint(SEEN_IN[place]())


# A value of each type of field, beside its initial value.
VALUES = {
    "String!": "other",
    "String": None,  # of a schedule that is there
    "TaskStatus!": "IN_PROGRESS",
    "TaskPriority!": "HIGH",
    "DeadlineType!": "HARD",
    "DateTime": "2030-01-02T00:00:00.000Z",
    "[String!]!": ["a", "b"],
    "[Reminder!]!": [
        {"at": "2030-01-01T00:00:00.000Z", "minutesBefore": None, "from": None},
        {"at": None, "minutesBefore": 30, "from": "PLANNED_START"},
    ],
    "Date": "2030-01-02",
    "Int": 120,
    "Int!": 60,
    "ID": None,  # of a project or a task that is there
}


# Fields of which a task has one at most.
DUE = {"due_at", "due_on"}


def other_values(person, due="due_at"):
    """For each field that can be written, a value by its name in the schema; of DUE for one."""
    values = {}
    for name in WRITABLE - (DUE - {due}):
        value = VALUES[str(TYPES["Task"].fields[camel_case(name)].type)]
        _, most = RULES[name].bounds or (None, value)
        values[camel_case(name)] = min(value, most) if isinstance(value, int) else value
    project = person.rest("POST", "/api/v1/projects", json={"name": "x"}).json
    parent = person.create(title="x")["id"]
    hours = {"name": "deep", "working_hours": []}
    person.rest("PATCH", "/api/v1/settings", json={"schedules": [hours]})
    there = {"projectId": project["project_id"], "parentId": parent, "schedule": "deep"}
    return {**values, **there}


def as_rest(name, value):
    kind = get_named_type(TYPES["Task"].fields[camel_case(name)].type)
    if kind.name == "Reminder":
        return [
            {"at": at, "minutes_before": minutes, "from": base and base.lower()}
            for at, minutes, base in map(dict.values, value)
        ]
    return value.lower() if hasattr(kind, "values") else value


@pytest.mark.parametrize("due", sorted(DUE))
def test_each_field_is_written_read_and_archived_by_each_api(ann, due):
    values = other_values(ann, due)
    written = WRITABLE - (DUE - {due})
    created = ann.rest(
        "POST", "/api/v1/tasks", json={n: as_rest(n, values[camel_case(n)]) for n in written}
    ).json
    read = ann.task(created["task_id"])
    changed = ann.graphql(UPDATE, input={"id": ann.create(title="x")["id"], **values})
    archived = {name: created[name] for name in created if name in export_format._READERS}
    imported = export_format.task(ann.id, archived)

    assert {name: read[name] for name in values} == values
    assert {n: changed["data"]["updateTask"]["task"][n] for n in values} == values
    assert {n: created[n] for n in written} == {
        n: as_rest(n, values[camel_case(n)]) for n in written
    }
    user = User(user_id=ann.id, username="ann", password="", created_at=now())
    assert exported(user, imported) == archived


def test_each_field_that_can_be_empty_is_cleared_by_null_in_each_api(ann):
    clearable = {name for name in WRITABLE if RULES[name].is_clearable}
    empty = ann.create(title="x")
    by_graphql, by_rest = (ann.graphql(CREATE, input=other_values(ann)) for _ in range(2))
    ids = [made["data"]["createTask"]["task"]["id"] for made in (by_graphql, by_rest)]

    cleared = ann.graphql(
        UPDATE, input={"id": ids[0], **{camel_case(name): None for name in clearable}}
    )["data"]["updateTask"]["task"]
    ann.rest("PUT", f"/api/v1/tasks/{ids[1]}", json=dict.fromkeys(clearable))

    for task in (cleared, ann.task(ids[1])):
        assert {n: task[camel_case(n)] for n in clearable} == {
            n: empty[camel_case(n)] for n in clearable
        }


# REST as a whole

# Fields of types that REST shows, which it shows nowhere, and root fields that have no route.
NOT_SHOWN = {
    "DeleteProjectPayload.deletedProjectId",  # the path has it
    "DeleteTaskPayload.deletedTaskId",
    "DeliveryConnection.isComplete",
    "DeliveryConnection.totalCount",
    "OccurrenceConnection.isComplete",
    "OccurrenceConnection.totalCount",
    "PageInfo.hasPreviousPage",
    "ProjectConnection.isComplete",
    "ProjectConnection.totalCount",
    "PageInfo.startCursor",  # lists go forward only
    "TaskConnection.totalCount",
    "User.createdAt",
    "User.openCount",
    "User.overdueCount",
}
GRAPHQL_ONLY = {
    *("updateTasks", "deleteTasks"),  # REST changes and deletes one at a time
    *("logoutEverywhere", "revokeSession"),
    "node",  # a path of REST tells the type
}


def selections(selection):
    yield selection
    for field in selection.fields.values():
        if field.selection:
            yield from selections(field.selection)


def test_every_leaf_of_a_type_that_rest_shows_is_shown_or_listed():
    shown, types = set(), {}
    for operation in OPERATIONS.values():
        for selection in selections(operation.result):
            types[selection.type.name] = selection.type
            shown |= {f"{selection.type.name}.{f.name}" for f in selection.fields.values()}
    leaves = {
        f"{name}.{field}"
        for name, type_ in types.items()
        for field, declared in type_.fields.items()
        if is_leaf_type(get_named_type(declared.type))
    }

    assert leaves - shown == NOT_SHOWN


def test_every_operation_of_graphql_has_a_route_or_is_listed():
    roots = {
        name
        for type_ in (SCHEMA._schema.query_type, SCHEMA._schema.mutation_type)
        for name in type_.fields
    }
    routed = {name for name in roots if re.search(rf"\b{name}[({{]", OPERATIONS.text)}

    assert roots - routed == GRAPHQL_ONLY
