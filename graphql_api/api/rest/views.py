"""The REST routes of the older program, each a named operation of rest.graphql.

Names are snake_case here and camelCase in GraphQL, enum values lower case here and upper case
there: that translation is all this module knows of the fields.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from flask import Blueprint, Response
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    get_named_type,
    get_nullable_type,
    is_list_type,
    type_from_ast,
)
from werkzeug.datastructures import MultiDict

from graphql_api.api.graphql.context import Context, Services
from graphql_api.api.http.requests import Incoming, context_for_request, json_body
from graphql_api.api.http.responses import json_response, problem, snake
from graphql_api.domain.paging import DEFAULT_PAGE_SIZE
from graphql_api.domain.tasks.model import DeadlineType, TaskPriority, TaskStatus
from graphql_api.errors import AppError, BadUserInput, Conflict
from graphql_api.infra.concurrency.bulkhead import Bulkhead
from graphql_api.infra.concurrency.deadline import extend_deadline
from graphql_api.infra.executor.executor import Executor, Request

NAME = "rest"
DOCUMENT = (Path(__file__).parent / "operations.graphql").read_text()

# What a task shows but nobody sets: an old client may send a task back as it got it.
READ_ONLY = {"task_id", "user_id", "created_at", "updated_at", "completed_at", "version"}
STATUSES, PRIORITIES, DEADLINE_TYPES = (
    {member.name: member.name.lower() for member in members}
    for members in (TaskStatus, TaskPriority, DeadlineType)
)
# What the query string calls the arguments of a list.
LIST_NAMES = {"first": "limit", "tags": "tag"}
SORTS = {
    "created_at": ("CREATED_AT", "ASC"),
    "-created_at": ("CREATED_AT", "DESC"),
    "due_at": ("DUE_AT", "ASC"),
    "-due_at": ("DUE_AT", "DESC"),
    "urgency": ("URGENCY", "ASC"),
    "-urgency": ("URGENCY", "DESC"),
}
LIST_PARAMETERS = {
    *("limit", "after", "sort", "status", "priority", "tag"),
    *("due_before", "due_after", "search", "ready"),
}
SEVERAL = {"status", "priority", "tag"}  # which may be given more than once
# What GraphQL has in its inputs and REST in the path and the headers.
IN_HEADERS = {"id", "taskId", "expectedVersion", "idempotencyKey"}
HEADERS = {"expected_version": "If-Match", "idempotency_key": "Idempotency-Key"}
BOOLEANS = {"true": True, "false": False}
PRECONDITION_FAILED = 412
REMEMBERED = 200  # query strings of lists …
LONGEST_REMEMBERED = 500  # … of so many characters

_ENTITY_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"', re.ASCII)  # RFC 9110, section 8.8.3
_VERSION = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)  # what fits GraphQL's Int


@dataclass(frozen=True)
class Route:
    """A route, the operation behind it, and how that operation's result becomes the body."""

    methods: tuple[str, ...]
    path: str
    operation: str
    show: Callable[[Any], Any]
    status: int = 200
    public: bool = False
    names: Mapping[str, str] = field(default_factory=dict)  # of arguments called otherwise here


def _task(result: dict[str, Any]) -> dict[str, Any]:
    return _spelled(result.get("task", result))


def _spelled(task: dict[str, Any]) -> dict[str, Any]:
    """A task of a result, which nobody else needs any more, as REST spells its values.

    Not in a loop: so a page of 25 takes 3 µs less, of 530.
    """
    task["status"] = STATUSES[task["status"]]
    task["priority"] = PRIORITIES[task["priority"]]
    task["deadline_type"] = DEADLINE_TYPES[task["deadline_type"]]
    return task


def _registered(result: Mapping[str, Any]) -> dict[str, Any]:
    return {"message": "User registered successfully", **result}


def _logged_out(result: Mapping[str, Any]) -> dict[str, Any]:
    return {"message": "Logged out successfully", **result}


def _account_deleted(result: Mapping[str, Any]) -> dict[str, Any]:
    return {"message": "Account deleted successfully", **result}


def _deleted(result: Mapping[str, Any]) -> dict[str, Any]:
    released = {name: ids for name, ids in result.items() if ids}  # as before where there are none
    return {"message": "Task deleted successfully", **released}


def _blockers(result: Mapping[str, Any]) -> dict[str, Any]:
    task = result.get("task", result)
    around = {
        name: [{**other, "status": other["status"].lower()} for other in task[name]]
        for name in ("blocked_by", "blocks")
    }
    return {**task, **around}


