"""The payloads of the task mutations."""

import strawberry

from graphql_api.api.graphql.costs import LIST, field_cost
from graphql_api.api.graphql.strawberry_extras import camel_case
from graphql_api.api.graphql.tasks.types import Task
from graphql_api.domain.tasks import model
from graphql_api.domain.tasks.service import Deleted
from graphql_api.errors import AppError


@strawberry.type(description="What a write has made of a task.")
class TaskPayload:
    task: strawberry.Private[model.Task]
    merged: bool = strawberry.field(
        default=False,
        description=(
            "Whether `mergeDisjoint` has applied the change to a later version than was expected."
        ),
    )

    @strawberry.field(name="task", graphql_type=Task, description="The task as it is now.")
    def shown(self) -> model.Task:
        return self.task


@strawberry.type(description="A task that is no more.")
class DeleteTaskPayload:
    deleted_task_id: strawberry.ID = strawberry.field(description="The id that it had.")
    released_task_ids: list[strawberry.ID] = strawberry.field(
        description="The tasks that it blocked, and blocks no more."
    )


@strawberry.type(description="Why one item of several was not written.")
class ItemError:
    message: str = strawberry.field(description="What is wrong, in words.")
    code: str = strawberry.field(description="What is wrong, as `extensions.code` has it.")
    field: str | None = strawberry.field(description="The field that is wrong.")
    current_version: int | None = strawberry.field(
        description="The version of the task that was expected to be another."
    )
    blockers: list[strawberry.ID] | None = strawberry.field(
        description="The open tasks that are to be done before this one is completed."
    )

    @classmethod
    def of(cls, error: AppError) -> "ItemError":
        message, details = error.render(camel_case)
        return cls(
            message=message,
            code=error.code,
            field=details.get("field"),
            current_version=error.details.get("current_version"),
            blockers=error.details.get("blockers"),
        )


@strawberry.type(description="What became of one task of several: itself, or an error.")
class TaskResult:
    outcome: strawberry.Private[model.Task | AppError]

    @strawberry.field(graphql_type=Task | None, description="The task as it is now.")
    def task(self) -> model.Task | None:
        return self.outcome if isinstance(self.outcome, model.Task) else None

    @strawberry.field(description="Why it was not written.")
    def error(self) -> ItemError | None:
        return ItemError.of(self.outcome) if isinstance(self.outcome, AppError) else None


@strawberry.type(description="What became of one task to delete: its id, or an error.")
class DeleteTaskResult:
    outcome: strawberry.Private[Deleted | AppError]

    @strawberry.field(description="The id that the task had.")
    def deleted_task_id(self) -> strawberry.ID | None:
        return strawberry.ID(self.outcome.task_id) if isinstance(self.outcome, Deleted) else None

    @strawberry.field(description="The tasks that it blocked, and blocks no more.")
    def released_task_ids(self) -> list[strawberry.ID]:
        released = self.outcome.released if isinstance(self.outcome, Deleted) else ()
        return [strawberry.ID(task_id) for task_id in released]

    @strawberry.field(description="Why it was not deleted.")
    def error(self) -> ItemError | None:
        return ItemError.of(self.outcome) if isinstance(self.outcome, AppError) else None


@strawberry.type(description="What became of several tasks.")
class TasksPayload:
    results: list[TaskResult] = strawberry.field(
        description="One for each item, in its order.", metadata=field_cost(LIST)
    )


@strawberry.type(description="What became of several tasks to delete.")
class DeleteTasksPayload:
    results: list[DeleteTaskResult] = strawberry.field(
        description="One for each item, in its order.", metadata=field_cost(LIST)
    )
