"""GraphQL mutations of work: the timer of a task, and minutes that are logged."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import UNSET

from graphql_api.api.graphql.access.scopes import Scope, needs
from graphql_api.api.graphql.context import Info
from graphql_api.api.graphql.strawberry_extras import provided
from graphql_api.api.graphql.tasks.payloads import TaskPayload
from graphql_api.api.graphql.tasks.types import Task
from graphql_api.domain.blocks.work import Start
from graphql_api.domain.tasks.model import MAX_TIMER
from graphql_api.domain.tasks.model import Task as TaskModel

_VERSION = "The version that the task must have; it is a CONFLICT if it has another one."


@strawberry.input(description="The task to start.")
class StartTaskInput:
    id: strawberry.ID = strawberry.field(description="The task's id.")
    expected_version: int | None = strawberry.field(default=UNSET, description=_VERSION)


@strawberry.input(description="The task to stop.")
class StopTaskInput:
    id: strawberry.ID = strawberry.field(description="The task's id.")
    expected_version: int | None = strawberry.field(default=UNSET, description=_VERSION)


@strawberry.input(description="Work that was done on a task.")
class LogTimeInput:
    id: strawberry.ID = strawberry.field(description="The task's id.")
    minutes: int = strawberry.field(
        description="The minutes of work; less than 0 correct what was logged before."
    )
    at: datetime | None = strawberry.field(
        default=UNSET, description="When the work ended, by default now; not in the future."
    )
    expected_version: int | None = strawberry.field(default=UNSET, description=_VERSION)


@strawberry.type(description="A task whose timer runs.")
class StartTaskPayload:
    start: strawberry.Private[Start]

    @strawberry.field(graphql_type=Task, description="The task.")
    def task(self) -> TaskModel:
        return self.start.task

    @strawberry.field(
        graphql_type=Task | None, description="The task whose timer was stopped for it, if any."
    )
    def stopped(self) -> TaskModel | None:
        return self.start.stopped


@strawberry.type
class WorkMutation:
    @strawberry.mutation(
        description=(
            "Start the timer of an open task, and stop any other in the same instant: one runs at a"
            " time. The task is `IN_PROGRESS` from then on."
        ),
        metadata=needs(Scope.TASKS_WRITE),
    )
    def start_task(
        self,
        info: Info,
        input: Annotated[StartTaskInput, strawberry.argument(description="The task.")],
    ) -> StartTaskPayload:
        context = info.context.for_write()
        given = provided(vars(input))
        start = context.work.start(context.viewer_id, actor=context.actor, now=context.now, **given)
        context.track([task for task in (start.task, start.stopped) if task])
        return StartTaskPayload(start=start)

    @strawberry.mutation(
        description=(
            "Stop the timer of a task: its minutes are spent, and blocks that they fill by half are"
            f" done. At most {MAX_TIMER // 60} hours count: a timer that runs longer was forgotten."
        ),
        metadata=needs(Scope.TASKS_WRITE, confined=True),
    )
    def stop_task(
        self,
        info: Info,
        input: Annotated[StopTaskInput, strawberry.argument(description="The task.")],
    ) -> TaskPayload:
        context = info.context.for_write()
        given = provided(vars(input))
        task = context.work.stop(context.viewer_id, actor=context.actor, now=context.now, **given)
        context.track([task])
        return TaskPayload(task=task)

    @strawberry.mutation(
        description=(
            "Log work on a task without a timer, or correct what was logged. Blocks that it fills"
            " by half are done."
        ),
        metadata=needs(Scope.TASKS_WRITE, confined=True),
    )
    def log_time(
        self,
        info: Info,
        input: Annotated[LogTimeInput, strawberry.argument(description="The work.")],
    ) -> TaskPayload:
        context = info.context.for_write()
        given = provided(vars(input))
        task = context.work.log(context.viewer_id, actor=context.actor, now=context.now, **given)
        context.track([task])
        return TaskPayload(task=task)