def _urgency(result: Mapping[str, Any]) -> dict[str, Any]:
    urgency = result["urgency"]
    terms = [{**term, "name": snake(term["name"])} for term in urgency["terms"]]
    return {**result, "urgency": {**urgency, "terms": terms}}


def _settings(result: Mapping[str, Any]) -> dict[str, Any]:
    settings = result["settings"]
    hours = [{**day, "day": day["day"].lower()} for day in settings["working_hours"]]
    return {**settings, "working_hours": hours}


def _plan(result: Mapping[str, Any]) -> dict[str, Any]:
    blocks = [
        {**block, "reasons": [{**why, "code": why["code"].lower()} for why in block["reasons"]]}
        for block in result["blocks"]
    ]
    unplaced = [{**task, "code": task["code"].lower()} for task in result["unplaced"]]
    return {**result, "blocks": blocks, "unplaced": unplaced}


BLOCKERS = "/api/v1/tasks/<task_id>/blockers"

ROUTES = (
    Route(("POST",), "/auth/register", "RegisterUser", _registered, 201, public=True),
    Route(("POST",), "/auth/login", "LogIn", dict, public=True),
    Route(("GET",), "/auth/verify", "Verify", dict),
    Route(("POST",), "/auth/refresh", "RefreshToken", dict, public=True),
    Route(("POST",), "/auth/logout", "LogOut", _logged_out),
    Route(("POST",), "/auth/password", "ChangePassword", dict),
    Route(("DELETE",), "/auth/account", "DeleteAccount", _account_deleted),
    Route(("GET",), "/api/v1/tasks", "ListTasks", dict, names=LIST_NAMES),
    Route(("POST",), "/api/v1/tasks", "CreateTask", _task, 201),
    Route(("GET",), "/api/v1/tasks/<task_id>", "GetTask", _task),
    Route(("PUT", "PATCH"), "/api/v1/tasks/<task_id>", "UpdateTask", _task),
    Route(("DELETE",), "/api/v1/tasks/<task_id>", "DeleteTask", _deleted),
    Route(("GET",), BLOCKERS, "GetBlockers", _blockers),
    Route(("GET",), "/api/v1/tasks/<task_id>/urgency", "GetUrgency", _urgency),
    Route(("POST",), BLOCKERS, "AddBlockers", _blockers),
    Route(("DELETE",), BLOCKERS, "RemoveBlockers", _blockers),
    Route(("GET",), "/api/v1/settings", "GetSettings", _settings),
    Route(("PUT", "PATCH"), "/api/v1/settings", "UpdateSettings", _settings),
    Route(("POST",), "/api/v1/plan/preview", "PreviewPlan", _plan),
    Route(("POST",), "/api/v1/plan", "ApplyPlan", dict),
    Route(("POST",), "/api/v1/plan/undo", "UndoPlan", dict),
)


class Failed(Exception):
    """The operation had an error."""

    def __init__(self, error: AppError) -> None:
        super().__init__(error)
        self.error = error


def blueprint(
    executor: Executor, services: Services, *, lists: Bulkhead, long_lists: Bulkhead
) -> Blueprint:
    """Route the paths of REST to their operations; the bulkheads are for whole lists."""
    runner = Runner(executor, services, lists, long_lists)
    routes = Blueprint(NAME, __name__)
    for route in ROUTES:
        view = partial(runner.respond, route)
        routes.add_url_rule(route.path, route.operation, view, methods=list(route.methods))
    return routes


