"""The OpenAPI document of the REST routes (https://spec.openapis.org/oas/v3.1.1).

It follows from the table of routes, the operations behind them and the schema.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from http import HTTPStatus

from graphql import GraphQLSchema

from graphql_api.api.graphql.access.scopes import permission_of
from graphql_api.api.http.negotiation import EVENTS, JSON
from graphql_api.api.http.problems import PROBLEM
from graphql_api.api.rest.export import JSON_LINES, PATH, PERMISSION
from graphql_api.api.rest.json_schema import BOUNDS, Json, JsonSchemas, closed_object
from graphql_api.api.rest.operations import SOURCE, Operation, operations_of
from graphql_api.api.rest.parameters import HEADERS, MERGE_DISJOINT, Parameters
from graphql_api.api.rest.query import QueryParameter
from graphql_api.api.rest.routes import ROUTES, TAGS, Route
from graphql_api.infra.serving.body_limits import BODY_BYTES

DESCRIPTION = (
    "The REST routes of Smart Task Scheduler, a service for personal task scheduling. Each of them"
    " runs one operation of the GraphQL API at `/graphql`, so that both have the same rules."
)
SERVERS = (
    {"url": "/", "description": "The service that sends this document."},
    {"url": "http://127.0.0.1:5000", "description": "A service started by `make run`."},
)

# Problems that a route does not describe itself: names of their components, and when they occur.
PROBLEMS: Mapping[int, tuple[str, str]] = {
    400: ("BadRequest", "The request is invalid: `field` names what is wrong with it."),
    401: ("Unauthorized", "The access token is missing, invalid or expired."),
    403: ("Forbidden", "The access token lacks the `required_scope`, or would see too much."),
    404: ("NotFound", "It does not exist, or it belongs to another user."),
    412: ("PreconditionFailed", "Its version is not the one in `If-Match` but `current_version`."),
    413: ("ContentTooLarge", f"The body is larger than {BODY_BYTES // 1024} KiB."),
    415: ("UnsupportedMediaType", "The body is not sent as JSON."),
    500: ("InternalServerError", "The service failed; its log has the reason, by `request_id`."),
    503: ("ServiceUnavailable", "The service is overloaded or cannot reach its store."),
}
HEADER_DESCRIPTIONS: Mapping[str, str] = {
    "If-Match": 'The entity tag that it must still have, such as `"3"`.',
    "Prefer": "`merge`: a later version will do if the fields of the body have not changed since.",
    "Last-Event-ID": "The `id` of the last event that came, in place of `after`.",
    "Idempotency-Key": "A random text: the same key and body have one effect within 24 hours.",
    "If-None-Match": 'The entity tag of what the client has, such as `"3"`.',
}
PARAMETER_DESCRIPTIONS: Mapping[str, str] = {
    "from": "The start of the range.",
    "to": "The end of the range.",
    "calendar_id": "The id of a calendar: only its times.",
    "minutes": "The minutes that there are; by default any.",
    "limit": "How many items a page has.",
    "after": "The cursor after which it begins, from an answer before: a `Link` has it already.",
    "archived": "Those that are archived, or, by default, those that are not.",
    "view": "The id of a saved view, whose conditions have to hold, too; its order is the default.",
    "rrule": "A rule by RFC 5545, daily or slower.",
    "timezone": "The IANA time zone of dates and times; default: the settings'.",
    "anchor": "The instant that the next occurrence is counted from.",
    "month_end": "The fate of an occurrence in months that lack its day.",
    "missed": "The fate of occurrences that have passed; a preview shows none.",
    "ex_dates": "Local days on which it does not come.",
    "text": "A line of text, of 1 to 500 characters.",
    "now": "The instant to take for the present one.",
    "due_at": "The first due date.",
    "due_on": "The first day, of what has no time of day.",
    "sort": "The order: a `-` in front puts the latest or the greatest first.",
}

_IDS: Json = {"type": "array", "items": {"type": "string"}}
_TEXT: Json = {"type": "string"}

PROBLEM_SCHEMA: Json = {
    "description": "An error (RFC 9457). `error` and `message` repeat `detail`.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "error", "message"],
    "properties": {
        **dict.fromkeys(("type", "title", "detail", "code", "error", "message"), _TEXT),
        "status": {"type": "integer"},
        "field": {**_TEXT, "description": "What is wrong: a field, a parameter or a header."},
        "at": {**_TEXT, "description": "The place of a nested field, such as `busy[3].start`."},
        "request_id": {**_TEXT, "description": "The request in the log of the service."},
        "retry_after": {"type": "integer", "description": "Seconds to wait."},
        "current_version": {"type": "integer", "description": "The version that there is now."},
        "fields": {**_IDS, "description": "The fields that others have changed."},
        "blockers": {**_IDS, "description": "The open tasks that block this one."},
        "cycle": {**_IDS, "description": "Tasks that would wait for each other."},
        "required_scope": {
            "type": ["string", "null"],
            "description": "The scope that the access token lacks; null: it takes a session.",
        },
        "confined": {
            "type": "boolean",
            "description": "True: a token that is confined to some tasks may not do this.",
        },
        "input_hash": {**_TEXT, "description": "The hash of the plan's input as it is now."},
        **{
            name: {**_IDS, "description": f"The tasks {name} since the plan was made."}
            for name in ("added", "removed", "changed")
        },
    },
}


def document(
    schema: GraphQLSchema, version: str, routes: Sequence[Route] = ROUTES, source: str = SOURCE
) -> Json:
    """Return the OpenAPI document of the routes, which run operations of the source."""
    operations = operations_of(schema, source)
    schemas = JsonSchemas(schema, operations)
    paths: dict[str, Json] = {}
    for route in routes:
        described = _RouteDocument(route, operations[route.operation], schemas)
        path = paths.setdefault(re.sub(r"<(\w+)>", r"{\1}", route.path), {})
        path |= {method.lower(): described.operation(method) for method in route.methods}
    if routes is ROUTES:
        paths[PATH] = {"get": _EXPORT}
        schemas.component("ExportLines", lambda: _EXPORT_LINES)
    used = {route.tag for route in routes}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Smart Task Scheduler",
            "version": version,
            "description": DESCRIPTION,
            "contact": {"name": "The maintainers of Smart Task Scheduler"},
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": list(SERVERS),
        "tags": [{"name": n, "description": text} for n, text in TAGS.items() if n in used],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": {**dict(sorted(schemas.components.items())), "Problem": PROBLEM_SCHEMA},
            "responses": {name: _problem(text) for name, text in PROBLEMS.values()},
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": (
                        "The `token` that a login has returned; or an access token, `sts_…`, where"
                        " it has the scope in `x-required-scope`."
                    ),
                }
            },
        },
    }


@cache
def of_service(schema: GraphQLSchema, version: str) -> Json:
    """Return the document of all routes, which a process makes once. Nobody may change it."""
    return document(schema, version)


def dumps(document: Json) -> str:
    """Return a document as text to be read and compared."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


