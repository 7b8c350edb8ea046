"""GraphQL types of a plan."""

from datetime import date, datetime
from typing import Any

import strawberry

from graphql_api.api.graphql.context import MAX_LISTED, Info
from graphql_api.api.graphql.costs import LIST, LOADED, field_cost
from graphql_api.api.graphql.strawberry_extras import describe_enum
from graphql_api.api.graphql.tasks.types import Task
from graphql_api.domain.planner import model
from graphql_api.domain.plans.coming import MAX_COMING, ComingBlock, is_coming
from graphql_api.domain.plans.service import Draft
from graphql_api.domain.tasks.model import Task as TaskModel
from graphql_api.infra.executor import lookahead

describe_enum(
    model.ReasonCode,
    "Why a block is where it is.",
    FIXED="The block is under way, or was put there by hand.",
    KEPT="The task stays where it was planned.",
    FIRST_FREE_TIME="The block has the free time in which the task ends the earliest.",
    AFTER_BLOCKER="The task waits for one that blocks it.",
    NOT_BEFORE="The task must not start before its `notBefore` time.",
    OTHERS_FIRST="Earlier free time goes to other tasks.",
    URGENCY="The task weighs more than some that are planned later.",
    DEADLINE="The task ends before its deadline.",
    LATE="The task ends after its soft deadline.",
    SPLIT="The task is split into several pieces.",
    MILESTONE="The task takes no time.",
    SCHEDULE="The task is done in the hours of its schedule.",
    NO_SCHEDULE="The settings lack the task's schedule, so that the working hours count.",
    NOT_FREE="The task can no longer be done when it was planned.",
    CHANGED="The task needs another time than it had.",
    FRESH="All is planned afresh.",
    LIGHTER_FIRST="The task goes before one that weighs more, for the reason in the text.",
)
describe_enum(
    model.UnplacedCode,
    "Why a task could not be planned.",
    BLOCKER_UNPLACED="It is blocked by a task that could not be planned, or only in part.",
    STARTS_AFTER_HORIZON="It cannot start before the plan ends.",
    DEADLINE_PASSED="Its hard deadline has passed.",
    DEADLINE_TOO_SOON="There is not enough free time before its hard deadline.",
    NO_WINDOW_LONG_ENOUGH="No free time is long enough for it in one piece.",
    HORIZON_TOO_SHORT="There is not enough free time before the plan ends.",
    NO_TIME_LEFT="Other tasks take the free time that it needs.",
)


def _task(root: strawberry.Parent[Any], info: Info) -> TaskModel:
    return info.context.planned_task(root.task_id)


def _title(root: strawberry.Parent[Any], info: Info) -> str:
    return info.context.planned_task(root.task_id).title


def spend_rows(info: Info, rows: int) -> None:
    """Take the tasks that a list's rows ask for of those that a request may return."""
    keys = lookahead.selections(info._raw_info, "task")  # noqa: SLF001 - Strawberry offers no other way to the fragments
    info.context.spend_rows(keys * rows)


_TASK = (
    "The task, null if a part of it cannot be read. A request returns at most"
    f" {MAX_LISTED} tasks in all its lists."
)
_TASK_ID = "The task's id."
_TITLE = "The task's title."


@strawberry.type(description="Why a block is where it is.")
class Reason:
    code: model.ReasonCode = strawberry.field(description="The reason, for programs.")
    text: str = strawberry.field(description="The reason, for people.")
    task_ids: list[strawberry.ID] = strawberry.field(
        description="The other tasks that the reason names, at most three."
    )


@strawberry.type(description="A block of time in a plan: a task, or a piece of it.")
class PlanBlock:
    task_id: strawberry.ID = strawberry.field(description=_TASK_ID)
    title: str = strawberry.field(resolver=_title, description=_TITLE)
    task = strawberry.field(_task, graphql_type=Task | None, description=_TASK)
    start: datetime = strawberry.field(description="Start of the block.")
    end: datetime = strawberry.field(description="End of the block.")
    part: int = strawberry.field(description="Number of this piece of the task, from 1.")
    parts: int = strawberry.field(description="How many pieces the task is split into.")
    reasons: list[Reason] = strawberry.field(
        description="Why the block is where it is.", metadata=field_cost(LOADED, items=4)
    )


