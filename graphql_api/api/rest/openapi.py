"""The REST routes as an OpenAPI 3.1 document, made from the routes and the schema themselves."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_non_null_type,
    is_required_input_field,
    parse,
    type_from_ast,
)

from graphql_api.api.http.negotiation import JSON
from graphql_api.api.http.responses import PROBLEM, snake
from graphql_api.api.rest.views import DOCUMENT, IN_HEADERS, READ_ONLY, ROUTES, SORTS, Route
from graphql_api.domain.accounts.model import USERNAME_LENGTH
from graphql_api.domain.paging import MAX_PAGE_SIZE
from graphql_api.domain.planner.model import MAX_HORIZON_DAYS
from graphql_api.domain.plans.model import MAX_BUSY
from graphql_api.domain.tasks.dependencies import MAX_BLOCKERS
from graphql_api.domain.tasks.model import MAX_MINUTES, MAX_TAG_LENGTH, MAX_TAGS, MAX_TITLE_LENGTH
from graphql_api.domain.tasks.service import MAX_KEY_LENGTH

Json = dict[str, Any]

SCALARS: Mapping[str, Json] = {
    "ID": {"type": "string"},
    "String": {"type": "string"},
    "Int": {"type": "integer"},
    "Float": {"type": "number"},
    "Boolean": {"type": "boolean"},
    "DateTime": {"type": "string", "format": "date-time"},
    "Date": {"type": "string", "format": "date"},
    "LocalTime": {"type": "string", "pattern": r"^([01][0-9]|2[0-3]):[0-5][0-9]$"},
}

MINUTES = {"minimum": 0, "maximum": MAX_MINUTES}

# What the rules of the models say of a value beyond its type, as far as JSON Schema can.
BOUNDS: Mapping[str, Json] = {
    "username": {"minLength": USERNAME_LENGTH[0]},
    "password": {"minLength": 1},
    "title": {"minLength": 1, "maxLength": MAX_TITLE_LENGTH, "pattern": r"\S"},
    "durationMinutes": MINUTES,
    "minChunkMinutes": MINUTES,
    "tags": {"maxItems": MAX_TAGS},
    "blockerIds": {"minItems": 1, "maxItems": MAX_BLOCKERS},
    "horizonDays": {"minimum": 1, "maximum": MAX_HORIZON_DAYS},
    "busy": {"maxItems": MAX_BUSY},
}
ELEMENTS: Mapping[str, Json] = {
    "tags": {"minLength": 1, "maxLength": MAX_TAG_LENGTH, "pattern": r"\S"},
}

CONFLICTING = {
    "RegisterUser",
    "RefreshToken",
    "ChangePassword",
    "DeleteAccount",
    "CreateTask",
    "UpdateTask",
    "DeleteTask",
    "AddBlockers",
    "RemoveBlockers",
    "UpdateSettings",
    "ApplyPlan",
}
# What is named in the body may be missing.
NAMING = {"PreviewPlan", "ApplyPlan", "UndoPlan"}

PROBLEMS = {
    "400": "Something cannot be meant; `field` names it.",
    "401": "No token, a bad one, or wrong credentials.",
    "404": "No such task, or another user's.",
    "409": "What is there speaks against it: a name taken, a key used otherwise, open blockers, …",
    "412": "The task is not of the version in `If-Match`.",
    "413": "The body is larger than 64 KiB.",
    "415": "The body is not JSON.",
    "429": "Too many attempts.",
    "500": "A fault of the service.",
    "503": "The store cannot be reached now; try again after `Retry-After` seconds.",
}


def document(schema: GraphQLSchema, version: str) -> Json:
    """The OpenAPI document of all REST routes."""
    paths: Json = {}
    for route in ROUTES:
        path = paths.setdefault(re.sub(r"<(\w+)>", r"{\1}", route.path), {})
        for method in route.methods:
            path[method.lower()] = _operation(schema, route, method)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Smart Task Scheduler",
            "version": version,
            "description": "The REST routes beside the GraphQL API at /graphql.",
        },
        "paths": paths,
        "components": {
            "schemas": {"Task": _shown(schema, "TaskFields"), "Problem": PROBLEM_SCHEMA},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
        },
    }


_IDS: Json = {"type": "array", "items": {"type": "string"}}

PROBLEM_SCHEMA: Json = {
    "description": "An error, as RFC 9457 has it; `error` and `message` repeat `detail`.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "error", "message"],
    "properties": {
        **{name: {"type": "string"} for name in ("type", "title", "detail", "code")},
        **{name: {"type": "string"} for name in ("error", "message", "field", "at", "request_id")},
        "status": {"type": "integer"},
        "current_version": {"type": "integer"},
        "blockers": _IDS,
        "cycle": _IDS,
        "input_hash": {"type": "string"},
        **dict.fromkeys(("added", "removed", "changed"), _IDS),
        "retry_after": {"type": "integer"},
    },
}


def _operation(schema: GraphQLSchema, route: Route, method: str) -> Json:
    kind = _input_type(schema, route)
    has_body = kind is not None and bool(kind.fields.keys() - IN_HEADERS)
    operation: Json = {
        "operationId": route.operation + ("" if method != "PATCH" else "ByPatch"),
        "summary": _summary(schema, route),
        "parameters": list(_parameters(route, method)),
        "responses": {
            str(route.status): _success(schema, route, method),
            **({"304": {"description": "The task is as it was."}} if _is_read(route) else {}),
            **{status: _problem(status) for status in _problems(route, method, body=has_body)},
        },
    }
    if not route.public:
        operation["security"] = [{"token": []}]
    if has_body and kind is not None:
        content = {JSON: {"schema": _input(kind)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _is_read(route: Route) -> bool:
    return route.operation == "GetTask"


def _is_conditional(route: Route, method: str) -> bool:
    return route.operation in {"UpdateTask", "DeleteTask"} and method != "GET"


def _problems(route: Route, method: str, *, body: bool) -> Iterator[str]:
    """The statuses of the errors that a route can answer with."""
    yield "400"
    yield "401"
    if "<task_id>" in route.path or route.operation in NAMING:
        yield "404"
    if route.operation in CONFLICTING:
        yield "409"
    if _is_conditional(route, method):
        yield "412"
    if body:
        yield from ("413", "415")
    yield from ("429", "500", "503")


def _problem(status: str) -> Json:
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": PROBLEMS[status], "content": content}


def _parameters(route: Route, method: str) -> Iterator[Json]:
    if "<task_id>" in route.path:
        yield {"name": "task_id", "in": "path", "required": True, "schema": {"type": "string"}}
    if _is_read(route):
        yield _header("If-None-Match", "304 if the task still has this entity tag.")
    if _is_conditional(route, method):
        yield _header("If-Match", "412 unless the task still has this entity tag.")
    if route.operation == "UpdateTask":
        yield _query("force", "Complete the task in spite of open blockers.", type="boolean")
    if route.operation == "CreateTask":
        text = "The same key with the same body makes one task, for 24 hours."
        yield _header("Idempotency-Key", text, {"minLength": 1, "maxLength": MAX_KEY_LENGTH})
    if route.operation == "ListTasks":
        yield from _LIST_PARAMETERS


def _header(name: str, description: str, bounds: Mapping[str, Any] | None = None) -> Json:
    schema = {"type": "string", **(bounds or {})}
    return {"name": name, "in": "header", "description": description, "schema": schema}


def _query(name: str, description: str, **schema: Any) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": schema}


_LIST_PARAMETERS = (
    _query(
        "limit",
        "Tasks in a page; without it all, by urgency 25.",
        type="integer",
        minimum=1,
        maximum=MAX_PAGE_SIZE,
    ),
    _query("after", "From the `Link` of the page before.", type="string"),
    _query("sort", "The order, with `-` the latest first.", type="string", enum=list(SORTS)),
    _query("status", "One of these, comma-separated.", type="string"),
    _query("priority", "One of these, comma-separated.", type="string"),
    _query("tag", "One of the tags is this; may be repeated.", type="string"),
    _query("due_before", "Due before this instant.", type="string", format="date-time"),
    _query("due_after", "Due at this instant or later.", type="string", format="date-time"),
    _query("ready", "Open without open blockers, or not.", type="boolean"),
    _query("search", "In the title or the description.", type="string", maxLength=200),
)


def _success(schema: GraphQLSchema, route: Route, method: str) -> Json:
    task = {"$ref": "#/components/schemas/Task"}
    message = {"message": {"type": "string"}}
    bodies: Mapping[str, Json] = {
        "RegisterUser": _with(_shown(schema, "LoginFields"), message),
        "LogIn": _shown(schema, "LoginFields"),
        "Verify": _object({"user_id": SCALARS["ID"], "username": SCALARS["String"]}),
        "ListTasks": {"type": "array", "items": task},
        "RefreshToken": _shown(schema, "LoginFields"),
        "LogOut": _object({**message, "ended_sessions": SCALARS["Int"]}),
        "ChangePassword": _shown(schema, "LoginFields"),
        "DeleteAccount": _object({**message, "user_id": SCALARS["ID"]}),
        "DeleteTask": _deleted_task(message),
        **dict.fromkeys(
            ("GetBlockers", "AddBlockers", "RemoveBlockers"), _shown(schema, "BlockersFields")
        ),
        "GetUrgency": _shown(schema, "UrgencyFields"),
        "GetSettings": _shown(schema, "SettingsFields"),
        "UpdateSettings": _shown(schema, "SettingsFields"),
        "PreviewPlan": _shown(schema, "PlanFields"),
        "ApplyPlan": _shown(schema, "AppliedFields"),
        "UndoPlan": _shown(schema, "UndoneFields"),
    }
    response: Json = {
        "description": f"What {method} has made or found.",
        "content": {JSON: {"schema": bodies.get(route.operation, task)}},
    }
    if route.operation not in bodies:
        response["headers"] = {"ETag": {"schema": {"type": "string"}}}
    if route.operation == "ListTasks":
        response["headers"] = {
            "Link": {"schema": {"type": "string"}},
            "X-Incomplete": {
                "description": "There is more than could be read to sort it by urgency.",
                "schema": {"const": "true"},
            },
        }
    return response


@cache
def _definitions() -> dict[str, Any]:
    """The operations and fragments of rest.graphql by their names."""
    return {
        node.name.value: node
        for node in parse(DOCUMENT).definitions
        if isinstance(node, OperationDefinitionNode | FragmentDefinitionNode) and node.name
    }


def _input_type(schema: GraphQLSchema, route: Route) -> GraphQLInputObjectType | None:
    for declared in _definitions()[route.operation].variable_definitions or ():
        kind = get_named_type(type_from_ast(schema, declared.type))
        if declared.variable.name.value == "input" and isinstance(kind, GraphQLInputObjectType):
            return kind
    return None


def _summary(schema: GraphQLSchema, route: Route) -> str:
    """The description of the root field behind the route."""
    operation = _definitions()[route.operation]
    root = schema.get_root_type(operation.operation)
    name = operation.selection_set.selections[0].name.value
    return (root.fields[name].description or "") if root else ""


def _shown(schema: GraphQLSchema, fragment: str) -> Json:
    """What a fragment of rest.graphql shows, under the names that it gives."""
    node = _definitions()[fragment]
    return _selection(schema.get_type(node.type_condition.name.value), node.selection_set)


def _selection(kind: Any, selected: Any) -> Json:
    return _object(_shown_by(kind, selected))


def _shown_by(kind: Any, selected: Any) -> Json:
    """The properties that a selection set shows, with its fragments written out."""
    properties: Json = {}
    for node in selected.selections:
        if isinstance(node, FragmentSpreadNode):
            properties |= _shown_by(kind, _definitions()[node.name.value].selection_set)
        elif isinstance(node, FieldNode) and isinstance(kind, GraphQLObjectType):
            name = node.alias.value if node.alias else node.name.value
            field = kind.fields[node.name.value]
            if node.selection_set:
                one = _selection(get_named_type(field.type), node.selection_set)
                several = is_list_type(get_nullable_type(field.type))
                properties[name] = {"type": "array", "items": one} if several else one
            else:
                properties[name] = {**_value(field.type), "description": field.description}
    return properties


def _input(kind: GraphQLInputObjectType) -> Json:
    fields = {name: field for name, field in kind.fields.items() if name not in IN_HEADERS}
    properties = {
        snake(name): {**_given(name, field.type), "description": field.description}
        for name, field in fields.items()
    }
    required = [snake(name) for name, field in fields.items() if is_required_input_field(field)]
    if "title" in properties:  # a client may send a task back as it got it
        properties |= {name: {"description": "Ignored."} for name in sorted(READ_ONLY)}
    return {**_object(properties), "required": required}


def _given(name: str, kind: Any) -> Json:
    """What a field of an input takes: for a list one of its elements too, as in GraphQL."""
    schema = {**_value(kind), **BOUNDS.get(name, {})}
    if not is_list_type(get_nullable_type(kind)):
        return schema
    one = {**schema["items"], **ELEMENTS.get(name, {})}
    return {"anyOf": [{**schema, "items": one}, one]}


def _value(kind: Any) -> Json:
    """The JSON Schema of a GraphQL type; enum values are in lower case here."""
    if is_non_null_type(kind):
        return _not_null(kind.of_type)
    schema = _not_null(kind)
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    return {**schema, "type": [schema["type"], "null"]}


def _not_null(kind: Any) -> Json:
    if is_list_type(kind):
        return {"type": "array", "items": _value(kind.of_type)}
    if isinstance(kind, GraphQLEnumType):
        return {"type": "string", "enum": [name.lower() for name in kind.values]}
    if isinstance(kind, GraphQLInputObjectType):
        return _input(kind)
    return dict(SCALARS[kind.name])


def _object(properties: Json) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _deleted_task(message: Json) -> Json:
    released = {**_IDS, "description": "The tasks that it blocked; absent if there were none."}
    schema = _object({**message, "released_task_ids": released})
    return {**schema, "required": list(message)}


def _with(schema: Json, properties: Json) -> Json:
    return _object({**schema["properties"], **properties})
