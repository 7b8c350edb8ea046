"""The tools of MCP: each has a name, a purpose, and an operation of mcp.graphql.

Arguments and results follow from the operation. Nothing is checked here that the operation checks.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from graphql import (
    GraphQLEnumType,
    GraphQLInputType,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_non_null_type,
)

from graphql_api.api.rest.operations import Operation, Operations, snake_case, wording
from graphql_api.api.rest.serializers import Serializer, serializer
from graphql_api.errors import BadUserInput

SOURCE = (Path(__file__).parent / "mcp.graphql").read_text()
DRY_RUN, EXPECTED_WEEKDAY = "dry_run", "expected_weekday"
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

_TYPES = {"Int": "integer", "Float": "number", "Boolean": "boolean"}
_FORMATS = {"DateTime": "date-time", "Date": "date"}


def as_json(result: Mapping[str, Any]) -> str:
    """A result as text."""
    return orjson.dumps(result).decode()


@dataclass(frozen=True)
class Tool:
    """A tool and the name of its operation. One that reads neither destroys nor needs a rehearsal.

    `idempotent`: the same call again changes nothing more.
    """

    name: str
    operation: str
    description: str
    reads: bool = False
    destroys: bool = False
    idempotent: bool = False
    dated: bool = False  # takes expected_weekday
    told: Callable[[Mapping[str, Any]], str] = as_json  # the result's text


def _now(result: Mapping[str, Any]) -> str:
    """The text of what to do now, for clients that read no other: with ids, in few bytes."""
    if "task" not in result:
        return "There is nothing to do now."
    task, others = result["task"], result.get("alternatives", ())
    reasons = " ".join(each["text"] for each in result.get("reasons", ()))
    rest = "".join(f" Or: {each['task']['title']} ({each['task']['id']})." for each in others)
    return f"{task['title']} ({task['id']}, version {task['version']}). {reasons}{rest}"


TOOLS = (
    Tool(
        "what_now",
        "WhatNow",
        "The task to do now, why, and two others; minutes: how many there are.",
        reads=True,
        told=_now,
    ),
    Tool(
        "find_tasks",
        "FindTasks",
        "Find tasks. All words of search have to match. Newest first; pass next_cursor as cursor.",
        reads=True,
    ),
    Tool(
        "add_task",
        "AddTask",
        "Create a task.",
        dated=True,
    ),
    Tool(
        "change_task",
        "ChangeTask",
        "Change fields of a task; others stay. For due dates use reschedule.",
        idempotent=True,
        destroys=True,
    ),
    Tool(
        "complete_task",
        "CompleteTask",
        "Complete a task. If it recurs, next is the next one.",
        idempotent=True,
    ),
    Tool(
        "reschedule",
        "Reschedule",
        "Move a due date: due_at, an instant, or due_on, a day. null clears it.",
        idempotent=True,
        destroys=True,
        dated=True,
    ),
    Tool(
        "preview_plan",
        "PreviewPlan",
        "Plan open tasks with durations; writes nothing.",
        reads=True,
    ),
    Tool(
        "apply_plan",
        "ApplyPlan",
        "Apply a previewed plan: the same from and horizon_days, and its input_hash.",
        idempotent=True,
        destroys=True,
    ),
    Tool(
        "changes_since",
        "ChangesSince",
        "What has happened after a cursor, by whom. Keep end_cursor for the next time.",
        reads=True,
    ),
    Tool(
        "undo",
        "Undo",
        "Take a change back, by its id from changes_since; a deletion, too.",
        idempotent=True,
        destroys=True,
    ),
    Tool(
        "list_projects",
        "ListProjects",
        "The projects, and how many open tasks each has.",
        reads=True,
    ),
    Tool(
        "quick_add",
        "QuickAdd",
        "Create a task from a line: Pay rent tomorrow 17:00 every month #home !high ~30m",
        dated=True,
    ),
)


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a tool: the variable of the operation that it becomes, and its type."""

    variable: str
    type: GraphQLInputType
    is_required: bool

    def value(self, given: Any) -> Any:
        """The variable's value, with enums as GraphQL spells them."""
        if isinstance(get_named_type(self.type), GraphQLEnumType):
            return list(map(_upper, given)) if isinstance(given, list) else _upper(given)
        return given

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the argument."""
        named = get_named_type(self.type)
        one: dict[str, Any] = {"type": _TYPES.get(named.name, "string")}
        if isinstance(named, GraphQLEnumType):
            one["enum"] = [value.lower() for value in named.values]
        if named.name in _FORMATS:
            one["format"] = _FORMATS[named.name]
        if is_list_type(get_nullable_type(self.type)):
            return {"type": "array", "items": one}
        return one


class BoundTool:
    """A tool with what its operation says of arguments and results."""

    def __init__(self, tool: Tool, operation: Operation) -> None:
        self.tool, self.operation = tool, operation
        self.wording = wording(operation.names)  # of its errors
        self._arguments = {
            snake_case(name): Argument(name, type_, is_non_null_type(type_))
            for name, type_ in operation.variables.items()
        }
        selected = operation.result
        if operation.is_connection and (items := selected.fields["nodes"].selection):
            selected = items
        self._serialize: Serializer = serializer(selected)

    @property
    def described(self) -> dict[str, Any]:
        """The tool as `tools/list` has it."""
        tool = self.tool
        hints = {"readOnlyHint": tool.reads}
        if not tool.reads:
            hints |= {"destructiveHint": tool.destroys}
        if tool.idempotent:  # else it is not, by default
            hints |= {"idempotentHint": True}
        required = [name for name, each in self._arguments.items() if each.is_required]
        return {
            "name": tool.name,
            "description": tool.description,
            "inputSchema": {
                "type": "object",
                "properties": dict(self._properties()),
                **({"required": required} if required else {}),
                "additionalProperties": False,
            },
            "annotations": hints,
        }

    def _properties(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for name, argument in self._arguments.items():
            yield name, argument.schema
        if self.tool.dated:
            yield EXPECTED_WEEKDAY, {"type": "string", "enum": WEEKDAYS}
        if not self.tool.reads:
            yield DRY_RUN, {"type": "boolean"}

    def variables(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The operation's variables. Raises BadUserInput for arguments that there are not."""
        known = [name for name, _ in self._properties()]
        for name in arguments:
            if name not in known:
                raise BadUserInput(
                    f"{self.tool.name} has no argument {name[:50]!r}; it has {', '.join(known)}.",
                    "arguments",
                )
        return {
            self._arguments[name].variable: self._arguments[name].value(given)
            for name, given in arguments.items()
            if name in self._arguments
        }

    def shown(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The result in the data of an answer; a page of a list has `items` and `next_cursor`."""
        found = self.operation.result_of(data)
        if self.operation.is_connection:
            info = found["page_info"]
            page = {"items": list(map(self._serialize, found["nodes"]))}
            return _short({**page, "next_cursor": info["has_next_page"] and info["end_cursor"]})
        return _short(self._serialize(found))


def bound_tools(operations: Operations) -> dict[str, BoundTool]:
    """The tools by name, with their operations."""
    return {tool.name: BoundTool(tool, operations[tool.operation]) for tool in TOOLS}


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


def _short(value: dict[str, Any]) -> dict[str, Any]:
    """The value without what is empty, within it, too; lists at the top stay."""
    return {
        name: _shorter(each)
        for name, each in value.items()
        if each not in (None, False) and (each != [] or name in {"items", "nodes"})
    }


def _shorter(value: Any) -> Any:
    if isinstance(value, list):
        return [_shorter(each) for each in value]
    if isinstance(value, dict):
        return {name: _shorter(each) for name, each in value.items() if each not in (None, [])}
    return value
