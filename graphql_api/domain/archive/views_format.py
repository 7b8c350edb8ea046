"""Saved views in the JSON document of export and import, with the names and values of REST.

{"view_id": …, "name": …, "filter": {"tags": […], "not": {…}, …},
 "order_by": {"field": …, "direction": …}, "created_at": …, "updated_at": …, "version": …}
"""

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from enum import Enum
from typing import Any

from graphql_api import clock
from graphql_api.domain.tasks.filters import OrderDirection, TaskFilter, TaskOrder, TaskOrderField
from graphql_api.domain.tasks.model import TaskPriority, TaskStatus
from graphql_api.domain.views.model import SavedView
from graphql_api.errors import BadUserInput

Json = dict[str, Any]

_ENUMS: dict[str, type[Enum]] = {"status": TaskStatus, "priority": TaskPriority}
_NAMES = {field.name: field.name.rstrip("_") for field in fields(TaskFilter)}


def entry(view: SavedView) -> Json:
    """The entry of a view."""
    return {
        "view_id": view.view_id,
        "name": view.name,
        "filter": _filter_entry(view.filter),
        "order_by": {
            "field": view.order_by.field.value,
            "direction": view.order_by.direction.value,
        },
        "created_at": clock.text(view.created_at),
        "updated_at": clock.text(view.updated_at),
        "version": view.version,
    }


def _filter_entry(filter: TaskFilter) -> Json:
    given = {spelled: getattr(filter, name) for name, spelled in _NAMES.items()}
    return {name: _plain(value) for name, value in given.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(map(_plain, value))
    if isinstance(value, TaskFilter):
        return _filter_entry(value)
    if isinstance(value, Enum):
        return value.value
    return clock.text(value) if isinstance(value, datetime) else value


def view(user_id: str, entry: Any) -> SavedView:
    """Convert an entry to a view of this user. Raises BadUserInput."""
    try:
        order = entry["order_by"]
        values = {
            "view_id": entry["view_id"],
            "name": entry["name"],
            "filter": _filter(entry["filter"]),
            "order_by": TaskOrder(
                TaskOrderField(order["field"]), OrderDirection(order["direction"])
            ),
            "created_at": clock.parse(entry["created_at"]),
            "updated_at": clock.parse(entry["updated_at"]),
            "version": int(entry["version"]),
        }
        return SavedView.from_import(user_id, values)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadUserInput(f"This is no view: {error!r}") from None


def _filter(entry: Json) -> TaskFilter:
    fields = {name: entry[spelled] for name, spelled in _NAMES.items() if spelled in entry}
    if unknown := entry.keys() - set(_NAMES.values()):
        raise ValueError(f"unknown conditions: {', '.join(sorted(unknown))}")
    return TaskFilter(**{name: _reader(name)(value) for name, value in fields.items()})


def _reader(name: str) -> Callable[[Any], Any]:
    """The reader of a condition's value."""
    if name in {"and_", "or_"}:
        return lambda value: tuple(map(_filter, value))
    if name == "not_":
        return _filter
    if name in _ENUMS:
        return lambda value: tuple(map(_ENUMS[name], value))
    if name.endswith(("_before", "_after")):
        return clock.parse
    return lambda value: tuple(value) if isinstance(value, list) else value
