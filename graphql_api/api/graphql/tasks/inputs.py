"""The input types of the task operations."""

from datetime import datetime

import strawberry
from strawberry import UNSET

from graphql_api.api.graphql.strawberry_extras import provided
from graphql_api.api.graphql.tasks.enums import (
    DeadlineType,
    OrderDirection,
    TaskOrderField,
    TaskPriority,
    TaskStatus,
)
from graphql_api.domain.tasks import dependencies, filters, model
from graphql_api.domain.tasks.service import KEY_LENGTH, MOST_ITEMS


@strawberry.input(description="Which tasks to list: those that meet every condition given.")
class TaskFilter:
    status: list[TaskStatus] | None = strawberry.field(
        default=UNSET, description="The status is one of these."
    )
    priority: list[TaskPriority] | None = strawberry.field(
        default=UNSET, description="The priority is one of these."
    )
    tags: list[str] | None = strawberry.field(
        default=UNSET, description=f"One of the tags is one of these, at most {model.TAGS}."
    )
    due_before: datetime | None = strawberry.field(
        default=UNSET, description="The due date is before this instant."
    )
    due_after: datetime | None = strawberry.field(
        default=UNSET, description="The due date is this instant or after it."
    )
    search: str | None = strawberry.field(
        default=UNSET, description="The title or the description has this text, in any case."
    )

    ready: bool | None = strawberry.field(
        default=UNSET, description="`isReady` is this: open without open blockers, or not."
    )

    def conditions(self) -> filters.TaskFilter:
        """The filter as the model knows it."""
        return filters.TaskFilter(**provided(vars(self)))


@strawberry.input(description="An order of tasks.")
class TaskOrder:
    field: TaskOrderField = strawberry.field(description="What to sort by.")
    direction: OrderDirection = strawberry.field(description="Which end comes first.")


@strawberry.input(description="A new task.")
class CreateTaskInput:
    title: str = strawberry.field(
        description=f"What is to be done, in 1 to {model.TITLE_LENGTH} characters."
    )
    description: str | None = strawberry.field(
        default=UNSET, description=f"More about it, at most {model.DESCRIPTION_BYTES} bytes."
    )
    status: TaskStatus | None = strawberry.field(
        default=UNSET, description="Where it stands; PENDING without it."
    )
    priority: TaskPriority | None = strawberry.field(
        default=UNSET, description="How much it matters; MEDIUM without it."
    )
    due_at: datetime | None = strawberry.field(
        default=UNSET, description="When it is to be done, to the millisecond."
    )
    tags: list[str] | None = strawberry.field(
        default=UNSET,
        description=f"At most {model.TAGS} labels of 1 to {model.TAG_LENGTH} characters.",
    )
    duration_minutes: int | None = strawberry.field(
        default=UNSET,
        description=f"How many minutes of work it is: 0 to {model.LONGEST}; unknown without it.",
    )
    not_before: datetime | None = strawberry.field(
        default=UNSET, description="It cannot be begun before this instant."
    )
    deadline_type: DeadlineType | None = strawberry.field(
        default=UNSET, description="What `dueAt` means; SOFT without it."
    )
    min_chunk_minutes: int | None = strawberry.field(
        default=UNSET,
        description=(
            f"It may be done in pieces of so many minutes or more, at most {model.LONGEST};"
            " 0, and without it: never split."
        ),
    )
    planned_start: datetime | None = strawberry.field(
        default=UNSET, description="When it is planned to be begun; goes with `plannedEnd`."
    )
    planned_end: datetime | None = strawberry.field(
        default=UNSET, description="When it is planned to be done: `plannedStart` or after it."
    )
    idempotency_key: str | None = strawberry.field(
        default=UNSET,
        description=(
            f"A text of 1 to {KEY_LENGTH} characters, chosen at random: the same key with the same"
            " content gives the same task for 24 hours, however often it is sent."
        ),
    )


@strawberry.input(
    description="A change of a task: an absent field stays as it is, null clears what can be empty."
)
class UpdateTaskInput:
    id: strawberry.ID = strawberry.field(description="The task's id.")
    expected_version: int | None = strawberry.field(
        default=UNSET,
        description="The version that this change is meant for; CONFLICT if it is another now.",
    )
    title: str | None = strawberry.field(
        default=UNSET, description="What is to be done; cannot be null."
    )
    description: str | None = strawberry.field(
        default=UNSET, description="More about it; null clears it."
    )
    status: TaskStatus | None = strawberry.field(
        default=UNSET, description="Where it stands; cannot be null."
    )
    priority: TaskPriority | None = strawberry.field(
        default=UNSET, description="How much it matters; cannot be null."
    )
    due_at: datetime | None = strawberry.field(
        default=UNSET, description="When it is to be done; null clears it."
    )
    tags: list[str] | None = strawberry.field(
        default=UNSET, description="All its labels; null clears them."
    )
    duration_minutes: int | None = strawberry.field(
        default=UNSET,
        description=f"How many minutes of work it is: 0 to {model.LONGEST}; null if nobody knows.",
    )
    not_before: datetime | None = strawberry.field(
        default=UNSET, description="It cannot be begun before this instant; null clears it."
    )
    deadline_type: DeadlineType | None = strawberry.field(
        default=UNSET, description="What `dueAt` means; cannot be null."
    )
    min_chunk_minutes: int | None = strawberry.field(
        default=UNSET,
        description=(
            f"It may be done in pieces of so many minutes or more, at most {model.LONGEST};"
            " 0: never split; cannot be null."
        ),
    )
    planned_start: datetime | None = strawberry.field(
        default=UNSET,
        description="When it is planned to be begun; goes with `plannedEnd`, null clears it.",
    )
    planned_end: datetime | None = strawberry.field(
        default=UNSET,
        description="When it is planned to be done; goes with `plannedStart`, null clears it.",
    )

    merge_disjoint: bool | None = strawberry.field(
        default=UNSET,
        description=(
            "With `expectedVersion`: apply the change to a later version too, unless one of its"
            " fields has been changed since; then CONFLICT names these fields."
        ),
    )
    force: bool | None = strawberry.field(
        default=UNSET,
        description="Complete it even if a blocker is open; else that is a CONFLICT.",
    )


@strawberry.input(description="Blockers of a task.")
class BlockersInput:
    task_id: strawberry.ID = strawberry.field(description="The task that waits.")
    blocker_ids: list[strawberry.ID] = strawberry.field(
        description=f"1 to {dependencies.BLOCKERS} tasks that have to be done before it."
    )


@strawberry.input(description="Which task to delete.")
class DeleteTaskInput:
    id: strawberry.ID = strawberry.field(description="The task's id.")
    expected_version: int | None = strawberry.field(
        default=UNSET,
        description="The version that is meant; CONFLICT if it is another now.",
    )


@strawberry.input(description="Several new tasks.")
class CreateTasksInput:
    tasks: list[CreateTaskInput] = strawberry.field(description=f"1 to {MOST_ITEMS} tasks.")


@strawberry.input(description="Changes of several tasks.")
class UpdateTasksInput:
    tasks: list[UpdateTaskInput] = strawberry.field(description=f"1 to {MOST_ITEMS} changes.")


@strawberry.input(description="Which tasks to delete.")
class DeleteTasksInput:
    tasks: list[DeleteTaskInput] = strawberry.field(description=f"1 to {MOST_ITEMS} tasks.")