class Runner:
    """Runs the operations behind the routes, through the same executor and context as GraphQL."""

    def __init__(
        self, executor: Executor, services: Services, lists: Bulkhead, long_lists: Bulkhead
    ) -> None:
        self._executor = executor
        self._services = services
        self._lists, self._long_lists = lists, long_lists

    def respond(self, route: Route, asked: Incoming, **path: str) -> Response:
        """The answer of a route; raises what is wrong with the request itself."""
        try:
            if route.operation == "ListTasks":
                return self._list_tasks(route, asked)
            return self._answer(route, asked, path)
        except Failed as failed:
            return _problem(route, failed.error)

    def _answer(self, route: Route, asked: Incoming, path: Mapping[str, str]) -> Response:
        context = self._context(route, asked)
        result = self._run(route, context, self._variables(route, asked, path))
        body = route.show(result)
        response = json_response(body, route.status)
        if "version" in body:
            response.set_etag(str(body["version"]))
            if route.status == HTTPStatus.CREATED:
                response.headers["Location"] = f"{asked.path}/{body['task_id']}"
            if asked.method == "GET":
                response.make_conditional(asked)
        return response

    def _list_tasks(self, route: Route, asked: Incoming) -> Response:
        """All the viewer's tasks as a bare array; with `limit`, one page and a link to the next.

        By urgency there are only pages: each of them reads all that is open.
        """
        context = self._context(route, asked)
        query = ListQuery.of(asked.environ.get("QUERY_STRING", ""))
        if query.is_paged:
            page = self._run(route, context, {"first": DEFAULT_PAGE_SIZE, **query.variables})
            response = json_response(list(map(_spelled, page["nodes"])))
            if page["pageInfo"]["hasNextPage"]:
                url = f"{asked.path}?{query.after(page['pageInfo']['endCursor'])}"
                response.headers["Link"] = f'<{url}>; rel="next"'
            elif not page["isComplete"]:
                response.headers["X-Incomplete"] = "true"
            return response
        pages = self._pages(route, asked, context, query.variables)
        page = next(pages)
        every = page.tasks
        if not page.is_last:  # others go on while it is read
            page = self._lists.run_in_thread(lambda: next(pages))
            every += page.tasks
        if not page.is_last:
            return self._long_lists.run_in_thread(
                lambda: json_response([*every, *(t for p in pages for t in p.tasks)])
            )
        return json_response(every)

    def _pages(
        self, route: Route, asked: Incoming, context: Context, variables: Mapping[str, Any]
    ) -> Iterator["ListPage"]:
        """All tasks; each page has budgets as if the client had asked for it, of 100 at first."""
        where: dict[str, Any] = {}
        while True:
            asking = {**variables, **where, "first": context.max_page_size}
            page = self._run(route, context, asking)
            yield ListPage.of(page)
            if not page["pageInfo"]["hasNextPage"]:
                return
            extend_deadline()
            context = self._context(route, asked)
            context.allow_whole_lists()
            where = {"after": page["pageInfo"]["endCursor"]}

    def _context(self, route: Route, asked: Incoming) -> Context:
        context = context_for_request(self._services, asked)
        if not route.public:
            context.viewer_id  # noqa: B018 - who asks comes before what is asked: 401, not 400
        return context

    def _run(self, route: Route, context: Context, variables: Mapping[str, Any]) -> Any:
        asked = Request(DOCUMENT, variables, route.operation)
        answer = self._executor.run(asked, context)
        if answer.errors or answer.data is None:
            raise Failed(answer.errors[0].error)
        [result] = answer.data.values()
        return result

    def _variables(self, route: Route, asked: Incoming, path: Mapping[str, str]) -> dict[str, Any]:
        """The operation's variables: `$id` from the path, `$input` from path, headers and body."""
        operation = self._executor.operation(Request(DOCUMENT, operation_name=route.operation))
        variables: dict[str, Any] = {}
        for declared in operation.node.variable_definitions or ():
            if declared.variable.name.value == "id":
                variables["id"] = path["task_id"]
            else:
                kind = get_named_type(type_from_ast(self._executor.schema, declared.type))
                variables["input"] = _input(kind, asked, path)
        return variables


