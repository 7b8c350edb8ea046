"""GraphQL query and mutations of planned blocks."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import UNSET

from graphql_api.api.graphql.access.scopes import Scope, needs
from graphql_api.api.graphql.blocks.types import PlannedBlock, PlannedBlockPayload
from graphql_api.api.graphql.context import Info
from graphql_api.api.graphql.costs import LIST, field_cost
from graphql_api.api.graphql.plans.types import spend_rows
from graphql_api.api.graphql.strawberry_extras import RangeEnd, RangeStart, provided
from graphql_api.domain.blocks.model import BlockState
from graphql_api.domain.blocks.service import TaskBlock
from graphql_api.domain.paging import MAX_DAYS, MAX_LISTED


@strawberry.input(description="A change of a planned block; what is absent stays as it is.")
class UpdatePlannedBlockInput:
    id: strawberry.ID = strawberry.field(description="The block's id.")
    start: datetime | None = strawberry.field(
        default=UNSET,
        description=(
            "Where it begins. Without an `end` it keeps its length. It may lie outside the working"
            " hours. What is moved is pinned, too."
        ),
    )
    end: datetime | None = strawberry.field(
        default=UNSET, description="Where it ends, after its start."
    )
    pinned: bool | None = strawberry.field(
        default=UNSET, description="Whether it stays in every plan."
    )
    state: BlockState | None = strawberry.field(
        default=UNSET,
        description="`DONE`, `MISSED`, or `PLANNED` to take either back; `startTask` starts it.",
    )
    expected_version: int | None = strawberry.field(
        default=UNSET,
        description="The version that the task must have; it is a CONFLICT if it has another one.",
    )


@strawberry.type
class BlockQuery:
    @strawberry.field(
        graphql_type=list[PlannedBlock],
        description=(
            "The viewer's planned blocks that are, at least in part, between two instants, by"
            f" time: at most {MAX_LISTED:,} in at most {MAX_DAYS} days. They are there from the"
            " plan's being applied on, whatever becomes of them."
        ),
        metadata=field_cost(LIST, items=MAX_LISTED) | needs(Scope.PLAN_READ, confined=True),
    )
    def planned_blocks(
        self,
        info: Info,
        from_: RangeStart,
        to: RangeEnd,
    ) -> list[TaskBlock]:
        context = info.context
        blocks = context.blocks.between(
            context.viewer_id, from_, to, context.read_budget, context.now
        )
        spend_rows(info, len(blocks))
        context.track([block.task for block in blocks])
        return blocks


@strawberry.type
class BlockMutation:
    @strawberry.mutation(
        description="Move a planned block, pin it, or say what became of it.",
        metadata=needs(Scope.PLAN_WRITE, confined=True),
    )
    def update_planned_block(
        self,
        info: Info,
        input: Annotated[UpdatePlannedBlockInput, strawberry.argument(description="The change.")],
    ) -> PlannedBlockPayload:
        context = info.context.for_write()
        fields, now = provided(vars(input)), context.now
        block = context.blocks.update(context.viewer_id, fields, context.actor, now)
        context.track([block.task])
        return PlannedBlockPayload(block=block)
