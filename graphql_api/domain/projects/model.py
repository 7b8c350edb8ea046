"""The project: its fields, and the rules of its changes. Pure."""

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime
from enum import Enum
from typing import Any

from graphql_api import clock
from graphql_api.domain.changes.model import Actor
from graphql_api.domain.records import Check, checked_id, immutable
from graphql_api.domain.subtasks.positions import checked_position, last_position
from graphql_api.domain.tasks.model import Task, TaskPriority
from graphql_api.domain.text import is_invisible
from graphql_api.errors import FIELD, BadUserInput
from graphql_api.ids import EPOCH, new_id

MAX_PROJECTS = 500  # of a user, archived ones included: one read has them all
MAX_NAME_LENGTH = 100  # characters, without surrounding space

_COLOR = re.compile(r"#[0-9a-f]{6}")


class TaskFate(Enum):
    """The fate of the tasks of a project that is deleted."""

    MOVE = "move"
    DELETE = "delete"
    KEEP = "keep"


@immutable
class ProjectDeletion:
    """A deletion that has begun: what becomes of the tasks, and who wants it."""

    tasks: TaskFate
    move_to: str | None  # the id of a project
    actor: Actor


@immutable
class TaskDefaults:
    """Values of new tasks of a project, for fields that are not given; None where it has none."""

    priority: TaskPriority | None = None
    tags: tuple[str, ...] | None = None
    duration_minutes: int | None = None

    @property
    def values(self) -> dict[str, Any]:
        """The values by field."""
        named = {name: getattr(self, name) for name in DEFAULT_FIELDS}
        return {name: value for name, value in named.items() if value is not None}


DEFAULT_FIELDS = tuple(field.name for field in fields(TaskDefaults))
NO_DEFAULTS = TaskDefaults()


@immutable
class Project:
    """A list of a user's tasks. Methods that change it return the next state.

    Projects sort by `position`, a text between any two of which there is room for another one.
    While its tasks are moved or deleted, a project that is deleted is still stored, with its
    `deletion`; nobody sees it any more.
    """

    user_id: str
    project_id: str
    name: str
    color: str | None
    position: str
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int
    deletion: ProjectDeletion | None = None
    defaults: TaskDefaults = NO_DEFAULTS

    @classmethod
    def new(cls, user_id: str, values: Mapping[str, Any], now: datetime) -> "Project":
        """A new project, behind the others. Raises BadUserInput."""
        at = clock.milliseconds(now)
        fields = {name: value for name, value in values.items() if value is not None}
        return cls(
            user_id=user_id,
            project_id=new_id(now),
            **{"color": None, "position": last_position(now), **_checked(fields)},
            archived_at=None,
            created_at=at,
            updated_at=at,
            version=1,
        )

    @classmethod
    def from_import(cls, user_id: str, values: Mapping[str, Any]) -> "Project":
        """A project as it was exported, with its id, times and version. Raises BadUserInput."""
        project = cls(user_id=user_id, **{**values, **_checked({n: values[n] for n in _CHECKS})})
        checked_id("project_id", project.project_id)
        return project

    def edit(self, values: Mapping[str, Any], now: datetime) -> "Project":
        """The project with these values, itself if nothing changes; None clears what may be empty.

        Raises BadUserInput.
        """
        for name, value in values.items():
            if value is None and name not in _EMPTY:
                raise BadUserInput(f"{FIELD} cannot be null.", name)
        given = {n: _EMPTY[n] if value is None else value for n, value in values.items()}
        return self._with(_checked(given), now)

    def archive(self, now: datetime) -> "Project":
        """The project put away; itself if it is already."""
        at = self.archived_at or clock.milliseconds(now)
        return self._with({"archived_at": at}, now)

    def unarchive(self, now: datetime) -> "Project":
        """The project taken out again; itself if it is not archived."""
        return self._with({"archived_at": None}, now)

    def delete(self, deletion: ProjectDeletion, now: datetime) -> "Project":
        """The project while its tasks are moved or deleted."""
        return self._with({"deletion": deletion}, now)

    def _with(self, values: Mapping[str, Any], now: datetime) -> "Project":
        after = replace(self, **values)
        if after == self:
            return self
        return replace(after, updated_at=clock.milliseconds(now), version=self.version + 1)

    @property
    def order(self) -> tuple[str, str]:
        """The sort key among the user's projects."""
        return self.position, self.project_id


def check_target(deletion: ProjectDeletion, project_id: str) -> None:
    """Raise BadUserInput unless tasks that are moved, and only those, have somewhere to go."""
    if (deletion.tasks is TaskFate.MOVE) is (deletion.move_to is None):
        raise BadUserInput(
            f"{FIELD} goes with tasks that are moved, and only with them.", "move_to"
        )
    if deletion.move_to == project_id:
        raise BadUserInput("Tasks cannot be moved to the project that is deleted.", "move_to")


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Apply the rule of each field. Raises BadUserInput."""
    return {n: _CHECKS[n](n, value) if value is not None else None for n, value in values.items()}


def _name(field: str, text: str) -> str:
    name = text.strip()
    if not 1 <= len(name) <= MAX_NAME_LENGTH:
        raise BadUserInput(f"A name must have 1 to {MAX_NAME_LENGTH} characters.", field)
    if is_invisible(name):
        raise BadUserInput("A name must have a visible character.", field)
    return name


def _color(field: str, text: str) -> str:
    color = text.lower()
    if not _COLOR.fullmatch(color):
        raise BadUserInput(f"{FIELD} must be like #1e90ff.", field)
    return color


def _defaults(_: str, defaults: TaskDefaults) -> TaskDefaults:
    """The defaults as a task has them. Raises BadUserInput for what no task can have."""
    task = Task.new("", {"title": "x", **defaults.values}, EPOCH)
    return TaskDefaults(**{name: getattr(task, name) for name in defaults.values})


_CHECKS: Mapping[str, Check] = {
    "name": _name,
    "color": _color,
    "position": checked_position,
    "defaults": _defaults,
}
_EMPTY: Mapping[str, Any] = {"color": None, "defaults": NO_DEFAULTS}  # what null stands for
