"""The input types of the task operations."""

from datetime import datetime

import strawberry
from strawberry import UNSET

from graphql_api.api.graphql.strawberry_extras import CONDITION, provided
from graphql_api.api.graphql.tasks.enums import (
    OrderDirection,
    TaskOrderField,
    TaskPriority,
    TaskStatus,
)
from graphql_api.api.graphql.tasks.fields import changed_field, new_task_field, with_task_fields
from graphql_api.domain.dependencies.model import MAX_BLOCKERS
from graphql_api.domain.tasks import filters, model
from graphql_api.domain.tasks.service import MAX_ITEMS, MAX_KEY_LENGTH


@strawberry.input(description="Conditions on tasks, all of which have to hold.")
class TaskFilter:
    status: list[TaskStatus] | None = strawberry.field(
        default=UNSET, description="The status is one of these."
    )
    priority: list[TaskPriority] | None = strawberry.field(
        default=UNSET, description="The priority is one of these."
    )
    tags: list[str] | None = strawberry.field(
        default=UNSET,
        description=f"The task has one of these tags, at most {model.MAX_TAGS}.",
        metadata=CONDITION,
    )
    due_before: datetime | None = strawberry.field(
        default=UNSET, description="The due date is before this instant."
    )
    due_after: datetime | None = strawberry.field(
        default=UNSET, description="The due date is at this instant or later."
    )
    search: str | None = strawberry.field(
        default=UNSET, description="The title or the description contains this text, in any case."
    )
    ready: bool | None = strawberry.field(
        default=UNSET,
        description="`isReady` is this: the task is open and has no open blockers, or not.",
    )

    def conditions(self) -> filters.TaskFilter:
        """The filter as the domain has it. Raises BadUserInput."""
        return filters.TaskFilter(**provided(vars(self)))


@strawberry.input(description="An order of tasks.")
class TaskOrder:
    field: TaskOrderField = strawberry.field(description="The field to sort by.")
    direction: OrderDirection = strawberry.field(description="The direction.")


@strawberry.input(description="A new task.")
@with_task_fields(new_task_field)
class CreateTaskInput:
    idempotency_key: str | None = strawberry.field(
        default=UNSET,
        description=(
            f"A random text of 1 to {MAX_KEY_LENGTH} characters. For 24 hours, requests with the"
            " same key and the same content return the same task, which is created once."
        ),
    )


@strawberry.input
class _TaskWrite:
    id: strawberry.ID = strawberry.field(description="The task's id.")
    expected_version: int | None = strawberry.field(
        default=UNSET,
        description="The version that the task must have; it is a CONFLICT if it has another one.",
    )


@strawberry.input(
    description="A change of a task. Absent fields stay as they are; null clears a field."
)
@with_task_fields(changed_field)
class UpdateTaskInput(_TaskWrite):
    merge_disjoint: bool | None = strawberry.field(
        default=UNSET,
        description=(
            "With `expectedVersion`: apply the change to a later version too, unless one of its"
            " fields has been changed since; then CONFLICT names these fields."
        ),
    )
    force: bool | None = strawberry.field(
        default=UNSET,
        description="Complete the task even if it has open blockers, which is a CONFLICT else.",
    )


@strawberry.input(description="A task and its blockers.")
class BlockersInput:
    task_id: strawberry.ID = strawberry.field(description="The id of the blocked task.")
    blocker_ids: list[strawberry.ID] = strawberry.field(
        description=f"The ids of 1 to {MAX_BLOCKERS} tasks that block it."
    )


@strawberry.input(description="The task to delete.")
class DeleteTaskInput(_TaskWrite):
    pass


@strawberry.input(description="Several new tasks.")
class CreateTasksInput:
    tasks: list[CreateTaskInput] = strawberry.field(description=f"1 to {MAX_ITEMS} new tasks.")


@strawberry.input(description="Changes of several tasks.")
class UpdateTasksInput:
    tasks: list[UpdateTaskInput] = strawberry.field(description=f"1 to {MAX_ITEMS} changes.")


@strawberry.input(description="The tasks to delete.")
class DeleteTasksInput:
    tasks: list[DeleteTaskInput] = strawberry.field(description=f"1 to {MAX_ITEMS} tasks.")
