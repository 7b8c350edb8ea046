"""The payloads of the task mutations."""

import strawberry

from graphql_api.api.graphql.context import Info
from graphql_api.api.graphql.costs import LIST, field_cost
from graphql_api.api.graphql.tasks.types import Task
from graphql_api.domain.tasks import model
from graphql_api.domain.tasks.service import Deletion
from graphql_api.errors import AppError, Wording


@strawberry.type(description="The task after a write.")
class TaskPayload:
    task: strawberry.Private[model.Task]
    merged: bool = strawberry.field(
        default=False,
        description=(
            "Whether `mergeDisjoint` has applied the change to a later version than was expected."
        ),
    )

    @strawberry.field(name="task", graphql_type=Task, description="The task after the write.")
    def task_field(self) -> model.Task:
        return self.task


@strawberry.type(description="The deleted task.")
class DeleteTaskPayload:
    deleted_task_id: strawberry.ID = strawberry.field(description="The id of the deleted task.")
    deleted_subtask_ids: list[strawberry.ID] = strawberry.field(
        description="The ids of the tasks below it, which are deleted with it."
    )
    released_task_ids: list[strawberry.ID] = strawberry.field(
        description="The ids of the tasks that it blocked."
    )


@strawberry.type(description="The result of renaming a tag.")
class RenameTagPayload:
    changed: int = strawberry.field(description="The number of tasks that were changed.")
    is_complete: bool = strawberry.field(
        description="Whether no task has the old name now; else send the same again."
    )


@strawberry.type(description="The error of one item of several.")
class ItemError:
    message: str = strawberry.field(description="The error in words.")
    code: str = strawberry.field(description="The code, as in `extensions.code`.")
    field: str | None = strawberry.field(description="The field at fault.")
    current_version: int | None = strawberry.field(
        description="The version of the task, if another one was expected."
    )
    blockers: list[strawberry.ID] | None = strawberry.field(
        description="The ids of the open blockers that keep the task from being completed."
    )
    subtasks: list[strawberry.ID] | None = strawberry.field(
        description="The ids of the open subtasks that keep the task from being completed."
    )

    @classmethod
    def of(cls, error: AppError, wording: Wording) -> "ItemError":
        """The error as the API spells it that has asked."""
        message, details = error.render(*wording)
        return cls(
            message=message,
            code=error.code,
            field=details.get("field"),
            current_version=error.details.get("current_version"),
            blockers=error.details.get("blockers"),
            subtasks=error.details.get("subtasks"),
        )


def _item_error(result: object, info: Info) -> ItemError | None:
    wording = info.context.wording
    return ItemError.of(result, wording) if isinstance(result, AppError) else None


@strawberry.type(description="The result of one task of several: the task, or an error.")
class TaskResult:
    result: strawberry.Private[model.Task | AppError]

    @strawberry.field(graphql_type=Task | None, description="The task after the write.")
    def task(self) -> model.Task | None:
        return self.result if isinstance(self.result, model.Task) else None

    @strawberry.field(description="Why the task was not written.")
    def error(self, info: Info) -> ItemError | None:
        return _item_error(self.result, info)


@strawberry.type(description="The result of one deletion of several: the task's id, or an error.")
class DeleteTaskResult:
    result: strawberry.Private[Deletion | AppError]

    @strawberry.field(description="The id of the deleted task.")
    def deleted_task_id(self) -> strawberry.ID | None:
        deleted = self.result.task_ids[0] if isinstance(self.result, Deletion) else None
        return None if deleted is None else strawberry.ID(deleted)

    @strawberry.field(description="The ids of the tasks below it, which are deleted with it.")
    def deleted_subtask_ids(self) -> list[strawberry.ID]:
        deleted = self.result.task_ids[1:] if isinstance(self.result, Deletion) else ()
        return list(map(strawberry.ID, deleted))

    @strawberry.field(description="The ids of the tasks that it blocked.")
    def released_task_ids(self) -> list[strawberry.ID]:
        released = self.result.released if isinstance(self.result, Deletion) else ()
        return [strawberry.ID(task_id) for task_id in released]

    @strawberry.field(description="Why the task was not deleted.")
    def error(self, info: Info) -> ItemError | None:
        return _item_error(self.result, info)


@strawberry.type(description="The results of writing several tasks.")
class TasksPayload:
    results: list[TaskResult] = strawberry.field(
        description="One per item, in the same order.", metadata=field_cost(LIST)
    )


@strawberry.type(description="The results of deleting several tasks.")
class DeleteTasksPayload:
    results: list[DeleteTaskResult] = strawberry.field(
        description="One per item, in the same order.", metadata=field_cost(LIST)
    )
