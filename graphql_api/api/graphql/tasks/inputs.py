"""The input types of the task operations."""

from datetime import datetime
from typing import Any, Optional

import strawberry
from strawberry import UNSET

from graphql_api.api.graphql.recurrence.inputs import RecurrenceInput
from graphql_api.api.graphql.strawberry_extras import (
    CONDITION,
    bounds_metadata,
    idempotency_key,
    provided,
)
from graphql_api.api.graphql.tasks.enums import (
    OrderDirection,
    TaskOrderField,
    TaskPriority,
    TaskStatus,
)
from graphql_api.api.graphql.tasks.fields import changed_field, new_task_field, with_task_fields
from graphql_api.domain.dependencies.model import MAX_BLOCKERS
from graphql_api.domain.tasks import filters, model
from graphql_api.domain.tasks.service import MAX_ITEMS


def _instant(text: str) -> Any:
    """A condition on an instant."""
    return strawberry.field(default=UNSET, description=text)


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
        description=f"The task has one of these tags, in any case, at most {model.MAX_TAGS}.",
        metadata=CONDITION,
    )
    tags_all: list[str] | None = strawberry.field(
        default=UNSET,
        description=f"The task has all of these tags, in any case, at most {model.MAX_TAGS}.",
        metadata=CONDITION,
    )
    no_tags: bool | None = strawberry.field(
        default=UNSET, description="The task has no tags; false: it has some."
    )
    due_before: datetime | None = _instant(
        "The due date, or the end of the due day, is before this instant."
    )
    due_after: datetime | None = _instant(
        "The due date, or the end of the due day, is at this instant or later."
    )
    due_within_days: int | None = strawberry.field(
        default=UNSET,
        description=(
            "The due date or day is from now to the end of the day that is so many days after"
            f" today, in the user's time zone: 0 for today, at most {filters.MAX_DAYS:,}."
        ),
        metadata=bounds_metadata((0, filters.MAX_DAYS)),
    )
    overdue: bool | None = strawberry.field(
        default=UNSET, description="The task is open and its due date or day has passed, or not."
    )
    no_due: bool | None = strawberry.field(
        default=UNSET, description="The task has no due date or day; false: it has one."
    )
    created_before: datetime | None = _instant("The task was created before this instant.")
    created_after: datetime | None = _instant("The task was created at this instant or later.")
    updated_before: datetime | None = _instant("It was last changed before this instant.")
    updated_after: datetime | None = _instant("It was last changed at this instant or later.")
    completed_before: datetime | None = _instant("It was completed before this instant.")
    completed_after: datetime | None = _instant("It was completed at this instant or later.")
    planned_before: datetime | None = _instant("`plannedStart` is before this instant.")
    planned_after: datetime | None = _instant("`plannedStart` is at this instant or later.")
    search: str | None = strawberry.field(
        default=UNSET,
        description=(
            "Each word is in the title, the description or a tag, in any case and with any accents;"
            " what stands in quotes is one word."
        ),
    )
    ready: bool | None = strawberry.field(
        default=UNSET, description="`isReady` is this: the task can be begun now, or not."
    )
    ids: list[strawberry.ID] | None = strawberry.field(
        default=UNSET, description=f"The id is one of these, at most {filters.MAX_IDS}."
    )
    project_ids: list[strawberry.ID] | None = strawberry.field(
        default=UNSET,
        description=f"The task is in one of these projects, at most {filters.MAX_PROJECT_IDS}.",
    )
    no_project: bool | None = strawberry.field(
        default=UNSET, description="Whether the task is in no project, or in any."
    )
    parent_id: strawberry.ID | None = strawberry.field(
        default=UNSET, description="The task is directly below this one."
    )
    no_parent: bool | None = strawberry.field(
        default=UNSET, description="The task is below no other; false: it is below one."
    )
    and_: list["TaskFilter"] | None = strawberry.field(
        name="and",
        default=UNSET,
        description=(
            f"All of these filters match. Filters within a filter have at most {filters.MAX_LEVELS}"
            f" levels, and all together {filters.MAX_LEAVES} conditions and"
            f" {filters.MAX_FILTER_TAGS} tags."
        ),
    )
    or_: list["TaskFilter"] | None = strawberry.field(
        name="or", default=UNSET, description="One of these filters matches."
    )
    not_: Optional["TaskFilter"] = strawberry.field(
        name="not", default=UNSET, description="This filter does not match."
    )

    def conditions(self) -> filters.TaskFilter:
        """The filter as the domain has it. Raises BadUserInput."""
        given = provided(vars(self))
        for name in ("and_", "or_"):
            if given.get(name) is not None:
                given[name] = tuple(each.conditions() for each in given[name])
        if given.get("not_") is not None:
            given["not_"] = given["not_"].conditions()
        return filters.TaskFilter(**given)


