"""The saved view: its fields, and the rules of its changes. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from graphql_api import clock
from graphql_api.domain.records import checked_id, immutable
from graphql_api.domain.tasks.filters import TaskFilter, TaskOrder
from graphql_api.domain.text import is_invisible
from graphql_api.errors import FIELD, BadUserInput
from graphql_api.ids import new_id

MAX_VIEWS = 50  # of a user: one read has them all
MAX_NAME_LENGTH = 100  # characters, without surrounding space


@immutable
class SavedView:
    """A filter and an order of tasks, under a name. Methods that change it return the next state.

    The filter is kept as it was given, and checked again whenever it is read.
    """

    user_id: str
    view_id: str
    name: str
    filter: TaskFilter
    order_by: TaskOrder
    created_at: datetime
    updated_at: datetime
    version: int

    @classmethod
    def new(cls, user_id: str, values: Mapping[str, Any], now: datetime) -> "SavedView":
        """A new view. Raises BadUserInput."""
        at = clock.milliseconds(now)
        fields = {"filter": TaskFilter(), "order_by": TaskOrder(), **_given(values)}
        return cls(
            user_id=user_id,
            view_id=new_id(now),
            **fields,
            created_at=at,
            updated_at=at,
            version=1,
        )

    @classmethod
    def from_import(cls, user_id: str, values: Mapping[str, Any]) -> "SavedView":
        """A view as it was exported, with its id, times and version. Raises BadUserInput."""
        checked_id("view_id", values["view_id"])
        return cls(user_id=user_id, **{**values, "name": _name(values["name"])})

    def edit(self, values: Mapping[str, Any], now: datetime) -> "SavedView":
        """The view with these values, itself if nothing changes; None stands for what is initial.

        Raises BadUserInput.
        """
        if "name" in values and values["name"] is None:
            raise BadUserInput(f"{FIELD} cannot be null.", "name")
        initial = {"filter": TaskFilter(), "order_by": TaskOrder()}
        cleared = {n: initial[n] for n, value in values.items() if value is None}
        after = replace(self, **{**_given(values), **cleared})
        if after == self:
            return self
        return replace(after, updated_at=clock.milliseconds(now), version=self.version + 1)

    def narrowed(self, more: TaskFilter | None) -> TaskFilter:
        """The filter, together with further conditions. Raises BadUserInput if it is too large."""
        if more is None or more == TaskFilter():
            return self.filter
        return more if self.filter == TaskFilter() else TaskFilter(and_=(self.filter, more))

    @property
    def project_ids(self) -> tuple[str, ...]:
        """The ids of the projects that its filter names."""
        named = (project for each in self.filter.every for project in each.project_ids or ())
        return tuple(dict.fromkeys(named))


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are not None, with the name as it is kept. Raises BadUserInput."""
    given = {name: value for name, value in values.items() if value is not None}
    return {**given, "name": _name(given["name"])} if "name" in given else given


def _name(text: str) -> str:
    name = text.strip()
    if not 1 <= len(name) <= MAX_NAME_LENGTH:
        raise BadUserInput(f"A name must have 1 to {MAX_NAME_LENGTH} characters.", "name")
    if is_invisible(name):
        raise BadUserInput("A name must have a visible character.", "name")
    return name
