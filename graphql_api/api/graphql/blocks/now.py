"""GraphQL query of what to do now."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import UNSET

from graphql_api.api.graphql.access.scopes import Scope, needs
from graphql_api.api.graphql.blocks.types import PlannedBlock
from graphql_api.api.graphql.context import Context, Info
from graphql_api.api.graphql.costs import LOADED, field_cost
from graphql_api.api.graphql.strawberry_extras import describe_enum
from graphql_api.api.graphql.tasks.types import Task
from graphql_api.domain.blocks import suggestion as model
from graphql_api.domain.tasks.model import MAX_MINUTES

_WORK = 1_000  # plain fields, to rate all open tasks

describe_enum(
    model.NowCode,
    "Why a task is to be done now, or none.",
    RUNNING="It is under way.",
    PLANNED_NOW="One of its blocks is now.",
    MOST_URGENT="It is the most urgent of those that are ready and fit.",
    NEXT_URGENT="It is the next by urgency.",
    FITS="What is left of it fits.",
    PART_FITS="It may be split, and a part of it fits.",
    UNESTIMATED="It has no estimate.",
    DUE="It is due at some time.",
    LATE="It is late.",
    BLOCKING="Others wait for it.",
    NOTHING_READY="No task can be begun.",
    NOTHING_FITS="No task that can be begun fits.",
)


@strawberry.type(description="Why a task is to be done now, or none.")
class NowReason:
    code: model.NowCode = strawberry.field(description="The reason, for programs.")
    text: str = strawberry.field(description="The reason, for people.")


@strawberry.type(description="A task that can be done now.")
class Suggestion:
    task: Task | None = strawberry.field(description="The task.")
    block: PlannedBlock | None = strawberry.field(description="Its block that is now, if any.")
    reasons: list[NowReason] = strawberry.field(
        description="The reasons.", metadata=field_cost(LOADED, items=6)
    )


@strawberry.type(description="What to do now.")
class WhatNow:
    advice: strawberry.Private[model.WhatNow]

    @strawberry.field(description="The instant that it is asked for.")
    def as_of(self) -> datetime:
        return self.advice.as_of

    @strawberry.field(
        graphql_type=Task | None, description="The task to do; null if there is none."
    )
    def task(self) -> object:
        return self.advice.best.task

    @strawberry.field(
        graphql_type=PlannedBlock | None, description="Its block that is now, if any."
    )
    def block(self) -> object:
        return self.advice.best.block

    @strawberry.field(
        graphql_type=list[NowReason],
        description="Why this one, or why none.",
        metadata=field_cost(LOADED, items=6),
    )
    def reasons(self) -> object:
        return self.advice.best.reasons

    @strawberry.field(
        graphql_type=list[Suggestion],
        description=f"What else could be done: at most {model.ALTERNATIVES}.",
        metadata=field_cost(LOADED, items=model.ALTERNATIVES),
    )
    def alternatives(self) -> object:
        return self.advice.alternatives


@strawberry.type
class NowQuery:
    @strawberry.field(
        description=(
            "The task that is under way; or else, of the open tasks that are ready, the most urgent"
            " one of which what is left, or a part of it, fits into the minutes that there are."
        ),
        metadata=field_cost(work=_WORK) | needs(Scope.PLAN_READ, confined=True),
    )
    def what_now(
        self,
        info: Info,
        minutes: Annotated[
            int | None,
            strawberry.argument(
                description=f"The minutes that there are, 1 to {MAX_MINUTES:,}; default: any."
            ),
        ] = UNSET,
        now: Annotated[
            datetime | None, strawberry.argument(description="The instant; default: the present.")
        ] = UNSET,
    ) -> WhatNow:
        advice = _advice(
            info.context, now or info.context.now, None if minutes is UNSET else minutes
        )
        return WhatNow(advice=advice)


def _advice(context: Context, now: datetime, minutes: int | None) -> model.WhatNow:
    viewer = context.viewer_id
    tasks = context.ranking.open_tasks(viewer)
    dependencies = context.related_tasks.dependencies_of(viewer)
    coefficients = context.settings_of(viewer).urgency_coefficients
    advice = model.Adviser(tasks, dependencies, coefficients, now, minutes).advise()
    shown = (advice.best, *advice.alternatives)
    context.track([each.task for each in shown if each.task])
    return advice
