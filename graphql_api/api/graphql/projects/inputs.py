"""The input types of the project operations."""

from typing import Any

import strawberry
from strawberry import UNSET

from graphql_api.api.graphql.strawberry_extras import bounds_metadata, describe_enum, provided
from graphql_api.api.graphql.tasks.enums import TaskPriority
from graphql_api.domain.projects.model import (
    MAX_NAME_LENGTH,
    MAX_PROJECTS,
    TaskDefaults,
    TaskFate,
)
from graphql_api.domain.subtasks.positions import MAX_POSITION_LENGTH
from graphql_api.domain.tasks.model import MAX_MINUTES

describe_enum(
    TaskFate,
    "What becomes of the tasks of a project that is deleted.",
    MOVE="They are put into another project, `moveTo`.",
    DELETE="They are deleted.",
    KEEP="They stay, in no project.",
)

_NAME = f"The name, of 1 to {MAX_NAME_LENGTH} characters."
_COLOR = "A colour, such as `#1e90ff`."
_DEFAULTS = "Values of new tasks of the project, for fields that are not given."


@strawberry.input(description="Values of new tasks of a project, for fields that are not given.")
class TaskDefaultsInput:
    priority: TaskPriority | None = strawberry.field(default=UNSET, description="The priority.")
    tags: list[str] | None = strawberry.field(default=UNSET, description="The tags.")
    duration_minutes: int | None = strawberry.field(
        default=UNSET,
        description=f"The estimated minutes of work, 0 to {MAX_MINUTES:,}.",
        metadata=bounds_metadata((0, MAX_MINUTES)),
    )


def values_of(given: object) -> dict[str, Any]:
    """The provided fields of an input, with the defaults as the domain has them."""
    fields = provided(vars(given))
    if fields.get("defaults") is not None:
        fields["defaults"] = TaskDefaults(**provided(vars(fields["defaults"])))
    return fields


@strawberry.input(description=f"A new project, of which a user may have {MAX_PROJECTS}.")
class CreateProjectInput:
    name: str = strawberry.field(description=_NAME)
    color: str | None = strawberry.field(default=UNSET, description=_COLOR)
    defaults: TaskDefaultsInput | None = strawberry.field(default=UNSET, description=_DEFAULTS)


@strawberry.input
class _ProjectWrite:
    id: strawberry.ID = strawberry.field(description="The project's id.")
    expected_version: int | None = strawberry.field(
        default=UNSET,
        description="The version that it must have; it is a CONFLICT if it has another one.",
    )


@strawberry.input(description="A change of a project. Absent fields stay as they are.")
class UpdateProjectInput(_ProjectWrite):
    name: str | None = strawberry.field(default=UNSET, description=f"{_NAME} Cannot be null.")
    color: str | None = strawberry.field(default=UNSET, description=f"{_COLOR} Null clears it.")
    defaults: TaskDefaultsInput | None = strawberry.field(
        default=UNSET,
        description=f"{_DEFAULTS} They take the place of all before; null clears them.",
    )
    position: str | None = strawberry.field(
        default=UNSET,
        description=(
            "The place among the user's projects, which sort by this text, character by character:"
            f" 1 to {MAX_POSITION_LENGTH} of 0-9, A-Z and a-z. Cannot be null."
        ),
    )


@strawberry.input(description="The project to put away.")
class ArchiveProjectInput(_ProjectWrite):
    pass


@strawberry.input(description="The project to take out again.")
class UnarchiveProjectInput(_ProjectWrite):
    pass


@strawberry.input(description="The project to delete, and what becomes of its tasks.")
class DeleteProjectInput(_ProjectWrite):
    tasks: TaskFate = strawberry.field(description="What becomes of its tasks.")
    move_to: strawberry.ID | None = strawberry.field(
        default=UNSET, description="With `MOVE`: the id of the project that gets them."
    )
