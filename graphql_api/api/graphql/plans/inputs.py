"""GraphQL inputs of plans."""

from datetime import datetime

import strawberry
from strawberry import UNSET

from graphql_api.api.graphql.strawberry_extras import idempotency_key, provided
from graphql_api.domain.planner.model import MAX_HORIZON_DAYS, Interval
from graphql_api.domain.plans import model
from graphql_api.domain.plans.options import DEFAULT_HORIZON, MAX_BUSY, Options


@strawberry.input(description="A time that is taken.")
class BusyInput:
    start: datetime = strawberry.field(description="Start of the busy time.")
    end: datetime = strawberry.field(description="End of the busy time, not before its start.")


_FROM = "Start of the plan, rounded up to a minute."
_HORIZON = (
    f"Length of the plan in days of 24 hours, 1 to {MAX_HORIZON_DAYS}; by default"
    f" {DEFAULT_HORIZON}."
)
_BUSY = f"Times within the working hours that are taken, at most {MAX_BUSY}; by default none."
_KEEP = (
    "Whether planned tasks stay where they are, as long as that breaks no rule; by default false."
)
_IDS = (
    "Ids of the open tasks to plan, by default all; the others keep the time that they are"
    " planned for."
)
_FREEZE = (
    "Blocks that are planned to begin before this instant stay where they are; by default none."
)
_MOVES = (
    "How many tasks may move that could stay where they are planned; by default as many as it"
    " takes for others to be in time."
)
_PARTIAL = (
    "Whether a task for which there is not enough time gets what there is, instead of none; by"
    " default false."
)
_FRESH = (
    "Whether all is planned anew, wherever it was planned before: not with `keepCurrent` or"
    " `maxMoves`. By default false: tasks move only where that is needed."
)


@strawberry.input(description="The input of a plan.")
class PlanInput:
    from_: datetime = strawberry.field(name="from", description=_FROM)
    horizon_days: int | None = strawberry.field(default=UNSET, description=_HORIZON)
    busy: list[BusyInput] | None = strawberry.field(default=UNSET, description=_BUSY)
    keep_current: bool | None = strawberry.field(default=UNSET, description=_KEEP)
    task_ids: list[strawberry.ID] | None = strawberry.field(default=UNSET, description=_IDS)
    freeze_until: datetime | None = strawberry.field(default=UNSET, description=_FREEZE)
    max_moves: int | None = strawberry.field(default=UNSET, description=_MOVES)
    partial: bool | None = strawberry.field(default=UNSET, description=_PARTIAL)
    fresh: bool | None = strawberry.field(default=UNSET, description=_FRESH)


@strawberry.input(description="A task and the version that a plan was made from.")
class TaskVersionInput:
    task: strawberry.ID = strawberry.field(description="The task's id.")
    version: int = strawberry.field(description="The task's version.")


@strawberry.input(description="The plan to apply: the input of its preview, and its hash.")
class PlanApplyInput:
    from_: datetime = strawberry.field(name="from", description=_FROM)
    horizon_days: int | None = strawberry.field(default=UNSET, description=_HORIZON)
    busy: list[BusyInput] | None = strawberry.field(default=UNSET, description=_BUSY)
    keep_current: bool | None = strawberry.field(default=UNSET, description=_KEEP)
    task_ids: list[strawberry.ID] | None = strawberry.field(default=UNSET, description=_IDS)
    freeze_until: datetime | None = strawberry.field(default=UNSET, description=_FREEZE)
    max_moves: int | None = strawberry.field(default=UNSET, description=_MOVES)
    partial: bool | None = strawberry.field(default=UNSET, description=_PARTIAL)
    fresh: bool | None = strawberry.field(default=UNSET, description=_FRESH)
    input_hash: str = strawberry.field(
        description="The preview's `inputHash`; CONFLICT if the input has changed since."
    )
    versions: list[TaskVersionInput] | None = strawberry.field(
        default=UNSET,
        description=(
            "The preview's `versions`. With them, CONFLICT tells which tasks were `added`,"
            " `removed` and `changed` since."
        ),
    )
    idempotency_key: str | None = idempotency_key()

    @property
    def seen(self) -> dict[str, int] | None:
        """The given versions by task id; None without any."""
        if not isinstance(self.versions, list):
            return None
        return {item.task: item.version for item in self.versions}


@strawberry.input(description="The plan to undo.")
class PlanUndoInput:
    plan_id: strawberry.ID = strawberry.field(
        description=(
            f"The `planId` that `planApply` returned, valid for {model.KEPT_FOR.days} days."
        )
    )


def options(input: PlanInput | PlanApplyInput) -> Options:
    """Convert an input to the options of a plan; null means the default."""
    fields = {name: value for name, value in provided(vars(input)).items() if value is not None}
    if input.busy:
        fields["busy"] = tuple(Interval(busy.start, busy.end) for busy in input.busy)
    for name in ("input_hash", "versions", "idempotency_key"):
        fields.pop(name, None)
    return Options(**fields)
