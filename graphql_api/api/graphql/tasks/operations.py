"""The task queries and mutations."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

import strawberry

from graphql_api.api.graphql.access.scopes import Scope, needs
from graphql_api.api.graphql.changes import UndoChangeInput
from graphql_api.api.graphql.context import Context, Info
from graphql_api.api.graphql.costs import LIST, field_cost
from graphql_api.api.graphql.recurrence.inputs import with_recurrence
from graphql_api.api.graphql.strawberry_extras import provided
from graphql_api.api.graphql.tasks.fields import values_of
from graphql_api.api.graphql.tasks.inputs import (
    BlockersInput,
    CreateTaskInput,
    CreateTasksInput,
    DeleteTaskInput,
    DeleteTasksInput,
    RenameTagInput,
    UpdateTaskInput,
    UpdateTasksInput,
)
from graphql_api.api.graphql.tasks.listing import list_tasks
from graphql_api.api.graphql.tasks.payloads import (
    DeleteTaskPayload,
    DeleteTaskResult,
    DeleteTasksPayload,
    RenameTagPayload,
    TaskPayload,
    TaskResult,
    TasksPayload,
)
from graphql_api.api.graphql.tasks.types import Task, TaskConnection
from graphql_api.domain.tasks import model
from graphql_api.domain.tasks.filters import ANY_VIEWPOINT, TaskFilter
from graphql_api.domain.tasks.list_reader import MAX_SORTED
from graphql_api.domain.tasks.service import (
    MAX_ITEMS,
    DependencyChange,
    run_each,
    run_each_related,
    run_each_released,
)
from graphql_api.domain.tasks.store import task_not_found
from graphql_api.errors import AppError
from graphql_api.infra.executor import lookahead

T = TypeVar("T")


@strawberry.type
class TaskQuery:
    @strawberry.field(
        graphql_type=Task | None,
        description="One of the viewer's tasks. If there is none of this id: null, and NOT_FOUND.",
        metadata=needs(Scope.TASKS_READ, confined=True),
    )
    def task(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The task's id.")],
    ) -> model.Task:
        viewer_id = info.context.viewer_id
        tasks = info.context.tasks_by_key
        ids = lookahead.root_arguments(info._raw_info, "task", "id")  # noqa: SLF001 - Strawberry offers no other way to the fragments
        tasks.prefetch((viewer_id, str(sibling)) for sibling in ids)
        task = tasks.get((viewer_id, id))
        if task is None:
            raise task_not_found()
        info.context.track([task])
        return task

    tasks = strawberry.field(
        list_tasks,
        graphql_type=TaskConnection,
        description="The viewer's tasks.",
        metadata=field_cost(LIST) | needs(Scope.TASKS_READ, confined=True),
    )


@strawberry.type
class TaskMutation:
    @strawberry.mutation(
        description="Create a task.", metadata=needs(Scope.TASKS_WRITE, confined=True)
    )
    def create_task(
        self,
        info: Info,
        input: Annotated[CreateTaskInput, strawberry.argument(description="The new task.")],
    ) -> TaskPayload:
        context = info.context.for_write()
        values = with_recurrence(values_of(input), context)
        task = context.tasks.create(context.viewer_id, values, context.actor, context.now)
        return TaskPayload(task=task)

    @strawberry.mutation(
        description="Change a task.", metadata=needs(Scope.TASKS_WRITE, confined=True)
    )
    def update_task(
        self,
        info: Info,
        input: Annotated[UpdateTaskInput, strawberry.argument(description="The change.")],
    ) -> TaskPayload:
        context = info.context.for_write()
        changes = with_recurrence(values_of(input), context)
        update = context.tasks.update(context.viewer_id, changes, context.actor, context.now)
        return TaskPayload(task=update.task, merged=update.merged)

    @strawberry.mutation(
        description="Delete a task permanently.", metadata=needs(Scope.TASKS_WRITE, confined=True)
    )
    def delete_task(
        self,
        info: Info,
        input: Annotated[DeleteTaskInput, strawberry.argument(description="The task.")],
    ) -> DeleteTaskPayload:
        context = info.context.for_write()
        deletion = context.tasks.delete(
            context.viewer_id, **provided(vars(input)), actor=context.actor, now=context.now
        )
        return DeleteTaskPayload(
            deleted_task_id=strawberry.ID(deletion.task_ids[0]),
            deleted_subtask_ids=list(map(strawberry.ID, deletion.task_ids[1:])),
            released_task_ids=[strawberry.ID(task_id) for task_id in deletion.released],
        )

    @strawberry.mutation(
        description=(
            "Undo a change: restore the fields that it changed, or the task that it deleted and its"
            " blockers; with a completion, open again what was completed below for it. It is a"
            " CONFLICT, with the fields, if one of them has been changed since."
        ),
        metadata=needs(Scope.TASKS_WRITE, confined=True),
    )
    def undo_change(
        self,
        info: Info,
        input: Annotated[UndoChangeInput, strawberry.argument(description="The change.")],
    ) -> TaskPayload:
        context = info.context.for_write()
        given = provided(vars(input))
        task = context.history.undo(
            context.viewer_id, actor=context.actor, now=context.now, **given
        )
        return TaskPayload(task=task)

    @strawberry.mutation(
        description="Add blockers to a task, beside those that it has.",
        metadata=needs(Scope.TASKS_WRITE, confined=True),
    )
    def add_blockers(
        self,
        info: Info,
        input: Annotated[BlockersInput, strawberry.argument(description="The new blockers.")],
    ) -> TaskPayload:
        context = info.context.for_write()
        change = context.tasks.add_blockers(
            context.viewer_id, **vars(input), actor=context.actor, now=context.now
        )
        return _payload(context, change)

    @strawberry.mutation(
        description="Remove blockers from a task.", metadata=needs(Scope.TASKS_WRITE, confined=True)
    )
    def remove_blockers(
        self,
        info: Info,
        input: Annotated[BlockersInput, strawberry.argument(description="The blockers to remove.")],
    ) -> TaskPayload:
        context = info.context.for_write()
        change = context.tasks.remove_blockers(
            context.viewer_id, **vars(input), actor=context.actor, now=context.now
        )
        return _payload(context, change)

    @strawberry.mutation(
        description="Create several tasks. A failure of one does not affect the others.",
        metadata=field_cost(expensive=True) | needs(Scope.TASKS_WRITE, confined=True),
    )
    def create_tasks(
        self,
        info: Info,
        input: Annotated[CreateTasksInput, strawberry.argument(description="The new tasks.")],
    ) -> TasksPayload:
        context, user_id = info.context.for_write(), info.context.viewer_id
        results = run_each_related(
            list(map(values_of, input.tasks)),
            lambda task: context.tasks.create(
                user_id, with_recurrence(task, context), context.actor, context.now
            ),
        )
        return _results(context, results)

    @strawberry.mutation(
        description="Change several tasks. A failure of one does not affect the others.",
        metadata=field_cost(expensive=True) | needs(Scope.TASKS_WRITE, confined=True),
    )
    def update_tasks(
        self,
        info: Info,
        input: Annotated[UpdateTasksInput, strawberry.argument(description="The changes.")],
    ) -> TasksPayload:
        context, user_id = info.context.for_write(), info.context.viewer_id
        results = run_each_released(
            list(map(values_of, input.tasks)),
            lambda task: (
                context.tasks.update(
                    user_id, with_recurrence(task, context), context.actor, context.now
                ).task
            ),
        )
        return _results(context, results)

    @strawberry.mutation(
        description=(
            f"Give a tag another name, in up to {MAX_ITEMS} tasks at a time, each with a change of"
            " its own: repeat it until `isComplete`."
        ),
        metadata=field_cost(expensive=True) | needs(Scope.TASKS_WRITE),
    )
    def rename_tag(
        self,
        info: Info,
        input: Annotated[RenameTagInput, strawberry.argument(description="Both names.")],
    ) -> RenameTagPayload:
        context, user_id = info.context.for_write(), info.context.viewer_id
        names = model.tag("from", input.from_), model.tag("to", input.to)
        tasks, complete = context.task_lists.newest(
            user_id, TaskFilter(tags=names[:1]), MAX_SORTED, context.read_budget, ANY_VIEWPOINT
        )
        waiting = [task for task in tasks if task.renamed_tag(*names) != task.tags]
        changed = context.tasks.rename_tag(
            user_id, waiting[:MAX_ITEMS], names, context.actor, context.now
        )
        is_complete = complete and len(waiting) <= MAX_ITEMS
        return RenameTagPayload(changed=changed, is_complete=is_complete)

    @strawberry.mutation(
        description="Delete several tasks. A failure of one does not affect the others.",
        metadata=field_cost(expensive=True) | needs(Scope.TASKS_WRITE, confined=True),
    )
    def delete_tasks(
        self,
        info: Info,
        input: Annotated[DeleteTasksInput, strawberry.argument(description="The tasks.")],
    ) -> DeleteTasksPayload:
        context, user_id = info.context.for_write(), info.context.viewer_id
        results = _run_each(
            input.tasks,
            lambda task: context.tasks.delete(
                user_id, **task, actor=context.actor, now=context.now
            ),
        )
        return DeleteTasksPayload(results=[DeleteTaskResult(result=result) for result in results])


def _payload(context: Context, change: DependencyChange) -> TaskPayload:
    """The task, whose dependencies need not be read again."""
    context.dependencies.prime({change.task.user_id: change.dependencies})
    context.track([change.task])
    return TaskPayload(task=change.task)


def _results(context: Context, results: Sequence[model.Task | AppError]) -> TasksPayload:
    context.track([result for result in results if isinstance(result, model.Task)])
    return TasksPayload(results=[TaskResult(result=result) for result in results])


def _run_each(items: Sequence[object], write: Callable[[dict[str, Any]], T]) -> list[T | AppError]:
    return run_each(list(map(values_of, items)), write)
