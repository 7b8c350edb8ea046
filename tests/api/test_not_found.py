"""What is not there is told by the name of the argument that has asked for it, wherever one may."""

import pytest
from conftest import codes
from graphql import GraphQLInputObjectType, get_named_type

from graphql_api.api.graphql.schema import SCHEMA
from graphql_api.api.rest.operations import snake_case
from graphql_api.api.rest.routes import ROUTES

pytestmark = pytest.mark.engine_is_no_matter

CORE = SCHEMA._schema
MONDAY = "2030-01-07T08:00:00Z"
RECURRENCE = {"rrule": "FREQ=DAILY"}
TOKEN = {"name": "x", "scopes": ["TASKS_READ"]}
HOOK = {"url": "https://example.com/hook"}

# What an argument goes with; TASK and PROJECT are the ids of somebody's own.
TASK, PROJECT = "a task", "a project"
BESIDE = {
    "addBlockers.taskId": {"blockerIds": ["other"]},
    "addBlockers.blockerIds": {"taskId": TASK},
    "addBusyCalendar.replacesId": {"name": "x", "ics": "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"},
    "busyTimes.calendarId": {"from": MONDAY, "to": MONDAY.replace("07", "08", 1)},
    "removeBlockers.taskId": {"blockerIds": ["other"]},
    "createAccessToken.projectIds": TOKEN,
    "createCalendarFeed.viewId": {"name": "x", "content": ["DUE"]},
    "createTask.projectId": {"title": "x"},
    "createTask.parentId": {"title": "x"},
    "createTask.blockedBy": {"title": "x"},
    "createWebhook.viewId": HOOK,
    "deleteProject.id": {"tasks": "KEEP"},
    "deleteProject.moveTo": {"id": PROJECT, "tasks": "MOVE"},
    "logTime.id": {"minutes": 5},
    "planApply.taskIds": {"from": MONDAY, "inputHash": "x"},
    "planPreview.taskIds": {"from": MONDAY},
    "updateSeries.id": {"recurrence": RECURRENCE},
    "updateTask.projectId": {"id": TASK},
    "updateWebhook.viewId": {"id": "other"},
    "updateTask.parentId": {"id": TASK},
}
NOT_TOLD = {
    "nodes.ids",  # null in its place
    "removeBlockers.blockerIds",  # what blocks nothing is removed already
}


def arguments():
    """Each root field, and one of its arguments that names something: alone, or in its input."""
    for root in (CORE.query_type, CORE.mutation_type):
        for field, definition in root.fields.items():
            given = definition.args
            kind = get_named_type(given["input"].type) if "input" in given else None
            inside = kind.fields if isinstance(kind, GraphQLInputObjectType) else {}
            for name, each in (*given.items(), *inside.items()):
                if get_named_type(each.type).name == "ID" and f"{field}.{name}" not in NOT_TOLD:
                    yield root.name.lower(), field, name


def query_of(root: str, field: str, given: dict) -> str:
    """A document with these arguments of a root field as variables."""
    definition = CORE.get_type(root.title()).fields[field]
    args = [(name, definition.args[name].type) for name in given]
    variables = ", ".join(f"${name}: {type_}" for name, type_ in args)
    passed = ", ".join(f"{name}: ${name}" for name, _ in args)
    return f"{root} ({variables}) {{ {field}({passed}) {{ __typename }} }}"


@pytest.mark.parametrize(("root", "field", "name"), list(arguments()))
def test_graphql_names_the_argument(ann, root, field, name):
    definition = CORE.get_type(root.title()).fields[field]
    beside = dict(BESIDE.get(f"{field}.{name}", {}))
    if TASK in beside.values():
        own = ann.create(title="x")["id"]
        beside = {key: own if value == TASK else value for key, value in beside.items()}
    if PROJECT in beside.values():
        beside["id"] = ann.rest("POST", "/api/v1/projects", json={"name": "x"}).json["project_id"]
    inside = name not in definition.args
    kind = get_named_type(definition.args["input"].type).fields[name] if inside else None
    is_list = "[" in str((kind or definition.args.get(name)).type)
    given = {**beside, name: ["none"] if is_list else "none"}
    variables = {"input": given} if inside else given

    answer = ann.graphql(query_of(root, field, variables), **variables)

    assert codes(answer) == ["NOT_FOUND"]
    assert answer["errors"][0]["extensions"]["field"] == name


# Bodies of routes whose example would be about something else.
BODIES = {"DeleteProject": {"tasks": "keep"}, "LogTime": {"minutes": 5}}
IN_PATH = [
    (method, route)
    for route in ROUTES
    if "<" in route.path and "tags" not in route.path
    for method in route.methods
]


@pytest.mark.parametrize(
    ("method", "route"), IN_PATH, ids=[f"{method} {route.path}" for method, route in IN_PATH]
)
def test_rest_names_the_part_of_the_path(ann, method, route):
    before, name, after = route.path.replace("<", ">").split(">")
    body = BODIES.get(route.operation, route.example or {})

    answer = ann.rest(method, f"{before}none{after}", json=body)

    assert (answer.status_code, answer.json["code"]) == (404, "NOT_FOUND")
    assert answer.json["field"] == snake_case(name)


def test_in_a_list_each_is_told_by_its_own_argument(ann):
    answer = ann.graphql(
        'mutation { updateTasks(input: {tasks: [{id: "none", title: "x"}]}) {'
        " results { error { code field } } } }"
    )

    assert answer["data"]["updateTasks"]["results"] == [
        {"error": {"code": "NOT_FOUND", "field": "id"}}
    ]