@strawberry.type(
    description="The time that an occurrence takes which is to come: there is no task of it yet."
)
class UpcomingBlock:
    task_id: strawberry.ID = strawberry.field(
        description="The id of the task that is the current occurrence of its series."
    )
    series_id: strawberry.ID = strawberry.field(description="The id of its series.")
    title: str = strawberry.field(resolver=_title, description="The title of the current task.")
    on: date = strawberry.field(description="The day of the occurrence, by its rule.")
    start: datetime = strawberry.field(description="Start of the block.")
    end: datetime = strawberry.field(description="End of the block.")
    part: int = strawberry.field(description="Number of this piece of the occurrence, from 1.")
    parts: int = strawberry.field(description="How many pieces the occurrence is split into.")


@strawberry.type(description="A task that could not be planned.")
class UnplacedTask:
    task_id: strawberry.ID = strawberry.field(description=_TASK_ID)
    title: str = strawberry.field(resolver=_title, description=_TITLE)
    task = strawberry.field(_task, graphql_type=Task | None, description=_TASK)
    code: model.UnplacedCode = strawberry.field(description="The obstacle, for programs.")
    text: str = strawberry.field(description="The obstacle, for people.")
    missing_minutes: int = strawberry.field(description="Minutes of free time that it lacks.")
    task_ids: list[strawberry.ID] = strawberry.field(
        name="blockerIds", description="The tasks that block it and are not finished in the plan."
    )


@strawberry.type(description="A task that ends after its deadline.")
class AtRiskTask:
    task_id: strawberry.ID = strawberry.field(description=_TASK_ID)
    title: str = strawberry.field(resolver=_title, description=_TITLE)
    task = strawberry.field(_task, graphql_type=Task | None, description=_TASK)
    late_minutes: int = strawberry.field(description="Minutes from its deadline until its end.")


@strawberry.type(description="A span of time.")
class TimeSpan:
    start: datetime = strawberry.field(description="Start of the span.")
    end: datetime = strawberry.field(description="End of the span.")


@strawberry.type(description="A block that is no longer where it was planned.")
class Move:
    task_id: strawberry.ID = strawberry.field(description=_TASK_ID)
    title: str = strawberry.field(resolver=_title, description=_TITLE)
    task = strawberry.field(_task, graphql_type=Task | None, description=_TASK)
    from_: TimeSpan = strawberry.field(name="from", description="Where it was.")
    to: TimeSpan | None = strawberry.field(description="Where it is now; null if it is nowhere.")
    reason: Reason = strawberry.field(description="Why it has moved.")


@strawberry.type(description="A day until whose end there is more to do than time.")
class Overload:
    day: date = strawberry.field(description="The day, where the user lives.")
    minutes: int = strawberry.field(description="Minutes of work that do not fit until its end.")
    task_ids: list[strawberry.ID] = strawberry.field(
        description="The tasks that are late by that, or lack that time."
    )


@strawberry.type(description="An open task without a duration.")
class UnestimatedTask:
    task_id: strawberry.ID = strawberry.field(description=_TASK_ID)
    title: str = strawberry.field(resolver=_title, description=_TITLE)
    task = strawberry.field(_task, graphql_type=Task | None, description=_TASK)


@strawberry.type(description="A task and the version that a plan was made from.")
class TaskVersion:
    task_id: strawberry.ID = strawberry.field(name="task", description=_TASK_ID)
    version: int = strawberry.field(description="The task's version.")