class _RouteDocument:
    """The part of the document about one route."""

    def __init__(self, route: Route, operation: Operation, schemas: JsonSchemas) -> None:
        self._route = route
        self._operation = operation
        self._permission = permission_of(operation.root)
        self._schemas = schemas
        self._parameters = Parameters(route, operation)
        fields = operation.result.fields
        self._has_version = "version" in fields and not operation.is_subscription

    def operation(self, method: str) -> Json:
        route = self._route
        operation: Json = {
            "operationId": route.operation + ("ByPatch" if method == "PATCH" else ""),
            "tags": [route.tag],
            "summary": route.summary,
            "description": route.description or f"{route.summary}.",
            "parameters": list(self._all_parameters(method)),
            "responses": dict(sorted({**self._success(method), **self._problems()}.items())),
        }
        permission = self._permission
        if permission is None:
            operation["security"] = []
        elif permission.scope:
            operation["x-required-scope"] = permission.scope.value
        if self._parameters.body:
            operation["requestBody"] = {
                "required": not route.body_is_optional,
                "content": {JSON: self._body()},
            }
        return operation

    def _body(self) -> Json:
        schema = {"schema": self._schemas.body(self._parameters)}
        return schema if self._route.example is None else {**schema, "example": self._route.example}

    def _all_parameters(self, method: str) -> Iterator[Json]:
        for name in self._parameters.path:
            resource = name.removesuffix("_id").replace("_", " ")
            yield {
                **_parameter("path", name, f"The id of the {resource}.", _TEXT),
                "required": True,
            }
        for field, header in self._parameters.headers.items():
            schema = {**_TEXT, **BOUNDS.get(field, {})}
            yield _parameter("header", header.name, HEADER_DESCRIPTIONS[header.name], schema)
        if self._is_conditional_read(method):
            name = "If-None-Match"
            yield _parameter("header", name, HEADER_DESCRIPTIONS[name], _TEXT)
        for flag in self._parameters.flags:
            description = self._schemas.text(self._parameters.body[flag].field.description)
            yield _parameter("query", flag, description, {"type": "boolean"})
        for parameter in self._parameters.query.values():
            yield self._query_parameter(parameter)

    def _query_parameter(self, parameter: QueryParameter) -> Json:
        own = PARAMETER_DESCRIPTIONS.get(parameter.name, "")
        description = self._schemas.text(parameter.description) or own
        if parameter.orders:
            schema = _orders(parameter.orders)
        else:
            bounds = BOUNDS.get(parameter.target[-1], {})
            schema = {**self._schemas.value_not_null(parameter.type), **bounds}
        described = _parameter("query", parameter.name, description, schema)
        if parameter.is_repeatable:
            described |= {"style": "form", "explode": not parameter.is_comma_separated}
        return described

    def _is_conditional_read(self, method: str) -> bool:
        return self._has_version and method == "GET"

    def _success(self, method: str) -> dict[str, Json]:
        media_type = EVENTS if self._operation.is_subscription else JSON
        response: Json = {
            "description": HTTPStatus(self._route.status).phrase,
            "content": {media_type: {"schema": self._response_schema()}},
        }
        if headers := dict(self._headers()):
            response["headers"] = headers
        responses = {str(self._route.status): response}
        if self._is_conditional_read(method):
            responses["304"] = {"description": "The client has it as it is."}
        return responses

    def _response_schema(self) -> Json:
        route, result = self._route, self._operation.result
        items = result.fields["nodes"].selection if self._operation.is_connection else None
        if items:
            return {"type": "array", "items": self._schemas.resource(items)}
        if self._operation.has_many:
            return {"type": "array", "items": self._schemas.resource(result)}
        if not (route.message or route.omits_if_empty):
            return self._schemas.resource(result)
        message = {"message": {"const": route.message}} if route.message else {}
        properties = {**message, **self._schemas.resource_properties(result)}
        required = [name for name in properties if name not in route.omits_if_empty]
        return self._schemas.component(
            f"{route.operation}Response",
            lambda: {"description": route.summary, **closed_object(properties, required)},
        )

    def _headers(self) -> Iterator[tuple[str, Json]]:
        fields = self._operation.result.fields
        if MERGE_DISJOINT in self._parameters.headers:
            yield "Preference-Applied", _header("`merge`, if the request has asked for that.")
        if self._has_version:
            yield "ETag", _header("The version, as an entity tag.")
        if self._route.location:
            yield "Location", _header("The path of what was created.")
        if self._operation.is_connection:
            yield "Link", _header('The next page, with `rel="next"`, if there is one (RFC 8288).')
            yield "X-Incomplete", _header("`true` if items are missing that could not be read.")
        if "has_more" in fields:
            yield "Link", _header('The next page, with `rel="next"`, if there is one (RFC 8288).')
        if "changes_cursor" in fields:
            yield "X-Changes-Cursor", _header("Where the feed of changes goes on after this list.")

    def _problems(self) -> dict[str, Json]:
        own = {str(status): _problem(text) for status, text in self._route.problems.items()}
        return {str(s): _problem_reference(s) for s in self._generic_statuses()} | own

    def _generic_statuses(self) -> Iterator[int]:
        yield from (400, 500, 503)
        if self._permission is not None:
            yield from (401, 403)
        if self._parameters.path:
            yield 404
        if HEADERS["expectedVersion"] in self._parameters.headers.values():
            yield 412
        if self._parameters.body:
            yield from (413, 415)


