"""Tasks as GraphQL shows them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar

import strawberry
from strawberry import UNSET

from graphql_api.api.graphql import enums
from graphql_api.api.graphql.arguments import given
from graphql_api.api.graphql.connection import Connection, Listing
from graphql_api.api.graphql.context import Context, Info
from graphql_api.domain.accounts.model import User
from graphql_api.domain.paging import DEFAULT_SIZE, LARGEST, Window
from graphql_api.domain.tasks import dependencies, model, ranking, urgency
from graphql_api.domain.tasks.service import KEY_LENGTH, MOST_ITEMS, Deleted, Linked, each
from graphql_api.domain.tasks.store import task_not_found
from graphql_api.errors import AppError
from graphql_api.infra.executor import lookahead

T = TypeVar("T")


enums.show(
    model.TaskStatus,
    "Where a task stands.",
    PENDING="Not begun.",
    IN_PROGRESS="Begun.",
    COMPLETED="Done.",
    CANCELLED="Not to be done any more.",
)
enums.show(
    model.TaskPriority,
    "How much a task matters.",
    LOW="Can wait.",
    MEDIUM="As usual.",
    HIGH="Before the usual.",
    URGENT="Before everything else.",
)
enums.show(
    model.DeadlineType,
    "What a due date means to the planner.",
    HARD="Never later: what cannot be done in time is not planned at all.",
    SOFT="Later if need be, and then said so.",
)
enums.show(
    model.TaskOrderField,
    "What tasks can be sorted by.",
    CREATED_AT="The time of creation.",
    DUE_AT="The due date; tasks without one come last in both directions.",
    URGENCY=(
        f"The urgency, of open tasks only: the {ranking.MOST_RANKED:,} newest of them are read, and"
        " `isComplete` is false if there are more. The pages of one listing are as of one instant."
    ),
)
enums.show(
    model.OrderDirection,
    "Which end of an order comes first.",
    ASC="The earliest first, or the least.",
    DESC="The latest first, or the most.",
)


@strawberry.type(description="One reason for a task's urgency.")
class UrgencyTerm:
    name: str = strawberry.field(description="The name of its coefficient among the settings.")
    coefficient: float = strawberry.field(description="How much it counts.")
    value: float = strawberry.field(description="How far it applies: 0 to 1, but for `inherited`.")
    contribution: float = strawberry.field(description="The coefficient times the value.")


@strawberry.type(description="How urgent a task is, and why. https://taskwarrior.org/docs/urgency/")
class Urgency:
    score: float = strawberry.field(
        description="The sum of the contributions; 0 for a task that is not open."
    )
    terms: list[UrgencyTerm] = strawberry.field(description="What it is the sum of.")
    as_of: datetime = strawberry.field(description="The instant as of which this is so.")


@strawberry.type(description="Something a user plans to do.")
class Task:
    task_id: strawberry.ID = strawberry.field(
        name="id", description="The task's id; ids sort by the time of creation."
    )
    user_id: strawberry.ID = strawberry.field(
        name="ownerId", description="The id of the user whose task it is."
    )
    title: str = strawberry.field(
        description=f"What is to be done, in 1 to {model.TITLE_LENGTH} characters."
    )
    description: str = strawberry.field(description="More about it; may be empty.")
    status: model.TaskStatus = strawberry.field(description="Where the task stands.")
    priority: model.TaskPriority = strawberry.field(description="How much the task matters.")
    due_at: datetime | None = strawberry.field(description="When it is to be done.")
    tags: list[str] = strawberry.field(description="The user's own labels, in the user's order.")
    created_at: datetime = strawberry.field(description="When the task was created.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    completed_at: datetime | None = strawberry.field(
        description="When its status became COMPLETED; null while it is another one."
    )
    version: int = strawberry.field(description="1 for a new task, one more with each change.")
    duration_minutes: int | None = strawberry.field(
        description="How many minutes of work it is; null if nobody knows."
    )
    not_before: datetime | None = strawberry.field(
        description="It cannot be begun before this instant."
    )
    deadline_type: model.DeadlineType = strawberry.field(
        description="What `dueAt` means; SOFT for a new task."
    )
    min_chunk_minutes: int = strawberry.field(
        description="It may be done in pieces of so many minutes or more; 0: never split."
    )
    planned_start: datetime | None = strawberry.field(
        description="When it is planned to be begun; a plan that is applied sets it."
    )
    planned_end: datetime | None = strawberry.field(
        description="When it is planned to be done; a plan that is applied sets it."
    )

    @strawberry.field(
        graphql_type=list["Task"],
        description=f"What has to be done before it, done or not: at most {dependencies.BLOCKERS}.",
    )
    def blocked_by(task: strawberry.Parent[model.Task], info: Info) -> list[model.Task]:  # noqa: N805 - as `owner`
        return info.context.neighbours.blockers(task)

    @strawberry.field(
        graphql_type=list["Task"],
        description=f"What waits for it, done or not: at most {dependencies.BLOCKED}.",
    )
    def blocks(task: strawberry.Parent[model.Task], info: Info) -> list[model.Task]:  # noqa: N805 - as `owner`
        return info.context.neighbours.blocked(task)

    @strawberry.field(description="Whether it can be done now: it is open, and no blocker is.")
    def is_ready(task: strawberry.Parent[model.Task], info: Info) -> bool:  # noqa: N805 - as `owner`
        return info.context.neighbours.ready(task)

    @strawberry.field(graphql_type=Urgency, description="How urgent it is, and why.")
    def urgency(task: strawberry.Parent[model.Task], info: Info) -> urgency.Urgency:  # noqa: N805 - as `owner`
        return info.context.ranking.urgency(task)

    @strawberry.field(
        graphql_type=Annotated["User", strawberry.lazy("graphql_api.api.graphql.accounts")],
        description="The user whose task it is.",
    )
    def owner(task: strawberry.Parent[model.Task], info: Info) -> User:  # noqa: N805 - the parent is the model's task
        return info.context.user(task.user_id)


@strawberry.input(description="Which tasks to list: those that meet every condition given.")
class TaskFilter:
    status: list[model.TaskStatus] | None = strawberry.field(
        default=UNSET, description="The status is one of these."
    )
    priority: list[model.TaskPriority] | None = strawberry.field(
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

    def conditions(self) -> model.TaskFilter:
        """The filter as the model knows it."""
        return model.TaskFilter(**given(vars(self)))


@strawberry.input(description="An order of tasks.")
class TaskOrder:
    field: model.TaskOrderField = strawberry.field(description="What to sort by.")
    direction: model.OrderDirection = strawberry.field(description="Which end comes first.")


def list_tasks(
    root: strawberry.Parent[Any],
    info: Info,
    first: Annotated[
        int | None,
        strawberry.argument(description=f"How many tasks, from the start on: 1 to {LARGEST}."),
    ] = DEFAULT_SIZE,
    after: Annotated[
        str | None, strawberry.argument(description="The `endCursor` of the page before.")
    ] = UNSET,
    last: Annotated[
        int | None,
        strawberry.argument(
            description=f"How many tasks, from the end back: 1 to {LARGEST}. Wins over `first`."
        ),
    ] = UNSET,
    before: Annotated[
        str | None, strawberry.argument(description="The `startCursor` of the page after.")
    ] = UNSET,
    filter: Annotated[
        TaskFilter | None, strawberry.argument(description="Which tasks; all without it.")
    ] = UNSET,
    order_by: Annotated[
        TaskOrder | None, strawberry.argument(description="The order; newest first without it.")
    ] = UNSET,
) -> Listing[model.Task]:
    """A page of the parent user's tasks, or of the viewer's at the root."""
    viewer = info.context.viewer if root is None else root.user_id
    only = filter.conditions() if filter else model.TaskFilter()
    order = model.TaskOrder(**vars(order_by)) if order_by else model.TaskOrder()
    asked = given({"first": first, "after": after, "last": last, "before": before})
    window = Window.of(**asked, largest=info.context.largest_page)
    listing = info.context.list_tasks(viewer, window, only, order)
    info.context.users.want(task.user_id for task in listing.nodes)
    return listing


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
        list_tasks, graphql_type=Connection[Task], description="The viewer's tasks."
    )


@strawberry.input(description="A new task.")
class CreateTaskInput:
    title: str = strawberry.field(
        description=f"What is to be done, in 1 to {model.TITLE_LENGTH} characters."
    )
    description: str | None = strawberry.field(
        default=UNSET, description=f"More about it, at most {model.DESCRIPTION_BYTES} bytes."
    )
    status: model.TaskStatus | None = strawberry.field(
        default=UNSET, description="Where it stands; PENDING without it."
    )
    priority: model.TaskPriority | None = strawberry.field(
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
    deadline_type: model.DeadlineType | None = strawberry.field(
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
    status: model.TaskStatus | None = strawberry.field(
        default=UNSET, description="Where it stands; cannot be null."
    )
    priority: model.TaskPriority | None = strawberry.field(
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
    deadline_type: model.DeadlineType | None = strawberry.field(
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


@strawberry.type(description="What a write has made of a task.")
class TaskPayload:
    task: strawberry.Private[model.Task]

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
        details = error.details
        return cls(
            message=error.message,
            code=error.code,
            field=details.get("field"),
            current_version=details.get("currentVersion"),
            blockers=details.get("blockers"),
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
    results: list[TaskResult] = strawberry.field(description="One for each item, in its order.")


@strawberry.type(description="What became of several tasks to delete.")
class DeleteTasksPayload:
    results: list[DeleteTaskResult] = strawberry.field(
        description="One for each item, in its order."
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


@strawberry.type
class TaskMutation:
    @strawberry.mutation(description="Create a task.")
    def create_task(
        self,
        info: Info,
        input: Annotated[CreateTaskInput, strawberry.argument(description="The new task.")],
    ) -> TaskPayload:
        context = _writing(info)
        return TaskPayload(
            task=context.tasks.create(context.viewer, given(vars(input)), context.now)
        )

    @strawberry.mutation(description="Change a task.")
    def update_task(
        self,
        info: Info,
        input: Annotated[UpdateTaskInput, strawberry.argument(description="The change.")],
    ) -> TaskPayload:
        context = _writing(info)
        changes = given(vars(input))
        return TaskPayload(task=context.tasks.update(context.viewer, changes, context.now))

    @strawberry.mutation(description="Delete a task for good.")
    def delete_task(
        self,
        info: Info,
        input: Annotated[DeleteTaskInput, strawberry.argument(description="Which task.")],
    ) -> DeleteTaskPayload:
        context = _writing(info)
        deleted = context.tasks.delete(context.viewer, **given(vars(input)))
        return DeleteTaskPayload(
            deleted_task_id=strawberry.ID(deleted.task_id),
            released_task_ids=[strawberry.ID(task_id) for task_id in deleted.released],
        )

    @strawberry.mutation(description="Let a task wait for others; those it has already stay.")
    def add_blockers(
        self,
        info: Info,
        input: Annotated[BlockersInput, strawberry.argument(description="The new blockers.")],
    ) -> TaskPayload:
        context = _writing(info)
        return _linked(context, context.tasks.add_blockers(context.viewer, **vars(input)))

    @strawberry.mutation(description="Let a task wait for others no more.")
    def remove_blockers(
        self,
        info: Info,
        input: Annotated[BlockersInput, strawberry.argument(description="The blockers to go.")],
    ) -> TaskPayload:
        context = _writing(info)
        return _linked(context, context.tasks.remove_blockers(context.viewer, **vars(input)))

    @strawberry.mutation(description="Create several tasks; what fails does not undo the others.")
    def create_tasks(
        self,
        info: Info,
        input: Annotated[CreateTasksInput, strawberry.argument(description="The new tasks.")],
    ) -> TasksPayload:
        context, viewer = _writing(info), info.context.viewer
        made = _each(input.tasks, lambda task: context.tasks.create(viewer, task, context.now))
        return _results(context, made)

    @strawberry.mutation(description="Change several tasks; what fails does not undo the others.")
    def update_tasks(
        self,
        info: Info,
        input: Annotated[UpdateTasksInput, strawberry.argument(description="The changes.")],
    ) -> TasksPayload:
        context, viewer = _writing(info), info.context.viewer
        made = _each(input.tasks, lambda task: context.tasks.update(viewer, task, context.now))
        return _results(context, made)

    @strawberry.mutation(description="Delete several tasks; what fails does not undo the others.")
    def delete_tasks(
        self,
        info: Info,
        input: Annotated[DeleteTasksInput, strawberry.argument(description="Which tasks.")],
    ) -> DeleteTasksPayload:
        context, viewer = _writing(info), info.context.viewer
        gone = _each(input.tasks, lambda task: context.tasks.delete(viewer, **task))
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
    return each([given(vars(item)) for item in items], do)