def _input(kind: Any, asked: Incoming, path: Mapping[str, str]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if "task_id" in path:
        given["id" if "id" in kind.fields else "taskId"] = path["task_id"]
    if "expectedVersion" in kind.fields and (version := _expected_version(asked)) is not None:
        given["expectedVersion"] = version
    if "force" in kind.fields and "force" in asked.args:
        given["force"] = _boolean("force", asked.args["force"])
    if not kind.fields.keys() - IN_HEADERS:  # then there is nothing to say in a body
        return given
    if "idempotencyKey" in kind.fields and "Idempotency-Key" in asked.headers:
        given["idempotencyKey"] = asked.headers["Idempotency-Key"].strip().strip('"')
    body = json_body(asked)
    if not isinstance(body, dict):
        raise BadUserInput("The body must be a JSON object.")
    if "title" in kind.fields:
        body = {name: value for name, value in body.items() if name not in READ_ONLY}
    return given | _object(kind, body)


def _object(kind: Any, body: Mapping[str, Any]) -> dict[str, Any]:
    """An object under the names that GraphQL has for its fields; BadUserInput for another name."""
    names = {snake(name): name for name in kind.fields if name not in IN_HEADERS}
    for name in body:
        if name not in names:
            raise BadUserInput(f"Unknown field: {name}", name)
    return {names[n]: _value(kind.fields[names[n]].type, value) for n, value in body.items()}


def _value(kind: Any, value: Any) -> Any:
    """A value as GraphQL spells it: names in camelCase, enum values in upper case."""
    kind = get_nullable_type(kind)
    if is_list_type(kind):
        several = isinstance(value, list)
        return [_value(kind.of_type, v) for v in value] if several else _value(kind.of_type, value)
    if isinstance(kind, GraphQLInputObjectType) and isinstance(value, dict):
        return _object(kind, value)
    if isinstance(kind, GraphQLEnumType) and isinstance(value, str):
        return value.upper()
    return value


class ListPage(NamedTuple):
    """A part of a list, as REST spells it."""

    tasks: list[dict[str, Any]]
    is_last: bool

    @classmethod
    def of(cls, page: Mapping[str, Any]) -> "ListPage":
        """The part that a connection is."""
        return cls(list(map(_spelled, page["nodes"])), not page["pageInfo"]["hasNextPage"])


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What a query string asks of the list."""

    variables: Mapping[str, Any]
    is_paged: bool
    same: str  # all of it but where the page begins

    @classmethod
    def of(cls, text: str) -> "ListQuery":
        """The query that a text is, most of which come again; BadUserInput if it is none."""
        return _remembered(text) if len(text) <= LONGEST_REMEMBERED else _list_query(text)

    def after(self, cursor: str) -> str:
        """The query string of the page after a cursor."""
        return f"{self.same}after={cursor}"  # whose alphabet needs no quotes


def _list_query(text: str) -> ListQuery:
    args = Incoming({"QUERY_STRING": text}, populate_request=False).args
    variables = _list_variables(args)
    same = urlencode([pair for pair in args.items(multi=True) if pair[0] != "after"])
    by_urgency = "urgency" in args.get("sort", "")
    is_paged = "limit" in args or "after" in args or by_urgency
    return ListQuery(variables, is_paged, f"{same}&" if same else "")


_remembered = lru_cache(REMEMBERED)(_list_query)


def _list_variables(args: MultiDict[str, str]) -> dict[str, Any]:
    for name in args:
        if name not in LIST_PARAMETERS:
            raise BadUserInput(f"Unknown parameter: {name}", name)
        if name not in SEVERAL and len(args.getlist(name)) > 1:
            raise BadUserInput(f"{name} can be given once only.", name)
    variables: dict[str, Any] = {}
    if only := _filter(args):
        variables["filter"] = only
    if "limit" in args:
        variables["first"] = _integer("limit", args["limit"])
    if "after" in args:
        variables["after"] = args["after"]
    if "sort" in args:
        if args["sort"] not in SORTS:
            raise BadUserInput(f"sort must be one of {', '.join(SORTS)}.", "sort")
        field, direction = SORTS[args["sort"]]
        variables["orderBy"] = {"field": field, "direction": direction}
    return variables


def _filter(args: MultiDict[str, str]) -> dict[str, Any]:
    texts = {"due_before": "dueBefore", "due_after": "dueAfter", "search": "search"}
    given: dict[str, Any] = {field: args[name] for name, field in texts.items() if name in args}
    for name in ("status", "priority"):
        if name in args:
            given[name] = ",".join(args.getlist(name)).upper().split(",")
    if "ready" in args:
        given["ready"] = _boolean("ready", args["ready"])
    if "tag" in args:  # a tag may have a comma in it
        given["tags"] = args.getlist("tag")
    return given


def _boolean(name: str, text: str) -> bool:
    if text not in BOOLEANS:
        raise BadUserInput(f"{name} must be true or false.", name)
    return BOOLEANS[text]


def _integer(name: str, text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise BadUserInput(f"{name} must be a whole number.", name)
    return int(text)


def _expected_version(asked: Incoming) -> int | None:
    """The version that If-Match names; what cannot match is a conflict with every version."""
    header = asked.headers.get("If-Match", "*").strip()
    if header == "*":
        return None
    tag = _ENTITY_TAG.fullmatch(header)
    if tag is None:
        raise BadUserInput('If-Match must be one entity tag, such as "3".', "If-Match")
    weak, version = tag.groups()
    return int(version) if not weak and _VERSION.fullmatch(version) else 0


def _problem(route: Route, error: AppError) -> Response:
    message, details = error.render(partial(_name, route), str.lower)
    status = PRECONDITION_FAILED if _is_version_conflict(error) else error.status
    return problem(status, error.code, message, **details)


def _name(route: Route, name: str) -> str:
    """The name that a route has for a field, of which the schema's or Python's is given."""
    own = snake(name)
    return {**HEADERS, **route.names}.get(own, own)


def _is_version_conflict(error: AppError) -> bool:
    return isinstance(error, Conflict) and error.field == "expected_version"