def _parameter(place: str, name: str, description: str, schema: Json) -> Json:
    return {"name": name, "in": place, "description": description, "schema": schema}


def _orders(orders: Sequence[str]) -> Json:
    """Describe the orders of a list, with names for generators, which cannot make any of `-`."""
    names = [f"{order[1:]}_desc" if order[0] == "-" else order for order in orders]
    return {**_TEXT, "enum": list(orders), "x-enum-varnames": [name.upper() for name in names]}


def _header(description: str) -> Json:
    return {"description": description, "schema": _TEXT}


def _problem(description: str) -> Json:
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": description, "content": content}


def _problem_reference(status: int) -> Json:
    name, _ = PROBLEMS[status]
    return {"$ref": f"#/components/responses/{name}"}


_EXPORT_LINES: Json = {
    "description": "JSON objects, a line each: as in an export of `python -m graphql_api export`.",
    "type": "string",
}
_EXPORT: Json = {
    "operationId": "Export",
    "tags": ["Accounts"],
    "summary": "Export everything",
    "description": (
        "Sends all that is the user's, a JSON object a line, while others go on: `type` says what"
        " it is. The first line has `changes_cursor`, after which the feed of changes completes"
        " it; the last one is of the type `end`, without which it is not whole. An access token"
        " gets what its scopes are for."
    ),
    "x-required-scope": PERMISSION.scope and PERMISSION.scope.value,
    "parameters": [],
    "responses": {
        "200": {
            "description": "OK",
            "content": {JSON_LINES: {"schema": {"$ref": "#/components/schemas/ExportLines"}}},
        },
        **{str(status): _problem_reference(status) for status in (400, 401, 403, 500, 503)},
        "429": _problem("Two exports of the user are still being read."),
    },
}
