"""The task queries and mutations."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

import strawberry

from graphql_api.api.graphql.changes import UndoChangeInput
from graphql_api.api.graphql.context import Context, Info
from graphql_api.api.graphql.costs import LIST, field_cost
from graphql_api.api.graphql.strawberry_extras import provided
from graphql_api.api.graphql.tasks.inputs import (
    BlockersInput,
    CreateTaskInput,
    CreateTasksInput,
    DeleteTaskInput,
    DeleteTasksInput,
    UpdateTaskInput,
    UpdateTasksInput,
)
from graphql_api.api.graphql.tasks.listing import list_tasks
from graphql_api.api.graphql.tasks.payloads import (
    DeleteTaskPayload,
    DeleteTaskResult,
    DeleteTasksPayload,
    TaskPayload,
    TaskResult,
    TasksPayload,
)
from graphql_api.api.graphql.tasks.types import Task, TaskConnection
from graphql_api.domain.tasks import model
from graphql_api.domain.tasks.service import Linked, each
from graphql_api.domain.tasks.store import task_not_found
from graphql_api.errors import AppError
from graphql_api.infra.executor import lookahead

T = TypeVar("T")


@strawberry.type
class TaskQuery:
    @strawberry.field(
        graphql_type=Task | None,
        description="One of the viewer's tasks; null with NOT_FOUND if the viewer has none such.",
    )
    def task(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The task's id.")],
    ) -> model.Task:
        viewer = info.context.viewer
        tasks = info.context.tasks_by_key
        asked_for = lookahead.root_arguments(info._raw_info, "task", "id")  # noqa: SLF001 - Strawberry offers no other way to the fragments
        tasks.want((viewer, str(other)) for other in asked_for)
        task = tasks.get((viewer, id))
        if task is None:
            raise task_not_found()
        info.context.show([task])
        return task

    tasks = strawberry.field(
        list_tasks,
        graphql_type=TaskConnection,
        description="The viewer's tasks.",
        metadata=field_cost(LIST),
    )


@strawberry.type
class TaskMutation:
    @strawberry.mutation(description="Create a task.")
    def create_task(
        self,
        info: Info,
        input: Annotated[CreateTaskInput, strawberry.argument(description="The new task.")],
    ) -> TaskPayload:
        context = _writing(info)
        values = provided(vars(input))
        return TaskPayload(
            task=context.tasks.create(context.viewer, values, context.actor, context.now)
        )

    @strawberry.mutation(description="Change a task.")
    def update_task(
        self,
        info: Info,
        input: Annotated[UpdateTaskInput, strawberry.argument(description="The change.")],
    ) -> TaskPayload:
        context = _writing(info)
        changes = provided(vars(input))
        update = context.tasks.update(context.viewer, changes, context.actor, context.now)
        return TaskPayload(task=update.task, merged=update.merged)

    @strawberry.mutation(description="Delete a task for good.")
    def delete_task(
        self,
        info: Info,
        input: Annotated[DeleteTaskInput, strawberry.argument(description="Which task.")],
    ) -> DeleteTaskPayload:
        context = _writing(info)
        deleted = context.tasks.delete(
            context.viewer, **provided(vars(input)), actor=context.actor, now=context.now
        )
        return DeleteTaskPayload(
            deleted_task_id=strawberry.ID(deleted.task_id),
            released_task_ids=[strawberry.ID(task_id) for task_id in deleted.released],
        )

    @strawberry.mutation(
        description=(
            "Take a change back: restore the fields that it altered, or the task that it deleted"
            " with its blockers. CONFLICT, with the fields, if one has been changed since."
        )
    )
    def undo_change(
        self,
        info: Info,
        input: Annotated[UndoChangeInput, strawberry.argument(description="Which change.")],
    ) -> TaskPayload:
        context = _writing(info)
        return TaskPayload(
            task=context.history.undo(context.viewer, input.change_id, context.actor, context.now)
        )

    @strawberry.mutation(description="Let a task wait for others; those it has already stay.")
    def add_blockers(
        self,
        info: Info,
        input: Annotated[BlockersInput, strawberry.argument(description="The new blockers.")],
    ) -> TaskPayload:
        context = _writing(info)
        linked = context.tasks.add_blockers(
            context.viewer, **vars(input), actor=context.actor, now=context.now
        )
        return _linked(context, linked)

    @strawberry.mutation(description="Let a task wait for others no more.")
    def remove_blockers(
        self,
        info: Info,
        input: Annotated[BlockersInput, strawberry.argument(description="The blockers to go.")],
    ) -> TaskPayload:
        context = _writing(info)
        linked = context.tasks.remove_blockers(
            context.viewer, **vars(input), actor=context.actor, now=context.now
        )
        return _linked(context, linked)

    @strawberry.mutation(
        description="Create several tasks; what fails does not undo the others.",
        metadata=field_cost(expensive=True),
    )
    def create_tasks(
        self,
        info: Info,
        input: Annotated[CreateTasksInput, strawberry.argument(description="The new tasks.")],
    ) -> TasksPayload:
        context, viewer = _writing(info), info.context.viewer
        made = _each(
            input.tasks,
            lambda task: context.tasks.create(viewer, task, context.actor, context.now),
        )
        return _results(context, made)

    @strawberry.mutation(
        description="Change several tasks; what fails does not undo the others.",
        metadata=field_cost(expensive=True),
    )
    def update_tasks(
        self,
        info: Info,
        input: Annotated[UpdateTasksInput, strawberry.argument(description="The changes.")],
    ) -> TasksPayload:
        context, viewer = _writing(info), info.context.viewer
        made = _each(
            input.tasks,
            lambda task: context.tasks.update(viewer, task, context.actor, context.now).task,
        )
        return _results(context, made)

    @strawberry.mutation(
        description="Delete several tasks; what fails does not undo the others.",
        metadata=field_cost(expensive=True),
    )
    def delete_tasks(
        self,
        info: Info,
        input: Annotated[DeleteTasksInput, strawberry.argument(description="Which tasks.")],
    ) -> DeleteTasksPayload:
        context, viewer = _writing(info), info.context.viewer
        gone = _each(
            input.tasks,
            lambda task: context.tasks.delete(viewer, **task, actor=context.actor, now=context.now),
        )
        return DeleteTasksPayload(results=[DeleteTaskResult(outcome=outcome) for outcome in gone])


def _writing(info: Info) -> Context:
    """The context of a mutation: what was read before its write may be something else after it."""
    info.context.forget_tasks()
    return info.context


def _results(context: Context, made: Sequence[model.Task | AppError]) -> TasksPayload:
    context.show([outcome for outcome in made if isinstance(outcome, model.Task)])
    return TasksPayload(results=[TaskResult(outcome=outcome) for outcome in made])


def _linked(context: Context, linked: Linked) -> TaskPayload:
    """The task, with what the write has found out about what is around it."""
    context.dependencies.prime({linked.task.user_id: linked.dependencies})
    context.show([linked.task])
    return TaskPayload(task=linked.task)


def _each(items: Sequence[object], do: Callable[[dict[str, Any]], T]) -> list[T | AppError]:
    return each([provided(vars(item)) for item in items], do)