@strawberry.type(description="When to do which task: a plan, not written anywhere yet.")
class Plan:
    draft: strawberry.Private[Draft]

    @strawberry.field(description="Hash of the plan's input: equal hashes mean equal plans.")
    def input_hash(self) -> str:
        return self.draft.plan.input_hash

    @strawberry.field(name="from", description="Start of the plan.")
    def from_(self) -> datetime:
        return self.draft.request.from_

    @strawberry.field(description="Length of the plan in days of 24 hours.")
    def horizon_days(self) -> int:
        return self.draft.request.horizon_days

    @strawberry.field(
        description=(
            "Cost of waiting, of lateness and of tasks left out, to compare plans of the same"
            " input: less is better."
        )
    )
    def cost(self) -> float:
        return self.draft.plan.cost

    @strawberry.field(
        description=(
            "Whether the search for a better plan reached its limit of work, which bounds the time"
            " that planning takes. The plan keeps every rule all the same, and equal input stops at"
            " the same point."
        )
    )
    def stopped_early(self) -> bool:
        return self.draft.plan.stopped_early

    @strawberry.field(
        graphql_type=list[PlanBlock],
        description="The blocks, by time.",
        metadata=field_cost(LIST, items=model.MAX_TASKS),
    )
    def blocks(self, info: Info) -> tuple[model.Block, ...]:
        spend_rows(info, len(self.draft.plan.blocks))
        return self.draft.plan.blocks

    @strawberry.field(
        graphql_type=list[UpcomingBlock],
        description=(
            f"The time for occurrences to come of tasks that recur, at most {MAX_COMING} of them,"
            " by time. They have no tasks yet, so `planApply` leaves them out."
        ),
        metadata=field_cost(LOADED, items=MAX_COMING),
    )
    def upcoming(self) -> tuple[ComingBlock, ...]:
        return self.draft.coming

    @strawberry.field(
        graphql_type=list[UnplacedTask],
        description="The tasks that could not be planned, by id.",
        metadata=field_cost(LIST, items=model.MAX_TASKS),
    )
    def unplaced(self, info: Info) -> tuple[model.Unplaced, ...]:
        spend_rows(info, len(self.draft.plan.unplaced))
        return self.draft.plan.unplaced

    @strawberry.field(
        graphql_type=list[AtRiskTask],
        description="The tasks that end after their soft deadlines, by id.",
        metadata=field_cost(LIST, items=model.MAX_TASKS),
    )
    def at_risk(self, info: Info) -> tuple[model.AtRisk, ...]:
        spend_rows(info, len(self.draft.plan.at_risk))
        return self.draft.plan.at_risk

    @strawberry.field(
        graphql_type=list[Move],
        description="The blocks that are no longer where they were planned, by time.",
        metadata=field_cost(LIST, items=model.MAX_TASKS),
    )
    def moved(self, info: Info) -> tuple[model.Move, ...]:
        spend_rows(info, len(self.draft.plan.moved))
        return self.draft.plan.moved

    @strawberry.field(
        graphql_type=list[Overload],
        description="The days that have more work than time, in order.",
        metadata=field_cost(LIST, items=model.MAX_HORIZON_DAYS),
    )
    def overload(self) -> tuple[model.Overload, ...]:
        return self.draft.plan.overload

    @strawberry.field(
        graphql_type=list[UnestimatedTask],
        description="The open tasks without `durationMinutes`, which are not planned, by id.",
        metadata=field_cost(LIST, items=model.MAX_TASKS),
    )
    def unestimated(self, info: Info) -> tuple[TaskModel, ...]:
        spend_rows(info, len(self.draft.selection.unestimated))
        return self.draft.selection.unestimated

    @strawberry.field(
        graphql_type=list[TaskVersion],
        description="Versions of the tasks that the plan was made from, by id, for `planApply`.",
        metadata=field_cost(LIST, items=model.MAX_TASKS),
    )
    def versions(self) -> tuple[model.PlanTask, ...]:
        return tuple(job for job in self.draft.request.tasks if not is_coming(job.task_id))