@strawberry.input(description="An order of tasks.")
class TaskOrder:
    field: TaskOrderField = strawberry.field(description="The field to sort by.")
    direction: OrderDirection = strawberry.field(description="The direction.")


@strawberry.input(description="A new task.")
@with_task_fields(new_task_field)
class CreateTaskInput:
    blocked_by: list[strawberry.ID] | None = strawberry.field(
        default=UNSET,
        description=(
            f"The ids of at most {MAX_BLOCKERS} tasks that have to be completed before this one."
        ),
    )
    blocked_by_index: list[int] | None = strawberry.field(
        default=UNSET,
        description=(
            "In `createTasks`: the places, from 0, of other tasks of the same call that have to be"
            " completed before this one."
        ),
    )
    parent_index: int | None = strawberry.field(
        default=UNSET,
        description="In `createTasks`: the place, from 0, of the parent in the same call.",
    )
    recurrence: RecurrenceInput | None = strawberry.field(
        default=UNSET,
        description="When it comes again; it needs `dueAt` or `dueOn`, its first occurrence.",
    )
    idempotency_key: str | None = idempotency_key(
        "same key and the same content return the same task, which is created once"
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
    recurrence: RecurrenceInput | None = strawberry.field(
        default=UNSET,
        description=(
            "When it comes again, from its `dueAt` or `dueOn` on, in place of any before. Null"
            " ends that, and the task stays."
        ),
    )
    add_tags: list[str] | None = strawberry.field(
        default=UNSET,
        description=(
            "Tags to add to those that the task has. Who else changes its tags is not in the way."
        ),
    )
    remove_tags: list[str] | None = strawberry.field(
        default=UNSET, description="Tags to remove, in any case.", metadata=CONDITION
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
        description=(
            "Complete the task even if it has open blockers or subtasks, which is a CONFLICT else."
        ),
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="A task and its blockers.")
class BlockersInput:
    task_id: strawberry.ID = strawberry.field(description="The id of the blocked task.")
    blocker_ids: list[strawberry.ID] = strawberry.field(
        description=f"The ids of 1 to {MAX_BLOCKERS} tasks that block it."
    )


@strawberry.input(description="The task to delete.")
class DeleteTaskInput(_TaskWrite):
    pass


@strawberry.input(description="A tag, and its new name.")
class RenameTagInput:
    from_: str = strawberry.field(name="from", description="The tag, in any case.")
    to: str = strawberry.field(
        description="Its new name. A task that has a tag of this name keeps one of them."
    )


@strawberry.input(description="Several new tasks.")
class CreateTasksInput:
    tasks: list[CreateTaskInput] = strawberry.field(description=f"1 to {MAX_ITEMS} new tasks.")


@strawberry.input(description="Changes of several tasks.")
class UpdateTasksInput:
    tasks: list[UpdateTaskInput] = strawberry.field(description=f"1 to {MAX_ITEMS} changes.")


@strawberry.input(description="The tasks to delete.")
class DeleteTasksInput:
    tasks: list[DeleteTaskInput] = strawberry.field(description=f"1 to {MAX_ITEMS} tasks.")
