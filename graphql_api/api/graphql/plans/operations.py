"""Plans as GraphQL shows them."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from graphql_api.api.graphql import enums
from graphql_api.api.graphql.arguments import given
from graphql_api.api.graphql.context import MOST_LISTED, Info
from graphql_api.api.graphql.tasks import Task
from graphql_api.domain.planner import model as planning
from graphql_api.domain.plans import model
from graphql_api.domain.plans.service import Draft, Outcome
from graphql_api.domain.tasks.model import Task as TaskModel

enums.show(
    planning.ReasonCode,
    "Why a block is where it is.",
    KEPT="The task stays where it was planned.",
    FIRST_FREE_TIME="It is the free time in which the task ends the earliest.",
    AFTER_BLOCKER="The task waits for another one.",
    NOT_BEFORE="The task is not to begin earlier.",
    OTHERS_FIRST="Other tasks have the free time before it.",
    URGENCY="The task weighs more than some that come later.",
    DEADLINE="The task ends before its deadline.",
    LATE="The task ends after its deadline, which is a soft one.",
    SPLIT="The task is done in several parts.",
    MILESTONE="The task takes no time.",
)
enums.show(
    planning.UnplacedCode,
    "Why a task has no place in a plan.",
    BLOCKER_UNPLACED="A task that it waits for has no place either.",
    STARTS_AFTER_HORIZON="It cannot begin before the plan ends.",
    DEADLINE_PASSED="Its hard deadline has passed.",
    DEADLINE_TOO_SOON="There is too little free time before its hard deadline.",
    NO_WINDOW_LONG_ENOUGH="No free time is long enough for it in one piece.",
    HORIZON_TOO_SHORT="There is too little free time before the plan ends.",
    NO_TIME_LEFT="Other tasks have the free time that it could have.",
)


@strawberry.type(description="Why a block is where it is.")
class Reason:
    code: planning.ReasonCode = strawberry.field(description="The reason, for programs.")
    text: str = strawberry.field(description="The reason, for people.")
    task_ids: list[strawberry.ID] = strawberry.field(
        description="The other tasks that it is about, at most three."
    )


def _planned(root: strawberry.Parent[Any], info: Info) -> TaskModel:
    """The task that a part of a plan is of."""
    return info.context.planned_task(root.task_id)


def _title(root: strawberry.Parent[Any], info: Info) -> str:
    return info.context.title(root.task_id)


_TASK = f"The task; a request gets at most {MOST_LISTED} of them in all its lists."


@strawberry.type(description="A piece of a task in a plan.")
class PlanBlock:
    task_id: strawberry.ID = strawberry.field(description="The task's id.")
    title: str = strawberry.field(resolver=_title, description="The task's title.")
    task = strawberry.field(_planned, graphql_type=Task, description=_TASK)
    start: datetime = strawberry.field(description="When it begins.")
    end: datetime = strawberry.field(description="When it ends.")
    part: int = strawberry.field(description="Which piece of the task it is, from 1 on.")
    parts: int = strawberry.field(description="How many pieces the task has.")
    reasons: list[Reason] = strawberry.field(description="Why it is there.")


@strawberry.type(description="A task that has no place in a plan.")
class UnplacedTask:
    task_id: strawberry.ID = strawberry.field(description="The task's id.")
    title: str = strawberry.field(resolver=_title, description="The task's title.")
    task = strawberry.field(_planned, graphql_type=Task, description=_TASK)
    code: planning.UnplacedCode = strawberry.field(description="Why, for programs.")
    text: str = strawberry.field(description="Why, for people.")
    missing_minutes: int = strawberry.field(
        description="The minutes of it that the plan leaves no room for."
    )
    task_ids: list[strawberry.ID] = strawberry.field(
        name="blockerIds", description="The tasks that it waits for and that have no place either."
    )


@strawberry.type(description="A task that will be late for its soft deadline.")
class AtRiskTask:
    task_id: strawberry.ID = strawberry.field(description="The task's id.")
    title: str = strawberry.field(resolver=_title, description="The task's title.")
    task = strawberry.field(_planned, graphql_type=Task, description=_TASK)
    late_minutes: int = strawberry.field(description="How late it will be.")


@strawberry.type(description="An open task of which nobody knows how long it takes.")
class UnestimatedTask:
    task_id: strawberry.ID = strawberry.field(description="The task's id.")
    title: str = strawberry.field(resolver=_title, description="The task's title.")
    task = strawberry.field(_planned, graphql_type=Task, description=_TASK)


@strawberry.type(description="A task as a plan has seen it.")
class TaskVersion:
    task_id: strawberry.ID = strawberry.field(name="task", description="The task's id.")
    version: int = strawberry.field(description="The version that the task had.")


@strawberry.type(description="When to do what: a plan of tasks, not written anywhere.")
class Plan:
    draft: strawberry.Private[Draft]

    @strawberry.field(
        description="What the plan was made from, as one value: equal ones have equal plans."
    )
    def input_hash(self) -> str:
        return self.draft.plan.input_hash

    @strawberry.field(name="from", description="When the plan begins.")
    def from_(self) -> datetime:
        return self.draft.request.from_

    @strawberry.field(description="For how many times 24 hours it reaches.")
    def horizon_days(self) -> int:
        return self.draft.request.horizon_days

    @strawberry.field(
        description=(
            "What all the waiting, lateness and leaving out costs, by which plans of the same"
            " input are compared: less is better."
        )
    )
    def cost(self) -> float:
        return self.draft.plan.cost

    @strawberry.field(graphql_type=list[PlanBlock], description="The pieces of tasks, by time.")
    def blocks(self) -> tuple[planning.Block, ...]:
        return self.draft.plan.blocks

    @strawberry.field(
        graphql_type=list[UnplacedTask], description="The tasks that have no place, by id."
    )
    def unplaced(self) -> tuple[planning.Unplaced, ...]:
        return self.draft.plan.unplaced

    @strawberry.field(
        graphql_type=list[AtRiskTask],
        description="The tasks that will be late for a soft deadline, by id.",
    )
    def at_risk(self) -> tuple[planning.AtRisk, ...]:
        return self.draft.plan.at_risk

    @strawberry.field(
        graphql_type=list[UnestimatedTask],
        description="The open tasks without durationMinutes, which are not planned, by id.",
    )
    def unestimated(self) -> tuple[TaskModel, ...]:
        return self.draft.selection.unestimated

    @strawberry.field(
        graphql_type=list[TaskVersion],
        description="The tasks that the plan is of, by id; planApply takes them as they are.",
    )
    def versions(self) -> tuple[planning.PlanTask, ...]:
        return self.draft.request.tasks


@strawberry.input(description="A time that is taken.")
class BusyInput:
    start: datetime = strawberry.field(description="When it begins.")
    end: datetime = strawberry.field(description="When it ends: not before the start.")


_FROM = "When the plan begins; it is rounded up to a minute."
_HORIZON = (
    f"For how many times 24 hours it reaches, 1 to {planning.HORIZON_DAYS};"
    f" {model.DEFAULT_HORIZON} without it."
)
_BUSY = f"Times without work beside the settings' hours, at most {model.BUSY}; none without it."
_KEEP = "Whether what is planned stays where it is, as long as it can; false without it."
_IDS = (
    "The open tasks to plan, all of them without it; the others keep the time that they are"
    " planned for."
)


@strawberry.input(description="Of what to make a plan.")
class PlanInput:
    from_: datetime = strawberry.field(name="from", description=_FROM)
    horizon_days: int | None = strawberry.field(default=UNSET, description=_HORIZON)
    busy: list[BusyInput] | None = strawberry.field(default=UNSET, description=_BUSY)
    keep_current: bool | None = strawberry.field(default=UNSET, description=_KEEP)
    task_ids: list[strawberry.ID] | None = strawberry.field(default=UNSET, description=_IDS)


@strawberry.input(description="A task as a plan has seen it.")
class TaskVersionInput:
    task: strawberry.ID = strawberry.field(description="The task's id.")
    version: int = strawberry.field(description="The version that the task had.")


@strawberry.input(description="Which plan to apply: the input of its preview, and its hash.")
class PlanApplyInput:
    from_: datetime = strawberry.field(name="from", description=_FROM)
    horizon_days: int | None = strawberry.field(default=UNSET, description=_HORIZON)
    busy: list[BusyInput] | None = strawberry.field(default=UNSET, description=_BUSY)
    keep_current: bool | None = strawberry.field(default=UNSET, description=_KEEP)
    task_ids: list[strawberry.ID] | None = strawberry.field(default=UNSET, description=_IDS)
    input_hash: str = strawberry.field(
        description="The preview's `inputHash`; CONFLICT if the input is another now."
    )
    versions: list[TaskVersionInput] | None = strawberry.field(
        default=UNSET,
        description=(
            "The preview's `versions`; with them, CONFLICT says which tasks were `added`, `removed`"
            " and `changed` since."
        ),
    )

    @property
    def seen(self) -> dict[str, int] | None:
        """The versions by id, if they are given."""
        if not isinstance(self.versions, list):
            return None
        return {each.task: each.version for each in self.versions}


@strawberry.input(description="Which plan to undo.")
class PlanUndoInput:
    plan_id: strawberry.ID = strawberry.field(
        description=f"The `planId` of its application, for {model.KEPT_FOR.days} days after it."
    )


@strawberry.type(description="What has become of the tasks of a plan.")
class PlanApplyPayload:
    outcome: strawberry.Private[Outcome]

    @strawberry.field(
        description=(
            "The id by which the plan can be undone, and applied again if it was interrupted:"
            " its `inputHash`."
        )
    )
    def plan_id(self) -> strawberry.ID:
        return strawberry.ID(self.outcome.plan_id)

    @strawberry.field(
        graphql_type=list[strawberry.ID],
        description="The tasks whose plannedStart and plannedEnd were set.",
    )
    def applied(self) -> tuple[str, ...]:
        return self.outcome.written

    @strawberry.field(
        graphql_type=list[strawberry.ID],
        description="The tasks that were planned so already.",
    )
    def unchanged(self) -> tuple[str, ...]:
        return self.outcome.unchanged

    @strawberry.field(
        graphql_type=list[strawberry.ID],
        description="The tasks that somebody has changed meanwhile: they stay as they are.",
    )
    def conflicts(self) -> tuple[str, ...]:
        return self.outcome.conflicts


@strawberry.type(description="What has become of the tasks of a plan that was undone.")
class PlanUndoPayload:
    outcome: strawberry.Private[Outcome]

    @strawberry.field(
        graphql_type=list[strawberry.ID],
        description="The tasks that are planned as they were before.",
    )
    def restored(self) -> tuple[str, ...]:
        return self.outcome.written

    @strawberry.field(
        graphql_type=list[strawberry.ID],
        description="The tasks that had nothing to restore, or have it already.",
    )
    def unchanged(self) -> tuple[str, ...]:
        return self.outcome.unchanged

    @strawberry.field(
        graphql_type=list[strawberry.ID],
        description="The tasks that have changed since the plan was applied: they stay so.",
    )
    def skipped(self) -> tuple[str, ...]:
        return self.outcome.conflicts


def _options(input: PlanInput | PlanApplyInput) -> model.Options:
    fields = {name: value for name, value in given(vars(input)).items() if value is not None}
    if input.busy:
        fields["busy"] = tuple(planning.Interval(each.start, each.end) for each in input.busy)
    for name in ("input_hash", "versions"):
        fields.pop(name, None)
    return model.Options(**fields)


@strawberry.type
class PlanQuery:
    @strawberry.field(
        description=(
            "A plan of the viewer's open tasks in the working hours of the settings; the same"
            " input gives the same plan. Nothing is written."
        )
    )
    def plan_preview(
        self,
        info: Info,
        input: Annotated[PlanInput, strawberry.argument(description="Of what to make it.")],
    ) -> Plan:
        context, viewer = info.context, info.context.viewer
        options = _options(input)
        draft = context.plans.preview(viewer, context.settings_of(viewer), options)
        context.show((*draft.selection.planned, *draft.selection.unestimated))
        return Plan(draft=draft)


@strawberry.type
class PlanMutation:
    @strawberry.mutation(
        description=(
            "Set when the tasks are planned to be begun and done, as a preview has it; what has no"
            " place in it is planned no more. Applying a plan again changes nothing."
        )
    )
    def plan_apply(
        self,
        info: Info,
        input: Annotated[PlanApplyInput, strawberry.argument(description="Which plan.")],
    ) -> PlanApplyPayload:
        context, viewer = info.context, info.context.viewer
        options = _options(input)
        settings = context.settings_of(viewer)
        plan_id, now = input.input_hash, context.now
        outcome = context.plans.apply(viewer, settings, options, plan_id, input.seen, now)
        return PlanApplyPayload(outcome=outcome)

    @strawberry.mutation(
        description="Set when tasks are planned to what it was before a plan was applied."
    )
    def plan_undo(
        self,
        info: Info,
        input: Annotated[PlanUndoInput, strawberry.argument(description="Which plan.")],
    ) -> PlanUndoPayload:
        context = info.context
        outcome = context.plans.undo(context.viewer, input.plan_id, context.now)
        return PlanUndoPayload(outcome=outcome)
