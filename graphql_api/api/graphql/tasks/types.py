"""The GraphQL type of a task."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Optional, cast

import strawberry

from graphql_api.api.graphql.access.scopes import Scope, needs
from graphql_api.api.graphql.changes import ChangeConnection, list_history
from graphql_api.api.graphql.connection import Connection
from graphql_api.api.graphql.context import Info
from graphql_api.api.graphql.costs import LIST, LOADED, RELATION, TREE, field_cost
from graphql_api.api.graphql.nodes.interface import Node
from graphql_api.api.graphql.recurrence.types import Series
from graphql_api.api.graphql.strawberry_extras import camel_case
from graphql_api.api.graphql.tasks.enums import DeadlineType, TaskPriority, TaskStatus
from graphql_api.api.graphql.tasks.reminders import Reminder
from graphql_api.domain.accounts.model import User
from graphql_api.domain.blocks.service import TaskBlock, blocks_of
from graphql_api.domain.dependencies.model import MAX_BLOCKED, MAX_BLOCKERS
from graphql_api.domain.projects.model import Project
from graphql_api.domain.reminders.model import MAX_REMINDERS
from graphql_api.domain.series.model import Series as SeriesModel
from graphql_api.domain.subtasks.model import INHERITED, MAX_LEVELS, MAX_SUBTASKS
from graphql_api.domain.subtasks.model import Progress as ProgressModel
from graphql_api.domain.subtasks.positions import MAX_POSITION_LENGTH
from graphql_api.domain.tasks import model, urgency
from graphql_api.domain.tasks.urgency import Urgency as UrgencyModel

if TYPE_CHECKING:
    from graphql_api.api.graphql.blocks.types import PlannedBlock

_BLOCKS = "graphql_api.api.graphql.blocks.types"
_PROJECTS = "graphql_api.api.graphql.projects.types"


def _term_name(root: strawberry.Parent[urgency.Term]) -> str:
    return camel_case(root.name)


@strawberry.type(description="One term of a task's urgency.")
class UrgencyTerm:
    name: str = strawberry.field(
        resolver=_term_name,
        description="The name of the term, as in `Settings.urgencyCoefficients`.",
    )
    coefficient: float = strawberry.field(description="The weight of the term.")
    value: float = strawberry.field(
        description="The extent to which the term applies, from 0 to 1; `inherited` may be larger."
    )
    contribution: float = strawberry.field(description="The coefficient times the value.")


@strawberry.type(
    description="The urgency of a task, and its terms. https://taskwarrior.org/docs/urgency/"
)
class Urgency:
    score: float = strawberry.field(
        description="The sum of the contributions; 0 for a completed or cancelled task."
    )
    terms: list[UrgencyTerm] = strawberry.field(
        description="The terms that are not 0.", metadata=field_cost(LOADED, items=16)
    )
    as_of: datetime = strawberry.field(description="The instant for which it was computed.")


@strawberry.type(description="How far the subtasks of a task are done, not counting theirs.")
class Progress:
    done: int = strawberry.field(description="The number of those that are completed.")
    total: int = strawberry.field(description="The number of those that are not cancelled.")
    done_minutes: int = strawberry.field(description="The estimated minutes of those completed.")
    total_minutes: int = strawberry.field(
        description="The estimated minutes of those that are not cancelled."
    )


def _due_at(task: strawberry.Parent[model.Task], info: Info) -> datetime | None:
    if task.parent_id is None:
        return task.due_at
    due_at: datetime | None = info.context.related_tasks.heir(task).get("due_at")
    return due_at


def _due_on(task: strawberry.Parent[model.Task], info: Info) -> date | None:
    if task.parent_id is None:
        return task.due_on
    due_on: date | None = info.context.related_tasks.heir(task).get("due_on")
    return due_on


def _project_id(task: strawberry.Parent[model.Task], info: Info) -> strawberry.ID | None:
    if task.parent_id is None:
        return cast("strawberry.ID | None", task.project_id)
    project_id: strawberry.ID | None = info.context.related_tasks.heir(task).get("project_id")
    return project_id


def _position(task: strawberry.Parent[model.Task]) -> str:
    return task.place


def _inherited(task: strawberry.Parent[model.Task], info: Info) -> list[str]:
    return list(map(camel_case, info.context.related_tasks.heir(task).inherited))


@strawberry.type(description="Something a user plans to do.")
class Task(Node):
    # The inputs take their fields and descriptions from here (inputs.py).
    task_id: strawberry.ID = strawberry.field(
        name="id", description="The task's id. Ids sort by creation."
    )
    user_id: strawberry.ID = strawberry.field(
        name="ownerId", description="The id of the user who owns the task."
    )
    title: str = strawberry.field(
        description=f"The title, of 1 to {model.MAX_TITLE_LENGTH} characters.",
        metadata=field_cost(size=4 * model.MAX_TITLE_LENGTH),
    )
    description: str = strawberry.field(
        description=f"Further details, at most {model.MAX_DESCRIPTION_BYTES:,} bytes of UTF-8.",
        metadata=field_cost(size=model.MAX_DESCRIPTION_BYTES),
    )
    status: TaskStatus = strawberry.field(description="The status.")
    priority: TaskPriority = strawberry.field(description="The priority.")
    due_at: datetime | None = strawberry.field(
        resolver=_due_at,
        description=(
            "The due date, to the millisecond. `deadlineType` tells how strict it is. It replaces"
            " a `dueOn`. A subtask without any is due when its parent is."
        ),
    )
    tags: list[str] = strawberry.field(
        description=(
            f"The user's own labels, in the user's order: at most {model.MAX_TAGS} of 1 to"
            f" {model.MAX_TAG_LENGTH} characters. In whatever case, a tag is the same."
        ),
        metadata=field_cost(size=4 * model.MAX_TAGS * model.MAX_TAG_LENGTH),
    )
    created_at: datetime = strawberry.field(description="When the task was created.")
    updated_at: datetime = strawberry.field(description="When the task was last changed.")
    completed_at: datetime | None = strawberry.field(
        description="When the task was completed; null while its status is another one."
    )
    version: int = strawberry.field(description="1 for a new task, one more after each change.")
    duration_minutes: int | None = strawberry.field(
        description=(
            f"The estimated minutes of work, 0 to {model.MAX_MINUTES:,}; null if unknown. Only"
            " tasks with an estimate are planned."
        )
    )
    not_before: datetime | None = strawberry.field(
        description="The earliest start; it must not be after a hard `dueAt` or `dueOn`."
    )
    deadline_type: DeadlineType = strawberry.field(description="How strict `dueAt` or `dueOn` is.")
    min_chunk_minutes: int = strawberry.field(
        description=(
            f"The least minutes of a piece, if the task may be split: 0 to {model.MAX_MINUTES:,},"
            " at most `durationMinutes`. 0: it is not split."
        )
    )
    max_chunk_minutes: int | None = strawberry.field(
        description=(
            f"The most minutes of a piece of a task that may be split: {model.MIN_LONGEST} to"
            f" {model.MAX_MINUTES:,}, at least twice `minChunkMinutes`, and no less than a"
            f" {model.MAX_PIECES}th of `durationMinutes`. A longer task needs `minChunkMinutes`,"
            " too. Null: pieces may be of any length. Between two pieces are at least the"
            " `breakMinutes` of the settings."
        )
    )
    schedule: str | None = strawberry.field(
        description=(
            "The name of the schedule of the settings in whose hours it is planned; null for that"
            " of its project or its tags, or else the working hours."
        )
    )
    planned_start: datetime | None = strawberry.field(
        description="The planned start; goes with `plannedEnd`. `planApply` sets both."
    )
    planned_end: datetime | None = strawberry.field(
        description="The planned end: `plannedStart` or later."
    )
    reminders: list[Reminder] = strawberry.field(
        description=(
            f"At most {MAX_REMINDERS} reminders. Each becomes a change of the kind `REMINDER` in"
            " the feed at its instant, if the task is open then."
        ),
        metadata=field_cost(LOADED, items=MAX_REMINDERS),
    )
    spent_minutes: int = strawberry.field(
        description=(
            "The minutes of work until now: of `startTask` and `stopTask`, of `logTime`, and of"
            " blocks that were marked as done."
        )
    )
    running_since: datetime | None = strawberry.field(
        description="When its timer was started; null while it stands still."
    )
    project_id: strawberry.ID | None = strawberry.field(
        resolver=_project_id,
        description=(
            "The id of the project that the task is in. A subtask without one is in that of its"
            " parent."
        ),
    )
    parent_id: strawberry.ID | None = strawberry.field(
        description=(
            f"The id of the task that this one is below. There are at most {MAX_LEVELS} levels; a"
            f" task has at most {MAX_SUBTASKS} subtasks, and is done after them."
        )
    )
    position: str = strawberry.field(
        resolver=_position,
        description=(
            "The place among its siblings, which sort by this text, character by character: 1 to"
            f" {MAX_POSITION_LENGTH} of 0-9, A-Z and a-z, as in fractional indexing. A new task"
            " comes last."
        ),
    )
    inherited: list[str] = strawberry.field(
        resolver=_inherited,
        description="Those of `dueAt`, `dueOn` and `project` that come from a parent.",
        metadata=field_cost(items=len(INHERITED)),
    )
    due_on: date | None = strawberry.field(
        resolver=_due_on,
        description=(
            "The day on which it is due, without a time; it replaces a `dueAt`. It begins and ends"
            " in the time zone of the settings, and lists sort it by its end."
        ),
    )

    @strawberry.field(
        graphql_type=Annotated["Project", strawberry.lazy(_PROJECTS)] | None,
        description="The project that the task is in.",
    )
    def project(task: strawberry.Parent[model.Task], info: Info) -> Project | None:  # noqa: N805 - as `owner`
        return info.context.project_of(task)

    @strawberry.field(
        graphql_type=Optional["Task"],
        description="The task that this one is below.",
    )
    def parent(task: strawberry.Parent[model.Task], info: Info) -> model.Task | None:  # noqa: N805 - as `owner`
        return info.context.related_tasks.parent(task)

    @strawberry.field(
        graphql_type=list["Task"],
        description=(
            f"The tasks directly below this one, by their `position`: at most {MAX_SUBTASKS}."
        ),
        metadata=field_cost(TREE),
    )
    def subtasks(task: strawberry.Parent[model.Task], info: Info) -> list[model.Task]:  # noqa: N805 - as `owner`
        return info.context.related_tasks.subtasks(task)

    @strawberry.field(
        graphql_type=Progress | None,
        description="How far its subtasks are done; null without any.",
        metadata=field_cost(work=10),
    )
    def progress(task: strawberry.Parent[model.Task], info: Info) -> ProgressModel | None:  # noqa: N805 - as `owner`
        subtasks = info.context.related_tasks.subtasks(task)
        return ProgressModel.of(subtasks) if subtasks else None

    @strawberry.field(
        graphql_type=list["Task"],
        description=(
            "The tasks that have to be completed before this one, at most"
            f" {MAX_BLOCKERS}. Completed and cancelled ones are included."
        ),
        metadata=field_cost(RELATION),
    )
    def blocked_by(task: strawberry.Parent[model.Task], info: Info) -> list[model.Task]:  # noqa: N805 - as `owner`
        return info.context.related_tasks.blockers(task)

    @strawberry.field(
        graphql_type=list["Task"],
        description=(
            f"The tasks that this one blocks, at most {MAX_BLOCKED}. Completed and"
            " cancelled ones are included."
        ),
        metadata=field_cost(RELATION),
    )
    def blocks(task: strawberry.Parent[model.Task], info: Info) -> list[model.Task]:  # noqa: N805 - as `owner`
        return info.context.related_tasks.blocked(task)

    @strawberry.field(
        graphql_type=Series | None,
        description="The series that it is an occurrence of; null for a task that does not recur.",
    )
    def series(task: strawberry.Parent[model.Task], info: Info) -> SeriesModel | None:  # noqa: N805 - as `owner`
        return info.context.series_of(task)

    @strawberry.field(
        description="The minutes that are left of `durationMinutes`; null without an estimate."
    )
    def remaining_minutes(task: strawberry.Parent[model.Task]) -> int | None:  # noqa: N805 - as `owner`
        return task.remaining_minutes

    @strawberry.field(
        graphql_type=list[Annotated["PlannedBlock", strawberry.lazy(_BLOCKS)]],
        description=(
            "The pieces that it is planned in, by time, and the latest of those that are over. One"
            " for planned times that were set by hand."
        ),
        metadata=field_cost(LOADED, items=10),
    )
    def planned_blocks(task: strawberry.Parent[model.Task], info: Info) -> list[TaskBlock]:  # noqa: N805 - as `owner`
        return blocks_of(task, info.context.now)

    @strawberry.field(
        description=(
            "Whether the task can be begun now: it is open, has no open blockers, and `notBefore`"
            " has come."
        )
    )
    def is_ready(task: strawberry.Parent[model.Task], info: Info) -> bool:  # noqa: N805 - as `owner`
        return info.context.related_tasks.is_ready(task)

    @strawberry.field(
        graphql_type=Urgency,
        description="The urgency, and how it is computed.",
        metadata=field_cost(work=50),
    )
    def urgency(task: strawberry.Parent[model.Task], info: Info) -> UrgencyModel:  # noqa: N805 - as `owner`
        return info.context.ranking.urgency(task)

    history = strawberry.field(
        list_history,
        graphql_type=ChangeConnection,
        description="What has happened to it, newest first, as long as changes are kept.",
        metadata=field_cost(LIST) | needs(Scope.TASKS_READ, confined=True),
    )

    @strawberry.field(
        graphql_type=Annotated["User", strawberry.lazy("graphql_api.api.graphql.accounts")],
        description="The user who owns the task.",
    )
    def owner(task: strawberry.Parent[model.Task], info: Info) -> User:  # noqa: N805 - the parent is the model's task
        return info.context.user(task.user_id)


@strawberry.type(description="A page of tasks. https://relay.dev/graphql/connections.htm")
class TaskConnection(Connection[Task]):
    changes_cursor: str = strawberry.field(
        description=(
            "Where the change feed goes on after this list: pass it as `after` of `changes`, and"
            " the list and the changes together miss nothing."
        )
    )
